/* SPDX-License-Identifier: Apache-2.0 */
/* Groups of steps that run band by band: the bits of every step by itself, whatever the threads,
 * the batch, the size and the height of a band. Bands of one row make threads wait the most. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "base/memory.h"
#include "plan/placement_internal.h"

enum { AS_CHOSEN = 0 };

typedef struct network {
    r2n_graph *graph;
    r2n_tensor_set *weights;
    r2n_plan *plan;
} network;

static void make(const char *name, r2n_family family, r2n_plan_mode mode, r2n_precision precision,
                 network *n)
{
    const r2n_isa isa = precision == R2N_PRECISION_F32 ? R2N_ISA_AVX512 : R2N_ISA_REFERENCE;
    r2n_architecture architecture;
    assert_int_equal(r2n_architecture_find(name, &architecture, NULL), RES2NET_OK);
    assert_int_equal(r2n_graph_create(&architecture, family, &n->graph, NULL), RES2NET_OK);
    assert_int_equal(r2n_weights_formula(&architecture, 5, &n->weights, NULL), RES2NET_OK);
    assert_int_equal(r2n_plan_create(n->graph, n->weights, mode, precision, isa, &n->plan, NULL),
                     RES2NET_OK);
}

static void destroy(network *n)
{
    r2n_plan_destroy(n->plan);
    r2n_tensor_set_destroy(n->weights);
    r2n_graph_destroy(n->graph);
}

static r2n_placement *place(const network *n, int32_t batch, int32_t rows, int32_t columns)
{
    r2n_placement *placement;
    assert_int_equal(r2n_placement_create(n->plan, batch, rows, columns, &placement, NULL),
                     RES2NET_OK);
    return placement;
}

static void set_bands(r2n_placement *placement, int32_t band_rows)
{
    placement->band_images = 0;
    for (int32_t i = 0; i < placement->group_count && band_rows != AS_CHOSEN; i++)
        for (int32_t j = 0; j < placement->groups[i].step_count; j++)
            placement->steps[placement->groups[i].first_step + j].band_rows = band_rows;
}

/* Logits of noise; the block starts full of NaN but for its borders. */
static float *run(const network *n, const r2n_placement *placement, int threads)
{
    const size_t floats =
        3 * (size_t)placement->batch * (size_t)placement->rows * (size_t)placement->columns;
    const size_t bytes = (size_t)r2n_placement_block_bytes(placement);
    uint8_t *block = r2n_allocate(bytes, 1);
    float *input = r2n_allocate(floats, sizeof(float));
    float *logits = r2n_allocate((size_t)placement->batch * (size_t)n->graph->architecture.classes,
                                 sizeof(float));
    assert_true(block != NULL && input != NULL && logits != NULL);
    memset(block, 0xff, bytes);
    r2n_placement_clear(placement, block);
    for (size_t i = 0; i < floats; i++)
        input[i] = (float)((uint32_t)i * 2654435761u >> 16) / 16384.0f - 2.0f;
    r2n_placement_run(placement, block, input, logits, threads);
    r2n_free(block);
    r2n_free(input);
    return logits;
}

/* Every number of threads from `first_threads` to `last_threads`, bands of 1 and 3 rows and as
 * chosen, against every step by itself on one thread. */
static void same_bits(const char *name, const network *n, int32_t batch, int32_t rows,
                      int32_t columns, int first_threads, int last_threads)
{
    static const int32_t bands[] = {1, 3, AS_CHOSEN};
    r2n_placement *alone = place(n, batch, rows, columns);
    assert_true(alone->group_count > 0);
    alone->band_images = INT32_MAX / 8;
    float *expected = run(n, alone, 1);
    const size_t bytes = (size_t)batch * (size_t)n->graph->architecture.classes * sizeof *expected;
    for (size_t i = 0; i < sizeof bands / sizeof *bands; i++) {
        r2n_placement *banded = place(n, batch, rows, columns);
        set_bands(banded, bands[i]);
        for (int threads = first_threads; threads <= last_threads; threads++) {
            float *logits = run(n, banded, threads);
            if (memcmp(logits, expected, bytes) != 0)
                fail_msg("%s, batch %d, %dx%d, %d threads, bands of %d rows: other bits", name,
                         batch, rows, columns, threads, bands[i]);
            r2n_free(logits);
        }
        r2n_placement_destroy(banded);
    }
    r2n_free(expected);
    r2n_placement_destroy(alone);
}

