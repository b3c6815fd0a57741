/* SPDX-License-Identifier: Apache-2.0 */
/* A model as an ONNX file: what is around the nodes and the weights. */
#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "base/memory.h"
#include "export/check.h"
#include "export/onnx_internal.h"
#include "formats/protobuf_writer.h"
#include "formats/utf8.h"
#include "weights/metadata.h"

enum {
    IR_VERSION = 1,
    PRODUCER_NAME = 2,
    PRODUCER_VERSION = 3,
    GRAPH = 7,
    OPERATOR_SETS = 8,
    METADATA = 14
}; /* of ModelProto */
enum { GRAPH_NAME = 2, GRAPH_INPUT = 11, GRAPH_OUTPUT = 12 };
enum { VALUE_NAME = 1, VALUE_TYPE = 2 };               /* of ValueInfoProto */
enum { TENSOR_TYPE = 1, ELEMENT_TYPE = 1, SHAPE = 2 }; /* of TypeProto and its Tensor */
enum { DIMENSION = 1, DIMENSION_VALUE = 1, DIMENSION_NAME = 2 };
enum { SET_DOMAIN = 1, SET_VERSION = 2 }; /* of OperatorSetIdProto */
enum { KEY = 1, VALUE = 2 };              /* of StringStringEntryProto */
enum { WIRE_BYTES = 2, BRAIN_FLOAT_OPSET = 13 };

res2net_status r2n_onnx_no_memory(const r2n_onnx_graph *graph)
{
    return r2n_fail(graph->report, RES2NET_OUT_OF_MEMORY, graph->path, -1,
                    "no memory for the graph of the file");
}

/* ---- options --------------------------------------------------------------------------------- */

static res2net_status check_size(const r2n_onnx_graph *g)
{
    const r2n_onnx_options *o = &g->options;
    const int64_t fixed = o->rows > 0 ? o->rows : o->columns;
    if (o->batch < 0 || o->rows < 0 || o->columns < 0 || o->batch > INT32_MAX ||
        o->rows > INT32_MAX || o->columns > INT32_MAX)
        return r2n_fail(g->report, RES2NET_INVALID_ARGUMENT, NULL, -1,
                        "batch, rows and columns are 0 (dynamic) or more, not %" PRId64 ", %" PRId64
                        " and %" PRId64,
                        o->batch, o->rows, o->columns);
    if (fixed == 0)
        return RES2NET_OK;
    r2n_shape *shapes = r2n_allocate((size_t)g->model->graph->count, sizeof *shapes);
    if (shapes == NULL)
        return r2n_onnx_no_memory(g);
    const res2net_status status =
        r2n_graph_shapes(g->model->graph, (int32_t)(o->rows > 0 ? o->rows : fixed),
                         (int32_t)(o->columns > 0 ? o->columns : fixed), shapes, g->report);
    r2n_free(shapes);
    return status;
}

static res2net_status check_options(r2n_onnx_graph *g)
{
    r2n_onnx_options *o = &g->options;
    if (o->opset == 0)
        o->opset = R2N_ONNX_DEFAULT_OPSET;
    if (o->opset < R2N_ONNX_FIRST_OPSET || o->opset > R2N_ONNX_LAST_OPSET)
        return r2n_fail(g->report, RES2NET_INVALID_ARGUMENT, NULL, -1,
                        "opset %" PRId32 " is not written: %d to %d are", o->opset,
                        R2N_ONNX_FIRST_OPSET, R2N_ONNX_LAST_OPSET);
    if (o->weights == R2N_EXPORT_BF16 && o->opset < BRAIN_FLOAT_OPSET)
        return r2n_fail(g->report, RES2NET_INVALID_ARGUMENT, NULL, -1,
                        "opset %" PRId32 " cannot widen bf16 weights: %d and later can", o->opset,
                        BRAIN_FLOAT_OPSET);
    if (o->weights == R2N_EXPORT_INT8 &&
        (o->opset < R2N_ONNX_FIRST_INT8_OPSET || o->opset > R2N_ONNX_LAST_INT8_OPSET))
        return r2n_fail(g->report, RES2NET_INVALID_ARGUMENT, NULL, -1,
                        "int8 is not written in opset %" PRId32
                        ": %d to %d have what it needs, and "
                        "runtimes for it",
                        o->opset, R2N_ONNX_FIRST_INT8_OPSET, R2N_ONNX_LAST_INT8_OPSET);
    if (o->weights == R2N_EXPORT_INT8 && o->keep_batch_norm)
        return r2n_fail(g->report, RES2NET_INVALID_ARGUMENT, NULL, -1,
                        "int8 has its batch norms folded into the convolutions: they cannot be "
                        "kept");
    if (g->model->label_count != 0 &&
        g->model->label_count != g->model->graph->architecture.classes)
        return r2n_fail(g->report, RES2NET_INVALID_ARGUMENT, NULL, -1,
                        "%" PRId32 " class names for %" PRId32 " classes", g->model->label_count,
                        g->model->graph->architecture.classes);
    return check_size(g);
}

