/* SPDX-License-Identifier: Apache-2.0 */
/* The table of kernels, and the choice from it: the first that runs here and takes the arguments.
 */
#include "kernels/kernels.h"

#include <assert.h>
#include <stdio.h>

#include "kernels/cpu_features.h"
#include "kernels/winograd_walk.h"

static const char *accepts_all(const void *arguments)
{
    (void)arguments;
    return NULL;
}

#if defined(__x86_64__) /* the only kernels so far that refuse anything */
static const char *accepts_no_statistics(const void *arguments)
{
    const r2n_gemm_arguments *gemm = arguments;
    if (gemm->epilogue.sums != NULL || gemm->epilogue.squares != NULL)
        return "no statistics";
    return NULL;
}
#endif

#define R2N_KERNEL(operation, precision, isa, OPERATION, PRECISION, ISA, features, accepts)        \
    extern r2n_kernel_function r2n_##operation##_##precision##_##isa;
#include "kernels/kernel_list.def"
#undef R2N_KERNEL

const r2n_kernel r2n_kernels[] = {
#define R2N_KERNEL(operation, precision, isa, OPERATION, PRECISION, ISA, features, accepts)        \
    {#operation "_" #precision "_" #isa,                                                           \
     R2N_OPERATION_##OPERATION,                                                                    \
     R2N_PRECISION_##PRECISION,                                                                    \
     R2N_ISA_##ISA,                                                                                \
     (features),                                                                                   \
     r2n_##operation##_##precision##_##isa,                                                        \
     accepts},
#include "kernels/kernel_list.def"
#undef R2N_KERNEL
};

const size_t r2n_kernel_count = sizeof r2n_kernels / sizeof r2n_kernels[0];

/* Appends to the zero-terminated text in `buffer`, cutting what does not fit. */
static void append_refusal(char *buffer, size_t bytes, size_t *used, const char *name,
                           const char *reason, const char *detail)
{
    if (buffer == NULL || *used + 1 >= bytes)
        return;
    const int written = snprintf(buffer + *used, bytes - *used, "%s%s: %s%s", *used > 0 ? "; " : "",
                                 name, reason, detail);
    if (written > 0)
        *used += (size_t)written < bytes - *used ? (size_t)written : bytes - *used - 1;
}

const r2n_kernel *r2n_choose_kernel(r2n_operation operation, r2n_precision precision, r2n_isa isa,
                                    const void *arguments, char *refused, size_t refused_bytes)
{
    size_t used = 0;
    if (refused != NULL && refused_bytes > 0)
        refused[0] = '\0';
    const r2n_kernel *last = NULL;
    for (size_t i = 0; i < r2n_kernel_count; i++) {
        const r2n_kernel *kernel = &r2n_kernels[i];
        if (kernel->operation != operation || kernel->precision != precision)
            continue;
        last = kernel;
        const uint32_t lacking = kernel->features & ~r2n_cpu_features();
        const char *reason = "";
        if (lacking != 0)
            append_refusal(refused, refused_bytes, &used, kernel->name, "this CPU lacks ",
                           r2n_feature_name(lacking & (~lacking + 1)));
        else if (kernel->isa > isa)
            append_refusal(refused, refused_bytes, &used, kernel->name, "the ceiling is ",
                           r2n_isa_name(isa));
        else if ((reason = kernel->accepts(arguments)) != NULL)
            append_refusal(refused, refused_bytes, &used, kernel->name, reason, "");
        else
            return kernel;
    }
    assert(last != NULL && last->isa == R2N_ISA_REFERENCE);
    return last;
}
