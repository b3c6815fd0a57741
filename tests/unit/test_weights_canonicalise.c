/* SPDX-License-Identifier: Apache-2.0 */
/* The audit: every mismatch is told, and in words where a file is another network's. */
#include "expect.h"

#include <math.h>

#include "weights/weights.h"

static res2net_report *report;

static int set_up(void **state)
{
    (void)state;
    report = res2net_report_create();
    return report == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    res2net_report_destroy(report);
    return 0;
}

static r2n_architecture architecture_of(const char *name)
{
    r2n_architecture architecture = {.classes = 0};
    if (r2n_architecture_find(name, &architecture, report) != RES2NET_OK)
        fail_msg("no architecture %s", name);
    return architecture;
}

/* The formula's numbers under Paddle's names and in its layout, or torch's. */
static r2n_tensor_set *file_of(const char *name, r2n_family naming)
{
    const r2n_architecture architecture = architecture_of(name);
    r2n_tensor_set *canonical, *set = r2n_tensor_set_create();
    size_t count;
    r2n_tensor_spec *specs = r2n_architecture_tensors(&architecture, &count);
    assert_int_equal(r2n_weights_formula(&architecture, 3, &canonical, report), RES2NET_OK);
    assert_true(set != NULL && specs != NULL && count == canonical->count);
    for (size_t i = 0; i < count; i++) {
        const r2n_tensor *tensor = &canonical->tensors[i];
        const int turned = naming == R2N_FAMILY_PADDLE && tensor->rank == 2;
        const int64_t rows = tensor->shape[0], columns = tensor->count / rows;
        const int64_t shape[2] = {columns, rows};
        float *data = r2n_tensor_set_add(
            set, naming == R2N_FAMILY_PADDLE ? specs[i].paddle_name : tensor->name, tensor->rank,
            turned ? shape : tensor->shape);
        assert_non_null(data);
        for (int64_t k = 0; k < tensor->count; k++)
            data[turned ? k % columns * rows + k / columns : k] = tensor->data[k];
    }
    r2n_tensor_set_destroy(canonical);
    r2n_free(specs);
    return set;
}

#define SMALL "cifar:planes=4,depths=1-2-1,width=32,scale=3,classes=5"

static res2net_status audit(r2n_tensor_set *set, const r2n_architecture *wanted)
{
    r2n_tensor_set *canonical;
    r2n_architecture architecture;
    r2n_family family;
    const res2net_status status = r2n_weights_canonicalise(
        set, wanted, R2N_FAMILY_UNKNOWN, "a.pth", &canonical, &architecture, &family, report);
    if (status == RES2NET_OK)
        r2n_tensor_set_destroy(canonical);
    else
        assert_null(canonical);
    return status;
}

static float *data_of(r2n_tensor_set *set, const char *name)
{
    const r2n_tensor *tensor = r2n_tensor_set_find(set, name);
    assert_non_null(tensor);
    return (float *)(uintptr_t)tensor->data;
}

static void both_namings_give_the_same_set(void **state)
{
    (void)state;
    static const char *const names[] = {SMALL, "vd:planes=4,depths=1-1-1-1,width=32,scale=2",
                                        "Res2Net50_14w_8s"};
    for (size_t n = 0; n < sizeof names / sizeof names[0]; n++) {
        r2n_architecture wanted = architecture_of(names[n]), found;
        r2n_family family;
        r2n_tensor_set *sets[2], *formula;
        assert_int_equal(r2n_weights_formula(&wanted, 3, &formula, report), RES2NET_OK);
        for (int i = 0; i < 2; i++) {
            const r2n_family naming = i == 0 ? R2N_FAMILY_PADDLE : R2N_FAMILY_TORCH;
            assert_int_equal(r2n_weights_canonicalise(file_of(names[n], naming), NULL,
                                                      R2N_FAMILY_UNKNOWN, "a", &sets[i], &found,
                                                      &family, report),
                             RES2NET_OK);
            assert_int_equal(family, naming);
            assert_memory_equal(&found, &wanted, sizeof wanted);
            for (size_t k = 0; k < formula->count; k++) {
                const r2n_tensor *tensor = &sets[i]->tensors[k];
                assert_string_equal(tensor->name, formula->tensors[k].name);
                assert_memory_equal(tensor->shape, formula->tensors[k].shape, sizeof tensor->shape);
                assert_memory_equal(tensor->data, formula->tensors[k].data,
                                    (size_t)tensor->count * sizeof(float));
            }
            r2n_tensor_set_destroy(sets[i]);
        }
        r2n_tensor_set_destroy(formula);
    }
}

