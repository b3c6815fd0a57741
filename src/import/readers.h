/* SPDX-License-Identifier: Apache-2.0 */
/* The readers of this room: bytes to a foreign graph. The bytes must outlive it. */
#ifndef R2N_IMPORT_READERS_H
#define R2N_IMPORT_READERS_H

#include "import/foreign_graph.h"
#include "import/import.h"

/* An ONNX ModelProto. `folder` is where files with external data may lie; NULL: nowhere. */
res2net_status r2n_read_onnx(const void *data, size_t size, const char *folder,
                             r2n_foreign_graph *graph);

/* A program of Paddle's and its parameters. */
typedef struct r2n_paddle_files {
    const void *program;
    size_t program_size;
    const void *parameters;
    size_t parameters_size;
    const char *parameters_file; /* for messages */
    const char *folder;          /* without `parameters`: where each has a file of its own */
} r2n_paddle_files;
res2net_status r2n_read_pdmodel(const r2n_paddle_files *files, r2n_foreign_graph *graph);
res2net_status r2n_read_pir(const r2n_paddle_files *files, r2n_foreign_graph *graph);

/* What the bytes begin like; a file that is cut off is still recognised. */
int r2n_looks_like_onnx(const void *data, size_t size);
int r2n_looks_like_pdmodel(const void *data, size_t size);
int r2n_looks_like_pir(const void *data, size_t size);
int r2n_looks_like_pdiparams(const void *data, size_t size);

/* A file of parameters alone, which has no names: the architecture's, in Paddle's order. */
res2net_status r2n_read_parameters_alone(const void *data, size_t size, const char *file,
                                         const r2n_architecture *architecture, r2n_imported *out,
                                         res2net_report *report);

/* Walks the graph against the catalogue's rules; `out` is all zero on failure. */
res2net_status r2n_match(const r2n_foreign_graph *graph, r2n_imported *out);

#endif
