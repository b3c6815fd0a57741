/* SPDX-License-Identifier: Apache-2.0 */
/* ONNX' ModelProto and GraphProto: names first, then weights, then nodes in their order. */
#include <string.h>

#include "base/memory.h"
#include "import/onnx_internal.h"
#include "import/readers.h"
#include "weights/metadata.h"

enum model_field {
    IR_VERSION = 1,
    PRODUCER_NAME = 2,
    GRAPH = 7,
    OPERATOR_SETS = 8,
    METADATA = 14,
    TRAINING_INFO = 20,
    FUNCTIONS = 25,
    CONFIGURATION = 26
};

enum graph_field { NODE = 1, INITIALIZER = 5, INPUT = 11, OUTPUT = 12 };

enum node_field {
    NODE_INPUT = 1,
    NODE_OUTPUT = 2,
    NODE_NAME = 3,
    NODE_TYPE = 4,
    NODE_ATTRIBUTE = 5,
    NODE_DOMAIN = 7
};

int r2n_looks_like_onnx(const void *data, size_t size)
{
    r2n_protobuf_reader reader = r2n_protobuf(data, size, 0);
    r2n_protobuf_field field;
    int version = 0, graph = 0;
    while (r2n_protobuf_next(&reader, &field)) {
        if (field.number == IR_VERSION)
            version = field.kind == R2N_PROTOBUF_VARINT;
        else if (field.number == GRAPH)
            graph = field.kind == R2N_PROTOBUF_BYTES;
        else if (!(field.number <= OPERATOR_SETS || field.number == METADATA ||
                   field.number == TRAINING_INFO || field.number == FUNCTIONS ||
                   field.number == CONFIGURATION))
            return 0;
    }
    if (reader.cursor.failed) /* cut off in the graph, which is nearly all of a file */
        return version && field.number == GRAPH && field.kind == R2N_PROTOBUF_BYTES;
    return version && graph;
}

/* ---- the model ------------------------------------------------------------------------------- */

static res2net_status refuse(r2n_onnx_reader *reader, res2net_status status, uint64_t at,
                             const char *text)
{
    (void)r2n_foreign_refuse(reader->graph, status, (int64_t)at, "%s", text);
    return reader->graph->status;
}

static res2net_status damaged(r2n_onnx_reader *reader, const r2n_protobuf_reader *at)
{
    return refuse(reader, RES2NET_DAMAGED, at->start + at->cursor.position,
                  "an ONNX file that ends or breaks off here; fetch it again");
}

static res2net_status take_metadata(r2n_onnx_reader *reader, r2n_protobuf_reader entry)
{
    char key[64] = "";
    r2n_protobuf_field field, value = {0};
    while (r2n_protobuf_next(&entry, &field)) {
        if (field.number == 1 && field.size < sizeof key && field.bytes != NULL) {
            memcpy(key, field.bytes, field.size);
            key[field.size] = '\0';
        }
        if (field.number == 2)
            value = field;
    }
    if (entry.cursor.failed)
        return damaged(reader, &entry);
    if (value.bytes == NULL)
        return RES2NET_OK;
    r2n_foreign_graph *graph = reader->graph;
    graph->status = r2n_metadata_take(&graph->metadata, key, (const char *)value.bytes, value.size,
                                      graph->file, graph->report);
    return graph->status;
}

/* Finds the graph and takes the metadata. */
static res2net_status read_model(r2n_onnx_reader *reader, r2n_protobuf_reader model,
                                 r2n_protobuf_reader *graph)
{
    r2n_protobuf_field field;
    int found = 0;
    while (r2n_protobuf_next(&model, &field)) {
        if (field.kind != R2N_PROTOBUF_BYTES)
            continue;
        if (field.number == GRAPH) {
            *graph = r2n_protobuf_open(&model, &field);
            found++;
        }
        if (field.number == METADATA &&
            take_metadata(reader, r2n_protobuf_open(&model, &field)) != RES2NET_OK)
            return reader->graph->status;
    }
    if (model.cursor.failed)
        return damaged(reader, &model);
    if (found != 1)
        return refuse(reader, RES2NET_DAMAGED, 0, "an ONNX file has one graph; this one has not");
    return RES2NET_OK;
}

