/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the readers make and match.c reads: operations and values of a foreign graph, in the words
 * of this project. Values are numbered; an operation's result is a value; constants are values with
 * data, which stay where they are in the file until they are taken.
 *
 * A reader adds operations in running order by the r2n_foreign_* functions below. They check what
 * every format has in common (shapes of weights, square windows) and leave out what computes
 * nothing. The first refusal is told to the report and kept in `status`; what is added after it is
 * of no use.
 */
#ifndef R2N_IMPORT_FOREIGN_GRAPH_H
#define R2N_IMPORT_FOREIGN_GRAPH_H

#include "weights/reader.h"
#include "weights/weights.h"

typedef enum r2n_foreign_kind {
    R2N_FOREIGN_CONVOLUTION, /* x, weight[, bias] */
    R2N_FOREIGN_BATCH_NORM,  /* x, scale, bias, mean, variance */
    R2N_FOREIGN_RELU,
    R2N_FOREIGN_ADD,   /* x, y: two computed values */
    R2N_FOREIGN_SLICE, /* x: channels [first, first + channels) */
    R2N_FOREIGN_CONCAT,
    R2N_FOREIGN_PAD, /* x: zeros around the map; part of the average pool behind it, or refused */
    R2N_FOREIGN_POOL,
    R2N_FOREIGN_GLOBAL_POOL,
    R2N_FOREIGN_RESHAPE,  /* to [images, channels] */
    R2N_FOREIGN_MULTIPLY, /* x, matrix[, bias] */
    R2N_FOREIGN_SOFTMAX
} r2n_foreign_kind;

typedef enum r2n_byte_type { R2N_NO_BYTES, R2N_SIGNED_BYTES, R2N_UNSIGNED_BYTES } r2n_byte_type;

enum { R2N_FOREIGN_INPUTS = 16, R2N_FOREIGN_INTEGERS = 16, R2N_FOREIGN_NAME_BYTES = 112 };

typedef struct r2n_foreign_operation {
    r2n_foreign_kind kind;
    int32_t inputs[R2N_FOREIGN_INPUTS]; /* values; made before */
    int32_t input_count;
    int32_t output; /* value */
    int32_t kernel, stride, padding;
    int32_t pool_is_average, ceil_mode, count_padding;
    int32_t first_channel, channels;
    int32_t transposed; /* MULTIPLY: the matrix is [outputs][inputs] */
    double epsilon;
    /* For each input what a level of it is worth, or 0 where it is read as it was computed. */
    float scales[R2N_FOREIGN_INPUTS];
    char name[R2N_FOREIGN_NAME_BYTES]; /* for messages: Conv "/layer1/conv1" */
} r2n_foreign_operation;

/* What rounding to int8 makes of a value, as `res2net export` writes it. Such values stand for
 * their `source`, which is what operations have as an input. */
typedef enum r2n_foreign_form {
    R2N_FOREIGN_COMPUTED, /* none of the others */
    R2N_FOREIGN_HELD,     /* from `least` to `most` */
    R2N_FOREIGN_LEVELS,   /* whole numbers worth `scale`; 0: pieces with scales of their own */
    R2N_FOREIGN_ROUNDED   /* levels times `scale` */
} r2n_foreign_form;

typedef struct r2n_foreign_value {
    int32_t producer; /* operation; -1 for the picture, constants and what is not looked at */
    int32_t channels; /* of a computed value; 0: not known */
    int32_t is_shape; /* computed from sizes of other values only: what Reshape may be given */
    int32_t is_constant;
    r2n_foreign_form form;
    int32_t source;
    float least, most, scale;
    /* The rest is of constants. */
    int32_t rank;
    int64_t shape[4];
    int64_t count;
    int32_t transposed;    /* a matrix stored as [shape[1]][shape[0]] */
    r2n_element_type type; /* INTEGER: only `integers` and bytes are kept */
    r2n_byte_type byte_type;
    const uint8_t *data;   /* `count` elements: into the file or a block of the graph */
    int32_t worth;         /* bytes as numbers: the value with what one is worth, for each shape[0];
                              -1: floats, or nothing that operations take */
    int32_t integer_count; /* -1: no integers, or more than there is room for */
    int64_t integers[R2N_FOREIGN_INTEGERS];
} r2n_foreign_value;

typedef struct r2n_foreign_graph {
    const char *file;
    res2net_report *report;
    res2net_status status; /* of the first refusal */
    r2n_foreign_operation *operations;
    size_t operation_count, operation_capacity;
    r2n_foreign_value *values;
    size_t value_count, value_capacity;
    void **blocks; /* converted constants */
    size_t block_count, block_capacity;
    r2n_file_bytes *files; /* constants point into them */
    size_t file_count, file_capacity;
    int32_t input, output; /* values: the picture and the scores; -1: none yet */
    r2n_file_bytes pages;  /* most constants lie in it; nothing: not known. Not the graph's */
    uint64_t weight_bytes; /* of the files that hold the weights: what may be made of them */
    int32_t has_levels;    /* a computed value is rounded */
    r2n_weights_metadata metadata; /* of ours in the file */
} r2n_foreign_graph;

/* An empty graph; `file` and `report` are the caller's. */
r2n_foreign_graph r2n_foreign_graph_begin(const char *file, res2net_report *report);
void r2n_foreign_graph_free(r2n_foreign_graph *graph);

/* Tells the report, keeps the status and gives -1, which is no value. */
int32_t r2n_foreign_refuse(r2n_foreign_graph *graph, res2net_status status, int64_t offset,
                           const char *format, ...) RES2NET_PRINTF(4, 5);
int32_t r2n_foreign_no_memory(r2n_foreign_graph *graph);

