/* SPDX-License-Identifier: Apache-2.0 */
/* Random numbers that a printed seed brings back, on every machine. */
#ifndef R2N_KERNELCHECK_RANDOM_H
#define R2N_KERNELCHECK_RANDOM_H

#include <stdint.h>

typedef struct random_state {
    uint64_t state;
} random_state;

uint64_t random_bits(random_state *random);
/* first <= result <= last */
int32_t random_between(random_state *random, int32_t first, int32_t last);
/* -1 < result < 1 */
float random_real(random_state *random);

#endif
