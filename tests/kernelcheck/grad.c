/* SPDX-License-Identifier: Apache-2.0 */
#include "kernelcheck/grad.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "kernels/cpu_features.h"

static const double step = 1e-6, tolerance = 1e-4;

void *grad_memory(int64_t count, size_t bytes)
{
    void *memory = r2n_allocate_zeroed((size_t)count, bytes);
    if (memory == NULL) {
        fprintf(stderr, "kernelcheck: out of memory\n");
        exit(3);
    }
    return memory;
}

numbers random_numbers(random_state *random, int64_t count)
{
    const numbers n = {grad_memory(count, sizeof *n.values), count};
    for (int64_t i = 0; i < count; i++)
        n.values[i] = (double)random_real(random);
    return n;
}

void compare_slopes(const problem *p, r2n_isa isa, const char *name, numbers variable,
                    const float *found)
{
    double largest = 0, worst = 0;
    for (int64_t i = 0; i < variable.count; i++) {
        const double value = variable.values[i];
        variable.values[i] = value + step;
        const double above = p->loss(p->context);
        variable.values[i] = value - step;
        const double slope = (above - p->loss(p->context)) / (2 * step);
        variable.values[i] = value;
        const double difference = fabs(slope - (double)found[i]);
        largest = fmax(largest, fabs(slope));
        if (!(difference <= worst) && !isnan(worst)) /* a NaN stays */
            worst = difference;
    }
    printf("%-34s %-10s by %-8s %.1e of the largest\n", p->text, r2n_isa_name(isa), name,
           worst / largest);
    tally_count(p->tally, largest > 0 && worst <= tolerance * largest,
                "%s, %s: gradient by %s differs by %g, the largest is %g", p->text,
                r2n_isa_name(isa), name, worst, largest);
}

void run_best(r2n_operation operation, r2n_isa isa, const void *arguments, float *block,
              int32_t rows, int32_t channels)
{
    const r2n_range all = {.row_last = rows, .block_last = (channels + 15) / 16};
    const r2n_kernel *kernel =
        r2n_choose_kernel(operation, R2N_PRECISION_F32, isa, arguments, NULL, 0);
    kernel->run(arguments, block, all);
}

int run_grad(const options *o)
{
    tally t = {0, 0};
    random_state random = {o->seed};
    problem p = {.options = o, .random = &random, .tally = &t};
    printf("seed %llu, ceiling %s, CPU %s\n", (unsigned long long)o->seed, r2n_isa_name(o->isa),
           r2n_cpu_name());
    grad_convolution(&p);
    grad_pool(&p);
    grad_norm(&p);
    printf("%lld passed, %lld failed\n", (long long)t.passed, (long long)t.failed);
    return t.failed > 0;
}
