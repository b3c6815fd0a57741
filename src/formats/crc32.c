/* SPDX-License-Identifier: Apache-2.0 */
/* Eight bytes a step with eight tables (about 2 GB/s): weights files are hundreds of megabytes. */
#include "formats/crc32.h"

#include <pthread.h>

static uint32_t tables[8][256];
static pthread_once_t tables_once = PTHREAD_ONCE_INIT;

static void make_tables(void)
{
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t value = byte;
        for (int bit = 0; bit < 8; bit++)
            value = value >> 1 ^ (value & 1 ? 0xEDB88320u : 0);
        tables[0][byte] = value;
    }
    for (int table = 1; table < 8; table++)
        for (int byte = 0; byte < 256; byte++) {
            const uint32_t value = tables[table - 1][byte];
            tables[table][byte] = value >> 8 ^ tables[0][value & 0xFF];
        }
}

uint32_t r2n_crc32(uint32_t before, const void *data, size_t size)
{
    const uint8_t *at = data;
    uint32_t crc = ~before;
    pthread_once(&tables_once, make_tables);
    for (; size >= 8; size -= 8, at += 8) {
        const uint32_t low = crc ^ ((uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
                                    (uint32_t)at[3] << 24);
        crc = tables[7][low & 0xFF] ^ tables[6][low >> 8 & 0xFF] ^ tables[5][low >> 16 & 0xFF] ^
              tables[4][low >> 24] ^ tables[3][at[4]] ^ tables[2][at[5]] ^ tables[1][at[6]] ^
              tables[0][at[7]];
    }
    for (; size > 0; size--, at++)
        crc = crc >> 8 ^ tables[0][(crc ^ *at) & 0xFF];
    return ~crc;
}

/* Four bits a step: sixteen constants are no table to make first. */
uint32_t r2n_crc32c(uint32_t before, const void *data, size_t size)
{
    static const uint32_t nibbles[16] = {0x00000000, 0x105EC76F, 0x20BD8EDE, 0x30E349B1,
                                         0x417B1DBC, 0x5125DAD3, 0x61C69362, 0x7198540D,
                                         0x82F63B78, 0x92A8FC17, 0xA24BB5A6, 0xB21572C9,
                                         0xC38D26C4, 0xD3D3E1AB, 0xE330A81A, 0xF36E6F75};
    const uint8_t *at = data;
    uint32_t crc = ~before;
    for (size_t i = 0; i < size; i++) {
        crc ^= at[i];
        crc = crc >> 4 ^ nibbles[crc & 15];
        crc = crc >> 4 ^ nibbles[crc & 15];
    }
    return ~crc;
}
