/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the Paddle writer share. spec: shared/spec/paddleclas.md 5.3 to 5.5 and 6.3.
 *
 * Everything but the tensors is a few hundred kilobytes and is made in memory; the tensors are
 * written straight into their file.
 */
#ifndef R2N_EXPORT_PADDLE_INTERNAL_H
#define R2N_EXPORT_PADDLE_INTERNAL_H

#include "base/os.h"
#include "export/export.h"
#include "formats/json_writer.h"

/* What Paddle calls the program's first and last values. */
#define R2N_PADDLE_INPUT   "x"
#define R2N_PADDLE_SOFTMAX "softmax_0.tmp_0"
#define R2N_PADDLE_LOGITS  "linear_0.tmp_1"
/* Both families, spec 1.7; Paddle's momentum is the part that is kept. */
#define R2N_PADDLE_EPSILON  1e-5f
#define R2N_PADDLE_MOMENTUM 0.9f

typedef struct r2n_paddle_export {
    const r2n_export_model *model;
    r2n_paddle_options options; /* checked */
    const char *folder;         /* for messages */
    res2net_report *report;
    r2n_tensor_spec *specs; /* of the weights' tensors, in their order */
    size_t count;           /* of tensors */
    size_t *sorted;         /* tensors by ascending bytes of their parameters' names */
    r2n_shape *shapes;      /* of the graph's values; NULL: pictures of any size */
} r2n_paddle_export;

/* A tensor's shape in Paddle's layout, where the classifier is [features][classes]. */
void r2n_paddle_parameter_shape(const r2n_tensor_spec *spec, int64_t shape[4]);
/* The tensor `prefix` `suffix` ("layer1.0.bn1", ".weight"); every name of the graph is there. */
size_t r2n_paddle_find(const r2n_paddle_export *export, const char *prefix, const char *suffix);
/* A value as [images][channels][rows][columns], -1 for what is not fixed. */
void r2n_paddle_value_shape(const r2n_paddle_export *export, int32_t node, int64_t shape[4]);
/* The nodes that take their part of the value that `slice`, the first of them, takes its part of:
 * the count, and their numbers. 0 where `slice` is not the first. */
int32_t r2n_paddle_slices(const r2n_graph *graph, int32_t slice, int32_t nodes[R2N_NODE_INPUTS]);

/* paddle_pdmodel.c, paddle_pir.c, paddle_yml.c, paddle_serving.c: whole files as texts. `failed`
 * in a text: no memory. */
void r2n_paddle_put_pdmodel(const r2n_paddle_export *export, r2n_text *text);
void r2n_paddle_put_pir(const r2n_paddle_export *export, r2n_text *text);
/* INVALID_ARGUMENT where the recipe is none of ours. */
res2net_status r2n_paddle_put_yml(const r2n_paddle_export *export, r2n_text *text);
/* The same message for people and for programs. */
void r2n_paddle_put_serving_text(const r2n_paddle_export *export, r2n_text *text);
void r2n_paddle_put_serving_binary(const r2n_paddle_export *export, r2n_text *text);

/* paddle_parameters.c. Write failures are the file's. OUT_OF_MEMORY. */
res2net_status r2n_paddle_write_parameters(const r2n_paddle_export *export, r2n_file_writer *file);
void r2n_paddle_write_info(const r2n_paddle_export *export, r2n_file_writer *file);

/* ---- paddle_folder.c: a folder whose files appear together ----------------------------------- */

typedef struct r2n_paddle_folder {
    char *target;    /* without slashes at its end */
    char *temporary; /* where the files are made */
    char *paths[2];  /* room for the names of two files: taking things away needs no memory */
    int exists;      /* the target is a folder already, and the temporary one is in it */
    res2net_report *report;
} r2n_paddle_folder;

/* INVALID_ARGUMENT, WRITE_FAILED, OUT_OF_MEMORY; nothing is left then. */
res2net_status r2n_paddle_folder_open(const char *path, r2n_paddle_folder *folder,
                                      res2net_report *report);
/* A file of the list in paddle_folder.c. */
res2net_status r2n_paddle_folder_file(const r2n_paddle_folder *folder, const char *name,
                                      r2n_file_writer **file);
/* Where a finished file lies for now; until the next name is asked for. */
const char *r2n_paddle_folder_path(const r2n_paddle_folder *folder, const char *name);
/* `name` becomes a second name of the finished file `from`. */
res2net_status r2n_paddle_folder_link(const r2n_paddle_folder *folder, const char *from,
                                      const char *name);
/* Puts everything in its place; the folder is gone afterwards, also on failure. */
res2net_status r2n_paddle_folder_close(r2n_paddle_folder *folder);
void r2n_paddle_folder_discard(r2n_paddle_folder *folder);

#endif
