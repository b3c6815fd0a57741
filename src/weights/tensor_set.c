/* SPDX-License-Identifier: Apache-2.0 */
#include <stdalign.h>
#include <string.h>

#include "base/memory.h"
#include "formats/utf8.h"
#include "weights/reader.h"

enum { MAXIMUM_NAME_BYTES = 1024 };

r2n_tensor_set *r2n_tensor_set_create(void)
{
    return r2n_allocate_zeroed(1, sizeof(r2n_tensor_set));
}

void r2n_tensor_set_destroy(r2n_tensor_set *set)
{
    if (set == NULL)
        return;
    for (size_t i = 0; i < set->count; i++)
        r2n_free(set->tensors[i].name);
    r2n_free(set->tensors);
    for (size_t i = 0; i < set->block_count; i++)
        r2n_free(set->blocks[i]);
    r2n_free(set->blocks);
    r2n_free(set->packed);
    r2n_free(set->metadata.architecture);
    r2n_free(set->metadata.recipe_json);
    r2n_free(set->metadata.labels);
    r2n_free(set->metadata.licence);
    r2n_free(set->metadata.source);
    r2n_free(set->metadata.activation_scales);
    if (set->file.data != NULL)
        r2n_file_release(&set->file);
    r2n_free(set);
}

int64_t r2n_tensor_set_append(r2n_tensor_set *set, const char *name, size_t name_bytes,
                              int32_t rank, const int64_t *shape, int64_t count)
{
    if (!r2n_grow((void **)&set->tensors, &set->capacity, set->count + 1, sizeof *set->tensors))
        return -1;
    r2n_tensor *tensor = &set->tensors[set->count];
    *tensor = (r2n_tensor){.rank = rank, .count = count};
    tensor->name = r2n_copy_bytes(name, name_bytes);
    if (tensor->name == NULL)
        return -1;
    if (rank > 0)
        memcpy(tensor->shape, shape, (size_t)rank * sizeof *shape);
    return (int64_t)set->count++;
}

int r2n_tensor_set_own(r2n_tensor_set *set, void *block)
{
    if (block == NULL || !r2n_grow((void **)&set->blocks, &set->block_capacity,
                                   set->block_count + 1, sizeof *set->blocks)) {
        r2n_free(block);
        return 0;
    }
    set->blocks[set->block_count++] = block;
    return 1;
}

int r2n_shape_count(int32_t rank, const int64_t *shape, int64_t *count)
{
    *count = 1;
    for (int32_t i = 0; i < rank; i++)
        if (shape[i] <= 0 || __builtin_mul_overflow(*count, shape[i], count))
            return 0;
    return 1;
}

float *r2n_tensor_set_add(r2n_tensor_set *set, const char *name, int32_t rank, const int64_t *shape)
{
    int64_t count;
    if (rank < 0 || rank > R2N_MAXIMUM_RANK || !r2n_shape_count(rank, shape, &count) ||
        (uint64_t)count > SIZE_MAX / sizeof(float))
        return NULL;
    float *block = r2n_allocate_zeroed((size_t)count, sizeof *block);
    if (!r2n_tensor_set_own(set, block))
        return NULL;
    const int64_t number = r2n_tensor_set_append(set, name, strlen(name), rank, shape, count);
    if (number < 0)
        return NULL;
    set->tensors[number].data = block;
    return block;
}

const r2n_tensor *r2n_tensor_set_find(const r2n_tensor_set *set, const char *name)
{
    for (size_t i = 0; i < set->count; i++)
        if (strcmp(set->tensors[i].name, name) == 0)
            return &set->tensors[i];
    return NULL;
}

/* ---- tensors as files store them ----------------------------------------------------------- */

void r2n_stored_strides(r2n_stored_tensor *tensor)
{
    uint64_t stride = 1; /* wraps only where the shape's product is refused later */
    for (int32_t i = tensor->rank - 1; i >= 0; i--) {
        tensor->stride[i] = (int64_t)stride;
        stride *= (uint64_t)tensor->shape[i];
    }
}

static int is_row_major(const r2n_stored_tensor *tensor)
{
    int64_t stride = 1;
    for (int32_t i = tensor->rank - 1; i >= 0; i--) {
        if (tensor->shape[i] != 1 && tensor->stride[i] != stride)
            return 0;
        stride *= tensor->shape[i];
    }
    return 1;
}

/* The number of elements from the first to the last one touched; 0 where it overflows. */
static uint64_t extent(const r2n_stored_tensor *tensor)
{
    uint64_t last = 0;
    for (int32_t i = 0; i < tensor->rank; i++) {
        uint64_t step;
        if (tensor->stride[i] < 0 ||
            __builtin_mul_overflow((uint64_t)(tensor->shape[i] - 1), (uint64_t)tensor->stride[i],
                                   &step) ||
            __builtin_add_overflow(last, step, &last))
            return 0;
    }
    return last == UINT64_MAX ? 0 : last + 1;
}

