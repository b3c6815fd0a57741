/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tiles in plain C, after the pseudocode and the lists of exceptions of Intel's manual (volume 2,
 * AMX). Included before a kernel of x86_amx/ it takes the place of the instructions. What would
 * raise an exception on a CPU ends the program with a message.
 */
#ifndef R2N_KERNELCHECK_TILE_EMULATION_H
#define R2N_KERNELCHECK_TILE_EMULATION_H

#include <stdint.h>

void emulated_configure(const void *configuration);
void emulated_release(void);
void emulated_zero(int tile);
void emulated_load(int tile, const void *address, int64_t pitch);
void emulated_store(int tile, void *address, int64_t pitch);
void emulated_multiply_bf16(int sums, int a, int b);
void emulated_multiply_int8(int sums, int a, int b);
/* Ends the program where tiles are still configured. */
void emulated_expect_released(const char *kernel);

#define R2N_TILES_EMULATED
#define TILES_CONFIGURE(configuration) emulated_configure(configuration)
#define TILES_RELEASE()                emulated_release()
#define TILE_ZERO(t)                   emulated_zero(t)
#define TILE_LOAD(t, address, pitch)   emulated_load(t, address, pitch)
#define TILE_STORE(t, address, pitch)  emulated_store(t, address, pitch)
#define TILE_MULTIPLY_BF16(sums, a, b) emulated_multiply_bf16(sums, a, b)
#define TILE_MULTIPLY_INT8(sums, a, b) emulated_multiply_int8(sums, a, b)

#endif
