/* SPDX-License-Identifier: Apache-2.0 */
/* The same network in every precision: how far its logits are from those of f32, that neither
 * batch nor threads change a bit, and that int8 gives the same bytes on every ISA. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "kernels/cpu_features.h"
#include "plan/placement_internal.h"

enum { ROWS = 27, COLUMNS = 34, PIXELS = ROWS * COLUMNS, BATCH = 3 };

static const char *const NETWORKS[] = {
    "cifar:planes=16,depths=1-2-1,width=26,scale=4,classes=10", /* slices that are filled up */
    "cifar:planes=16,depths=2-1-1,width=48,scale=2,classes=7",
    "cifar:planes=8,depths=1-1-1,width=14,scale=8,classes=9",
    "cifar:planes=8,depths=1-1-1,width=64,scale=1,classes=5",
};
enum { NETWORK_COUNT = sizeof NETWORKS / sizeof *NETWORKS };

typedef struct network {
    r2n_graph *graph;
    r2n_tensor_set *weights;
    int32_t classes;
} network;

static void make(const char *name, r2n_family family, network *n)
{
    r2n_architecture architecture;
    assert_int_equal(r2n_architecture_find(name, &architecture, NULL), RES2NET_OK);
    assert_int_equal(r2n_graph_create(&architecture, family, &n->graph, NULL), RES2NET_OK);
    assert_int_equal(r2n_weights_formula(&architecture, 5, &n->weights, NULL), RES2NET_OK);
    n->classes = n->graph->architecture.classes;
}

static void destroy(network *n)
{
    r2n_tensor_set_destroy(n->weights);
    r2n_graph_destroy(n->graph);
}

static float noise(size_t i)
{
    return (float)((uint32_t)i * 2654435761u >> 16) / 16384.0f - 2.0f;
}

/* What a placement needs to run. */
typedef struct machine {
    r2n_plan *plan;
    r2n_placement *placement;
    void *block;
    float *input;
} machine;

static void start(const network *n, r2n_precision precision, r2n_isa isa, int32_t batch, machine *m)
{
    assert_int_equal(
        r2n_plan_create(n->graph, n->weights, R2N_PLAN_INFERENCE, precision, isa, &m->plan, NULL),
        RES2NET_OK);
    assert_int_equal(r2n_placement_create(m->plan, batch, ROWS, COLUMNS, &m->placement, NULL),
                     RES2NET_OK);
    const size_t bytes = (size_t)r2n_placement_block_bytes(m->placement);
    const size_t numbers = 3 * (size_t)batch * PIXELS;
    m->block = r2n_allocate(bytes, 1);
    m->input = r2n_allocate(numbers, sizeof(float));
    assert_true(m->block != NULL && m->input != NULL);
    memset(m->block, 0xff, bytes);
    r2n_placement_clear(m->placement, m->block);
    for (size_t i = 0; i < numbers; i++)
        m->input[i] = noise(i);
}

static void stop(machine *m)
{
    r2n_free(m->block);
    r2n_free(m->input);
    r2n_placement_destroy(m->placement);
    r2n_plan_destroy(m->plan);
}

static float *run(const network *n, r2n_precision precision, r2n_isa isa, int32_t batch,
                  int threads)
{
    machine m;
    start(n, precision, isa, batch, &m);
    float *logits = r2n_allocate((size_t)batch * (size_t)n->classes, sizeof(float));
    assert_non_null(logits);
    r2n_placement_run(m.placement, m.block, m.input, logits, threads);
    stop(&m);
    return logits;
}

/* ---- a plain calibration: the largest value of each node ---- */

static void see(const machine *m, int32_t node, float *largest)
{
    const r2n_value *value = &m->plan->values[node];
    const r2n_shape shape = m->placement->shapes[node];
    for (int32_t s = 0; s < value->count; s++) {
        const r2n_view view = r2n_placement_view(m->placement, node, s);
        for (int32_t row = 0; row < shape.rows; row++)
            for (int32_t column = 0; column < shape.columns; column++)
                for (int32_t c = 0; c < view.group_channels; c++)
                    largest[node] =
                        fmaxf(largest[node],
                              fabsf(((const float *)m->block)[view.offset + row * view.row_pitch +
                                                              column * view.pixel_pitch + c]));
    }
}