/* A value that nothing here computes: the picture, sizes. */
int32_t r2n_foreign_plain_value(r2n_foreign_graph *graph, int32_t channels);
/* A constant as a file holds it. */
typedef struct r2n_foreign_tensor {
    int32_t rank;
    const int64_t *shape;
    r2n_element_type type;
    r2n_byte_type byte_type; /* of INTEGER: `data` are such */
    const uint8_t *data;     /* NULL for other integers */
    size_t bytes;            /* of data */
    int32_t integer_count;   /* -1 for none */
    const int64_t *integers;
    int64_t offset; /* in the file, for messages */
} r2n_foreign_tensor;
/* Sizes are checked: `bytes` is exactly what the shape needs. More than four dimensions are kept as
 * a constant that no operation takes. */
int32_t r2n_foreign_constant(r2n_foreign_graph *graph, const r2n_foreign_tensor *tensor);
/* A constant matrix [rows][columns] as [columns][rows]. */
int32_t r2n_foreign_transposed(r2n_foreign_graph *graph, int32_t value);
int r2n_foreign_is_constant(const r2n_foreign_graph *graph, int32_t value);
/* Its operation, or NULL. */
const r2n_foreign_operation *r2n_foreign_producer(const r2n_foreign_graph *graph, int32_t value);
/* The graph keeps the block (r2n_allocate) or the file; 0 without memory, it then being freed. */
int r2n_foreign_own_block(r2n_foreign_graph *graph, void *block);
int r2n_foreign_own_file(r2n_foreign_graph *graph, r2n_file_bytes *file);

/* ---- operations ------------------------------------------------------------------------------ */

/* How messages call an operation; not NUL-terminated, any bytes. */
typedef struct r2n_foreign_label {
    const char *type, *name;
    size_t type_bytes, name_bytes;
    int64_t offset; /* in the file; -1: unknown */
} r2n_foreign_label;

/* "Conv "name"", with what is no printable ASCII as '?'. */
void r2n_foreign_label_text(const r2n_foreign_label *label, char text[R2N_FOREIGN_NAME_BYTES]);

/* A window as formats tell it; all four sides of the padding. */
typedef struct r2n_foreign_window {
    int64_t kernel[2], stride[2], padding[4], dilation[2], groups;
} r2n_foreign_window;
r2n_foreign_window
r2n_foreign_window_default(void); /* strides, dilations and groups 1, no padding */

/* Each gives the operation's value, or -1. */
int32_t r2n_foreign_convolution(r2n_foreign_graph *graph, const r2n_foreign_label *label, int32_t x,
                                int32_t weight, int32_t bias, const r2n_foreign_window *window);
int32_t r2n_foreign_batch_norm(r2n_foreign_graph *graph, const r2n_foreign_label *label,
                               const int32_t inputs[5], double epsilon);
/* RELU, GLOBAL_POOL, RESHAPE, SOFTMAX. */
int32_t r2n_foreign_simple(r2n_foreign_graph *graph, const r2n_foreign_label *label,
                           r2n_foreign_kind kind, int32_t x);
/* Of two computed values, or of one and a bias, which goes into the operation before it. */
int32_t r2n_foreign_sum(r2n_foreign_graph *graph, const r2n_foreign_label *label, int32_t x,
                        int32_t y);
int32_t r2n_foreign_slice(r2n_foreign_graph *graph, const r2n_foreign_label *label, int32_t x,
                          int64_t first, int64_t channels);
/* `count` values into `outputs`; sizes NULL: equal parts. Gives outputs[0]. */
int32_t r2n_foreign_split(r2n_foreign_graph *graph, const r2n_foreign_label *label, int32_t x,
                          const int64_t *sizes, int64_t count, int32_t outputs[R2N_FOREIGN_INPUTS]);
int32_t r2n_foreign_concat(r2n_foreign_graph *graph, const r2n_foreign_label *label,
                           const int32_t *values, int64_t count);
int32_t r2n_foreign_pad(r2n_foreign_graph *graph, const r2n_foreign_label *label, int32_t x,
                        const int64_t padding[4]);
typedef struct r2n_foreign_pool_rule {
    int32_t is_average, ceil_mode, count_padding;
} r2n_foreign_pool_rule;
int32_t r2n_foreign_pool(r2n_foreign_graph *graph, const r2n_foreign_label *label, int32_t x,
                         const r2n_foreign_window *window, r2n_foreign_pool_rule rule);
/* bias -1: none. */
int32_t r2n_foreign_multiply(r2n_foreign_graph *graph, const r2n_foreign_label *label, int32_t x,
                             int32_t matrix, int32_t bias, int32_t transposed);
/* int8, in foreign_levels.c. A value held to a range: only the next function takes it. */
int32_t r2n_foreign_hold(r2n_foreign_graph *graph, const r2n_foreign_label *label, int32_t x,
                         int32_t least, int32_t most);
/* A held value to levels. `scale` and `zero` are constants, `zero` of the levels' type. */
int32_t r2n_foreign_to_levels(r2n_foreign_graph *graph, const r2n_foreign_label *label, int32_t x,
                              int32_t scale, int32_t zero);
/* Levels as numbers: of a value, or of weights with a scale for each of their first axis, which
 * `axis` has to name. zero -1: not given. */
int32_t r2n_foreign_from_levels(r2n_foreign_graph *graph, const r2n_foreign_label *label,
                                int32_t levels, int32_t scale, int32_t zero, int64_t axis);
/* Refuses a network in int8 that is none of `res2net export`, with the reason. */
int32_t r2n_foreign_other_int8(r2n_foreign_graph *graph, const r2n_foreign_label *label,
                               const char *reason);
/* Refuses an operation that no Res2Net has, with its reason where it is a known one. */
int32_t r2n_foreign_unknown(r2n_foreign_graph *graph, const r2n_foreign_label *label);

#endif