/* The version of the format that came with the opset. */
static int64_t ir_version(int32_t opset)
{
    static const int8_t versions[] = {6, 7,  7,  7,  8,  8,  8,  8,  9,
                                      9, 10, 10, 11, 12, 13, 13, 13, 14}; /* from 11 on */
    return versions[opset - R2N_ONNX_FIRST_OPSET];
}

/* ---- inputs and outputs ---------------------------------------------------------------------- */

/* A size of 0 is a name. */
typedef struct dimension {
    int64_t size;
    const char *name;
} dimension;

static void put_value(r2n_text *text, uint32_t field, const char *name, const dimension *dimensions,
                      int count)
{
    r2n_text one = {0}, shape = {0}, tensor = {0}, type = {0}, value = {0};
    for (int i = 0; i < count; i++) {
        if (dimensions[i].size > 0)
            r2n_protobuf_put_integer(&one, DIMENSION_VALUE, dimensions[i].size);
        else
            r2n_protobuf_put_string(&one, DIMENSION_NAME, dimensions[i].name);
        r2n_protobuf_put_message(&shape, DIMENSION, &one);
    }
    r2n_protobuf_put_integer(&tensor, ELEMENT_TYPE, R2N_ONNX_FLOAT);
    r2n_protobuf_put_message(&tensor, SHAPE, &shape);
    r2n_protobuf_put_message(&type, TENSOR_TYPE, &tensor);
    r2n_protobuf_put_string(&value, VALUE_NAME, name);
    r2n_protobuf_put_message(&value, VALUE_TYPE, &type);
    r2n_protobuf_put_message(text, field, &value);
    r2n_free(one.data);
    r2n_free(shape.data);
    r2n_free(tensor.data);
    r2n_free(type.data);
    r2n_free(value.data);
}

/* What follows the weights in the graph. */
static void put_graph_end(const r2n_onnx_graph *g, r2n_text *text)
{
    const r2n_onnx_options *o = &g->options;
    const dimension batch = {o->batch, "batch"};
    const dimension picture[] = {batch, {3, NULL}, {o->rows, "height"}, {o->columns, "width"}};
    const dimension scores[] = {batch, {g->model->graph->architecture.classes, NULL}};
    r2n_protobuf_put_string(text, GRAPH_NAME, g->model->graph->architecture.name);
    put_value(text, GRAPH_INPUT, "x", picture, 4);
    put_value(text, GRAPH_OUTPUT, o->softmax ? "scores" : "logits", scores, 2);
}

/* ---- metadata -------------------------------------------------------------------------------- */

/* Protocol buffers' strings are UTF-8: other bytes become U+FFFD. */
static void put_clean(r2n_text *text, const char *string)
{
    static const char replacement[] = "\xEF\xBF\xBD";
    const uint8_t *bytes = (const uint8_t *)string;
    for (size_t left = strlen(string); left > 0;) {
        const size_t valid = r2n_utf8_valid_bytes(bytes, left);
        r2n_text_put_bytes(text, bytes, valid);
        if (valid == left)
            return;
        r2n_text_put(text, replacement);
        bytes += valid + 1;
        left -= valid + 1;
    }
}

static void put_metadata(r2n_text *text, const char *key, r2n_text *value)
{
    r2n_text entry = {0};
    r2n_protobuf_put_string(&entry, KEY, key);
    r2n_protobuf_put_message(&entry, VALUE, value);
    r2n_protobuf_put_message(text, METADATA, &entry);
    r2n_free(entry.data);
}

static void put_text(r2n_text *text, const char *key, const char *string)
{
    r2n_text value = {0};
    if (string == NULL)
        return;
    put_clean(&value, string);
    put_metadata(text, key, &value);
    r2n_free(value.data);
}

static void put_labels(r2n_text *text, const r2n_export_model *model)
{
    r2n_text lines = {0};
    if (model->label_count == 0)
        return;
    for (int32_t i = 0; i < model->label_count; i++) {
        r2n_text_put(&lines, i == 0 ? "" : "\n");
        put_clean(&lines, model->labels[i]);
    }
    put_metadata(text, R2N_KEY_LABELS, &lines);
    r2n_free(lines.data);
}

/* What follows the graph in the file. */
static void put_file_end(const r2n_onnx_graph *g, r2n_text *text)
{
    const r2n_export_model *model = g->model;
    r2n_text set = {0};
    r2n_protobuf_put_string(&set, SET_DOMAIN, "");
    r2n_protobuf_put_integer(&set, SET_VERSION, g->options.opset);
    r2n_protobuf_put_message(text, OPERATOR_SETS, &set);
    r2n_free(set.data);
    put_text(text, R2N_KEY_ARCHITECTURE, model->graph->architecture.name);
    put_text(text, R2N_KEY_FAMILY, r2n_family_name(model->graph->family));
    put_text(text, R2N_KEY_RECIPE, model->preprocessing);
    put_labels(text, model);
    put_text(text, R2N_KEY_LICENCE, model->weights->metadata.licence);
    put_text(text, R2N_KEY_SOURCE, model->weights->metadata.source);
}