static void calibrate(network *n)
{
    machine m;
    start(n, R2N_PRECISION_F32, R2N_ISA_REFERENCE, 1, &m);
    float *scales = r2n_allocate_zeroed((size_t)n->graph->count, sizeof(float));
    assert_non_null(scales);
    r2n_placement_put_rows(m.placement, m.block, m.input, 0, ROWS);
    for (int32_t i = 0; i < m.plan->step_count; i++) {
        const r2n_placed_step *placed = &m.placement->steps[i];
        const r2n_step *step = &m.plan->steps[i];
        placed->kernel->run(&placed->arguments, m.block, r2n_placement_range(placed, 0, 1));
        see(&m, step->result, scales);
        if (step->chain >= 0)
            see(&m, step->chain, scales);
        for (int32_t j = 0; j < n->graph->count; j++) {
            const r2n_node *node = &n->graph->nodes[j];
            if (node->kind == R2N_NODE_SLICE && node->inputs[0] == step->result) {
                see(&m, j, scales);
                scales[j] /= R2N_INT8_MAXIMUM;
                scales[step->result] = 0;
            }
        }
        scales[step->result] /= R2N_INT8_MAXIMUM;
        if (step->chain >= 0)
            scales[step->chain] /= R2N_INT8_MAXIMUM;
    }
    for (int32_t j = 0; j < n->graph->count; j++) {
        const r2n_node *node = &n->graph->nodes[j];
        if (node->kind == R2N_NODE_INPUT)
            scales[j] = 2.0f / (R2N_INT8_MAXIMUM - R2N_INT8_PICTURE_ZERO);
        if (node->kind == R2N_NODE_POOL && !node->pool_is_average)
            scales[j] = scales[node->inputs[0]];
    }
    n->weights->metadata.activation_scales = scales;
    n->weights->metadata.activation_scale_count = n->graph->count;
    stop(&m);
}

/* ---- tests ---- */

static double difference(const float *a, const float *b, int32_t count)
{
    double largest = 0, most = 0;
    for (int32_t i = 0; i < count; i++) {
        assert_true(isfinite(a[i]));
        largest = fmax(largest, fabs((double)b[i]));
        most = fmax(most, fabs((double)a[i] - (double)b[i]));
    }
    return most / largest;
}

static void logits_are_near_those_of_f32(void **state)
{
    static const double limits[R2N_PRECISION_COUNT] = {1e-5, 2e-2, 3e-5, 1e-1};
    (void)state;
    for (int i = 0; i < NETWORK_COUNT; i++)
        for (int family = R2N_FAMILY_PADDLE; family <= R2N_FAMILY_TORCH; family++) {
            network n;
            make(NETWORKS[i], (r2n_family)family, &n);
            calibrate(&n);
            float *exact = run(&n, R2N_PRECISION_F32, R2N_ISA_REFERENCE, BATCH, 1);
            for (int p = 0; p < R2N_PRECISION_COUNT; p++) {
                float *logits = run(&n, (r2n_precision)p, R2N_ISA_REFERENCE, BATCH, 2);
                const double off = difference(logits, exact, BATCH * n.classes);
                if (!(off <= limits[p]) || (p > 0 && off == 0))
                    fail_msg("%s family %d, %s: %g off", NETWORKS[i], family,
                             r2n_precision_facts_of((r2n_precision)p)->name, off);
                r2n_free(logits);
            }
            r2n_free(exact);
            destroy(&n);
        }
}

static void neither_batch_nor_threads_change_a_bit(void **state)
{
    (void)state;
    for (int i = 0; i < NETWORK_COUNT; i++)
        for (int p = 0; p < R2N_PRECISION_COUNT; p++) {
            network n;
            make(NETWORKS[i], R2N_FAMILY_PADDLE, &n);
            calibrate(&n);
            const r2n_isa isa = r2n_isa_default();
            float *alone = run(&n, (r2n_precision)p, isa, 1, 1);
            for (int threads = 1; threads <= 3; threads++) {
                float *together = run(&n, (r2n_precision)p, isa, BATCH, threads);
                assert_memory_equal(together, alone, (size_t)n.classes * sizeof(float));
                r2n_free(together);
            }
            r2n_free(alone);
            destroy(&n);
        }
}

static void int8_is_the_same_on_every_isa(void **state)
{
    (void)state;
    for (int i = 0; i < NETWORK_COUNT; i++) {
        network n;
        make(NETWORKS[i], R2N_FAMILY_TORCH, &n);
        calibrate(&n);
        const size_t bytes = (size_t)(BATCH * n.classes) * sizeof(float);
        float *expected = run(&n, R2N_PRECISION_INT8, R2N_ISA_REFERENCE, BATCH, 1);
        for (int isa = R2N_ISA_REFERENCE + 1; isa < R2N_ISA_COUNT; isa++) {
            if (r2n_isa_missing((r2n_isa)isa) != NULL) {
                print_message("SKIPPED: int8 on %s: this CPU lacks %s\n",
                              r2n_isa_name((r2n_isa)isa), r2n_isa_missing((r2n_isa)isa));
                continue;
            }
            float *logits = run(&n, R2N_PRECISION_INT8, (r2n_isa)isa, BATCH, 2);
            assert_memory_equal(logits, expected, bytes);
            r2n_free(logits);
        }
        r2n_free(expected);
        destroy(&n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logits_are_near_those_of_f32),
        cmocka_unit_test(neither_batch_nor_threads_change_a_bit),
        cmocka_unit_test(int8_is_the_same_on_every_isa),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
