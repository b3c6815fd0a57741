/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Models: an architecture with its weights, preprocessing and labels.
 *
 * A model is immutable once loaded and may be shared by any number of threads and sessions.
 * res2net_quantize (quantize.h) alone changes one.
 */
#ifndef RES2NET_MODEL_H
#define RES2NET_MODEL_H

#include "res2net/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The same tensors make two different networks (docs/numerics.md): Paddle's, and the paper's
 * PyTorch code, timm and torchvision. */
typedef enum res2net_family {
    RES2NET_FAMILY_UNKNOWN = 0,
    RES2NET_FAMILY_PADDLE = 1,
    RES2NET_FAMILY_TORCH = 2
} res2net_family;

typedef struct res2net_model res2net_model;

/* All zero is the default. Strings are read during the call only. */
typedef struct res2net_load_options {
    const char *architecture; /* NULL: what the file tells by its metadata or its tensors' shapes */
    res2net_family family;    /* UNKNOWN: what the tensors' names say */
    const char *transforms;   /* path of a PaddleClas transform_ops list in YAML, or NULL */
    const char *recipe;       /* transforms as `res2net_evaluate_config` has them; or NULL */
    const char *labels;       /* path of a label file, or NULL */
    int verify; /* 1: also check the checksums over the data of an .r2n file and every number, and
                   pack its weights anew instead of using those it holds packed */
    const char *licence; /* recorded with the model (and in .r2n), or NULL: the file's own */
    const char *source;  /* where the weights come from, likewise */
} res2net_load_options;

/* Loads .r2n, .pdparams, .pth or .safetensors, told apart by content; or a Res2Net as a graph that
 * another program wrote: .onnx, a Paddle inference model as its folder, its .tar, or its .pdmodel
 * or .json with the .pdiparams beside it. `options` may be NULL. On success *out is the caller's
 * (`res2net_model_destroy`); on failure it is NULL and the report lists everything that is wrong:
 * NOT_FOUND, READ_FAILED, DAMAGED, UNSUPPORTED, LIMIT_EXCEEDED, MISMATCH, NOT_FINITE, BAD_LIST,
 * OUT_OF_MEMORY, INVALID_ARGUMENT. Nothing of a file is ever executed. */
RES2NET_API res2net_status res2net_model_load(const char *path, const res2net_load_options *options,
                                              res2net_model **out, res2net_report *report);

/* The same from memory, which must stay unchanged for the model's life. `name` is for messages. */
RES2NET_API res2net_status res2net_model_load_memory(const void *data, size_t size,
                                                     const char *name,
                                                     const res2net_load_options *options,
                                                     res2net_model **out, res2net_report *report);

/* The model that is built into the library; UNSUPPORTED where it was left out. */
RES2NET_API res2net_status res2net_model_load_default(const res2net_load_options *options,
                                                      res2net_model **out, res2net_report *report);

/* A model with weights from a formula (fixed by `seed`): for benchmarks and tests. `family` UNKNOWN
 * means the one the architecture's rows come from. */
RES2NET_API res2net_status res2net_model_create(const char *architecture, res2net_family family,
                                                uint64_t seed, res2net_model **out,
                                                res2net_report *report);

/* Sessions must be gone before. NULL is allowed. */
RES2NET_API void res2net_model_destroy(res2net_model *model);

typedef struct res2net_model_info {
    const char *architecture; /* "Res2Net50_26w_4s"; strings live as long as the model */
    res2net_family family;
    int32_t classes;
    int32_t picture_size; /* the side it was made for: 224, 32 */
    int64_t parameters;   /* trainable ones */
    int64_t statistics;   /* running means and variances */
    const char *licence;  /* "" where the file says nothing */
    const char *source;   /* where the weights come from; "" where the file says nothing */
    int has_labels;
    int is_calibrated; /* holds what int8 needs */
} res2net_model_info;

RES2NET_API void res2net_model_describe(const res2net_model *model, res2net_model_info *info);

