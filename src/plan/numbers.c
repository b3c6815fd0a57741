/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The numbers of all steps in one block, so that a file can carry the block and a plan can use the
 * file's pages as they are. Each array begins at a multiple of 64 bytes, one cache line.
 */
#include "plan/plan_internal.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"

enum { LANES = 16, LINE_BYTES = 64 };

/* Bytes of `count` numbers, filled up to whole cache lines. */
static int64_t line_bytes(int64_t count, size_t bytes)
{
    return (count * (int64_t)bytes + LINE_BYTES - 1) / LINE_BYTES * LINE_BYTES;
}

static int64_t lane_bytes(int32_t channels)
{
    return line_bytes(((int64_t)channels + LANES - 1) / LANES * LANES, sizeof(float));
}

/* Bytes of a step's arrays; 0 for those it has not. */
typedef struct sizes {
    int64_t first, second, third;
} sizes;

static sizes count_numbers(const r2n_plan *plan, const r2n_step *step)
{
    const r2n_node *node = &plan->graph->nodes[step->result];
    const int32_t bytes = r2n_precision_facts_of(plan->precision)->bytes;
    sizes s = {0};
    if (step->operation == R2N_OPERATION_GEMM) {
        const int32_t channels = r2n_value_elements(plan, step->result);
        s.first = line_bytes((int64_t)r2n_packed_elements(channels, step->k_total), (size_t)bytes);
        s.second = lane_bytes(channels);
        s.third = plan->precision == R2N_PRECISION_INT8 ? s.second : 0;
    } else if (node->kind == R2N_NODE_BATCH_NORM) {
        s.first = s.second = lane_bytes(node->channels);
    }
    return s;
}

static void place_numbers(r2n_plan *plan)
{
    plan->number_bytes = 0;
    for (int32_t i = 0; i < plan->step_count; i++) {
        r2n_step *step = &plan->steps[i];
        const sizes s = count_numbers(plan, step);
        step->first_byte = plan->number_bytes;
        step->second_byte = step->first_byte + s.first;
        step->third_byte = step->second_byte + s.second;
        plan->number_bytes = step->third_byte + s.third;
    }
}

static void point_to_numbers(r2n_plan *plan, const uint8_t *numbers)
{
    plan->numbers = numbers;
    for (int32_t i = 0; i < plan->step_count; i++) {
        r2n_step *step = &plan->steps[i];
        const float *first = (const float *)(const void *)(numbers + step->first_byte);
        const float *second = (const float *)(const void *)(numbers + step->second_byte);
        if (step->operation == R2N_OPERATION_GEMM) {
            step->weights = first;
            step->bias = second;
            if (plan->precision == R2N_PRECISION_INT8)
                step->scale = (const float *)(const void *)(numbers + step->third_byte);
        } else if (step->second_byte > step->first_byte) {
            step->scale = first;
            step->shift = second;
        }
    }
}

static uint64_t mix_number(uint64_t hash, int64_t number)
{
    return r2n_hash_bytes(hash, &number, sizeof number);
}

static uint64_t mix_node(uint64_t hash, const r2n_plan *plan, int32_t node)
{
    const char *name = node < 0 ? "-" : plan->graph->nodes[node].tensor;
    return r2n_hash_bytes(hash, name, strlen(name) + 1);
}

/* Of what decides the meaning of the numbers; 53 bits, which every reader of JSON keeps. */
static int64_t checksum_of_steps(const r2n_plan *plan)
{
    uint64_t hash = R2N_HASH_START;
    for (int32_t i = 0; i < plan->step_count; i++) {
        const r2n_step *step = &plan->steps[i];
        hash = mix_number(hash, step->first_byte / (int64_t)sizeof(float));
        hash = mix_number(hash, step->second_byte / (int64_t)sizeof(float));
        hash = mix_number(hash, plan->graph->nodes[step->result].channels);
        for (int32_t part = 0; part < step->part_count; part++) {
            hash = mix_number(hash, step->parts[part].k_first);
            hash = mix_number(hash, step->parts[part].k);
            hash = mix_node(hash, plan, step->parts[part].node);
            hash = mix_node(hash, plan, step->parts[part].batch_norm);
        }
    }
    /* An int8 section holds for its scales only. */
    if (plan->precision == R2N_PRECISION_INT8)
        hash = r2n_hash_bytes(hash, plan->scales, (size_t)plan->graph->count * sizeof(float));
    return (int64_t)(hash >> 11);
}

r2n_packed_section r2n_plan_section(const r2n_plan *plan)
{
    r2n_packed_section section = {.layout = R2N_PLAN_SECTION_LAYOUT,
                                  .steps = checksum_of_steps(plan),
                                  .data = plan->numbers,
                                  .bytes = (size_t)plan->number_bytes};
    snprintf(section.precision, sizeof section.precision, "%s",
             r2n_precision_facts_of(plan->precision)->name);
    return section;
}

static const uint8_t *find_section(const r2n_plan *plan, const r2n_tensor_set *weights)
{
    const r2n_packed_section wanted = r2n_plan_section(plan);
    for (size_t i = 0; plan->mode == R2N_PLAN_INFERENCE && i < weights->packed_count; i++) {
        const r2n_packed_section *there = &weights->packed[i];
        if (strcmp(there->precision, wanted.precision) == 0 && there->layout == wanted.layout &&
            there->steps == wanted.steps && there->bytes == wanted.bytes)
            return there->data;
    }
    return NULL;
}

static res2net_status pack_all(r2n_plan *plan, const r2n_tensor_set *weights,
                               res2net_report *report)
{
    res2net_status status = r2n_weights_check_numbers(weights, NULL, report);
    if (status != RES2NET_OK)
        return status;
    plan->own_numbers = r2n_allocate((size_t)plan->number_bytes, 1);
    if (plan->own_numbers == NULL)
        return r2n_fail(report, RES2NET_OUT_OF_MEMORY, NULL, -1,
                        "no memory for the packed weights");
    memset(plan->own_numbers, 0, (size_t)plan->number_bytes);
    for (int32_t i = 0; i < plan->step_count && status == RES2NET_OK; i++) {
        const r2n_step *step = &plan->steps[i];
        uint8_t *numbers = plan->own_numbers;
        if (count_numbers(plan, step).second > 0)
            status = r2n_plan_pack_step(plan, step, weights, numbers + step->first_byte,
                                        (float *)(void *)(numbers + step->second_byte),
                                        (float *)(void *)(numbers + step->third_byte), report);
    }
    point_to_numbers(plan, plan->own_numbers);
    return status;
}

res2net_status r2n_plan_set_numbers(r2n_plan *plan, const r2n_tensor_set *weights,
                                    res2net_report *report)
{
    place_numbers(plan);
    const uint8_t *section = find_section(plan, weights);
    if (section == NULL)
        return pack_all(plan, weights, report);
    point_to_numbers(plan, section);
    return RES2NET_OK;
}