static void batches_sizes_and_threads(void **state)
{
    static const struct {
        const char *name;
        r2n_family family;
    } networks[] = {{"Res2Net50_26w_4s", R2N_FAMILY_TORCH},
                    {"Res2Net50_vd_26w_4s", R2N_FAMILY_PADDLE}};
    (void)state;
    for (size_t i = 0; i < sizeof networks / sizeof *networks; i++) {
        const char *name = networks[i].name;
        network n;
        make(name, networks[i].family, R2N_PLAN_INFERENCE, R2N_PRECISION_F32, &n);
        for (int32_t batch = 1; batch <= 5; batch++)
            same_bits(name, &n, batch, 33, 47, 1, 5);
        same_bits(name, &n, 3, 64, 64, 2, 4);
        same_bits(name, &n, 1, 225, 225, 2, 3);
        destroy(&n);
    }
}

static void every_architecture(void **state)
{
    (void)state;
    for (size_t i = 0; i < r2n_catalogue_count(); i++) {
        const char *name = r2n_catalogue_get(i)->architecture.name;
        network n;
        make(name, R2N_FAMILY_PADDLE, R2N_PLAN_INFERENCE, R2N_PRECISION_F32, &n);
        same_bits(name, &n, 1, 64, 64, 2, 3);
        destroy(&n);
    }
}

/* A step a node, and other sizes of elements, on the plainest kernels. */
static void other_modes_and_precisions(void **state)
{
    static const char name[] = "cifar:planes=16,depths=1-2-2,width=26,scale=4,classes=10";
    network n;
    (void)state;
    make(name, R2N_FAMILY_TORCH, R2N_PLAN_UNFUSED, R2N_PRECISION_F32, &n);
    same_bits(name, &n, 2, 19, 24, 1, 4);
    destroy(&n);
    make(name, R2N_FAMILY_TORCH, R2N_PLAN_INFERENCE, R2N_PRECISION_BF16X3, &n);
    same_bits(name, &n, 2, 19, 24, 1, 4);
    destroy(&n);
}

/* Whole residual blocks: a group is not cut where more than one tensor is alive. */
static void groups_hold_whole_blocks(void **state)
{
    network n;
    (void)state;
    make("Res2Net50_26w_4s", R2N_FAMILY_TORCH, R2N_PLAN_INFERENCE, R2N_PRECISION_F32, &n);
    r2n_placement *placement = place(&n, 1, 224, 224);
    int32_t steps = 0;
    for (int32_t i = 0; i < placement->group_count; i++) {
        const r2n_band_group *group = &placement->groups[i];
        const int32_t last = group->first_step + group->step_count - 1;
        const r2n_step *end = &n.plan->steps[last];
        assert_true(group->step_count >= 2 && group->step_count <= R2N_BAND_STEPS);
        assert_true(end->operation == R2N_OPERATION_POOL || end->residual >= 0 ||
                    end->part_count == 2);
        assert_true(placement->steps[last].band_rows < placement->steps[last].image_rows);
        steps += group->step_count;
    }
    assert_true(steps >= 2 + 3 * 5 + 1); /* the stem and stage 1 at least */
    r2n_placement_destroy(placement);
    destroy(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches_sizes_and_threads),
        cmocka_unit_test(every_architecture),
        cmocka_unit_test(other_modes_and_precisions),
        cmocka_unit_test(groups_hold_whole_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
