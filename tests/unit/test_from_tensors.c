/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "model/catalogue.h"

/* A file's tensors, to be spoilt. */
typedef struct file_tensors {
    r2n_tensor_spec *specs; /* own the names */
    r2n_tensor_shape *shapes;
    size_t count;
} file_tensors;

static file_tensors tensors_of(const char *architecture, r2n_family family)
{
    r2n_architecture a;
    file_tensors file;
    assert_int_equal(r2n_architecture_find(architecture, &a, NULL), RES2NET_OK);
    file.specs = r2n_architecture_tensors(&a, &file.count);
    file.shapes = r2n_allocate(file.count, sizeof(*file.shapes));
    for (size_t i = 0; i < file.count; i++) {
        const r2n_tensor_spec *spec = &file.specs[i];
        file.shapes[i] =
            (r2n_tensor_shape){.name = family == R2N_FAMILY_TORCH ? spec->name : spec->paddle_name,
                               .rank = spec->rank};
        memcpy(file.shapes[i].shape, spec->shape, sizeof spec->shape);
        if (family == R2N_FAMILY_PADDLE && spec->rank == 2) { /* stored [features][classes] */
            file.shapes[i].shape[0] = spec->shape[1];
            file.shapes[i].shape[1] = spec->shape[0];
        }
    }
    return file;
}

static void release(file_tensors *file)
{
    r2n_free(file->specs);
    r2n_free(file->shapes);
}

static r2n_tensor_shape *shape_called(file_tensors *file, const char *name)
{
    for (size_t i = 0; i < file->count; i++)
        if (strcmp(file->shapes[i].name, name) == 0)
            return &file->shapes[i];
    fail_msg("no tensor %s", name);
    return NULL;
}

/* Every tensor whose name has `part` gets a name that nobody knows. */
static void hide(file_tensors *file, const char *part)
{
    size_t hidden = 0;
    for (size_t i = 0; i < file->count; i++)
        if (strstr(file->shapes[i].name, part) != NULL) {
            file->shapes[i].name = "hidden";
            hidden++;
        }
    assert_true(hidden > 0);
}

static void expect_mismatch(file_tensors *file, const char *part)
{
    r2n_architecture a = {.name = "untouched"};
    res2net_report *report = res2net_report_create();
    assert_int_equal(
        r2n_architecture_from_tensors(file->shapes, file->count, "net.pth", &a, report),
        RES2NET_MISMATCH);
    assert_string_equal(a.name, "untouched");
    assert_true(res2net_report_count(report) > 0);
    const res2net_problem *problem = res2net_report_problem(report, 0);
    assert_string_equal(problem->file, "net.pth");
    if (strstr(problem->text, part) == NULL)
        fail_msg("\"%s\" has no \"%s\"", problem->text, part);
    res2net_report_destroy(report);
    release(file);
}

static void expect_round_trip(const char *name, r2n_family family)
{
    r2n_architecture wanted, found;
    file_tensors file = tensors_of(name, family);
    assert_int_equal(r2n_architecture_find(name, &wanted, NULL), RES2NET_OK);
    assert_int_equal(r2n_family_from_names(file.shapes, file.count), family);
    assert_int_equal(r2n_architecture_from_tensors(file.shapes, file.count, "f", &found, NULL),
                     RES2NET_OK);
    assert_string_equal(found.name, wanted.name);
    assert_memory_equal(&found.stem, &wanted.stem,
                        sizeof wanted - offsetof(r2n_architecture, stem));
    release(&file);
}

static void every_row_comes_back_from_its_tensors(void **state)
{
    (void)state;
    for (size_t i = 0; i < r2n_catalogue_count(); i++) {
        expect_round_trip(r2n_catalogue_get(i)->architecture.name, R2N_FAMILY_TORCH);
        expect_round_trip(r2n_catalogue_get(i)->architecture.name, R2N_FAMILY_PADDLE);
    }
}

static void free_networks_come_back_from_their_tensors(void **state)
{
    (void)state;
    static const char *const names[] = {
        "cifar:planes=16,depths=1-2-3-4,width=37,scale=3,stem=8,classes=10",
        "cifar:planes=64,depths=9,width=64,scale=1",
        "cifar:planes=48,depths=3-3-3,width=26,scale=16",
        "plain:planes=64,depths=3-4-6-3,width=128,scale=1", /* a wide ResNet */
        "vd:planes=32,depths=1-1,width=20,scale=2,stem=32,classes=65536"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        expect_round_trip(names[i], R2N_FAMILY_TORCH);
        expect_round_trip(names[i], R2N_FAMILY_PADDLE);
    }
}

