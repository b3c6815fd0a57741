/* SPDX-License-Identifier: Apache-2.0 */
/* CRC-32 (IEEE 802.3, the one of zip, PNG and zlib.crc32) and CRC-32C (Castagnoli, TFRecord's). */
#ifndef R2N_FORMATS_CRC32_H
#define R2N_FORMATS_CRC32_H

#include <stddef.h>
#include <stdint.h>

/* Of `size` bytes; `before` is 0, or the result for what went before. */
uint32_t r2n_crc32(uint32_t before, const void *data, size_t size);
/* The same for CRC-32C; for short records: a byte a step. */
uint32_t r2n_crc32c(uint32_t before, const void *data, size_t size);

#endif