/* The name of a class, or NULL where there is none. Lives as long as the model. */
RES2NET_API const char *res2net_model_label(const res2net_model *model, int32_t class_id);

/* All zero is the default. */
typedef struct res2net_save_options {
    int keep_family; /* 1: writes weights of one family in the other's format, marked */
    /* What .r2n holds for a fast start only: the weights once more, as sessions of these precisions
     * run them: "f32", "f32,int8", or "none" for a file of half the size with the same answers.
     * NULL: "f32". */
    const char *packed;
} res2net_save_options;

/* Writes the model in the format of the path's extension: .r2n, .pdparams, .safetensors. The file
 * appears whole or not at all. `options` may be NULL. MISMATCH when weights of one family would be
 * written in the other's format without `keep_family`; NOT_FINITE, OUT_OF_MEMORY, WRITE_FAILED;
 * INVALID_ARGUMENT for another extension. */
RES2NET_API res2net_status res2net_model_save(const res2net_model *model, const char *path,
                                              const res2net_save_options *options,
                                              res2net_report *report);

/* ---- the catalogue ---- */

typedef struct res2net_catalogue_entry {
    const char *name;
    const char *const *aliases; /* NULL-terminated */
    const char *origin;
    int64_t parameters, statistics;
    int64_t macs; /* multiply-accumulates at picture_size; 0 where memory to count them lacked */
    int32_t picture_size, classes;
    double page_top1, page_top5;       /* per cent on PaddleClas' page; 0 where it says nothing */
    double page_gflops, page_millions; /* what that page's table says; 0 where it says nothing */
    const char *note;                  /* where the page is wrong; NULL for nothing */
    const char *published;             /* where weights are published; NULL for nowhere known */
} res2net_catalogue_entry;

RES2NET_API size_t res2net_catalogue_count(void);
RES2NET_API void res2net_catalogue_get(size_t index, res2net_catalogue_entry *entry);
/* The nearest architecture name to a misspelt one, or NULL. Static. */
RES2NET_API const char *res2net_catalogue_nearest(const char *name);

/* ---- summary
 * ------------------------------------------------------------------------------------- */

typedef struct res2net_layer {
    const char *name;                /* "layer1.0.convs.0"; lives as long as the summary */
    const char *kind;                /* "convolution 3x3 / 2", "batch norm", "add", ... */
    int32_t channels, rows, columns; /* of its result */
    int64_t parameters, macs;
} res2net_layer;

typedef struct res2net_summary {
    char architecture[96];
    res2net_family family;
    int32_t height, width, classes;
    int64_t parameters, statistics, macs;
    size_t layer_count;
    res2net_layer *layers;
} res2net_summary;

/* Of an architecture by name, for one picture of height x width (0: its own size). The caller gives
 * it back with `res2net_summary_free`. */
RES2NET_API res2net_status res2net_summary_create(const char *architecture, res2net_family family,
                                                  int32_t height, int32_t width,
                                                  res2net_summary *out, res2net_report *report);
/* The same of a loaded model (its class count). */
RES2NET_API res2net_status res2net_summary_of_model(const res2net_model *model, int32_t height,
                                                    int32_t width, res2net_summary *out,
                                                    res2net_report *report);
RES2NET_API void res2net_summary_free(res2net_summary *summary);

/* Draws the same for people: stem, stages, blocks with their groups, head, with shapes, parameters
 * and multiply-accumulates, as an SVG file that needs nothing else. The file appears whole or not
 * at all. Fails as the summary does; OUT_OF_MEMORY, WRITE_FAILED. */
RES2NET_API res2net_status res2net_summary_draw(const char *architecture, res2net_family family,
                                                int32_t height, int32_t width, const char *path,
                                                res2net_report *report);
RES2NET_API res2net_status res2net_summary_draw_model(const res2net_model *model, int32_t height,
                                                      int32_t width, const char *path,
                                                      res2net_report *report);

#ifdef __cplusplus
}
#endif
#endif
