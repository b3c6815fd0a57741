/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A network that another program wrote as a graph (ONNX, Paddle inference models) back to a row of
 * the catalogue and its canonical tensors. The graph is matched by structure; names are not relied
 * upon. Batch norms may be folded into the convolutions: such a convolution's bias becomes a batch
 * norm of scale 1, mean 0 and variance 1 - epsilon.
 */
#ifndef R2N_IMPORT_IMPORT_H
#define R2N_IMPORT_IMPORT_H

#include "model/graph.h"
#include "weights/weights.h"

typedef struct r2n_imported {
    r2n_architecture architecture;
    r2n_family family;       /* UNKNOWN of parameters alone, whose metadata say Paddle's */
    r2n_tensor_set *weights; /* canonical: the caller's. Its metadata are ours in the file: family,
                                recipe, labels, licence, source, each NULL where it says nothing,
                                and of a network in int8 the calibration */
    int32_t ends_in_softmax; /* the file's last step; it is not part of the tensors */
    char *yaml; /* inference.yml beside a Paddle model, NUL-terminated, or NULL: r2n_free */
} r2n_imported;

/* `path` is a file .onnx, .pdmodel, .json (PIR, with its .pdiparams beside it) or that .pdiparams,
 * a folder of an inference model, or a .tar of such a folder. DAMAGED, MISMATCH (no Res2Net, with
 * the reason), UNSUPPORTED, LIMIT_EXCEEDED, OUT_OF_MEMORY; nothing is loaded in part. */
res2net_status r2n_import(const char *path, r2n_imported *out, res2net_report *report);
/* The same of a .onnx or .tar in memory; nothing points into it afterwards. */
res2net_status r2n_import_memory(const void *data, size_t size, const char *name, r2n_imported *out,
                                 res2net_report *report);
/* The same where the caller says which network it is, or NULL: a .pdiparams may then be without its
 * program, and its tensors are that network's. The number of classes is the file's, unless the name
 * states one. Of files that tell the network themselves nothing is compared here. */
res2net_status r2n_import_as(const char *path, const r2n_architecture *architecture,
                             r2n_imported *out, res2net_report *report);
res2net_status r2n_import_memory_as(const void *data, size_t size, const char *name,
                                    const r2n_architecture *architecture, r2n_imported *out,
                                    res2net_report *report);
void r2n_imported_free(r2n_imported *imported);

/* Does the path look like one of these (content, not name alone)? Every folder does; pipes, which
 * can be read only once, do not. */
int r2n_import_recognises(const char *path);
int r2n_import_recognises_memory(const void *data, size_t size);

#endif
