/* SPDX-License-Identifier: Apache-2.0 */
/* One function an operation, and what they share. */
#ifndef R2N_KERNELCHECK_CHECKS_H
#define R2N_KERNELCHECK_CHECKS_H

#include "kernelcheck/scene.h"

void check_gemm(tally *t, const options *o);
void check_gemm_bf16(tally *t, const options *o); /* and bf16x3 */
void check_gemm_int8(tally *t, const options *o);
void check_winograd(tally *t, const options *o);
void check_pool(tally *t, const options *o);
void check_elementwise(tally *t, const options *o);
void check_batch_norm(tally *t, const options *o); /* and statistics, for training */
void check_pool_gradient(tally *t, const options *o);
void check_weights_gradient(tally *t, const options *o);

/* This CPU has it, the ceiling allows it and the filter names it. */
int kernel_is_checked(const r2n_kernel *kernel, const options *o);
/* And it is of this operation and precision. */
int kernel_does(const r2n_kernel *kernel, r2n_operation operation, r2n_precision precision,
                const options *o);
int any_kernel_does(r2n_operation operation, r2n_precision precision, const options *o);
const r2n_kernel *find_reference(r2n_operation operation, r2n_precision precision);

/* Of bf16's and bf16x3's products: it adds them as a tile does. */
int has_tile_bits(const r2n_kernel *kernel);
/* A denormal becomes the zero of its sign, as in a tile. */
float flushed(float value);

/* |found - expected| <= (terms + 8) * 2^-24 * magnitude, plus as many steps of the smallest
 * denormal: the bound of `terms` rounded additions in any order. */
int is_within(float found, double expected, double magnitude, int32_t terms);
/* The same of a value of any precision but int8 after its conversion; bf16 also makes zeros of
 * denormals. Values that are not finite are what they become when they are stored. */
int is_within_stored(r2n_precision precision, double found, double expected, double magnitude,
                     int32_t terms);

#endif