static void the_head_tells_the_classes(void **state)
{
    (void)state;
    for (int family = R2N_FAMILY_PADDLE; family <= R2N_FAMILY_TORCH; family++) {
        r2n_architecture a;
        file_tensors file = tensors_of("Res2Net50_26w_4s", (r2n_family)family);
        r2n_tensor_shape *head =
            shape_called(&file, family == R2N_FAMILY_TORCH ? "fc.weight" : "out.weight");
        head->shape[family == R2N_FAMILY_TORCH ? 0 : 1] = 37;
        assert_int_equal(r2n_architecture_from_tensors(file.shapes, file.count, "f", &a, NULL),
                         RES2NET_OK);
        assert_string_equal(a.name, "Res2Net50_26w_4s");
        assert_int_equal(a.classes, 37);
        release(&file);
    }
}

static void the_bootstrap_widths_give_base_width_26(void **state)
{
    (void)state;
    file_tensors file = tensors_of("res2net20_26w_4s_cifar", R2N_FAMILY_TORCH);
    r2n_architecture a;
    assert_int_equal(shape_called(&file, "layer1.0.convs.0.weight")->shape[0], 13);
    assert_int_equal(r2n_architecture_from_tensors(file.shapes, file.count, "f", &a, NULL),
                     RES2NET_OK);
    assert_int_equal(a.base_width, 26);
    shape_called(&file, "layer3.0.convs.0.weight")->shape[0] = 53;
    shape_called(&file, "layer3.0.convs.0.weight")->shape[1] = 53;
    shape_called(&file, "layer3.0.conv1.weight")->shape[0] = 212;
    shape_called(&file, "layer3.0.conv3.weight")->shape[1] = 212;
    expect_mismatch(&file, "no base width");
}

static void other_networks_are_refused_by_name(void **state)
{
    (void)state;
    file_tensors file = tensors_of("resnet50", R2N_FAMILY_TORCH);
    shape_called(&file, "layer1.0.conv2.weight")->shape[1] = 4;
    expect_mismatch(&file, "layer1.0.conv2.weight has 3x3 groups");
    file = tensors_of("resnet50", R2N_FAMILY_TORCH);
    hide(&file, "conv3.weight");
    expect_mismatch(&file, "basic blocks");
    file = tensors_of("resnet50", R2N_FAMILY_TORCH);
    shape_called(&file, "layer1.0.bn3.weight")->name = "layer1.0.se.fc1.weight";
    expect_mismatch(&file, "squeeze-and-excitation");
    file = tensors_of("res2net50d", R2N_FAMILY_TORCH);
    hide(&file, "downsample.1.weight");
    expect_mismatch(&file, "shortcut");
    file = tensors_of("res2net50d", R2N_FAMILY_TORCH);
    shape_called(&file, "layer2.0.downsample.1.weight")->name = "layer2.0.downsample.0.weight";
    expect_mismatch(&file, "3 of 4 shortcuts");
    file = tensors_of("Res2Net50_26w_4s", R2N_FAMILY_TORCH);
    shape_called(&file, "conv1.weight")->shape[1] = 1;
    expect_mismatch(&file, "expected m x 3 x k x k");
    file = tensors_of("Res2Net50_26w_4s", R2N_FAMILY_TORCH);
    shape_called(&file, "conv1.weight")->shape[2] = 5;
    shape_called(&file, "conv1.weight")->shape[3] = 5;
    expect_mismatch(&file, "a stem's is 7 or 3");
}

static void incomplete_files_are_refused_by_name(void **state)
{
    (void)state;
    file_tensors file = tensors_of("Res2Net50_26w_4s", R2N_FAMILY_PADDLE);
    hide(&file, "out.weight");
    expect_mismatch(&file, "no tensor out.weight");
    file = tensors_of("Res2Net50_26w_4s", R2N_FAMILY_TORCH);
    hide(&file, "conv1.weight"); /* of the stem, too */
    expect_mismatch(&file, "no tensor conv1.weight: not a Res2Net");
    file = tensors_of("Res2Net50_26w_4s", R2N_FAMILY_TORCH);
    hide(&file, "layer3.");
    expect_mismatch(&file, "no tensor layer3.0.conv1.weight");
    file = tensors_of("Res2Net50_vd_26w_4s", R2N_FAMILY_PADDLE);
    hide(&file, "conv1_3._conv");
    expect_mismatch(&file, "no tensor conv1_3._conv.weight");
    file = tensors_of("Res2Net50_26w_4s", R2N_FAMILY_PADDLE);
    hide(&file, "bb_3_0.res5a_branch2b_1._conv");
    expect_mismatch(&file, "no tensor bb_3_0.res..._branch2b_1._conv.weight");
    file =
        tensors_of("Res2Net50_26w_4s", R2N_FAMILY_PADDLE); /* only norms are left of the blocks */
    for (size_t i = 5; i < file.count; i++)
        if (file.shapes[i].rank == 4)
            file.shapes[i].name = "hidden";
    expect_mismatch(&file, "no tensor bb_0_0.conv0._conv.weight");
}

