/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gradient of every tensor against finite differences, on networks that have every kind of
 * step; bits that do not depend on threads or on how large the network's batch is; layouts there
 * and back. tests/oracle/train_gradients.py compares with PyTorch and Paddle.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "train/network.h"

typedef struct trial {
    r2n_architecture architecture;
    r2n_graph *graph;
    r2n_network *network;
    int32_t images, side;
    float *pictures, *logits, *seed;
} trial;

static void begin_in(trial *t, r2n_precision precision, const char *architecture, r2n_family family,
                     int32_t images, int32_t batch, int32_t side, r2n_isa isa, int32_t frozen)
{
    *t = (trial){.images = images, .side = side};
    assert_int_equal(r2n_architecture_find(architecture, &t->architecture, NULL), RES2NET_OK);
    assert_int_equal(r2n_graph_create(&t->architecture, family, &t->graph, NULL), RES2NET_OK);
    const r2n_network_options options = {.batch = batch,
                                         .rows = side,
                                         .columns = side,
                                         .isa = isa,
                                         .precision = precision,
                                         .frozen_stages = frozen};
    assert_int_equal(r2n_network_create(t->graph, &options, &t->network, NULL), RES2NET_OK);
    r2n_tensor_set *set;
    assert_int_equal(r2n_weights_formula(&t->architecture, 3, &set, NULL), RES2NET_OK);
    assert_int_equal(r2n_network_load(t->network, set, NULL), RES2NET_OK);
    r2n_tensor_set_destroy(set);
    const size_t floats = (size_t)images * (size_t)side * (size_t)side * 3;
    const size_t scores = (size_t)images * (size_t)t->architecture.classes;
    t->pictures = r2n_allocate(floats, sizeof(float));
    t->logits = r2n_allocate(scores, sizeof(float));
    t->seed = r2n_allocate(scores, sizeof(float));
    r2n_random random = r2n_random_stream(4, R2N_RANDOM_PICTURE, 0, 0);
    for (size_t i = 0; i < floats; i++)
        t->pictures[i] = (float)r2n_random_between(&random, -2, 2);
    for (size_t i = 0; i < scores; i++)
        t->seed[i] = (float)r2n_random_between(&random, -1, 1);
}

static void begin(trial *t, const char *architecture, r2n_family family, int32_t images,
                  int32_t batch, int32_t side, r2n_isa isa, int32_t frozen)
{
    begin_in(t, R2N_PRECISION_F32, architecture, family, images, batch, side, isa, frozen);
}

static void end(trial *t)
{
    r2n_network_destroy(t->network);
    r2n_graph_destroy(t->graph);
    r2n_free(t->pictures);
    r2n_free(t->logits);
    r2n_free(t->seed);
}

/* A number whose gradient by the logits is `seed`. */
static double objective(trial *t)
{
    double sum = 0;
    r2n_network_forward(t->network, t->pictures, t->images, t->logits, 1);
    for (int32_t i = 0; i < t->images * t->architecture.classes; i++)
        sum += (double)t->logits[i] * (double)t->seed[i];
    return sum;
}

/* The objective's slope when one tensor goes along a direction. */
static double slope(trial *t, r2n_parameter_range range, const double *direction, double step)
{
    float *parameters = r2n_network_parameters(t->network) + range.first;
    float *kept = r2n_allocate((size_t)range.count, sizeof *kept);
    double values[2];
    memcpy(kept, parameters, (size_t)range.count * sizeof *kept);
    for (int side = 0; side < 2; side++) {
        for (int64_t i = 0; i < range.count; i++)
            parameters[i] = (float)((double)kept[i] + (side == 0 ? step : -step) * direction[i]);
        values[side] = objective(t);
    }
    memcpy(parameters, kept, (size_t)range.count * sizeof *kept);
    r2n_free(kept);
    return (values[0] - values[1]) / (2 * step);
}

/* Along its gradient the slope is the gradient's length. A ReLU's kink may lie inside a step, so
 * one of four has to agree. */