static void the_family_may_be_told(void **state)
{
    (void)state;
    r2n_tensor_set *set, *canonical;
    r2n_architecture found;
    r2n_family family;
    for (int i = 0; i < 3; i++) {
        set = file_of(SMALL, R2N_FAMILY_PADDLE);
        if (i > 0)
            set->metadata.family = R2N_FAMILY_TORCH;
        const r2n_family said = i == 2 ? R2N_FAMILY_PADDLE : R2N_FAMILY_UNKNOWN;
        assert_int_equal(
            r2n_weights_canonicalise(set, NULL, said, "a", &canonical, &found, &family, report),
            RES2NET_OK);
        assert_int_equal(family, i == 1 ? R2N_FAMILY_TORCH : R2N_FAMILY_PADDLE);
        assert_int_equal(canonical->metadata.family, family);
        r2n_tensor_set_destroy(canonical);
    }
}

static void the_head_tells_the_classes(void **state)
{
    (void)state;
    const r2n_architecture row = architecture_of("res2net50_26w_4s");
    r2n_tensor_set *set, *canonical;
    r2n_architecture ten = row, found;
    r2n_family family;
    ten.classes = 10;
    assert_int_equal(r2n_weights_formula(&ten, 1, &set, report), RES2NET_OK);
    assert_int_equal(r2n_weights_canonicalise(set, &row, R2N_FAMILY_UNKNOWN, "a", &canonical,
                                              &found, &family, report),
                     RES2NET_OK);
    assert_int_equal(found.classes, 10);
    assert_string_equal(found.name, "Res2Net50_26w_4s");
    assert_string_equal(canonical->metadata.architecture, "Res2Net50_26w_4s");
    r2n_tensor_set_destroy(canonical);
}

static void all_mismatches_are_listed(void **state)
{
    (void)state;
    const r2n_architecture wanted = architecture_of(SMALL);
    r2n_tensor_set *set = file_of(SMALL, R2N_FAMILY_TORCH);
    for (size_t i = 0; i < set->count; i++) {
        char *name = set->tensors[i].name;
        if (strcmp(name, "layer1.0.bn1.bias") == 0)
            strcpy(name, "layer1.0.bn1.bios");
        if (strcmp(name, "layer2.1.bn3.weight") == 0) {
            set->tensors[i].rank = 2;
            set->tensors[i].shape[1] = 1;
        }
    }
    data_of(set, "layer2.0.conv1.weight")[7] = NAN;
    data_of(set, "layer2.0.conv1.weight")[9] = -INFINITY;
    data_of(set, "bn1.running_var")[1] = -0.5f;
    memset(data_of(set, "layer3.0.bn1.running_var"), 0, sizeof(float));
    const r2n_tensor *dead = r2n_tensor_set_find(set, "layer3.0.bns.0.running_var");
    memset((float *)(uintptr_t)dead->data, 0, (size_t)dead->count * sizeof(float));
    assert_int_equal(audit(set, &wanted), RES2NET_MISMATCH);
    static const char *const texts[] = {
        "missing: layer1.0.bn1.bias [6]",
        "unexpected: layer1.0.bn1.bios [6]",
        "shape: layer2.1.bn3.weight is [32, 1], expected [32]",
        "not finite: layer2.0.conv1.weight has 2 of 192",
        "variance: bn1.running_var has 1 numbers below zero, the first at 1",
        "variance: layer3.0.bns.0.running_var is all zeros",
        "not all its tensors are as they should be"};
    assert_int_equal(res2net_report_count(report), sizeof texts / sizeof texts[0]);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        int found = 0;
        for (size_t k = 0; k < res2net_report_count(report); k++)
            found |= strstr(res2net_report_problem(report, k)->text, texts[i]) != NULL;
        if (!found)
            fail_msg("not told: %s", texts[i]);
    }
    res2net_report_clear(report);
    set = file_of(SMALL, R2N_FAMILY_TORCH);
    data_of(set, "fc.bias")[4] = NAN;
    assert_int_equal(audit(set, &wanted), RES2NET_NOT_FINITE);
    expect_problem(report, RES2NET_NOT_FINITE, "the first at 4");
}

