/* SPDX-License-Identifier: Apache-2.0 */
/* splitmix64: one addition and a mix a number. */
#include "kernelcheck/random.h"

uint64_t random_bits(random_state *random)
{
    uint64_t z = random->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

int32_t random_between(random_state *random, int32_t first, int32_t last)
{
    return first + (int32_t)(random_bits(random) % (uint64_t)(last - first + 1));
}

float random_real(random_state *random)
{
    return (float)((int32_t)(random_bits(random) >> 40) - (1 << 23)) / (float)(1 << 23);
}
