/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gradients by the kernels of training, held to finite differences of a plain forward computation
 * in double: y is worked out from the variables, the loss is the sum of y times random factors.
 */
#ifndef R2N_KERNELCHECK_GRAD_H
#define R2N_KERNELCHECK_GRAD_H

#include "kernelcheck/kernelcheck.h"
#include "kernelcheck/random.h"
#include "kernelcheck/scene.h"

/* Numbers that a float holds. */
typedef struct numbers {
    double *values;
    int64_t count;
} numbers;

numbers random_numbers(random_state *random, int64_t count);
/* Zeros; ends the program when memory cannot be had. */
void *grad_memory(int64_t count, size_t bytes);

typedef struct problem {
    const char *text;
    const options *options;
    random_state *random;
    tally *tally;
    /* The loss, of what `context` holds. */
    double (*loss)(const void *context);
    const void *context;
} problem;

/* The largest difference between `found` and the slopes of the loss by `variable` is at most 1e-4
 * of the largest slope. */
void compare_slopes(const problem *p, r2n_isa isa, const char *name, numbers variable,
                    const float *found);

/* Runs the best kernel below the ceiling `isa` on the whole of its work. */
void run_best(r2n_operation operation, r2n_isa isa, const void *arguments, float *block,
              int32_t rows, int32_t channels);

void grad_convolution(problem *p);
void grad_pool(problem *p);
void grad_norm(problem *p);

#endif
