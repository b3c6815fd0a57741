/* SPDX-License-Identifier: Apache-2.0 */
/* The kernels of x86_amx/ once more, from the same source, on emulated tiles. */
#if defined(__x86_64__)
#include "kernelcheck/kernelcheck.h"
#include "kernelcheck/tile_emulation.h"
#include "kernels/cpu_features.h"
#include "kernels/x86_amx/ceiling.c"
#include "kernels/x86_amx/gemm.c"

#define EMULATED(precision)                                                                        \
    static void run_##precision(const void *arguments, void *block, r2n_range range)               \
    {                                                                                              \
        r2n_gemm_##precision##_amx_emulated(arguments, block, range);                              \
        emulated_expect_released("gemm_" #precision);                                              \
    }
EMULATED(bf16)
EMULATED(bf16x3)
EMULATED(int8)

static const char *accepts_all(const void *arguments)
{
    (void)arguments;
    return NULL;
}

/* What is not emulated is AVX-512. */
#define KERNEL_LINE(precision, PRECISION)                                                          \
    {                                                                                              \
        "gemm_" #precision "_amx_emulated", R2N_OPERATION_GEMM, R2N_PRECISION_##PRECISION,         \
            R2N_ISA_AVX512, R2N_FEATURE_AVX512, run_##precision, accepts_all                       \
    }

const r2n_kernel emulated_kernels[] = {KERNEL_LINE(bf16, BF16), KERNEL_LINE(bf16x3, BF16X3),
                                       KERNEL_LINE(int8, INT8)};
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