/* ---- names ----------------------------------------------------------------------------------- */

/* The text of the first field `number` of a message. */
static r2n_name text_of(r2n_protobuf_reader message, uint32_t number)
{
    r2n_protobuf_field field;
    while (r2n_protobuf_next(&message, &field))
        if (field.number == number && field.kind == R2N_PROTOBUF_BYTES)
            return (r2n_name){field.bytes, field.size};
    return (r2n_name){NULL, 0};
}

static res2net_status too_many_names(r2n_onnx_reader *reader)
{
    if (reader->names.count < R2N_MAXIMUM_NAMES)
        return refuse(reader, RES2NET_OUT_OF_MEMORY, 0, "no memory for the names of the graph");
    return refuse(reader, RES2NET_LIMIT_EXCEEDED, 0, "the graph has more than 262144 names");
}

static res2net_status gather_outputs(r2n_onnx_reader *reader, r2n_protobuf_reader node)
{
    r2n_protobuf_field field;
    while (r2n_protobuf_next(&node, &field))
        if (field.number == NODE_OUTPUT && field.size > 0 &&
            !r2n_name_table_add(&reader->names, field.bytes, field.size))
            return too_many_names(reader);
    return node.cursor.failed ? damaged(reader, &node) : RES2NET_OK;
}

static res2net_status gather_names(r2n_onnx_reader *reader, r2n_protobuf_reader graph)
{
    enum { TENSOR_NAME = 8, VALUE_NAME = 1 };
    r2n_protobuf_field field;
    while (r2n_protobuf_next(&graph, &field)) {
        if (field.kind != R2N_PROTOBUF_BYTES)
            continue;
        const r2n_protobuf_reader inside = r2n_protobuf_open(&graph, &field);
        if (field.number == NODE && gather_outputs(reader, inside) != RES2NET_OK)
            return reader->graph->status;
        if (field.number == INITIALIZER || field.number == INPUT) {
            const r2n_name name = text_of(inside, field.number == INPUT ? VALUE_NAME : TENSOR_NAME);
            if (!r2n_name_table_add(&reader->names, name.bytes, name.size))
                return too_many_names(reader);
        }
    }
    if (graph.cursor.failed)
        return damaged(reader, &graph);
    return r2n_name_table_finish(&reader->names) ? RES2NET_OK : too_many_names(reader);
}

/* ---- the graph ------------------------------------------------------------------------------- */

static res2net_status add_initializer(r2n_onnx_reader *reader, r2n_protobuf_reader message)
{
    r2n_name name = {NULL, 0};
    const int32_t value = r2n_onnx_tensor(reader, message, &name);
    int32_t *place = value < 0 ? NULL : r2n_name_table_find(&reader->names, name.bytes, name.size);
    if (place != NULL)
        *place = value;
    return reader->graph->status;
}

/* The one input that is no weight (old files list those among the inputs too). */
static res2net_status add_input(r2n_onnx_reader *reader, r2n_protobuf_reader message)
{
    enum { VALUE_NAME = 1, PICTURE_CHANNELS = 3 };
    const r2n_name name = text_of(message, VALUE_NAME);
    int32_t *place = r2n_name_table_find(&reader->names, name.bytes, name.size);
    if (place == NULL || *place >= 0)
        return RES2NET_OK;
    if (reader->graph->input >= 0)
        return refuse(reader, RES2NET_MISMATCH, message.start,
                      "the network has several inputs; a classifier of pictures has one");
    reader->graph->input = *place = r2n_foreign_plain_value(reader->graph, PICTURE_CHANNELS);
    return reader->graph->status;
}

static int take_node_text(r2n_onnx_node *node, const r2n_protobuf_field *field)
{
    const char *text = (const char *)field->bytes;
    switch (field->number) {
    case NODE_INPUT:
        if (node->input_count <= R2N_FOREIGN_INPUTS)
            node->inputs[node->input_count++] = (r2n_name){field->bytes, field->size};
        return 1;
    case NODE_OUTPUT:
        if (node->output_count <= R2N_FOREIGN_INPUTS)
            node->outputs[node->output_count++] = (r2n_name){field->bytes, field->size};
        return 1;
    case NODE_NAME:
        node->label.name = text;
        node->label.name_bytes = field->size;
        return 1;
    case NODE_TYPE:
        node->label.type = text;
        node->label.type_bytes = field->size;
        return 1;
    default:
        return 0;
    }
}

