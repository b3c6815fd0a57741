/* SPDX-License-Identifier: Apache-2.0 */
#include "kernelcheck/kernelcheck.h"

#if defined(__x86_64__)
size_t checked_kernel_count(void)
{
    return r2n_kernel_count + emulated_kernel_count;
}

const r2n_kernel *checked_kernel(size_t index)
{
    return index < r2n_kernel_count ? &r2n_kernels[index]
                                    : &emulated_kernels[index - r2n_kernel_count];
}
#else
size_t checked_kernel_count(void)
{
    return r2n_kernel_count;
}

const r2n_kernel *checked_kernel(size_t index)
{
    return &r2n_kernels[index];
}
#endif
