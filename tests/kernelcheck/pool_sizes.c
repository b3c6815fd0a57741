/* SPDX-License-Identifier: Apache-2.0 */
#include "kernelcheck/pool_sizes.h"

/* Outputs along one side; with `ceiling` the last window may hang over. */
static int32_t output_size(const r2n_pool_arguments *pool, int32_t input, int32_t kernel,
                           int ceiling)
{
    const int32_t room = input + 2 * pool->padding - kernel;
    int32_t size = (room + (ceiling ? pool->stride - 1 : 0)) / pool->stride + 1;
    if ((size - 1) * pool->stride >= input + pool->padding) /* it would cover no cell */
        size--;
    return size;
}

void make_pool_sizes(r2n_pool_arguments *pool, random_state *random)
{
    const int ceiling = random_between(random, 0, 1);
    pool->kind = random_between(random, 0, 1) ? R2N_POOL_MAXIMUM : R2N_POOL_AVERAGE;
    pool->images = random_between(random, 1, 3);
    pool->input_rows = random_between(random, 3, 14);
    pool->input_columns = random_between(random, 3, 14);
    pool->channels = random_between(random, 1, 70);
    pool->count_padding = random_between(random, 0, 1);
    if (random_between(random, 0, 3) == 0) { /* global */
        pool->kernel_rows = pool->input_rows;
        pool->kernel_columns = pool->input_columns;
        pool->stride = 1;
        pool->rows = pool->columns = 1;
        return;
    }
    pool->kernel_rows = random_between(random, 1, 3);
    pool->kernel_columns = random_between(random, 1, 3);
    pool->stride = random_between(random, 1, 3);
    if (pool->kernel_rows > 1 && pool->kernel_columns > 1)
        pool->padding = random_between(random, 0, 1);
    pool->rows = output_size(pool, pool->input_rows, pool->kernel_rows, ceiling);
    pool->columns = output_size(pool, pool->input_columns, pool->kernel_columns, ceiling);
}
