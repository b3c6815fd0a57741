/* SPDX-License-Identifier: Apache-2.0 */
/* A convolution laid out as a plan lays it out: bordered input, taps as sources. */
#ifndef R2N_KERNELCHECK_CONVOLUTION_H
#define R2N_KERNELCHECK_CONVOLUTION_H

#include "kernels/kernels.h"

typedef struct convolution {
    const char *name;
    int32_t input_channels, channels;
    int32_t kernel, stride;
    int32_t rows, columns; /* of the output */
    int32_t residual, chain;
} convolution;

enum { CONVOLUTION_SOURCES = 64 };

/* Arguments and the memory they point to. */
typedef struct laid_out {
    r2n_gemm_arguments gemm;
    r2n_winograd_arguments winograd;                 /* the same for a 3x3 of stride 1 */
    r2n_weights_gradient_arguments weights_gradient; /* f32, the output being the gradient */
    r2n_gemm_source sources[CONVOLUTION_SOURCES];
    void *block;
    void *weights; /* as many as the winograd step reads */
    float *bias;
    float *gradient; /* by the weights */
    float *scale;    /* int8 */
    double macs;     /* useful ones */
} laid_out;

/* Channels are filled up as the precision needs it; operands are noise. 0 when memory could not be
 * had. */
int lay_out_convolution(const convolution *c, r2n_precision precision, int32_t images,
                        laid_out *out);
void release_convolution(laid_out *out);

#endif
