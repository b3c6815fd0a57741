/* SPDX-License-Identifier: Apache-2.0 */
/* The kernels of x86_amx/ once more, from the same source, on emulated tiles. */
#if defined(__x86_64__)
#include "kernelcheck/kernelcheck.h"
#include "kernelcheck/tile_emulation.h"
#include "kernels/cpu_features.h"
#include "kernels/x86_amx/ceiling.c"
#include "kernels/x86_amx/gemm.c"
#include "kernels/x86_amx/weights_gradient.c"

#define EMULATED(operation, precision)                                                             \
    static void run_##operation##_##precision(const void *arguments, void *block, r2n_range range) \
    {                                                                                              \
        r2n_##operation##_##precision##_amx_emulated(arguments, block, range);                     \
        emulated_expect_released(#operation "_" #precision);                                       \
    }
EMULATED(gemm, bf16)
EMULATED(gemm, bf16x3)
EMULATED(gemm, int8)
EMULATED(weights_gradient, bf16)

static const char *accepts_all(const void *arguments)
{
    (void)arguments;
    return NULL;
}

/* What is not emulated is AVX-512. */
#define KERNEL_LINE(operation, precision, OPERATION, PRECISION)                                    \
    {                                                                                              \
#operation "_" #precision "_amx_emulated", R2N_OPERATION_##OPERATION,                      \
            R2N_PRECISION_##PRECISION, R2N_ISA_AVX512, R2N_FEATURE_AVX512,                         \
            run_##operation##_##precision, accepts_all                                             \
    }

const r2n_kernel emulated_kernels[] = {KERNEL_LINE(gemm, bf16, GEMM, BF16),
                                       KERNEL_LINE(gemm, bf16x3, GEMM, BF16X3),
                                       KERNEL_LINE(gemm, int8, GEMM, INT8),
                                       KERNEL_LINE(weights_gradient, bf16, WEIGHTS_GRADIENT, BF16)};
const size_t emulated_kernel_count = sizeof emulated_kernels / sizeof emulated_kernels[0];

int emulated_ceilings_count(int64_t rounds)
{
    const int64_t products = rounds * 4 * 16 * 16;
    const int good = r2n_ceiling_bf16_amx_emulated(rounds) == products * 32 &&
                     r2n_ceiling_bf16x3_amx_emulated(rounds) == products * 32 / 3 &&
                     r2n_ceiling_int8_amx_emulated(rounds) == products * 64;
    emulated_expect_released("ceiling");
    return good;
}
#endif
