/* SPDX-License-Identifier: Apache-2.0 */
/* What paddle.save writes for a state dict: spec 5.2. */
#include "formats/pickle_numpy.h"
#include "formats/pickle_opcodes.h"
#include "weights/metadata.h"
#include "weights/writer.h"

static void put_item(r2n_pickle_writer *pickle)
{
    r2n_pickle_put_opcode(pickle, R2N_PICKLE_SETITEM);
}

res2net_status r2n_write_pdparams(r2n_weights_writer *writer)
{
    r2n_pickle_writer pickle = {.file = writer->file};
    r2n_pickle_numpy numpy;
    r2n_pickle_put_start(&pickle);
    r2n_pickle_numpy_begin(&pickle, &numpy);
    r2n_pickle_put_opcode(&pickle, R2N_PICKLE_EMPTY_DICT);
    for (size_t i = 0; i < writer->set->count; i++) {
        const r2n_tensor *tensor = &writer->set->tensors[i];
        r2n_pickle_put_text(&pickle, writer->specs[i].paddle_name);
        if (tensor->rank == 2) /* Paddle's classifier is [features, classes] */
            r2n_pickle_put_transposed(&pickle, &numpy, tensor->shape[0], tensor->shape[1],
                                      tensor->data);
        else
            r2n_pickle_put_array(&pickle, &numpy, tensor->rank, tensor->shape, tensor->data);
        put_item(&pickle);
    }
    if (writer->tell_family) {
        r2n_pickle_put_text(&pickle, R2N_KEY_FAMILY);
        r2n_pickle_put_text(&pickle, r2n_family_name(writer->family));
        put_item(&pickle);
    }
    r2n_pickle_put_text(&pickle, "StructuredToParameterName@@");
    r2n_pickle_put_opcode(&pickle, R2N_PICKLE_EMPTY_DICT);
    for (size_t i = 0; i < writer->set->count; i++) {
        r2n_pickle_put_text(&pickle, writer->specs[i].paddle_name);
        r2n_pickle_put_text(&pickle, writer->specs[i].paddle_parameter);
        put_item(&pickle);
    }
    put_item(&pickle);
    r2n_pickle_put_opcode(&pickle, R2N_PICKLE_STOP);
    return RES2NET_OK;
}
