/* SPDX-License-Identifier: Apache-2.0 */
/* An ONNX file taken apart with the reader of protocol buffers: nodes and initializers by name. */
#ifndef R2N_TESTS_ONNX_FIXTURE_H
#define R2N_TESTS_ONNX_FIXTURE_H

#include "unit/expect.h"

#include "formats/protobuf_reader.h"

enum { ONNX_VALUES = 16, ONNX_ATTRIBUTES = 8, ONNX_NODES = 2048, ONNX_TEXT = 128 };

typedef struct onnx_attribute {
    char name[32];
    int64_t type, integer, integers[8], count;
    float number;
} onnx_attribute;

typedef struct onnx_node {
    char kind[32], name[ONNX_TEXT];
    char inputs[ONNX_VALUES][ONNX_TEXT], outputs[ONNX_VALUES][ONNX_TEXT];
    int input_count, output_count, attribute_count;
    onnx_attribute attributes[ONNX_ATTRIBUTES];
} onnx_node;

typedef struct onnx_tensor {
    char name[ONNX_TEXT];
    int64_t type, shape[4], rank;
    const uint8_t *data;
    size_t size;
} onnx_tensor;

typedef struct onnx_value {
    char name[ONNX_TEXT];
    int64_t element, sizes[4]; /* 0: a name */
    char names[4][32];
    int rank;
} onnx_value;

typedef struct onnx_file {
    r2n_file_bytes bytes;
    int64_t ir_version, opset;
    char producer[32], version[32], graph[ONNX_TEXT];
    char keys[8][32];
    char *values[8];
    int metadata_count;
    onnx_node *nodes;
    onnx_tensor *tensors;
    size_t node_count, tensor_count;
    onnx_value input, output;
} onnx_file;

static inline void onnx_text(const r2n_protobuf_field *field, char *to, size_t size)
{
    assert_int_equal(field->kind, R2N_PROTOBUF_BYTES);
    assert_true(field->size < size);
    memcpy(to, field->bytes, field->size);
    to[field->size] = '\0';
}

static inline onnx_attribute onnx_read_attribute(r2n_protobuf_reader reader)
{
    onnx_attribute a = {.count = 0};
    r2n_protobuf_field field;
    while (r2n_protobuf_next(&reader, &field))
        if (field.number == 1)
            onnx_text(&field, a.name, sizeof a.name);
        else if (field.number == 2)
            a.number = r2n_protobuf_float(&field);
        else if (field.number == 3)
            a.integer = (int64_t)field.value;
        else if (field.number == 8)
            a.count = r2n_protobuf_integers(&field, a.integers, a.count, 8);
        else if (field.number == 20)
            a.type = (int64_t)field.value;
        else
            fail_msg("attribute field %u", field.number);
    assert_false(reader.cursor.failed);
    return a;
}

static inline void onnx_read_node(onnx_file *file, r2n_protobuf_reader reader)
{
    assert_true(file->node_count < ONNX_NODES);
    onnx_node *node = &file->nodes[file->node_count++];
    r2n_protobuf_field field;
    while (r2n_protobuf_next(&reader, &field))
        if (field.number == 1 && node->input_count < ONNX_VALUES)
            onnx_text(&field, node->inputs[node->input_count++], ONNX_TEXT);
        else if (field.number == 2 && node->output_count < ONNX_VALUES)
            onnx_text(&field, node->outputs[node->output_count++], ONNX_TEXT);
        else if (field.number == 3)
            onnx_text(&field, node->name, sizeof node->name);
        else if (field.number == 4)
            onnx_text(&field, node->kind, sizeof node->kind);
        else if (field.number == 5 && node->attribute_count < ONNX_ATTRIBUTES)
            node->attributes[node->attribute_count++] =
                onnx_read_attribute(r2n_protobuf_open(&reader, &field));
        else
            fail_msg("node field %u", field.number);
    assert_false(reader.cursor.failed);
}

static inline void onnx_read_tensor(onnx_file *file, r2n_protobuf_reader reader)
{
    assert_true(file->tensor_count < ONNX_NODES);
    onnx_tensor *tensor = &file->tensors[file->tensor_count++];
    r2n_protobuf_field field;
    while (r2n_protobuf_next(&reader, &field))
        if (field.number == 1)
            tensor->rank = r2n_protobuf_integers(&field, tensor->shape, tensor->rank, 4);
        else if (field.number == 2)
            tensor->type = (int64_t)field.value;
        else if (field.number == 8)
            onnx_text(&field, tensor->name, sizeof tensor->name);
        else if (field.number == 9) {
            tensor->data = field.bytes;
            tensor->size = field.size;
        } else
            fail_msg("tensor field %u", field.number);
    assert_false(reader.cursor.failed);
}

/* The message in the one field of a message. */
static inline r2n_protobuf_reader onnx_only(r2n_protobuf_reader reader, uint32_t number)
{
    r2n_protobuf_field field;
    while (r2n_protobuf_next(&reader, &field))
        if (field.number == number && field.kind == R2N_PROTOBUF_BYTES)
            return r2n_protobuf_open(&reader, &field);
    fail_msg("no field %u", number);
    return reader;
}