static void shapes_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    file_tensors file = tensors_of("Res2Net50_26w_4s", R2N_FAMILY_TORCH);
    shape_called(&file, "layer2.0.conv1.weight")->shape[0] = 209;
    expect_mismatch(&file, "4 groups of 52 need 208");
    file = tensors_of("Res2Net50_26w_4s", R2N_FAMILY_TORCH);
    shape_called(&file, "layer2.0.conv3.weight")->shape[0] = 500;
    expect_mismatch(&file, "stage 2 needs 512");
    file = tensors_of("Res2Net50_26w_4s", R2N_FAMILY_TORCH);
    shape_called(&file, "fc.weight")->shape[1] = 512;
    expect_mismatch(&file, "512 features; expected 2 and 2048");
    file = tensors_of("Res2Net50_26w_4s", R2N_FAMILY_TORCH);
    shape_called(&file, "fc.weight")->shape[0] = INT64_MAX;
    expect_mismatch(&file, "classes; 1 to");
    file = tensors_of("Res2Net50_26w_4s", R2N_FAMILY_TORCH);
    shape_called(&file, "layer1.0.convs.0.weight")->rank = 2;
    expect_mismatch(&file, "a convolution has 4");
    file = tensors_of("Res2Net50_26w_4s", R2N_FAMILY_TORCH);
    shape_called(&file, "layer1.0.conv3.weight")->shape[0] = INT64_MAX;
    expect_mismatch(&file, "at most 32768 channels");
    file = tensors_of("Res2Net50_26w_4s", R2N_FAMILY_TORCH);
    shape_called(&file, "layer1.0.conv3.weight")->shape[0] = 8192;
    shape_called(&file, "layer1.0.downsample.0.weight")->shape[0] = 8192;
    expect_mismatch(&file, "layer2.0.conv1.weight is");
}

static void numbers_in_names_are_bounded(void **state)
{
    (void)state;
    static const char *const names[] = {"layer9.0.conv1.weight", "layer0.0.conv1.weight",
                                        "layer1.99.conv1.weight", "layer1.0.convs.15.weight"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        file_tensors file = tensors_of("Res2Net50_26w_4s", R2N_FAMILY_TORCH);
        shape_called(&file, "layer1.0.convs.2.weight")->name = names[i];
        expect_mismatch(&file, names[i]);
    }
}

static void foreign_and_mixed_names_have_no_family(void **state)
{
    (void)state;
    r2n_tensor_shape foreign[2] = {{.name = "features.0.weight", .rank = 1, .shape = {1}},
                                   {.name = "layer1.weight", .rank = 1, .shape = {1}}};
    r2n_architecture a;
    res2net_report *report = res2net_report_create();
    assert_int_equal(r2n_family_from_names(foreign, 2), R2N_FAMILY_UNKNOWN);
    assert_int_equal(r2n_architecture_from_tensors(foreign, 2, "f", &a, report), RES2NET_MISMATCH);
    assert_non_null(strstr(res2net_report_problem(report, 0)->text, "features.0.weight"));
    assert_int_equal(r2n_architecture_from_tensors(NULL, 0, "f", &a, report), RES2NET_MISMATCH);
    assert_non_null(strstr(res2net_report_problem(report, 1)->text, "no tensor"));
    foreign[0].name = "layer1.0.conv1.weight";
    foreign[1].name = "bb_0_0.conv0._conv.weight";
    assert_int_equal(r2n_family_from_names(foreign, 2), R2N_FAMILY_UNKNOWN);
    assert_int_equal(r2n_architecture_from_tensors(foreign, 2, "f", &a, report), RES2NET_MISMATCH);
    assert_non_null(strstr(res2net_report_problem(report, 2)->text, "one of the two"));
    res2net_report_destroy(report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_comes_back_from_its_tensors),
        cmocka_unit_test(free_networks_come_back_from_their_tensors),
        cmocka_unit_test(the_head_tells_the_classes),
        cmocka_unit_test(the_bootstrap_widths_give_base_width_26),
        cmocka_unit_test(other_networks_are_refused_by_name),
        cmocka_unit_test(incomplete_files_are_refused_by_name),
        cmocka_unit_test(shapes_that_do_not_fit_are_refused),
        cmocka_unit_test(numbers_in_names_are_bounded),
        cmocka_unit_test(foreign_and_mixed_names_have_no_family),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
