/* SPDX-License-Identifier: Apache-2.0 */
/* What the arithmetic units reach when operands never leave registers: the 100 % of every table. */
#ifndef R2N_KERNELS_CEILING_H
#define R2N_KERNELS_CEILING_H

#include "kernels/kernels.h"

/* Multiply-accumulates of a precision a second on `threads` threads at once (0: all), the best of a
 * few milliseconds' rounds. `isa` is a ceiling; reference counts scalar multiply-adds. */
double r2n_measure_ceiling(r2n_precision precision, r2n_isa isa, int threads);

#endif
