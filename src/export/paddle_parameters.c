/* SPDX-License-Identifier: Apache-2.0 */
/* The tensors as Paddle's save_combine operator writes them (spec 5.3), and the pickle that tells
 * their names in the layers' tree. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "export/paddle_internal.h"
#include "formats/pickle_opcodes.h"
#include "formats/pickle_writer.h"
#include "formats/protobuf_writer.h"

enum { DATA_TYPE = 1, DIMENSIONS = 2, FP32 = 5 }; /* of VarType.TensorDesc */

static void put_little(r2n_file_writer *file, uint64_t number, size_t bytes)
{
    uint8_t little[8];
    for (size_t i = 0; i < bytes; i++)
        little[i] = (uint8_t)(number >> (8 * i));
    r2n_writer_put(file, little, bytes);
}

/* Versions, no levels of detail, and the description with its length. */
static void put_head(r2n_file_writer *file, const r2n_tensor_spec *spec, r2n_text *description)
{
    int64_t shape[4];
    r2n_paddle_parameter_shape(spec, shape);
    description->size = 0;
    r2n_protobuf_put_integer(description, DATA_TYPE, FP32);
    r2n_protobuf_put_repeated(description, DIMENSIONS, shape, (size_t)spec->rank);
    if (description->failed)
        return;
    put_little(file, 0, 4);
    put_little(file, 0, 8);
    put_little(file, 0, 4);
    put_little(file, description->size, 4);
    r2n_writer_put(file, description->data, description->size);
}

/* [rows][columns] as [columns][rows]. */
static void put_transposed(r2n_file_writer *file, const r2n_tensor *tensor, float *line)
{
    const int64_t rows = tensor->shape[0], columns = tensor->shape[1];
    for (int64_t column = 0; column < columns; column++) {
        for (int64_t row = 0; row < rows; row++)
            line[row] = tensor->data[row * columns + column];
        r2n_writer_put(file, line, (size_t)rows * sizeof *line);
    }
}

res2net_status r2n_paddle_write_parameters(const r2n_paddle_export *export, r2n_file_writer *file)
{
    r2n_text description = {0};
    float *line = r2n_allocate((size_t) export->model->graph->architecture.classes, sizeof *line);
    for (size_t i = 0; i < export->count && line != NULL; i++) {
        const r2n_tensor *tensor = &export->model->weights->tensors[export->sorted[i]];
        put_head(file, &export->specs[export->sorted[i]], &description);
        if (tensor->rank == 2)
            put_transposed(file, tensor, line);
        else
            r2n_writer_put(file, tensor->data, (size_t)tensor->count * sizeof(float));
    }
    const int failed = description.failed || line == NULL;
    r2n_free(line);
    r2n_free(description.data);
    if (failed)
        return r2n_fail(export->report, RES2NET_OUT_OF_MEMORY, export->folder, -1,
                        "no memory to write the parameters");
    return RES2NET_OK;
}

static void put_flag(r2n_pickle_writer *pickle, const char *key, int flag)
{
    r2n_pickle_put_text(pickle, key);
    r2n_pickle_put_opcode(pickle, flag ? R2N_PICKLE_NEWTRUE : R2N_PICKLE_NEWFALSE);
    r2n_pickle_put_opcode(pickle, R2N_PICKLE_SETITEM);
}

/* The network is called "base_model" in the layer that PaddleClas exports. */
void r2n_paddle_write_info(const r2n_paddle_export *export, r2n_file_writer *file)
{
    r2n_pickle_writer pickle = {.file = file};
    char name[R2N_NAME_BYTES + 16];
    r2n_pickle_put_start(&pickle);
    r2n_pickle_put_opcode(&pickle, R2N_PICKLE_EMPTY_DICT);
    for (size_t i = 0; i < export->count; i++) {
        const r2n_tensor_spec *spec = &export->specs[export->sorted[i]];
        snprintf(name, sizeof name, "base_model.%s", spec->paddle_name);
        r2n_pickle_put_text(&pickle, spec->paddle_parameter);
        r2n_pickle_put_opcode(&pickle, R2N_PICKLE_EMPTY_DICT);
        r2n_pickle_put_text(&pickle, "structured_name");
        r2n_pickle_put_text(&pickle, name);
        r2n_pickle_put_opcode(&pickle, R2N_PICKLE_SETITEM);
        put_flag(&pickle, "stop_gradient", !spec->trainable);
        put_flag(&pickle, "trainable", spec->trainable);
        r2n_pickle_put_opcode(&pickle, R2N_PICKLE_SETITEM);
    }
    r2n_pickle_put_opcode(&pickle, R2N_PICKLE_STOP);
}
