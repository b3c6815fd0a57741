/* SPDX-License-Identifier: Apache-2.0 */
/* The few pieces of a protocol-4 pickle that a state dict needs, put straight into a file. The memo
 * is numbered by the writer: every `memoize` gives the next number. */
#ifndef R2N_FORMATS_PICKLE_WRITER_H
#define R2N_FORMATS_PICKLE_WRITER_H

#include "base/os.h"

typedef struct r2n_pickle_writer {
    r2n_file_writer *file;
    uint32_t memo_count;
} r2n_pickle_writer;

void r2n_pickle_put_opcode(r2n_pickle_writer *writer, uint8_t opcode);
void r2n_pickle_put_start(r2n_pickle_writer *writer); /* PROTO 4 */
void r2n_pickle_put_integer(r2n_pickle_writer *writer, int64_t number);
void r2n_pickle_put_float(r2n_pickle_writer *writer, double number);
void r2n_pickle_put_text(r2n_pickle_writer *writer, const char *text);
/* The opcode and length of `bytes` bytes; the caller puts the bytes themselves into the file. */
void r2n_pickle_put_bytes_head(r2n_pickle_writer *writer, uint64_t bytes);
/* A Python object by its names. */
void r2n_pickle_put_global(r2n_pickle_writer *writer, const char *module, const char *name);
/* Remembers the value just put, and puts a remembered one. */
uint32_t r2n_pickle_memoize(r2n_pickle_writer *writer);
void r2n_pickle_put_memo(r2n_pickle_writer *writer, uint32_t number);

#endif
