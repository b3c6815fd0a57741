/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/pickle_numpy.h"

#include "formats/pickle_opcodes.h"

/* numpy.dtype('f4', False, True), state (3, '<', None, None, None, -1, -1, 0) */
static uint32_t put_new_dtype(r2n_pickle_writer *writer)
{
    r2n_pickle_put_global(writer, "numpy", "dtype");
    r2n_pickle_put_text(writer, "f4");
    r2n_pickle_put_opcode(writer, R2N_PICKLE_NEWFALSE);
    r2n_pickle_put_opcode(writer, R2N_PICKLE_NEWTRUE);
    r2n_pickle_put_opcode(writer, R2N_PICKLE_TUPLE3);
    r2n_pickle_put_opcode(writer, R2N_PICKLE_REDUCE);
    const uint32_t memo = r2n_pickle_memoize(writer);
    r2n_pickle_put_opcode(writer, R2N_PICKLE_MARK);
    r2n_pickle_put_integer(writer, 3);
    r2n_pickle_put_text(writer, "<");
    for (int i = 0; i < 3; i++)
        r2n_pickle_put_opcode(writer, R2N_PICKLE_PUSH_NONE);
    r2n_pickle_put_integer(writer, -1);
    r2n_pickle_put_integer(writer, -1);
    r2n_pickle_put_integer(writer, 0);
    r2n_pickle_put_opcode(writer, R2N_PICKLE_TUPLE_TO_MARK);
    r2n_pickle_put_opcode(writer, R2N_PICKLE_BUILD);
    return memo;
}

/* Each is left on the stack by its maker and taken off again. */
void r2n_pickle_numpy_begin(r2n_pickle_writer *writer, r2n_pickle_numpy *numpy)
{
    r2n_pickle_put_global(writer, "numpy.core.multiarray", "_reconstruct");
    numpy->reconstruct = r2n_pickle_memoize(writer);
    r2n_pickle_put_opcode(writer, R2N_PICKLE_POP);
    r2n_pickle_put_global(writer, "numpy", "ndarray");
    numpy->ndarray = r2n_pickle_memoize(writer);
    r2n_pickle_put_opcode(writer, R2N_PICKLE_POP);
    numpy->dtype = put_new_dtype(writer);
    r2n_pickle_put_opcode(writer, R2N_PICKLE_POP);
}

/* _reconstruct(ndarray, (0,), b'b'), state (1, shape, dtype, False, bytes): up to the head of the
 * bytes, whose number is returned. */
static size_t put_array_head(r2n_pickle_writer *writer, const r2n_pickle_numpy *numpy, int32_t rank,
                             const int64_t *shape)
{
    size_t bytes = sizeof(float);
    r2n_pickle_put_memo(writer, numpy->reconstruct);
    r2n_pickle_put_memo(writer, numpy->ndarray);
    r2n_pickle_put_integer(writer, 0);
    r2n_pickle_put_opcode(writer, R2N_PICKLE_TUPLE1);
    r2n_pickle_put_bytes_head(writer, 1);
    r2n_writer_put(writer->file, "b", 1);
    r2n_pickle_put_opcode(writer, R2N_PICKLE_TUPLE3);
    r2n_pickle_put_opcode(writer, R2N_PICKLE_REDUCE);
    r2n_pickle_put_opcode(writer, R2N_PICKLE_MARK);
    r2n_pickle_put_integer(writer, 1);
    r2n_pickle_put_opcode(writer, R2N_PICKLE_MARK);
    for (int32_t i = 0; i < rank; i++) {
        r2n_pickle_put_integer(writer, shape[i]);
        bytes *= (size_t)shape[i];
    }
    r2n_pickle_put_opcode(writer, R2N_PICKLE_TUPLE_TO_MARK);
    r2n_pickle_put_memo(writer, numpy->dtype);
    r2n_pickle_put_opcode(writer, R2N_PICKLE_NEWFALSE);
    r2n_pickle_put_bytes_head(writer, bytes);
    return bytes;
}

static void put_array_end(r2n_pickle_writer *writer)
{
    r2n_pickle_put_opcode(writer, R2N_PICKLE_TUPLE_TO_MARK);
    r2n_pickle_put_opcode(writer, R2N_PICKLE_BUILD);
}

void r2n_pickle_put_array(r2n_pickle_writer *writer, const r2n_pickle_numpy *numpy, int32_t rank,
                          const int64_t *shape, const float *data)
{
    const size_t bytes = put_array_head(writer, numpy, rank, shape);
    r2n_writer_put(writer->file, data, bytes);
    put_array_end(writer);
}

void r2n_pickle_put_transposed(r2n_pickle_writer *writer, const r2n_pickle_numpy *numpy,
                               int64_t rows, int64_t columns, const float *data)
{
    enum { PIECE = 512 };
    const int64_t shape[2] = {columns, rows};
    put_array_head(writer, numpy, 2, shape);
    for (int64_t c = 0; c < columns; c++)
        for (int64_t first = 0; first < rows; first += PIECE) {
            float piece[PIECE];
            const int64_t count = rows - first < PIECE ? rows - first : PIECE;
            for (int64_t r = 0; r < count; r++)
                piece[r] = data[(first + r) * columns + c];
            r2n_writer_put(writer->file, piece, (size_t)count * sizeof *piece);
        }
    put_array_end(writer);
}
