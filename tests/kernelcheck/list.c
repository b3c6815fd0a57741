/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "kernelcheck/kernelcheck.h"
#include "kernels/cpu_features.h"

enum { FEATURE_BITS = 6, TEXT_BYTES = 160 };

static const char *operation_name(r2n_operation operation)
{
    static const char *const names[] = {"gemm", "pool", "elementwise"};
    return names[operation];
}

static const char *precision_name(r2n_precision precision)
{
    static const char *const names[] = {"f32", "bf16", "bf16x3", "int8"};
    return names[precision];
}

int run_list(const options *o)
{
    printf("%-24s %-12s %-9s %-10s %-26s %s\n", "kernel", "operation", "precision", "isa",
           "features", "here");
    for (size_t i = 0; i < r2n_kernel_count; i++) {
        const r2n_kernel *kernel = &r2n_kernels[i];
        char features[TEXT_BYTES] = "";
        if (o->filter != NULL && strstr(kernel->name, o->filter) == NULL)
            continue;
        for (int bit = 0; bit < FEATURE_BITS; bit++)
            if (kernel->features & 1u << bit) {
                const size_t used = strlen(features);
                snprintf(features + used, sizeof features - used, "%s%s", used > 0 ? ", " : "",
                         r2n_feature_name(1u << bit));
            }
        printf("%-24s %-12s %-9s %-10s %-26s %s\n", kernel->name, operation_name(kernel->operation),
               precision_name(kernel->precision), r2n_isa_name(kernel->isa),
               features[0] != '\0' ? features : "-", kernel_is_usable(kernel, o) ? "yes" : "no");
    }
    return 0;
}
