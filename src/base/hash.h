/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers that are the same on every machine: to tell things apart and to draw lots, not against
 * anybody's will. */
#ifndef R2N_BASE_HASH_H
#define R2N_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define R2N_HASH_START UINT64_C(14695981039346656037)
/* FNV-1a: goes on from `hash`, which begins as R2N_HASH_START. */
uint64_t r2n_hash_bytes(uint64_t hash, const void *data, size_t size);

#define R2N_SPLITMIX_STEP UINT64_C(0x9E3779B97F4A7C15)
/* SplitMix64's finaliser: of a state that grows by R2N_SPLITMIX_STEP, random numbers. */
uint64_t r2n_splitmix(uint64_t state);

#endif