static void check_tensor(trial *t, size_t index, const float *gradients)
{
    static const double steps[] = {1e-3, 3e-4, 1e-4, 5e-5};
    const r2n_parameter_range range = r2n_network_range(t->network, index);
    double *direction = r2n_allocate((size_t)range.count, sizeof *direction);
    double length = 0, measured = 0;
    for (int64_t i = 0; i < range.count; i++)
        length += (double)gradients[range.first + i] * (double)gradients[range.first + i];
    length = sqrt(length);
    assert_true(length > 0);
    for (int64_t i = 0; i < range.count; i++)
        direction[i] = (double)gradients[range.first + i] / length;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        measured = slope(t, range, direction, steps[i]);
        if (fabs(measured - length) <= 0.04 * length)
            break;
    }
    if (fabs(measured - length) > 0.04 * length)
        fail_msg("%s: the slope is %.6g, the gradient says %.6g",
                 r2n_network_tensor(t->network, index)->name, measured, length);
    r2n_free(direction);
}

static void check_network(const char *architecture, r2n_family family, int32_t images, int32_t side)
{
    trial t;
    begin(&t, architecture, family, images, images + 1, side, R2N_ISA_REFERENCE, 0);
    const size_t floats = (size_t)r2n_network_parameter_floats(t.network);
    float *gradients = r2n_allocate(floats, sizeof *gradients);
    (void)objective(&t);
    r2n_network_backward(t.network, t.seed, 1);
    memcpy(gradients, r2n_network_gradients(t.network), floats * sizeof *gradients);
    for (size_t i = 0; i < r2n_network_tensor_count(t.network); i++)
        if (r2n_network_tensor(t.network, i)->trainable)
            check_tensor(&t, i, gradients);
    r2n_free(gradients);
    end(&t);
}

#define SMALL "cifar:planes=8,depths=1-2-1,width=32,scale=3,stem=8,classes=4"

static void test_torch_family(void **state)
{
    (void)state;
    check_network(SMALL, R2N_FAMILY_TORCH, 3, 9);
}

static void test_paddle_family(void **state)
{
    (void)state;
    check_network(SMALL, R2N_FAMILY_PADDLE, 2, 8);
}

static void test_plain_stem(void **state)
{
    (void)state;
    check_network("plain:planes=8,depths=1-1-1-1,width=32,scale=2,stem=8,classes=4",
                  R2N_FAMILY_PADDLE, 2, 37);
}

static void test_deep_stem(void **state)
{
    (void)state;
    check_network("vd:planes=8,depths=1-1-1-1,width=32,scale=2,stem=8,classes=4", R2N_FAMILY_PADDLE,
                  2, 39);
}

static void test_scale_one(void **state)
{
    (void)state;
    check_network("cifar:planes=8,depths=1-1-1,width=64,scale=1,stem=8,classes=4", R2N_FAMILY_TORCH,
                  2, 8);
}

/* Forward and backward of `images`; the gradients, which are the caller's. */
static float *gradients_of(trial *t, int threads)
{
    const size_t floats = (size_t)r2n_network_parameter_floats(t->network);
    float *gradients = r2n_allocate(floats, sizeof *gradients);
    r2n_network_forward(t->network, t->pictures, t->images, t->logits, threads);
    r2n_network_backward(t->network, t->seed, threads);
    memcpy(gradients, r2n_network_gradients(t->network), floats * sizeof *gradients);
    return gradients;
}

static void check_threads(r2n_precision precision, const char *architecture, r2n_isa isa)
{
    trial t;
    begin_in(&t, precision, architecture, R2N_FAMILY_PADDLE, 7, 7, 16, isa, 0);
    const size_t bytes = (size_t)r2n_network_parameter_floats(t.network) * sizeof(float);
    float *one = gradients_of(&t, 1);
    for (int threads = 2; threads <= 5; threads++) {
        float *more = gradients_of(&t, threads);
        assert_memory_equal(one, more, bytes);
        r2n_free(more);
    }
    r2n_free(one);
    end(&t);
}

static void test_threads(void **state)
{
    (void)state;
    check_threads(R2N_PRECISION_F32, SMALL, R2N_ISA_AVX512);
}

/* A fast kernel's gradients are the reference's, but for rounding. */
static void check_isa(r2n_isa isa)
{
    trial fast, slow;
    begin(&fast, SMALL, R2N_FAMILY_PADDLE, 3, 3, 16, isa, 0);
    begin(&slow, SMALL, R2N_FAMILY_PADDLE, 3, 3, 16, R2N_ISA_REFERENCE, 0);
    float *a = gradients_of(&fast, 2), *b = gradients_of(&slow, 1);
    for (size_t i = 0; i < r2n_network_tensor_count(fast.network); i++) {
        const r2n_parameter_range range = r2n_network_range(fast.network, i);
        float most = 0, error = 0;
        for (int64_t j = range.first; j < range.first + range.count; j++) {
            most = fmaxf(most, fabsf(b[j]));
            error = fmaxf(error, fabsf(a[j] - b[j]));
        }
        if (r2n_network_tensor(fast.network, i)->trainable)
            assert_true(error <= 1e-4f * most);
    }
    r2n_free(a);
    r2n_free(b);
    end(&fast);
    end(&slow);
}