static res2net_status add_node(r2n_onnx_reader *reader, r2n_protobuf_reader message)
{
    r2n_onnx_node node = {.label = {.type = "", .name = "", .offset = (int64_t)message.start}};
    r2n_protobuf_field field, domain = {0};
    while (r2n_protobuf_next(&message, &field)) {
        if (field.kind != R2N_PROTOBUF_BYTES || take_node_text(&node, &field))
            continue;
        if (field.number == NODE_DOMAIN)
            domain = field;
        if (field.number == NODE_ATTRIBUTE && node.attribute_count < R2N_ONNX_ATTRIBUTES)
            node.attributes[node.attribute_count++] = r2n_protobuf_open(&message, &field);
    }
    if (message.cursor.failed)
        return damaged(reader, &message);
    if (node.label.name_bytes == 0 && node.output_count > 0) {
        node.label.name = (const char *)node.outputs[0].bytes;
        node.label.name_bytes = node.outputs[0].size;
    }
    if (domain.size > 0 && !r2n_protobuf_is(&domain, "ai.onnx"))
        (void)r2n_foreign_unknown(reader->graph, &node.label);
    else
        (void)r2n_onnx_add_node(reader, &node);
    return reader->graph->status;
}

static res2net_status take_output(r2n_onnx_reader *reader, r2n_protobuf_reader message)
{
    const r2n_name name = text_of(message, 1);
    r2n_foreign_graph *graph = reader->graph;
    const int32_t *place = r2n_name_table_find(&reader->names, name.bytes, name.size);
    if (graph->output >= 0)
        return refuse(reader, RES2NET_MISMATCH, message.start,
                      "the network has several outputs; a classifier has its scores only");
    if (place == NULL || *place < 0)
        return refuse(reader, RES2NET_DAMAGED, message.start,
                      "no operation makes the network's output");
    graph->output = *place;
    return RES2NET_OK;
}

typedef res2net_status (*part_reader)(r2n_onnx_reader *reader, r2n_protobuf_reader message);

/* Every field `number` of the graph. The graph has been walked before: it is whole. */
static res2net_status each(r2n_onnx_reader *reader, r2n_protobuf_reader graph, uint32_t number,
                           part_reader read)
{
    r2n_protobuf_field field;
    while (r2n_protobuf_next(&graph, &field))
        if (field.number == number && field.kind == R2N_PROTOBUF_BYTES &&
            read(reader, r2n_protobuf_open(&graph, &field)) != RES2NET_OK)
            break;
    return reader->graph->status;
}

static res2net_status read_all(r2n_onnx_reader *reader, r2n_protobuf_reader model)
{
    r2n_protobuf_reader graph = model;
    res2net_status status = read_model(reader, model, &graph);
    if (status == RES2NET_OK)
        status = gather_names(reader, graph);
    if (status == RES2NET_OK)
        status = each(reader, graph, INITIALIZER, add_initializer);
    if (status == RES2NET_OK)
        status = each(reader, graph, INPUT, add_input);
    if (status == RES2NET_OK && reader->graph->input < 0)
        status =
            refuse(reader, RES2NET_MISMATCH, graph.start, "the network has no input for a picture");
    if (status == RES2NET_OK)
        status = each(reader, graph, NODE, add_node);
    if (status == RES2NET_OK)
        status = each(reader, graph, OUTPUT, take_output);
    if (status == RES2NET_OK && reader->graph->output < 0)
        status = refuse(reader, RES2NET_MISMATCH, graph.start, "the network has no output");
    return status;
}

res2net_status r2n_read_onnx(const void *data, size_t size, const char *folder,
                             r2n_foreign_graph *graph)
{
    r2n_onnx_reader reader = {.graph = graph, .folder = folder};
    graph->weight_bytes += size;
    const res2net_status status = read_all(&reader, r2n_protobuf(data, size, 0));
    r2n_name_table_free(&reader.names);
    r2n_free(reader.data_name);
    return status;
}