/* ---- the file -------------------------------------------------------------------------------- */

/* Everything but nodes and weights, which lie between `head` and `graph_end`. */
typedef struct frame {
    r2n_text head, graph_end, file_end;
} frame;

static res2net_status make_frame(const r2n_onnx_graph *g, frame *f)
{
    uint64_t weights;
    const res2net_status status = r2n_onnx_tensor_bytes(g, &weights);
    if (status != RES2NET_OK)
        return status;
    put_graph_end(g, &f->graph_end);
    put_file_end(g, &f->file_end);
    const uint64_t graph = g->nodes.size + weights + f->graph_end.size;
    r2n_protobuf_put_integer(&f->head, IR_VERSION, ir_version(g->options.opset));
    r2n_protobuf_put_string(&f->head, PRODUCER_NAME, "res2net");
    r2n_protobuf_put_string(&f->head, PRODUCER_VERSION, R2N_VERSION);
    r2n_protobuf_put_tag(&f->head, GRAPH, WIRE_BYTES);
    r2n_protobuf_put_varint(&f->head, graph);
    if (f->head.failed || f->graph_end.failed || f->file_end.failed)
        return r2n_onnx_no_memory(g);
    if (f->head.size + graph + f->file_end.size > INT32_MAX)
        return r2n_fail(g->report, RES2NET_LIMIT_EXCEEDED, g->path, -1,
                        "the file would have %" PRIu64
                        " bytes, but protocol buffers, which ONNX is written in, end at 2 GiB: "
                        "write the weights in f16 or bf16",
                        f->head.size + graph + f->file_end.size);
    return RES2NET_OK;
}

/* Weights in 16 bits answer otherwise by what their rounding does: Res2Net200 by 4e-4 in f16 and
 * 4e-3 in bf16. Of int8 scales and levels are compared first; a sum between two levels that goes
 * the other way for its scale's last bit moves what comes after it: 0.027 were seen. */
static float tolerance(const r2n_onnx_options *options)
{
    if (options->weights == R2N_EXPORT_F32)
        return options->keep_batch_norm ? 0 : 1e-4f;
    return options->weights == R2N_EXPORT_F16    ? 5e-3f
           : options->weights == R2N_EXPORT_BF16 ? 4e-2f
                                                 : 0.1f;
}

static res2net_status check_file(const r2n_onnx_graph *g, r2n_file_writer *file)
{
    const r2n_export_expectation expected = {.model = g->model,
                                             .softmax = g->options.softmax,
                                             .tolerance = tolerance(&g->options),
                                             .target = g->path,
                                             .int8 = g->plan};
    const char *written = r2n_writer_written(file);
    return written == NULL ? RES2NET_OK : r2n_export_check(&expected, written, g->report);
}

static res2net_status write_file(const r2n_onnx_graph *g, const frame *f)
{
    r2n_file_writer *file;
    res2net_status status = r2n_writer_open(g->path, &file, g->report);
    if (status != RES2NET_OK)
        return status;
    r2n_writer_put(file, f->head.data, f->head.size);
    r2n_writer_put(file, g->nodes.data, g->nodes.size);
    status = r2n_onnx_write_tensors(g, file);
    r2n_writer_put(file, f->graph_end.data, f->graph_end.size);
    r2n_writer_put(file, f->file_end.data, f->file_end.size);
    if (status == RES2NET_OK)
        status = check_file(g, file);
    if (status == RES2NET_OK)
        return r2n_writer_close(file, g->report);
    r2n_writer_discard(file);
    return status;
}

static void free_all(r2n_onnx_graph *g, frame *f)
{
    r2n_free(g->nodes.data);
    r2n_free(g->message.data);
    r2n_free(g->attribute.data);
    r2n_free(g->tensors);
    r2n_onnx_end_quantized(g);
    r2n_free(f->head.data);
    r2n_free(f->graph_end.data);
    r2n_free(f->file_end.data);
}

res2net_status r2n_export_onnx(const r2n_export_model *model, const r2n_onnx_options *options,
                               const char *path, res2net_report *report)
{
    r2n_onnx_graph g = {.model = model, .options = *options, .path = path, .report = report};
    frame f = {0};
    res2net_status status = check_options(&g);
    if (status == RES2NET_OK && g.options.weights == R2N_EXPORT_INT8)
        status = r2n_onnx_start_quantized(&g);
    if (status == RES2NET_OK)
        status = r2n_onnx_make_nodes(&g);
    if (status == RES2NET_OK)
        status = make_frame(&g, &f);
    if (status == RES2NET_OK)
        status = write_file(&g, &f);
    free_all(&g, &f);
    return status;
}
