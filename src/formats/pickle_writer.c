/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/pickle_writer.h"

#include <string.h>

#include "formats/pickle_opcodes.h"

static void put_number(r2n_pickle_writer *writer, uint64_t number, size_t bytes)
{
    uint8_t little[8];
    for (size_t i = 0; i < bytes; i++)
        little[i] = (uint8_t)(number >> (8 * i));
    r2n_writer_put(writer->file, little, bytes);
}

void r2n_pickle_put_opcode(r2n_pickle_writer *writer, uint8_t opcode)
{
    r2n_writer_put(writer->file, &opcode, 1);
}

void r2n_pickle_put_start(r2n_pickle_writer *writer)
{
    r2n_pickle_put_opcode(writer, R2N_PICKLE_PROTO);
    put_number(writer, 4, 1);
}

void r2n_pickle_put_integer(r2n_pickle_writer *writer, int64_t number)
{
    if (number >= 0 && number <= UINT8_MAX) {
        r2n_pickle_put_opcode(writer, R2N_PICKLE_BININT1);
        put_number(writer, (uint64_t)number, 1);
    } else if (number >= INT32_MIN && number <= INT32_MAX) {
        r2n_pickle_put_opcode(writer, R2N_PICKLE_BININT);
        put_number(writer, (uint64_t)number, 4);
    } else {
        r2n_pickle_put_opcode(writer, R2N_PICKLE_LONG1);
        put_number(writer, 8, 1);
        put_number(writer, (uint64_t)number, 8);
    }
}

void r2n_pickle_put_float(r2n_pickle_writer *writer, double number)
{
    uint64_t bits;
    uint8_t big[8];
    memcpy(&bits, &number, sizeof bits);
    for (int i = 0; i < 8; i++)
        big[i] = (uint8_t)(bits >> (56 - 8 * i));
    r2n_pickle_put_opcode(writer, R2N_PICKLE_BINFLOAT);
    r2n_writer_put(writer->file, big, sizeof big);
}

void r2n_pickle_put_text(r2n_pickle_writer *writer, const char *text)
{
    const size_t length = strlen(text);
    if (length <= UINT8_MAX) {
        r2n_pickle_put_opcode(writer, R2N_PICKLE_SHORT_BINUNICODE);
        put_number(writer, length, 1);
    } else {
        r2n_pickle_put_opcode(writer, R2N_PICKLE_BINUNICODE8);
        put_number(writer, length, 8);
    }
    r2n_writer_put(writer->file, text, length);
}

void r2n_pickle_put_bytes_head(r2n_pickle_writer *writer, uint64_t bytes)
{
    if (bytes <= UINT8_MAX) {
        r2n_pickle_put_opcode(writer, R2N_PICKLE_SHORT_BINBYTES);
        put_number(writer, bytes, 1);
    } else if (bytes <= UINT32_MAX) {
        r2n_pickle_put_opcode(writer, R2N_PICKLE_BINBYTES);
        put_number(writer, bytes, 4);
    } else {
        r2n_pickle_put_opcode(writer, R2N_PICKLE_BINBYTES8);
        put_number(writer, bytes, 8);
    }
}

void r2n_pickle_put_global(r2n_pickle_writer *writer, const char *module, const char *name)
{
    r2n_pickle_put_text(writer, module);
    r2n_pickle_put_text(writer, name);
    r2n_pickle_put_opcode(writer, R2N_PICKLE_STACK_GLOBAL);
}

uint32_t r2n_pickle_memoize(r2n_pickle_writer *writer)
{
    r2n_pickle_put_opcode(writer, R2N_PICKLE_MEMOIZE);
    return writer->memo_count++;
}

void r2n_pickle_put_memo(r2n_pickle_writer *writer, uint32_t number)
{
    if (number <= UINT8_MAX) {
        r2n_pickle_put_opcode(writer, R2N_PICKLE_BINGET);
        put_number(writer, number, 1);
    } else {
        r2n_pickle_put_opcode(writer, R2N_PICKLE_LONG_BINGET);
        put_number(writer, number, 4);
    }
}