static inline onnx_value onnx_read_value(r2n_protobuf_reader reader)
{
    onnx_value value = {.rank = 0};
    r2n_protobuf_field field, part;
    r2n_protobuf_reader type = onnx_only(onnx_only(reader, 2), 1), shape = onnx_only(type, 2);
    assert_true(r2n_protobuf_next(&reader, &field) && field.number == 1);
    onnx_text(&field, value.name, sizeof value.name);
    assert_true(r2n_protobuf_next(&type, &field) && field.number == 1);
    value.element = (int64_t)field.value;
    while (r2n_protobuf_next(&shape, &field)) {
        r2n_protobuf_reader dimension = r2n_protobuf_open(&shape, &field);
        assert_true(value.rank < 4 && r2n_protobuf_next(&dimension, &part));
        if (part.number == 1)
            value.sizes[value.rank] = (int64_t)part.value;
        else
            onnx_text(&part, value.names[value.rank], sizeof value.names[0]);
        value.rank++;
    }
    return value;
}

static inline void onnx_read_graph(onnx_file *file, r2n_protobuf_reader reader)
{
    r2n_protobuf_field field;
    while (r2n_protobuf_next(&reader, &field)) {
        const r2n_protobuf_reader inside = r2n_protobuf_open(&reader, &field);
        if (field.number == 1)
            onnx_read_node(file, inside);
        else if (field.number == 2)
            onnx_text(&field, file->graph, sizeof file->graph);
        else if (field.number == 5)
            onnx_read_tensor(file, inside);
        else if (field.number == 11)
            file->input = onnx_read_value(inside);
        else if (field.number == 12)
            file->output = onnx_read_value(inside);
        else
            fail_msg("graph field %u", field.number);
    }
    assert_false(reader.cursor.failed);
}

static inline void onnx_read_metadata(onnx_file *file, r2n_protobuf_reader reader)
{
    r2n_protobuf_field field;
    assert_true(file->metadata_count < 8);
    assert_true(r2n_protobuf_next(&reader, &field) && field.number == 1);
    onnx_text(&field, file->keys[file->metadata_count], sizeof file->keys[0]);
    assert_true(r2n_protobuf_next(&reader, &field) && field.number == 2);
    file->values[file->metadata_count] = r2n_copy_bytes(field.bytes, field.size);
    assert_non_null(file->values[file->metadata_count++]);
}

static inline onnx_file onnx_open(const char *path)
{
    onnx_file file = {.bytes = expect_file(path)};
    file.nodes = r2n_allocate_zeroed(ONNX_NODES, sizeof *file.nodes);
    file.tensors = r2n_allocate_zeroed(ONNX_NODES, sizeof *file.tensors);
    assert_true(file.nodes != NULL && file.tensors != NULL);
    r2n_protobuf_reader reader = r2n_protobuf(file.bytes.data, file.bytes.size, 0), set;
    r2n_protobuf_field field, part;
    while (r2n_protobuf_next(&reader, &field))
        if (field.number == 1)
            file.ir_version = (int64_t)field.value;
        else if (field.number == 2)
            onnx_text(&field, file.producer, sizeof file.producer);
        else if (field.number == 3)
            onnx_text(&field, file.version, sizeof file.version);
        else if (field.number == 7)
            onnx_read_graph(&file, r2n_protobuf_open(&reader, &field));
        else if (field.number == 14)
            onnx_read_metadata(&file, r2n_protobuf_open(&reader, &field));
        else {
            assert_int_equal(field.number, 8);
            set = r2n_protobuf_open(&reader, &field);
            while (r2n_protobuf_next(&set, &part))
                if (part.number == 2)
                    file.opset = (int64_t)part.value;
        }
    assert_false(reader.cursor.failed);
    return file;
}

static inline void onnx_close(onnx_file *file)
{
    for (int i = 0; i < file->metadata_count; i++)
        r2n_free(file->values[i]);
    r2n_free(file->nodes);
    r2n_free(file->tensors);
    r2n_file_release(&file->bytes);
}

static inline const char *onnx_metadata(const onnx_file *file, const char *key)
{
    for (int i = 0; i < file->metadata_count; i++)
        if (strcmp(file->keys[i], key) == 0)
            return file->values[i];
    return NULL;
}

static inline const onnx_tensor *onnx_find_tensor(const onnx_file *file, const char *name)
{
    for (size_t i = 0; i < file->tensor_count; i++)
        if (strcmp(file->tensors[i].name, name) == 0)
            return &file->tensors[i];
    return NULL;
}

static inline const onnx_node *onnx_find_node(const onnx_file *file, const char *name)
{
    for (size_t i = 0; i < file->node_count; i++)
        if (strcmp(file->nodes[i].name, name) == 0)
            return &file->nodes[i];
    fail_msg("no node is called %s", name);
    return NULL;
}

static inline const onnx_attribute *onnx_find_attribute(const onnx_node *node, const char *name)
{
    for (int i = 0; i < node->attribute_count; i++)
        if (strcmp(node->attributes[i].name, name) == 0)
            return &node->attributes[i];
    return NULL;
}

static inline int onnx_count(const onnx_file *file, const char *kind)
{
    int count = 0;
    for (size_t i = 0; i < file->node_count; i++)
        count += strcmp(file->nodes[i].kind, kind) == 0;
    return count;
}

#endif