static void gather(const r2n_stored_tensor *tensor, int64_t count, float *to)
{
    const size_t bytes = r2n_element_bytes(tensor->type);
    int64_t index[R2N_MAXIMUM_RANK] = {0};
    int64_t at = 0;
    for (int64_t i = 0; i < count; i++) {
        to[i] =
            r2n_element_read(tensor->type, tensor->big_endian, tensor->data + (size_t)at * bytes);
        for (int32_t axis = tensor->rank - 1; axis >= 0; axis--) {
            if (tensor->shape[axis] == 1)
                continue; /* whose stride may be anything */
            at += tensor->stride[axis];
            if (++index[axis] < tensor->shape[axis])
                break;
            at -= tensor->stride[axis] * tensor->shape[axis];
            index[axis] = 0;
        }
    }
}

static res2net_status check_stored(const r2n_weights_reader *reader,
                                   const r2n_stored_tensor *tensor, int64_t *count)
{
    const char *name = tensor->name;
    if (tensor->name_bytes == 0 || tensor->name_bytes > MAXIMUM_NAME_BYTES ||
        memchr(name, '\0', tensor->name_bytes) != NULL ||
        r2n_utf8_valid_bytes((const uint8_t *)name, tensor->name_bytes) != tensor->name_bytes)
        return r2n_fail(reader->report, RES2NET_DAMAGED, reader->file, tensor->offset,
                        "a tensor's name is empty, longer than %d bytes or no plain text",
                        (int)MAXIMUM_NAME_BYTES);
    const int length = (int)tensor->name_bytes;
    if (!r2n_shape_count(tensor->rank, tensor->shape, count))
        return r2n_fail(reader->report, RES2NET_DAMAGED, reader->file, tensor->offset,
                        "tensor \"%.*s\": its shape has a size below 1 or is too large", length,
                        name);
    const uint64_t held = tensor->bytes / r2n_element_bytes(tensor->type);
    const uint64_t touched = extent(tensor);
    if (touched == 0 || touched > held || (uint64_t)*count > held)
        return r2n_fail(reader->report, RES2NET_DAMAGED, reader->file, tensor->offset,
                        "tensor \"%.*s\" has %lld elements, but the file holds only %llu for it",
                        length, name, (long long)*count, (unsigned long long)held);
    return RES2NET_OK;
}

res2net_status r2n_reader_add(r2n_weights_reader *reader, const r2n_stored_tensor *tensor)
{
    int64_t count = 0;
    if (tensor->type == R2N_ELEMENT_INTEGER ||
        r2n_name_ends_with(tensor->name, tensor->name_bytes, "num_batches_tracked"))
        return RES2NET_OK;
    const res2net_status status = check_stored(reader, tensor, &count);
    if (status != RES2NET_OK)
        return status;
    const float *data = NULL;
    if (tensor->is_ours) {
        data = (const float *)(const void *)tensor->data;
    } else if (is_row_major(tensor) && tensor->type == R2N_ELEMENT_F32 && !tensor->big_endian &&
               (uintptr_t)tensor->data % alignof(float) == 0 && tensor->data >= reader->data &&
               tensor->data < reader->data + reader->size) {
        data = (const float *)(const void *)tensor->data;
        reader->points_into_file = 1;
    } else {
        const uint64_t bytes = (uint64_t)count * sizeof(float);
        if (bytes > reader->budget)
            return r2n_fail(reader->report, RES2NET_LIMIT_EXCEEDED, reader->file, tensor->offset,
                            "the tensors are many times larger than the file that holds them");
        reader->budget -= bytes;
        float *block = r2n_allocate((size_t)count, sizeof *block);
        if (!r2n_tensor_set_own(reader->set, block))
            return r2n_fail(reader->report, RES2NET_OUT_OF_MEMORY, reader->file, tensor->offset,
                            "no memory for a tensor of %lld elements", (long long)count);
        if (is_row_major(tensor))
            r2n_elements_widen(tensor->type, tensor->big_endian, tensor->data, count, block);
        else
            gather(tensor, count, block);
        data = block;
    }
    const int64_t number = r2n_tensor_set_append(reader->set, tensor->name, tensor->name_bytes,
                                                 tensor->rank, tensor->shape, count);
    if (number < 0)
        return r2n_fail(reader->report, RES2NET_OUT_OF_MEMORY, reader->file, tensor->offset,
                        "no memory for a tensor's name");
    reader->set->tensors[number].data = data;
    return RES2NET_OK;
}