static void test_isa(void **state)
{
    (void)state;
    check_isa(R2N_ISA_AVX2);
    check_isa(R2N_ISA_AVX512);
}

/* ---- bf16 ---- */

/* Groups of 3 channels, whose slices have a zero behind each; and what has none. */
#define ODD  "cifar:planes=8,depths=2-1-1,width=26,scale=4,stem=8,classes=4"
#define EVEN "cifar:planes=8,depths=1-2-1,width=32,scale=3,stem=8,classes=4"
#define DEEP "vd:planes=8,depths=1-1-1-1,width=26,scale=4,stem=14,classes=3"

static r2n_tensor_set *canonical_gradients(trial *t, int threads)
{
    float *gradients = gradients_of(t, threads);
    r2n_tensor_set *set = r2n_network_tensors(t->network, gradients, NULL);
    r2n_free(gradients);
    return set;
}

/* How far apart two tensors are, as a part of the second one's length. */
static double distance(const r2n_tensor *a, const r2n_tensor *b)
{
    double apart = 0, length = 0;
    assert_int_equal(a->count, b->count);
    for (int64_t i = 0; i < a->count; i++) {
        const double difference = (double)a->data[i] - (double)b->data[i];
        apart += difference * difference;
        length += (double)b->data[i] * (double)b->data[i];
    }
    return sqrt(apart / length);
}

static void draw_inputs(trial *t, uint64_t turn)
{
    r2n_random random = r2n_random_stream(5, R2N_RANDOM_PICTURE, 0, turn);
    for (int32_t i = 0; i < t->images * t->side * t->side * 3; i++)
        t->pictures[i] = (float)r2n_random_between(&random, -2, 2);
    for (int32_t i = 0; i < t->images * t->architecture.classes; i++)
        t->seed[i] = (float)r2n_random_between(&random, -1, 1);
}

enum { TURNS = 6, MOST_TENSORS = 200 };

/* bf16 has 8 bits, and ReLUs fall on the other side: a tensor's gradient is far off now and then,
 * as PyTorch's is (tests/oracle/train_gradients.py), but not on every picture, as it is where one
 * tap or group of channels is left out or taken twice. */
static void check_bf16(const char *architecture, r2n_family family, int32_t side, r2n_isa isa,
                       double limit)
{
    trial half, full;
    double least[MOST_TENSORS];
    begin_in(&half, R2N_PRECISION_BF16, architecture, family, 6, 7, side, isa, 0);
    begin(&full, architecture, family, 6, 7, side, R2N_ISA_REFERENCE, 0);
    for (int turn = 0; turn < TURNS; turn++) {
        draw_inputs(&half, (uint64_t)turn);
        draw_inputs(&full, (uint64_t)turn);
        r2n_tensor_set *a = canonical_gradients(&half, 2), *b = canonical_gradients(&full, 1);
        assert_true(b->count <= MOST_TENSORS);
        for (size_t i = 0; i < b->count; i++) {
            const double found = distance(&a->tensors[i], &b->tensors[i]);
            least[i] = turn == 0 || found < least[i] ? found : least[i];
            if (turn == TURNS - 1 && !(least[i] <= limit))
                fail_msg("%s: %s: %g away from f32", architecture, b->tensors[i].name, least[i]);
        }
        r2n_tensor_set_destroy(a);
        r2n_tensor_set_destroy(b);
    }
    end(&half);
    end(&full);
}

static void test_bf16(void **state)
{
    (void)state;
    check_bf16(ODD, R2N_FAMILY_TORCH, 16, R2N_ISA_REFERENCE, 0.25);
    check_bf16(EVEN, R2N_FAMILY_PADDLE, 16, R2N_ISA_REFERENCE, 0.25);
    check_bf16(DEEP, R2N_FAMILY_PADDLE, 64, R2N_ISA_REFERENCE, 0.4);
    check_bf16(ODD, R2N_FAMILY_PADDLE, 16, R2N_ISA_AMX, 0.25); /* what the CPU has, at most */
    check_bf16(EVEN, R2N_FAMILY_TORCH, 16, R2N_ISA_AMX, 0.25);
    check_bf16(DEEP, R2N_FAMILY_TORCH, 64, R2N_ISA_AMX, 0.4);
}

