/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The numbers of all steps in one block, so that a file can carry the block and a plan can use the
 * file's pages as they are. Each array begins at a multiple of 16 floats, one cache line.
 */
#include "plan/plan_internal.h"

#include <string.h>

#include "base/hash.h"
#include "base/memory.h"

enum { LANES = 16 };

static int64_t padded(int32_t channels)
{
    return ((int64_t)channels + LANES - 1) / LANES * LANES;
}

/* Floats of a step's first and second array; 0 for steps that have none. */
static void count_numbers(const r2n_plan *plan, const r2n_step *step, int64_t *first,
                          int64_t *second)
{
    const r2n_node *node = &plan->graph->nodes[step->result];
    *first = *second = 0;
    if (step->operation == R2N_OPERATION_GEMM) {
        *first = (int64_t)r2n_packed_elements(node->channels, step->k_total);
        *second = padded(node->channels);
    } else if (node->kind == R2N_NODE_BATCH_NORM) {
        *first = *second = padded(node->channels);
    }
}

static void place_numbers(r2n_plan *plan)
{
    plan->number_count = 0;
    for (int32_t i = 0; i < plan->step_count; i++) {
        r2n_step *step = &plan->steps[i];
        int64_t first, second;
        count_numbers(plan, step, &first, &second);
        step->first_number = plan->number_count;
        step->second_number = step->first_number + first;
        plan->number_count = step->second_number + second;
    }
}

static void point_to_numbers(r2n_plan *plan, const float *numbers)
{
    plan->numbers = numbers;
    for (int32_t i = 0; i < plan->step_count; i++) {
        r2n_step *step = &plan->steps[i];
        if (step->operation == R2N_OPERATION_GEMM) {
            step->weights = numbers + step->first_number;
            step->bias = numbers + step->second_number;
        } else if (step->second_number > step->first_number) {
            step->scale = numbers + step->first_number;
            step->shift = numbers + step->second_number;
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
        hash = mix_number(hash, step->first_number);
        hash = mix_number(hash, step->second_number);
        hash = mix_number(hash, plan->graph->nodes[step->result].channels);
        for (int32_t part = 0; part < step->part_count; part++) {
            hash = mix_number(hash, step->parts[part].k_first);
            hash = mix_number(hash, step->parts[part].k);
            hash = mix_node(hash, plan, step->parts[part].node);
            hash = mix_node(hash, plan, step->parts[part].batch_norm);
        }
    }
    return (int64_t)(hash >> 11);
}

r2n_packed_section r2n_plan_section(const r2n_plan *plan)
{
    return (r2n_packed_section){.precision = "f32",
                                .layout = R2N_PLAN_SECTION_LAYOUT,
                                .steps = checksum_of_steps(plan),
                                .data = plan->numbers,
                                .bytes = (size_t)plan->number_count * sizeof(float)};
}

static const float *find_section(const r2n_plan *plan, const r2n_tensor_set *weights)
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
    plan->own_numbers = r2n_allocate((size_t)plan->number_count, sizeof(float));
    if (plan->own_numbers == NULL)
        return r2n_fail(report, RES2NET_OUT_OF_MEMORY, NULL, -1,
                        "no memory for the packed weights");
    for (int32_t i = 0; i < plan->step_count && status == RES2NET_OK; i++) {
        const r2n_step *step = &plan->steps[i];
        int64_t first, second;
        count_numbers(plan, step, &first, &second);
        if (second == 0)
            continue;
        float *numbers = plan->own_numbers + step->first_number;
        memset(numbers + first, 0, (size_t)second * sizeof *numbers);
        status = r2n_plan_pack_step(plan, step, weights, numbers, numbers + first, report);
    }
    point_to_numbers(plan, plan->own_numbers);
    return status;
}

res2net_status r2n_plan_set_numbers(r2n_plan *plan, const r2n_tensor_set *weights,
                                    res2net_report *report)
{
    place_numbers(plan);
    const float *section = find_section(plan, weights);
    if (section == NULL)
        return pack_all(plan, weights, report);
    point_to_numbers(plan, section);
    return RES2NET_OK;
}
