/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Speed of the gemm kernels on the convolutions of Res2Net50_26w_4s at 224 x 224, one picture, one
 * thread, beside the precision's multiply-add ceiling measured in the same run. Minima of processor
 * time, since others may be at work on the machine; the padding of output channels to 16, and of
 * others to what a precision multiplies at once, counts as loss.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "kernelcheck/checks.h"
#include "kernelcheck/convolution.h"
#include "kernelcheck/kernelcheck.h"
#include "kernels/ceiling.h"

static const convolution shapes[] = {
    {"stem 7x7 s2 3-64 @112", 3, 64, 7, 2, 112, 112, 0, 0},
    {"1x1 64-104 @56", 64, 104, 1, 1, 56, 56, 0, 0},
    {"3x3 26-26 @56 chain", 26, 26, 3, 1, 56, 56, 0, 1},
    {"1x1 104-256 @56 residual", 104, 256, 1, 1, 56, 56, 1, 0},
    {"1x1 256-104 @56", 256, 104, 1, 1, 56, 56, 0, 0},
    {"1x1 256-208 @56", 256, 208, 1, 1, 56, 56, 0, 0},
    {"3x3 s2 52-52 @28", 52, 52, 3, 2, 28, 28, 0, 0},
    {"3x3 52-52 @28 chain", 52, 52, 3, 1, 28, 28, 0, 1},
    {"1x1 208-512 @28 residual", 208, 512, 1, 1, 28, 28, 1, 0},
    {"1x1 512-208 @28", 512, 208, 1, 1, 28, 28, 0, 0},
    {"1x1 512-416 @28", 512, 416, 1, 1, 28, 28, 0, 0},
    {"3x3 104-104 @14 chain", 104, 104, 3, 1, 14, 14, 0, 1},
    {"1x1 416-1024 @14 residual", 416, 1024, 1, 1, 14, 14, 1, 0},
    {"1x1 1024-416 @14", 1024, 416, 1, 1, 14, 14, 0, 0},
    {"1x1 s2 1024-2048 @7", 1024, 2048, 1, 2, 7, 7, 0, 0},
    {"3x3 208-208 @7 chain", 208, 208, 3, 1, 7, 7, 0, 1},
    {"1x1 832-2048 @7 residual", 832, 2048, 1, 1, 7, 7, 1, 0},
    {"1x1 2048-832 @7", 2048, 832, 1, 1, 7, 7, 0, 0},
    {"linear 2048-1000", 2048, 1000, 1, 1, 1, 1, 0, 0},
};

enum { SHAPES = sizeof shapes / sizeof shapes[0], RUNS = 12 };

static const double seconds_a_shape = 0.12;

/* Of this thread alone: on a busy machine a long run is nearly always interrupted. */
static double seconds_of_thread(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double best_seconds(const r2n_kernel *kernel, const laid_out *l)
{
    const void *arguments = kernel->operation == R2N_OPERATION_GEMM ? (const void *)&l->gemm
                                                                    : (const void *)&l->winograd;
    const r2n_range all = {.row_last = l->gemm.images * l->gemm.rows,
                           .block_last = (l->gemm.channels + 15) / 16};
    const double start = seconds_of_thread();
    double best = 0;
    for (int i = 0; i < RUNS || seconds_of_thread() - start < seconds_a_shape; i++) {
        const double before = seconds_of_thread();
        kernel->run(arguments, l->block, all);
        const double taken = seconds_of_thread() - before;
        if (best == 0 || taken < best)
            best = taken;
    }
    return best;
}

static int bench_kernel(const r2n_kernel *kernel, const char *shape_filter)
{
    double rates[SHAPES] = {0};
    double ceiling = 0;
    double macs = 0, seconds = 0;
    for (int i = 0; i < SHAPES; i++) {
        laid_out l;
        if (shape_filter != NULL && strstr(shapes[i].name, shape_filter) == NULL)
            continue;
        if (kernel->operation == R2N_OPERATION_WINOGRAD &&
            (shapes[i].kernel != R2N_WINOGRAD_ROWS || shapes[i].stride != 1))
            continue;
        if (!lay_out_convolution(&shapes[i], kernel->precision, 1, &l)) {
            fprintf(stderr, "kernelcheck: out of memory\n");
            return 3;
        }
        const double now = r2n_measure_ceiling(kernel->precision, kernel->isa, 1);
        ceiling = now > ceiling ? now : ceiling;
        const double taken = best_seconds(kernel, &l);
        rates[i] = l.macs / taken;
        macs += l.macs;
        seconds += taken;
        release_convolution(&l);
    }
    printf("%s: ceiling %.1f GMAC/s on one thread\n", kernel->name, ceiling * 1e-9);
    printf("  %-28s %9s %6s\n", "shape", "GMAC/s", "%");
    for (int i = 0; i < SHAPES; i++)
        if (rates[i] > 0)
            printf("  %-28s %9.2f %6.1f\n", shapes[i].name, rates[i] * 1e-9,
                   100 * rates[i] / ceiling);
    if (seconds > 0)
        printf("  %-28s %9.2f %6.1f\n", "all of them once", macs / seconds * 1e-9,
               100 * macs / seconds / ceiling);
    return 0;
}

static int is_benched(const r2n_kernel *kernel, const options *o)
{
    const int multiplies =
        kernel->operation == R2N_OPERATION_GEMM || kernel->operation == R2N_OPERATION_WINOGRAD;
    return multiplies && kernel->isa != R2N_ISA_REFERENCE && kernel_is_usable(kernel, o);
}

int run_bench(const options *o)
{
    int status = 0;
    int names_kernels = 0; /* or shapes */
    for (size_t i = 0; i < r2n_kernel_count; i++)
        names_kernels |= is_benched(&r2n_kernels[i], o) && kernel_is_checked(&r2n_kernels[i], o);
    for (size_t i = 0; i < r2n_kernel_count && status == 0; i++)
        if (is_benched(&r2n_kernels[i], o) &&
            (!names_kernels || kernel_is_checked(&r2n_kernels[i], o)))
            status = bench_kernel(&r2n_kernels[i], names_kernels ? NULL : o->filter);
    return status;
}