static void another_network_is_told_in_words(void **state)
{
    (void)state;
    static const struct {
        const char *file, *wanted, *problem;
    } cases[] = {
        {"vd:planes=4,depths=1-1-1-1,width=32,scale=2",
         "plain:planes=4,depths=1-1-1-1,width=32,scale=2",
         "looks like a v1b (deep-stem, avg-pool shortcut) file"},
        {"plain:planes=4,depths=1-1-1-1,width=32,scale=2",
         "vd:planes=4,depths=1-1-1-1,width=32,scale=2",
         "looks like a v1 (7x7 stem, strided shortcut) file"},
        {SMALL, "res2net50_26w_4s", "looks like a file for small pictures"},
        {SMALL, "cifar:planes=4,depths=1-1-1,width=32,scale=3", "1-2-1 blocks a stage"},
        {SMALL, "cifar:planes=4,depths=1-2-1,width=32,scale=2,classes=5", "32w_3s"},
        {SMALL, "cifar:planes=4,depths=1-2-1,width=32,scale=3,classes=7",
         "has 5 classes, but cifar:planes=4,depths=1-2-1,width=32,scale=3,classes=7 asks for 7"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (int naming = R2N_FAMILY_PADDLE; naming <= R2N_FAMILY_TORCH; naming++) {
            const r2n_architecture wanted = architecture_of(cases[i].wanted);
            assert_int_equal(audit(file_of(cases[i].file, (r2n_family)naming), &wanted),
                             RES2NET_MISMATCH);
            assert_non_null(strstr(res2net_report_problem(report, 0)->text, cases[i].problem));
            assert_true(res2net_report_count(report) > 1);
            res2net_report_clear(report);
        }
}

static void the_family_is_doubted(void **state)
{
    (void)state;
    r2n_tensor_set *canonical;
    r2n_architecture found;
    r2n_family family;
    for (int i = 0; i < 2; i++) {
        r2n_tensor_set *set = file_of(SMALL, R2N_FAMILY_TORCH);
        set->metadata.family = i == 0 ? R2N_FAMILY_UNKNOWN : R2N_FAMILY_PADDLE;
        assert_int_equal(r2n_weights_canonicalise(set, NULL, R2N_FAMILY_PADDLE, "a", &canonical,
                                                  &found, &family, report),
                         RES2NET_OK);
        r2n_tensor_set_destroy(canonical);
        if (i == 0)
            expect_problem(report, RES2NET_OK, "torch names, yet the paddle family's rules");
        assert_int_equal(res2net_report_count(report), 0);
    }
}

/* Also in a file's own pages, which cannot be written. */
static void subnormal_numbers_become_zero(void **state)
{
    (void)state;
    for (int naming = R2N_FAMILY_PADDLE; naming <= R2N_FAMILY_TORCH; naming++) {
        r2n_tensor_set *canonical, *set = file_of(SMALL, (r2n_family)naming);
        r2n_architecture found;
        r2n_family family;
        float *head = data_of(set, naming == R2N_FAMILY_PADDLE ? "out.weight" : "fc.weight");
        const float kept = head[1];
        head[0] = 1e-39f;
        head[2] = -1e-45f;
        head[3] = 0x1p-126f;
        assert_int_equal(r2n_weights_canonicalise(set, NULL, R2N_FAMILY_UNKNOWN, "a", &canonical,
                                                  &found, &family, report),
                         RES2NET_OK);
        const r2n_tensor *tensor = r2n_tensor_set_find(canonical, "fc.weight");
        const int64_t step = naming == R2N_FAMILY_PADDLE ? tensor->shape[1] : 1;
        assert_true(tensor->data[0] == 0);
        assert_true(tensor->data[step] == kept);
        assert_true(tensor->data[2 * step] == 0);
        assert_true(tensor->data[3 * step] == 0x1p-126f);
        assert_int_equal(res2net_report_count(report), 1);
        expect_problem(report, RES2NET_OK, "weight has 2 of 320 numbers too close to zero");
        r2n_tensor_set_destroy(canonical);
    }
}

static void what_is_no_res2net_says_why(void **state)
{
    (void)state;
    const int64_t shape[4] = {2, 2, 1, 1};
    r2n_tensor_set *set = r2n_tensor_set_create();
    assert_non_null(r2n_tensor_set_add(set, "features.0.weight", 4, shape));
    assert_int_equal(audit(set, NULL), RES2NET_MISMATCH);
    expect_problem(report, RES2NET_MISMATCH, "features.0.weight");
    set = file_of(SMALL, R2N_FAMILY_TORCH);
    set->count -= 2; /* without its classifier */
    r2n_free(set->tensors[set->count].name);
    r2n_free(set->tensors[set->count + 1].name);
    const r2n_architecture wanted = architecture_of(SMALL);
    assert_int_equal(audit(set, &wanted), RES2NET_MISMATCH);
    expect_problem(report, RES2NET_MISMATCH, "missing: fc.weight");
    set = file_of(SMALL, R2N_FAMILY_TORCH);
    set->metadata.architecture = r2n_copy_string("Res2Net1000");
    assert_int_equal(audit(set, NULL), RES2NET_MISMATCH);
    expect_problem(report, RES2NET_MISMATCH, "\"Res2Net1000\", which is not known");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_namings_give_the_same_set),
        cmocka_unit_test(the_family_may_be_told),
        cmocka_unit_test(the_head_tells_the_classes),
        cmocka_unit_test(all_mismatches_are_listed),
        cmocka_unit_test(another_network_is_told_in_words),
        cmocka_unit_test(the_family_is_doubted),
        cmocka_unit_test(subnormal_numbers_become_zero),
        cmocka_unit_test(what_is_no_res2net_says_why),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
