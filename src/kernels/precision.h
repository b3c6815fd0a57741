/* SPDX-License-Identifier: Apache-2.0 */
/* What a precision is called and how its numbers lie in memory. */
#ifndef R2N_KERNELS_PRECISION_H
#define R2N_KERNELS_PRECISION_H

#include "kernels/kernels.h"

typedef struct r2n_precision_facts {
    const char *name;     /* "bf16x3" */
    int32_t bytes;        /* of an activation's element and of a packed weight */
    int32_t group;        /* v of the packed layout: channels are stored in multiples of it */
    int32_t terms;        /* elements that make one activation */
    int32_t weight_terms; /* rows of packed weights that make one row of weights */
} r2n_precision_facts;

const r2n_precision_facts *r2n_precision_facts_of(r2n_precision precision);
/* 1 and *precision when `name` is one of them. */
int r2n_precision_parse(const char *name, r2n_precision *precision);
/* NULL when this CPU runs it under the ceiling, else what is missing ("AMX BF16"). bf16x3 is for
 * tiles only, bf16 for these or AVX-512 BF16, int8 runs everywhere; reference/, asked for by name,
 * takes all. */
const char *r2n_precision_missing(r2n_precision precision, r2n_isa ceiling);

#endif
