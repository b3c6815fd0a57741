/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "kernelcheck/kernelcheck.h"
#include "kernels/cpu_features.h"
#include "kernels/precision.h"

enum { FEATURE_BITS = 7, TEXT_BYTES = 160 };

static const char *operation_name(r2n_operation operation)
{
    static const char *const names[] = {"gemm",          "pool",          "elementwise",
                                        "winograd",      "statistics",    "norm_sums",
                                        "norm_gradient", "pool_gradient", "weights_gradient"};
    return names[operation];
}

int run_list(const options *o)
{
    printf("%-30s %-17s %-9s %-10s %-26s %s\n", "kernel", "operation", "precision", "isa",
           "features", "here");
    for (size_t i = 0; i < checked_kernel_count(); i++) {
        const r2n_kernel *kernel = checked_kernel(i);
        char features[TEXT_BYTES] = "";
        if (o->filter != NULL && strstr(kernel->name, o->filter) == NULL)
            continue;
        for (int bit = 0; bit < FEATURE_BITS; bit++)
            if (kernel->features & 1u << bit) {
                const size_t used = strlen(features);
                snprintf(features + used, sizeof features - used, "%s%s", used > 0 ? ", " : "",
                         r2n_feature_name(1u << bit));
            }
        printf("%-30s %-17s %-9s %-10s %-26s %s\n", kernel->name, operation_name(kernel->operation),
               r2n_precision_facts_of(kernel->precision)->name, r2n_isa_name(kernel->isa),
               features[0] != '\0' ? features : "-", kernel_is_usable(kernel, o) ? "yes" : "no");
    }
    return 0;
}
