/* SPDX-License-Identifier: Apache-2.0 */
/* A graph as a picture for people. */
#ifndef R2N_DRAWING_DRAWING_H
#define R2N_DRAWING_DRAWING_H

#include "model/graph.h"

/* Writes an SVG that needs nothing else, for a picture of rows x columns. The file appears whole or
 * not at all. What r2n_graph_shapes refuses; OUT_OF_MEMORY, WRITE_FAILED. */
res2net_status r2n_draw_graph(const r2n_graph *graph, int32_t rows, int32_t columns,
                              const char *path, res2net_report *report);

#endif
