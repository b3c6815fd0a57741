/* SPDX-License-Identifier: Apache-2.0 */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "kernelcheck/checks.h"
#include "kernels/cpu_features.h"

int kernel_is_usable(const r2n_kernel *kernel, const options *o)
{
    return (kernel->features & ~r2n_cpu_features()) == 0 && kernel->isa <= o->isa;
}

int kernel_is_checked(const r2n_kernel *kernel, const options *o)
{
    return kernel_is_usable(kernel, o) &&
           (o->filter == NULL || strstr(kernel->name, o->filter) != NULL);
}

int kernel_does(const r2n_kernel *kernel, r2n_operation operation, r2n_precision precision,
                const options *o)
{
    return kernel->operation == operation && kernel->precision == precision &&
           kernel_is_checked(kernel, o);
}

int any_kernel_does(r2n_operation operation, r2n_precision precision, const options *o)
{
    for (size_t i = 0; i < checked_kernel_count(); i++)
        if (kernel_does(checked_kernel(i), operation, precision, o))
            return 1;
    return 0;
}

const r2n_kernel *find_reference(r2n_operation operation, r2n_precision precision)
{
    for (size_t i = 0; i < r2n_kernel_count; i++)
        if (r2n_kernels[i].operation == operation && r2n_kernels[i].precision == precision &&
            r2n_kernels[i].isa == R2N_ISA_REFERENCE)
            return &r2n_kernels[i];
    return NULL;
}

int has_tile_bits(const r2n_kernel *kernel)
{
    return kernel->isa != R2N_ISA_REFERENCE && (kernel->features & R2N_FEATURE_AVX512_BF16) == 0;
}

float flushed(float value)
{
    return fabsf(value) < FLT_MIN ? copysignf(0, value) : value;
}

int is_within(float found, double expected, double magnitude, int32_t terms)
{
    const double bound = (terms + 8) * (ldexp(magnitude, -24) + ldexp(1, -149));
    return fabs((double)found - expected) <= bound; /* false for NaN */
}

int is_within_stored(r2n_precision precision, double found, double expected, double magnitude,
                     int32_t terms)
{
    if (precision == R2N_PRECISION_F32 && isfinite(expected))
        return is_within((float)found, expected, magnitude, terms);
    if (!isfinite(expected)) {
        const double stored = stored_value(precision, (float)expected);
        return isnan(stored) ? isnan(found) : found == stored;
    }
    const double sum_error = (terms + 8) * (ldexp(magnitude, -24) + ldexp(1, -126));
    const double half_step = ldexp(1, precision == R2N_PRECISION_BF16 ? -8 : -16);
    return fabs(found - expected) <= sum_error + half_step * (fabs(expected) + sum_error);
}

int run_check(const options *o)
{
    tally t = {0, 0};
    int checked = 0;
    printf("seed %llu, ceiling %s, CPU %s\n", (unsigned long long)o->seed, r2n_isa_name(o->isa),
           r2n_cpu_name());
    for (size_t i = 0; i < checked_kernel_count(); i++) {
        const r2n_kernel *kernel = checked_kernel(i);
        const uint32_t lacking = kernel->features & ~r2n_cpu_features();
        if (kernel_is_checked(kernel, o)) {
            printf("checked %s\n", kernel->name);
            checked++;
        } else if (lacking != 0) {
            printf("SKIPPED %s: this CPU lacks %s\n", kernel->name,
                   r2n_feature_name(lacking & (~lacking + 1)));
        } else if (!kernel_is_usable(kernel, o)) {
            printf("SKIPPED %s: the ceiling is %s\n", kernel->name, r2n_isa_name(o->isa));
        }
    }
    if (checked == 0) {
        fprintf(stderr, "kernelcheck: no kernel's name has \"%s\" in it; see kernelcheck list\n",
                o->filter);
        return 2;
    }
    check_gemm(&t, o);
    check_gemm_bf16(&t, o);
    check_gemm_int8(&t, o);
    check_winograd(&t, o);
    check_pool(&t, o);
    check_elementwise(&t, o);
    check_batch_norm(&t, o);
    check_pool_gradient(&t, o);
    check_weights_gradient(&t, o);
    printf("%lld passed, %lld failed\n", (long long)t.passed, (long long)t.failed);
    return t.failed > 0;
}