static void test_bf16_threads(void **state)
{
    (void)state;
    check_threads(R2N_PRECISION_BF16, ODD, R2N_ISA_AMX);
}

/* Stages that do not learn: no gradients, statistics that stay, and the head's gradients are those
 * of running statistics. */
static void test_frozen(void **state)
{
    (void)state;
    trial t;
    begin(&t, SMALL, R2N_FAMILY_TORCH, 3, 3, 16, R2N_ISA_AVX512, 2);
    float *gradients = gradients_of(&t, 2);
    float *before = r2n_allocate((size_t)r2n_network_statistic_floats(t.network), sizeof *before);
    memcpy(before, r2n_network_statistics(t.network),
           (size_t)r2n_network_statistic_floats(t.network) * sizeof *before);
    r2n_network_keep_statistics(t.network);
    for (size_t i = 0; i < r2n_network_tensor_count(t.network); i++) {
        const r2n_tensor_spec *spec = r2n_network_tensor(t.network, i);
        const r2n_parameter_range range = r2n_network_range(t.network, i);
        const int learns = strncmp(spec->name, "layer2", 6) == 0 ||
                           strncmp(spec->name, "layer3", 6) == 0 ||
                           strncmp(spec->name, "fc", 2) == 0;
        float most = 0;
        assert_int_equal(range.frozen, !learns);
        for (int64_t j = range.first; j < range.first + range.count; j++)
            most = fmaxf(most, spec->trainable
                                   ? fabsf(gradients[j])
                                   : fabsf(before[j] - r2n_network_statistics(t.network)[j]));
        assert_int_equal(most > 0, learns);
    }
    r2n_free(gradients);
    r2n_free(before);
    end(&t);
}

static void test_layouts(void **state)
{
    (void)state;
    trial t;
    begin(&t, SMALL, R2N_FAMILY_PADDLE, 1, 1, 8, R2N_ISA_REFERENCE, 0);
    r2n_tensor_set *expected, *found;
    assert_int_equal(r2n_weights_formula(&t.architecture, 3, &expected, NULL), RES2NET_OK);
    found = r2n_network_tensors(t.network, r2n_network_parameters(t.network),
                                r2n_network_statistics(t.network));
    assert_int_equal(found->count, expected->count);
    for (size_t i = 0; i < found->count; i++) {
        assert_string_equal(found->tensors[i].name, expected->tensors[i].name);
        assert_memory_equal(found->tensors[i].data, expected->tensors[i].data,
                            (size_t)found->tensors[i].count * sizeof(float));
    }
    r2n_tensor_set_destroy(expected);
    r2n_tensor_set_destroy(found);
    end(&t);
}

static void test_too_small(void **state)
{
    (void)state;
    trial t;
    begin(&t, "cifar:planes=8,depths=1-1-1,width=32,scale=2,stem=8,classes=4", R2N_FAMILY_TORCH, 1,
          2, 8, R2N_ISA_REFERENCE, 0);
    assert_false(r2n_network_is_too_small(t.network, 1)); /* 2 x 2 in the last stage */
    end(&t);
    begin(&t, "plain:planes=8,depths=1-1-1-1,width=32,scale=2,stem=8,classes=4", R2N_FAMILY_TORCH,
          1, 2, 32, R2N_ISA_REFERENCE, 0);
    assert_true(r2n_network_is_too_small(t.network, 1)); /* 1 x 1 */
    assert_false(r2n_network_is_too_small(t.network, 2));
    end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_torch_family), cmocka_unit_test(test_paddle_family),
        cmocka_unit_test(test_plain_stem),   cmocka_unit_test(test_deep_stem),
        cmocka_unit_test(test_scale_one),    cmocka_unit_test(test_threads),
        cmocka_unit_test(test_isa),          cmocka_unit_test(test_frozen),
        cmocka_unit_test(test_bf16),         cmocka_unit_test(test_bf16_threads),
        cmocka_unit_test(test_layouts),      cmocka_unit_test(test_too_small)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
