/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/precision.h"

#include <string.h>

#include "kernels/cpu_features.h"

static const r2n_precision_facts facts[R2N_PRECISION_COUNT] = {
    [R2N_PRECISION_F32] = {"f32", 4, 1, 1, 1},
    [R2N_PRECISION_BF16] = {"bf16", 2, 2, 1, 1},
    [R2N_PRECISION_BF16X3] = {"bf16x3", 2, 2, 2, 2},
    [R2N_PRECISION_INT8] = {"int8", 1, 4, 1, 1},
};

const r2n_precision_facts *r2n_precision_facts_of(r2n_precision precision)
{
    return &facts[precision];
}

const char *r2n_precision_missing(r2n_precision precision, r2n_isa ceiling)
{
    const int is_bf16 = precision == R2N_PRECISION_BF16;
    const uint32_t features = r2n_cpu_features();
    if ((!is_bf16 && precision != R2N_PRECISION_BF16X3) || ceiling == R2N_ISA_REFERENCE)
        return NULL;
    if (ceiling >= R2N_ISA_AMX && (features & R2N_FEATURE_AMX_BF16) != 0)
        return NULL;
    if (!is_bf16)
        return r2n_feature_name(R2N_FEATURE_AMX_BF16);
    return ceiling >= R2N_ISA_AVX512 && (features & R2N_FEATURE_AVX512_BF16) != 0
               ? NULL
               : "AMX or AVX-512 BF16";
}

int r2n_precision_parse(const char *name, r2n_precision *precision)
{
    for (int i = 0; i < R2N_PRECISION_COUNT; i++)
        if (strcmp(name, facts[i].name) == 0) {
            *precision = (r2n_precision)i;
            return 1;
        }
    return 0;
}
