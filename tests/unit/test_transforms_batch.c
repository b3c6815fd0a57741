/* SPDX-License-Identifier: Apache-2.0 */
/* Mixup, Cutmix and OpSampler: the targets say what was mixed, and the pictures must agree. */
#include "unit/transforms_fixture.h"

#include <math.h>

#ifdef R2N_HAVE_YAML

enum { IMAGES = 9, ROWS = 6, COLUMNS = 5, VALUES = ROWS * COLUMNS * 3 };

/* Picture i has values of its own, and class i. */
typedef struct mixed {
    float pictures[IMAGES][VALUES], targets[IMAGES][IMAGES];
    int partner[IMAGES]; /* -1: itself */
    float share;         /* of a picture's own class, where it has a partner; else 1 */
} mixed;

static float value_of(int image, int v)
{
    return (float)(image * 1000 + v);
}

static void find_partners(mixed *m)
{
    unsigned taken = 0;
    m->share = 1;
    for (int i = 0; i < IMAGES; i++) {
        double sum = 0;
        m->partner[i] = -1;
        for (int c = 0; c < IMAGES; c++) {
            sum += m->targets[i][c];
            if (c != i && m->targets[i][c] != 0) {
                assert_int_equal(m->partner[i], -1);
                m->partner[i] = c;
            }
        }
        assert_true(fabs(sum - 1) < 1e-6);
        taken |= 1u << (m->partner[i] < 0 ? i : m->partner[i]);
        if (m->partner[i] >= 0)
            m->share = m->targets[i][i];
    }
    assert_int_equal(__builtin_popcount(taken), IMAGES); /* a permutation */
    for (int i = 0; i < IMAGES; i++)
        assert_true(m->partner[i] < 0 || m->targets[i][i] == m->share);
}

static void apply_batch(const r2n_batch_transforms *t, uint64_t index, mixed *m)
{
    float *room = r2n_allocate(IMAGES * VALUES, sizeof *room);
    r2n_random random = r2n_random_stream(5, R2N_RANDOM_BATCH, 1, index);
    memset(m, 0, sizeof *m);
    for (int i = 0; i < IMAGES; i++) {
        m->targets[i][i] = 1;
        for (int v = 0; v < VALUES; v++)
            m->pictures[i][v] = value_of(i, v);
    }
    r2n_batch_transforms_apply(t, &random, IMAGES, ROWS, COLUMNS, IMAGES, m->pictures[0],
                               m->targets[0], room);
    find_partners(m);
    r2n_free(room);
}

static void expect_mixup(const mixed *m)
{
    for (int i = 0; i < IMAGES; i++) {
        const float other = m->partner[i] < 0 ? 0 : m->targets[i][m->partner[i]];
        for (int v = 0; v < VALUES && m->partner[i] >= 0; v++) {
            const float wanted = m->share * value_of(i, v) + other * value_of(m->partner[i], v);
            assert_true(m->pictures[i][v] == wanted);
        }
    }
}

/* A rectangle of the partner's pixels, the same in all pictures; 0 where pixels are not one's own
 * or the partner's. */
static int is_cutmix(const mixed *m)
{
    for (int i = 0; i < IMAGES; i++) {
        int left = COLUMNS, right = -1, top = ROWS, bottom = -1, count = 0;
        for (int v = 0; v < VALUES; v++) {
            const int x = v / 3 % COLUMNS, y = v / 3 / COLUMNS;
            if (m->pictures[i][v] == value_of(i, v))
                continue;
            if (m->partner[i] < 0 || m->pictures[i][v] != value_of(m->partner[i], v))
                return 0;
            left = x < left ? x : left;
            right = x > right ? x : right;
            top = y < top ? y : top;
            bottom = y > bottom ? y : bottom;
            count++;
        }
        if (m->partner[i] < 0)
            continue;
        assert_int_equal(count, (right - left + 1) * (bottom - top + 1) * 3);
        assert_true(fabs(count / (double)VALUES - (1 - m->share)) < 1e-6);
    }
    return 1;
}

static void mixup_mixes_by_one_share(void **state)
{
    (void)state;
    r2n_batch_transforms *t = parse_batch_list("- MixupOperator: {alpha: 0.2}\n");
    double mean = 0, squares = 0;
    int own = 0;
    for (uint64_t i = 0; i < 2000; i++) {
        mixed m;
        apply_batch(t, i, &m);
        expect_mixup(&m);
        mean += m.share / 2000;
        squares += (double)m.share * m.share / 2000;
        own += m.partner[0] == -1;
    }
    /* Beta(0.2, 0.2): mean 0.5, variance 0.25 / 1.4 */
    assert_true(mean > 0.47 && mean < 0.53);
    assert_true(fabs(squares - mean * mean - 0.1786) < 0.01);
    assert_true(own > 2000 / IMAGES - 60 && own < 2000 / IMAGES + 2000 / 4);
    r2n_batch_transforms_destroy(t);
}

static void cutmix_cuts_one_rectangle(void **state)
{
    (void)state;
    r2n_batch_transforms *t = parse_batch_list("- CutmixOperator: {alpha: 1}\n");
    double mean = 0;
    for (uint64_t i = 0; i < 1000; i++) {
        mixed m;
        apply_batch(t, i, &m);
        assert_true(is_cutmix(&m));
        mean += m.share / 1000;
    }
    assert_true(mean > 0.68 && mean < 0.85); /* 0.5 but for rounding down and the borders */
    r2n_batch_transforms_destroy(t);
}

static void a_sampler_takes_one_or_none(void **state)
{
    (void)state;
    r2n_batch_transforms *t =
        parse_batch_list("- OpSampler:\n    CutmixOperator: {alpha: 1, prob: 0.3}\n"
                         "    MixupOperator: {alpha: 1, prob: 0.5}\n");
    int none = 0, cut = 0, mix = 0;
    for (uint64_t i = 0; i < 2000; i++) {
        mixed m;
        apply_batch(t, i, &m);
        if (m.share == 1)
            none++; /* or a rectangle without pixels */
        else if (is_cutmix(&m))
            cut++;
        else {
            expect_mixup(&m);
            mix++;
        }
    }
    assert_true(mix > 2000 * 0.46 && mix < 2000 * 0.54);
    assert_true(none > 2000 * 0.17 && cut > 2000 * 0.15 && cut < 2000 * 0.33);
    r2n_batch_transforms_destroy(t);
}

static void one_picture_stays(void **state)
{
    (void)state;
    r2n_batch_transforms *t = parse_batch_list("- MixupOperator:\n- CutmixOperator:\n");
    float picture[3] = {1, 2, 3}, target[2] = {0, 1}, room[3];
    r2n_random random = r2n_random_stream(5, R2N_RANDOM_BATCH, 1, 0);
    r2n_batch_transforms_apply(t, &random, 1, 1, 1, 2, picture, target, room);
    assert_true(picture[0] == 1 && picture[1] == 2 && picture[2] == 3);
    assert_true(target[0] == 0 && target[1] == 1);
    r2n_batch_transforms_destroy(t);
    r2n_batch_transforms_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mixup_mixes_by_one_share), cmocka_unit_test(cutmix_cuts_one_rectangle),
        cmocka_unit_test(a_sampler_takes_one_or_none), cmocka_unit_test(one_picture_stays)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void)
{
    return 0;
}

#endif
