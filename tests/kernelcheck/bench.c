/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Speed of the gemm kernels on the convolutions of Res2Net50_26w_4s at 224 x 224, one picture, one
 * thread, beside the precision's multiply-add ceiling measured in the same run. Minima of processor
 * time, since others may be at work on the machine; the padding of output channels to 16, and of
 * others to what a precision multiplies at once, counts as loss.
 *
 * Gradients by weights take a batch of about 3,000 pixels, also of the net for 32 x 32 pictures,
 * and stand beside the forward product of the same ISA on the same batch.
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

/* And of res2net20_26w_4s_cifar at 32 x 32. */
static const convolution small_shapes[] = {
    {"stem 3x3 3-32 @32", 3, 32, 3, 1, 32, 32, 0, 0},
    {"1x1 32-52 @32", 32, 52, 1, 1, 32, 32, 0, 0},
    {"3x3 13-13 @32 chain", 13, 13, 3, 1, 32, 32, 0, 1},
    {"1x1 52-128 @32 residual", 52, 128, 1, 1, 32, 32, 1, 0},
    {"1x1 128-52 @32", 128, 52, 1, 1, 32, 32, 0, 0},
    {"3x3 s2 26-26 @16", 26, 26, 3, 2, 16, 16, 0, 0},
    {"3x3 26-26 @16 chain", 26, 26, 3, 1, 16, 16, 0, 1},
    {"1x1 104-256 @16 residual", 104, 256, 1, 1, 16, 16, 1, 0},
    {"1x1 256-104 @16", 256, 104, 1, 1, 16, 16, 0, 0},
    {"3x3 52-52 @8 chain", 52, 52, 3, 1, 8, 8, 0, 1},
    {"1x1 208-512 @8 residual", 208, 512, 1, 1, 8, 8, 1, 0},
    {"1x1 512-208 @8", 512, 208, 1, 1, 8, 8, 0, 0},
    {"linear 512-100", 512, 100, 1, 1, 1, 1, 0, 0},
};

enum {
    LARGE_SHAPES = sizeof shapes / sizeof shapes[0],
    SMALL_SHAPES = sizeof small_shapes / sizeof small_shapes[0],
    BATCH_PIXELS = 3136,
    MOST_IMAGES = 64,
    RUNS = 12
};

static const double seconds_a_shape = 0.12;

/* Of this thread alone: on a busy machine a long run is nearly always interrupted. */
static double seconds_of_thread(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static const void *arguments_of(const r2n_kernel *kernel, const laid_out *l)
{
    if (kernel->operation == R2N_OPERATION_WEIGHTS_GRADIENT)
        return &l->weights_gradient;
    if (kernel->operation == R2N_OPERATION_WINOGRAD)
        return &l->winograd;
    return &l->gemm;
}

static double best_seconds(const r2n_kernel *kernel, const laid_out *l)
{
    const void *arguments = arguments_of(kernel, l);
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

/* The matrix product of the same precision and ISA. */
static const r2n_kernel *forward_of(const r2n_kernel *kernel)
{
    for (size_t i = 0; i < r2n_kernel_count; i++)
        if (r2n_kernels[i].operation == R2N_OPERATION_GEMM && r2n_kernels[i].isa == kernel->isa &&
            r2n_kernels[i].precision == kernel->precision)
            return &r2n_kernels[i];
    return NULL;
}

static const convolution *shape_at(int i)
{
    return i < LARGE_SHAPES ? &shapes[i] : &small_shapes[i - LARGE_SHAPES];
}

static int32_t images_of(const convolution *shape, int is_gradient)
{
    const int32_t images = BATCH_PIXELS / (shape->rows * shape->columns);
    if (!is_gradient || images < 1)
        return 1;
    return images < MOST_IMAGES ? images : MOST_IMAGES;
}

static int is_wanted(const r2n_kernel *kernel, const convolution *shape, const char *filter)
{
    if (filter != NULL && strstr(shape->name, filter) == NULL)
        return 0;
    return kernel->operation != R2N_OPERATION_WINOGRAD ||
           (shape->kernel == R2N_WINOGRAD_ROWS && shape->stride == 1);
}

static int bench_kernel(const r2n_kernel *kernel, const char *shape_filter)
{
    double rates[LARGE_SHAPES + SMALL_SHAPES] = {0}, forward[LARGE_SHAPES + SMALL_SHAPES] = {0};
    const int is_gradient = kernel->operation == R2N_OPERATION_WEIGHTS_GRADIENT;
    const int count = is_gradient ? LARGE_SHAPES + SMALL_SHAPES : LARGE_SHAPES;
    double ceiling = 0;
    double macs = 0, seconds = 0, forward_seconds = 0;
    for (int i = 0; i < count; i++) {
        laid_out l;
        if (!is_wanted(kernel, shape_at(i), shape_filter))
            continue;
        if (!lay_out_convolution(shape_at(i), kernel->precision,
                                 images_of(shape_at(i), is_gradient), &l)) {
            fprintf(stderr, "kernelcheck: out of memory\n");
            return 3;
        }
        const double now = r2n_measure_ceiling(kernel->precision, kernel->isa, 1);
        ceiling = now > ceiling ? now : ceiling;
        const double taken = best_seconds(kernel, &l);
        rates[i] = l.macs / taken;
        if (is_gradient) {
            const double product = best_seconds(forward_of(kernel), &l);
            forward[i] = l.macs / product;
            forward_seconds += product;
        }
        macs += l.macs;
        seconds += taken;
        release_convolution(&l);
    }
    printf("%s: ceiling %.1f GMAC/s on one thread\n", kernel->name, ceiling * 1e-9);
    printf("  %-28s %9s %6s%s\n", "shape", "GMAC/s", "%", is_gradient ? "  of forward %" : "");
    for (int i = 0; i < count; i++)
        if (rates[i] > 0) {
            printf("  %-28s %9.2f %6.1f", shape_at(i)->name, rates[i] * 1e-9,
                   100 * rates[i] / ceiling);
            if (is_gradient)
                printf(" %6.1f", 100 * rates[i] / forward[i]);
            printf("\n");
        }
    if (seconds > 0)
        printf("  %-28s %9.2f %6.1f", "all of them once", macs / seconds * 1e-9,
               100 * macs / seconds / ceiling);
    if (is_gradient)
        printf(" %6.1f", 100 * forward_seconds / seconds);
    printf("\n");
    return 0;
}

static int is_benched(const r2n_kernel *kernel, const options *o)
{
    const int multiplies = kernel->operation == R2N_OPERATION_GEMM ||
                           kernel->operation == R2N_OPERATION_WINOGRAD ||
                           kernel->operation == R2N_OPERATION_WEIGHTS_GRADIENT;
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
