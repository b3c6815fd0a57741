/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/cpu_features.h"
#include "kernels/pixel_rows.h"

const r2n_pixel_kernels *r2n_pixel_kernels_for(r2n_isa ceiling)
{
#if defined(__x86_64__)
    if (ceiling >= R2N_ISA_AVX2 && (r2n_cpu_features() & R2N_FEATURE_AVX2_FMA) != 0)
        return &r2n_pixel_kernels_avx2;
#endif
    (void)ceiling;
    return &r2n_pixel_kernels_reference;
}
