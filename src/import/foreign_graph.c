/* SPDX-License-Identifier: Apache-2.0 */
/* A foreign graph's memory, its values, and its first refusal. */
#include "import/foreign_graph.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

/* A Res2Net of 200 layers has 2,500 operations and 4,500 values. */
enum { MAXIMUM_VALUES = 1 << 18 };

r2n_foreign_graph r2n_foreign_graph_begin(const char *file, res2net_report *report)
{
    return (r2n_foreign_graph){.file = file, .report = report, .input = -1, .output = -1};
}

void r2n_foreign_graph_free(r2n_foreign_graph *graph)
{
    for (size_t i = 0; i < graph->block_count; i++)
        r2n_free(graph->blocks[i]);
    for (size_t i = 0; i < graph->file_count; i++)
        r2n_file_release(&graph->files[i]);
    r2n_free(graph->blocks);
    r2n_free(graph->files);
    r2n_free(graph->operations);
    r2n_free(graph->values);
    r2n_free(graph->metadata.architecture);
    r2n_free(graph->metadata.recipe_json);
    r2n_free(graph->metadata.labels);
    r2n_free(graph->metadata.licence);
    r2n_free(graph->metadata.source);
    *graph = (r2n_foreign_graph){0};
}

int32_t r2n_foreign_refuse(r2n_foreign_graph *graph, res2net_status status, int64_t offset,
                           const char *format, ...)
{
    char text[1024];
    va_list arguments;
    if (graph->status != RES2NET_OK)
        return -1; /* what follows from the first is no news */
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    graph->status = r2n_fail(graph->report, status, graph->file, offset, "%s", text);
    return -1;
}

int32_t r2n_foreign_no_memory(r2n_foreign_graph *graph)
{
    return r2n_foreign_refuse(graph, RES2NET_OUT_OF_MEMORY, -1, "no memory for the graph");
}

/* ---- values ---------------------------------------------------------------------------------- */

static int32_t new_value(r2n_foreign_graph *graph)
{
    if (graph->value_count >= MAXIMUM_VALUES)
        return r2n_foreign_refuse(graph, RES2NET_LIMIT_EXCEEDED, -1,
                                  "the graph has more than %d values", (int)MAXIMUM_VALUES);
    if (!r2n_grow((void **)&graph->values, &graph->value_capacity, graph->value_count + 1,
                  sizeof *graph->values))
        return r2n_foreign_no_memory(graph);
    graph->values[graph->value_count] =
        (r2n_foreign_value){.producer = -1, .integer_count = -1, .worth = -1};
    return (int32_t)graph->value_count++;
}

int32_t r2n_foreign_plain_value(r2n_foreign_graph *graph, int32_t channels)
{
    const int32_t value = new_value(graph);
    if (value >= 0)
        graph->values[value].channels = channels;
    return value;
}

int32_t r2n_foreign_constant(r2n_foreign_graph *graph, const r2n_foreign_tensor *tensor)
{
    enum { KEPT = 4 };
    int64_t count;
    int empty = 0;
    for (int32_t i = 0; i < tensor->rank; i++)
        empty |= tensor->shape[i] == 0; /* Resize's empty scales and the like */
    if (!r2n_shape_count(tensor->rank, tensor->shape, &count)) {
        if (!empty)
            return r2n_foreign_refuse(graph, RES2NET_DAMAGED, tensor->offset,
                                      "a tensor's size is below zero, or their product too large");
        count = 0;
    }
    const int is_bytes = tensor->type == R2N_ELEMENT_INTEGER && tensor->byte_type != R2N_NO_BYTES;
    const size_t size = is_bytes                              ? 1
                        : tensor->type == R2N_ELEMENT_INTEGER ? 0
                                                              : r2n_element_bytes(tensor->type);
    if (size > 0 && (tensor->bytes % size != 0 || (uint64_t)count != tensor->bytes / size))
        return r2n_foreign_refuse(
            graph, RES2NET_DAMAGED, tensor->offset,
            "a tensor of %lld elements needs %lld bytes, but %zu are stored for it",
            (long long)count, (long long)count * (long long)size, tensor->bytes);
    const int32_t number = new_value(graph);
    if (number < 0)
        return -1;
    r2n_foreign_value *value = &graph->values[number];
    value->is_constant = 1;
    value->type = tensor->type;
    value->byte_type = is_bytes ? tensor->byte_type : R2N_NO_BYTES;
    value->data = tensor->data;
    value->count = count;
    value->rank = tensor->rank;
    for (int32_t i = 0; i < tensor->rank && i < KEPT; i++)
        value->shape[i] = tensor->shape[i];
    if (tensor->integer_count >= 0 && tensor->integer_count <= R2N_FOREIGN_INTEGERS) {
        value->integer_count = tensor->integer_count;
        if (tensor->integer_count > 0)
            memcpy(value->integers, tensor->integers,
                   (size_t)tensor->integer_count * sizeof *value->integers);
    }
    return number;
}

int32_t r2n_foreign_transposed(r2n_foreign_graph *graph, int32_t value)
{
    const int32_t number = new_value(graph);
    if (number < 0)
        return -1;
    r2n_foreign_value *turned = &graph->values[number];
    *turned = graph->values[value];
    turned->shape[0] = graph->values[value].shape[1];
    turned->shape[1] = graph->values[value].shape[0];
    turned->transposed = !turned->transposed;
    return number;
}

int r2n_foreign_is_constant(const r2n_foreign_graph *graph, int32_t value)
{
    return value >= 0 && (size_t)value < graph->value_count && graph->values[value].is_constant;
}

const r2n_foreign_operation *r2n_foreign_producer(const r2n_foreign_graph *graph, int32_t value)
{
    if (value < 0 || (size_t)value >= graph->value_count || graph->values[value].producer < 0)
        return NULL;
    return &graph->operations[graph->values[value].producer];
}

int r2n_foreign_own_block(r2n_foreign_graph *graph, void *block)
{
    if (block == NULL || !r2n_grow((void **)&graph->blocks, &graph->block_capacity,
                                   graph->block_count + 1, sizeof *graph->blocks)) {
        r2n_free(block);
        (void)r2n_foreign_no_memory(graph);
        return 0;
    }
    graph->blocks[graph->block_count++] = block;
    return 1;
}

int r2n_foreign_own_file(r2n_foreign_graph *graph, r2n_file_bytes *file)
{
    if (!r2n_grow((void **)&graph->files, &graph->file_capacity, graph->file_count + 1,
                  sizeof *graph->files)) {
        r2n_file_release(file);
        (void)r2n_foreign_no_memory(graph);
        return 0;
    }
    graph->files[graph->file_count++] = *file;
    return 1;
}
