/* SPDX-License-Identifier: Apache-2.0 */
/* What paddle.save writes for a state dict: spec 5.2. */
#include <string.h>

#include "base/memory.h"
#include "formats/pickle_opcodes.h"
#include "formats/pickle_writer.h"
#include "weights/metadata.h"
#include "weights/writer.h"

typedef struct state {
    r2n_pickle_writer pickle;
    uint32_t reconstruct, ndarray, dtype; /* memo numbers */
} state;

static void put(state *s, uint8_t opcode)
{
    r2n_pickle_put_opcode(&s->pickle, opcode);
}

/* numpy.dtype('f4', False, True), state (3, '<', None, None, None, -1, -1, 0) */
static void put_new_dtype(state *s)
{
    r2n_pickle_put_global(&s->pickle, "numpy", "dtype");
    r2n_pickle_put_text(&s->pickle, "f4");
    put(s, R2N_PICKLE_NEWFALSE);
    put(s, R2N_PICKLE_NEWTRUE);
    put(s, R2N_PICKLE_TUPLE3);
    put(s, R2N_PICKLE_REDUCE);
    s->dtype = r2n_pickle_memoize(&s->pickle);
    put(s, R2N_PICKLE_MARK);
    r2n_pickle_put_integer(&s->pickle, 3);
    r2n_pickle_put_text(&s->pickle, "<");
    for (int i = 0; i < 3; i++)
        put(s, R2N_PICKLE_PUSH_NONE);
    r2n_pickle_put_integer(&s->pickle, -1);
    r2n_pickle_put_integer(&s->pickle, -1);
    r2n_pickle_put_integer(&s->pickle, 0);
    put(s, R2N_PICKLE_TUPLE_TO_MARK);
    put(s, R2N_PICKLE_BUILD);
}

/* The objects that all arrays share; each is left on the stack and taken off again. */
static void put_shared(state *s)
{
    r2n_pickle_put_global(&s->pickle, "numpy.core.multiarray", "_reconstruct");
    s->reconstruct = r2n_pickle_memoize(&s->pickle);
    put(s, R2N_PICKLE_POP);
    r2n_pickle_put_global(&s->pickle, "numpy", "ndarray");
    s->ndarray = r2n_pickle_memoize(&s->pickle);
    put(s, R2N_PICKLE_POP);
    put_new_dtype(s);
    put(s, R2N_PICKLE_POP);
}

/* _reconstruct(ndarray, (0,), b'b'), state (1, shape, dtype, False, bytes) */
static void put_array(state *s, int32_t rank, const int64_t *shape, const float *data,
                      int64_t count)
{
    r2n_pickle_put_memo(&s->pickle, s->reconstruct);
    r2n_pickle_put_memo(&s->pickle, s->ndarray);
    r2n_pickle_put_integer(&s->pickle, 0);
    put(s, R2N_PICKLE_TUPLE1);
    r2n_pickle_put_bytes_head(&s->pickle, 1);
    r2n_writer_put(s->pickle.file, "b", 1);
    put(s, R2N_PICKLE_TUPLE3);
    put(s, R2N_PICKLE_REDUCE);
    put(s, R2N_PICKLE_MARK);
    r2n_pickle_put_integer(&s->pickle, 1);
    put(s, R2N_PICKLE_MARK);
    for (int32_t i = 0; i < rank; i++)
        r2n_pickle_put_integer(&s->pickle, shape[i]);
    put(s, R2N_PICKLE_TUPLE_TO_MARK);
    r2n_pickle_put_memo(&s->pickle, s->dtype);
    put(s, R2N_PICKLE_NEWFALSE);
    const size_t bytes = (size_t)count * sizeof *data;
    r2n_pickle_put_bytes_head(&s->pickle, bytes);
    r2n_writer_put(s->pickle.file, data, bytes);
    put(s, R2N_PICKLE_TUPLE_TO_MARK);
    put(s, R2N_PICKLE_BUILD);
}

/* Paddle's classifier is [features, classes]. */
static res2net_status put_transposed(state *s, const r2n_weights_writer *writer,
                                     const r2n_tensor *tensor)
{
    const int64_t rows = tensor->shape[0], columns = tensor->shape[1];
    float *turned = r2n_allocate((size_t)tensor->count, sizeof *turned);
    if (turned == NULL)
        return r2n_fail(writer->report, RES2NET_OUT_OF_MEMORY, writer->path, -1,
                        "no memory to transpose %s", tensor->name);
    for (int64_t r = 0; r < rows; r++)
        for (int64_t c = 0; c < columns; c++)
            turned[c * rows + r] = tensor->data[r * columns + c];
    const int64_t shape[2] = {columns, rows};
    put_array(s, 2, shape, turned, tensor->count);
    r2n_free(turned);
    return RES2NET_OK;
}

res2net_status r2n_write_pdparams(r2n_weights_writer *writer)
{
    state s = {.pickle = {.file = writer->file}};
    r2n_pickle_put_start(&s.pickle);
    put_shared(&s);
    put(&s, R2N_PICKLE_EMPTY_DICT);
    for (size_t i = 0; i < writer->set->count; i++) {
        const r2n_tensor *tensor = &writer->set->tensors[i];
        res2net_status status = RES2NET_OK;
        r2n_pickle_put_text(&s.pickle, writer->specs[i].paddle_name);
        if (tensor->rank == 2)
            status = put_transposed(&s, writer, tensor);
        else
            put_array(&s, tensor->rank, tensor->shape, tensor->data, tensor->count);
        if (status != RES2NET_OK)
            return status;
        put(&s, R2N_PICKLE_SETITEM);
    }
    if (writer->tell_family) {
        r2n_pickle_put_text(&s.pickle, R2N_KEY_FAMILY);
        r2n_pickle_put_text(&s.pickle, r2n_family_name(writer->family));
        put(&s, R2N_PICKLE_SETITEM);
    }
    r2n_pickle_put_text(&s.pickle, "StructuredToParameterName@@");
    put(&s, R2N_PICKLE_EMPTY_DICT);
    for (size_t i = 0; i < writer->set->count; i++) {
        r2n_pickle_put_text(&s.pickle, writer->specs[i].paddle_name);
        r2n_pickle_put_text(&s.pickle, writer->specs[i].paddle_parameter);
        put(&s, R2N_PICKLE_SETITEM);
    }
    put(&s, R2N_PICKLE_SETITEM);
    put(&s, R2N_PICKLE_STOP);
    return RES2NET_OK;
}
