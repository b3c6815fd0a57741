/* SPDX-License-Identifier: Apache-2.0 */
/* The fused plan against the unfused one, ranges, and what the fuser leaves over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "plan/placement_internal.h"

static const char *const SMALL[] = {
    "cifar:planes=16,depths=1-2-2,width=26,scale=4,classes=10",
    "cifar:planes=16,depths=2-1-1,width=32,scale=2,classes=7",
    "cifar:planes=8,depths=1-1-1,width=64,scale=1,classes=5",
    "Res2Net50_vd_26w_4s",
    "Res2Net50_26w_4s",
};

typedef struct network {
    r2n_graph *graph;
    r2n_tensor_set *weights;
    r2n_plan *plan;
} network;

static void make(const char *name, r2n_family family, r2n_plan_mode mode, r2n_isa isa, network *n)
{
    r2n_architecture architecture;
    assert_int_equal(r2n_architecture_find(name, &architecture, NULL), RES2NET_OK);
    assert_int_equal(r2n_graph_create(&architecture, family, &n->graph, NULL), RES2NET_OK);
    assert_int_equal(r2n_weights_formula(&architecture, 5, &n->weights, NULL), RES2NET_OK);
    assert_int_equal(
        r2n_plan_create(n->graph, n->weights, mode, R2N_PRECISION_F32, isa, &n->plan, NULL),
        RES2NET_OK);
}

static void destroy(network *n)
{
    r2n_plan_destroy(n->plan);
    r2n_tensor_set_destroy(n->weights);
    r2n_graph_destroy(n->graph);
}

/* Logits of `batch` noise pictures; the block starts full of NaN but for its borders. */
static float *run(const network *n, int32_t batch, int32_t rows, int32_t columns, int threads)
{
    r2n_placement *placement;
    const size_t floats = 3 * (size_t)batch * (size_t)rows * (size_t)columns;
    assert_int_equal(r2n_placement_create(n->plan, batch, rows, columns, &placement, NULL),
                     RES2NET_OK);
    const size_t bytes = (size_t)r2n_placement_block_bytes(placement);
    float *block = r2n_allocate(bytes, 1);
    float *input = r2n_allocate(floats, sizeof(float));
    float *logits =
        r2n_allocate((size_t)batch * (size_t)n->graph->architecture.classes, sizeof(float));
    assert_true(block != NULL && input != NULL && logits != NULL);
    memset(block, 0xff, bytes);
    r2n_placement_clear(placement, block);
    for (size_t i = 0; i < floats; i++)
        input[i] = (float)((uint32_t)i * 2654435761u >> 16) / 16384.0f - 2.0f;
    r2n_placement_run(placement, block, input, logits, threads);
    r2n_free(block);
    r2n_free(input);
    r2n_placement_destroy(placement);
    return logits;
}

static void fused_equals_unfused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof SMALL / sizeof *SMALL; i++)
        for (int family = R2N_FAMILY_PADDLE; family <= R2N_FAMILY_TORCH; family++) {
            network fused;
            network unfused;
            const int small = strncmp(SMALL[i], "cifar", 5) == 0;
            const r2n_isa isa = small ? R2N_ISA_REFERENCE : R2N_ISA_AVX512;
            make(SMALL[i], (r2n_family)family, R2N_PLAN_INFERENCE, isa, &fused);
            make(SMALL[i], (r2n_family)family, R2N_PLAN_UNFUSED, isa, &unfused);
            assert_true(fused.plan->step_count < unfused.plan->step_count / 2);
            float *a = run(&fused, 2, small ? 19 : 33, small ? 24 : 40, 1);
            float *b = run(&unfused, 2, small ? 19 : 33, small ? 24 : 40, 2);
            const int32_t count = 2 * fused.graph->architecture.classes;
            float largest = 0;
            float difference = 0;
            for (int32_t j = 0; j < count; j++) {
                largest = fmaxf(largest, fabsf(b[j]));
                difference = fmaxf(difference, fabsf(a[j] - b[j]));
                assert_true(isfinite(a[j]));
            }
            if (!(difference <= 2e-5f * largest))
                fail_msg("%s family %d: %g off of %g", SMALL[i], family, (double)difference,
                         (double)largest);
            r2n_free(a);
            r2n_free(b);
            destroy(&fused);
            destroy(&unfused);
        }
}

/* In inference nothing elementwise is left: every step is a gemm or a pool. */
static void inference_leaves_no_elementwise_step(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof SMALL / sizeof *SMALL; i++)
        for (int family = R2N_FAMILY_PADDLE; family <= R2N_FAMILY_TORCH; family++) {
            network n;
            make(SMALL[i], (r2n_family)family, R2N_PLAN_INFERENCE, R2N_ISA_REFERENCE, &n);
            for (int32_t j = 0; j < n.plan->step_count; j++)
                assert_int_not_equal(n.plan->steps[j].operation, R2N_OPERATION_ELEMENTWISE);
            destroy(&n);
        }
}

static void ranges_cover_every_step_once(void **state)
{
    (void)state;
    for (int rows = 1; rows < 60; rows += 7)
        for (int blocks = 1; blocks < 40; blocks += 3)
            for (int threads = 1; threads < 6; threads++) {
                const r2n_placed_step step = {
                    .rows = rows, .blocks = blocks, .macs = rows * 1000, .weights = blocks * 100};
                int cells = 0;
                for (int t = 0; t < threads; t++) {
                    const r2n_range r = r2n_placement_range(&step, t, threads);
                    cells += (r.row_last - r.row_first) * (r.block_last - r.block_first);
                }
                assert_int_equal(cells, rows * blocks);
            }
}

static void sizes_are_refused_with_a_reason(void **state)
{
    (void)state;
    network n;
    r2n_placement *placement;
    make(SMALL[4], R2N_FAMILY_PADDLE, R2N_PLAN_INFERENCE, R2N_ISA_REFERENCE, &n);
    assert_int_equal(r2n_placement_create(n.plan, 0, 64, 64, &placement, NULL),
                     RES2NET_INVALID_ARGUMENT);
    assert_int_equal(r2n_placement_create(n.plan, 1, 8, 64, &placement, NULL),
                     RES2NET_INVALID_ARGUMENT);
    assert_int_equal(r2n_placement_create(n.plan, 4096, 16384, 16384, &placement, NULL),
                     RES2NET_LIMIT_EXCEEDED);
    assert_int_equal(r2n_placement_create(n.plan, 1, 32768, 64, &placement, NULL),
                     RES2NET_LIMIT_EXCEEDED);
    destroy(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fused_equals_unfused),
        cmocka_unit_test(inference_leaves_no_elementwise_step),
        cmocka_unit_test(ranges_cover_every_step_once),
        cmocka_unit_test(sizes_are_refused_with_a_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
