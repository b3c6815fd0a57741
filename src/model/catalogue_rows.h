/* SPDX-License-Identifier: Apache-2.0 */
/* The table behind r2n_catalogue_get, and the writer of specifications; this room only. */
#ifndef R2N_MODEL_CATALOGUE_ROWS_H
#define R2N_MODEL_CATALOGUE_ROWS_H

#include "model/catalogue.h"

extern const r2n_catalogue_row r2n_catalogue_rows[];
extern const size_t r2n_catalogue_row_count;

/* Ranges that r2n_architecture_validate holds. A specification at all limits fits R2N_NAME_BYTES.
 */
enum {
    R2N_MAXIMUM_DEPTH = 99,
    R2N_MAXIMUM_PLANES = 1024,
    R2N_MAXIMUM_BASE_WIDTH = 1024,
    R2N_MAXIMUM_SCALE = 16,
    R2N_MAXIMUM_STEM_CHANNELS = 1024,
    R2N_MAXIMUM_CLASSES = 65536,
    R2N_MAXIMUM_CHANNELS = 32768
};

/* 1 when `name` begins with "cifar:", "plain:" or "vd:". */
int r2n_specification_is(const char *name);
/* Reads one; `out` is untouched on failure. */
res2net_status r2n_specification_parse(const char *text, r2n_architecture *out,
                                       res2net_report *report);
/* Writes the specification that reads back as `a` into a->name. */
void r2n_specification_write(r2n_architecture *a);

/* a->name: the row's name where all numbers but classes and picture_size are equal (then also its
 * picture_size), else the specification. */
void r2n_architecture_take_name(r2n_architecture *a);

#endif
