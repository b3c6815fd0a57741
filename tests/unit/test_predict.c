/* SPDX-License-Identifier: Apache-2.0 */
/* The public API: failures, refusals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "res2net/res2net.h"

#define SMALL "cifar:planes=16,depths=1-1-1,width=26,scale=4,classes=10"
enum { CLASSES = 10 };

/* ---- every allocation fails once ---- */

static res2net_status whole_way(const char *path, float *logits)
{
    static float input[3 * 24 * 24];
    res2net_model *model = NULL;
    res2net_model *loaded = NULL;
    res2net_session *session = NULL;
    res2net_summary summary = {0};
    res2net_status status = res2net_model_create(SMALL, RES2NET_FAMILY_TORCH, 1, &model, NULL);
    if (status == RES2NET_OK)
        status = res2net_model_save(model, path, NULL, NULL);
    if (status == RES2NET_OK)
        status = res2net_model_load(path, NULL, &loaded, NULL);
    if (status == RES2NET_OK)
        status = res2net_session_create(loaded, NULL, &session, NULL);
    if (status == RES2NET_OK)
        status = res2net_session_run(session, input, 1, 24, 24, logits, NULL);
    if (status == RES2NET_OK)
        status = res2net_summary_of_model(loaded, 24, 24, &summary, NULL);
    res2net_summary_free(&summary);
    res2net_session_destroy(session);
    res2net_model_destroy(loaded);
    res2net_model_destroy(model);
    return status;
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    static const char *const extensions[] = {"r2n", "pdparams", "safetensors"};
    char folder[] = "/tmp/r2n_predict_XXXXXX";
    char path[64];
    float logits[CLASSES];
    assert_non_null(mkdtemp(folder));
    for (size_t e = 0; e < sizeof extensions / sizeof *extensions; e++) {
        snprintf(path, sizeof path, "%s/net.%s", folder, extensions[e]);
        if (e == 1) /* .pdparams holds the Paddle family only */
            continue;
        const int64_t before = r2n_memory_allocations();
        assert_int_equal(whole_way(path, logits), RES2NET_OK);
        const int64_t needed = r2n_memory_allocations() - before;
        assert_true(needed > 20);
        for (int64_t i = 0; i < needed; i++) {
            r2n_memory_fail_after(i);
            const res2net_status status = whole_way(path, logits);
            r2n_memory_fail_after(-1);
            if (status != RES2NET_OUT_OF_MEMORY && status != RES2NET_OK)
                fail_msg("allocation %d of %d: %s", (int)i, (int)needed,
                         res2net_status_name(status));
        }
        assert_int_equal(whole_way(path, logits), RES2NET_OK);
        unlink(path);
    }
    rmdir(folder);
}

/* ---- refusals
 * ------------------------------------------------------------------------------------ */

static void bad_arguments_are_refused(void **state)
{
    (void)state;
    res2net_model *model;
    res2net_session *session;
    float logits[CLASSES];
    static float input[3 * 32 * 32];
    res2net_report *report = res2net_report_create();
    assert_int_equal(
        res2net_model_create("Res2Net50_26w_5s", RES2NET_FAMILY_PADDLE, 1, &model, report),
        RES2NET_NOT_FOUND);
    assert_non_null(strstr(res2net_report_problem(report, 0)->text, "Res2Net50_26w_4s"));
    assert_null(model);
    assert_int_equal(res2net_model_load("/nonexistent.r2n", NULL, &model, report),
                     RES2NET_NOT_FOUND);
    assert_int_equal(res2net_model_create(SMALL, RES2NET_FAMILY_PADDLE, 1, &model, report),
                     RES2NET_OK);
    const res2net_session_options bad[] = {{.threads = -1},
                                           {.threads = 1000},
                                           {.isa = "mmx"},
                                           {.precision = "f8"},
                                           {.precision = "bf16", .isa = "avx2"},
                                           {.precision = "bf16x3", .isa = "avx512"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_not_equal(res2net_session_create(model, &bad[i], &session, report), RES2NET_OK);
        assert_null(session);
    }
    /* The environment's ISA is held to the same rules as the option's. */
    const char *before = getenv("RES2NET_ISA");
    char *kept = before != NULL ? strdup(before) : NULL;
    setenv("RES2NET_ISA", "mmx", 1);
    assert_int_equal(res2net_session_create(model, NULL, &session, report),
                     RES2NET_INVALID_ARGUMENT);
#if defined(__x86_64__)
    const res2net_session_options foreign = {.isa = "neon"}, highest = {.isa = "amx"};
    assert_int_equal(res2net_session_create(model, &foreign, &session, report),
                     RES2NET_UNAVAILABLE);
    assert_int_equal(res2net_session_create(model, &highest, &session, report), RES2NET_OK);
    res2net_session_destroy(session);
    setenv("RES2NET_ISA", "neon", 1);
    assert_int_equal(res2net_session_create(model, NULL, &session, report), RES2NET_UNAVAILABLE);
    setenv("RES2NET_ISA", "amx", 1);
    assert_int_equal(res2net_session_create(model, NULL, &session, report), RES2NET_OK);
    res2net_session_destroy(session);
#endif
    unsetenv("RES2NET_ISA");
    if (kept != NULL)
        setenv("RES2NET_ISA", kept, 1);
    free(kept);
    assert_int_equal(res2net_session_create(model, NULL, &session, report), RES2NET_OK);
    assert_int_not_equal(res2net_session_run(session, input, 1, 2, 32, logits, report), RES2NET_OK);
    assert_int_not_equal(res2net_session_run(session, input, 0, 32, 32, logits, report),
                         RES2NET_OK);
    input[5] = NAN;
    assert_int_equal(res2net_session_run(session, input, 1, 32, 32, logits, report),
                     RES2NET_NOT_FINITE);
    input[5] = 0;
    assert_int_equal(res2net_session_run(session, input, 1, 32, 32, logits, report), RES2NET_OK);
    res2net_tensor tensor;
    assert_int_equal(res2net_session_prepare(session, "x", 1, "x", &tensor, report),
                     RES2NET_BAD_PICTURE);
    assert_int_equal(res2net_model_save(model, "/tmp/x.onnx", NULL, report),
                     RES2NET_INVALID_ARGUMENT);
    res2net_session_destroy(session);
    res2net_model_destroy(model);
    res2net_report_destroy(report);
}

/* Over 4096 classes there is no confusion matrix; the counts are there all the same. */
static void many_classes_have_no_matrix(void **state)
{
    (void)state;
    char path[] = "/tmp/r2n_cifar_XXXXXX";
    static const uint8_t records[2 * 3074];
    res2net_model *model;
    res2net_session *session;
    res2net_evaluation found;
    const res2net_session_options options = {
        .preset = RES2NET_PRESET_TORCH, .resize_short = 32, .crop = 32};
    const int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    assert_int_equal(write(descriptor, records, sizeof records), sizeof records);
    close(descriptor);
    assert_int_equal(
        res2net_model_create("cifar:planes=16,depths=1-1-1,width=26,scale=4,classes=4097",
                             RES2NET_FAMILY_TORCH, 1, &model, NULL),
        RES2NET_OK);
    assert_int_equal(res2net_session_create(model, &options, &session, NULL), RES2NET_OK);
    assert_int_equal(res2net_evaluate(session, path, NULL, &found, NULL), RES2NET_OK);
    assert_int_equal(found.images, 2);
    assert_null(found.confusion);
    res2net_evaluation_free(&found);
    res2net_session_destroy(session);
    res2net_model_destroy(model);
    unlink(path);
}

/* A flipped bit in the data is found when asked for, from a file and from memory alike. */
static void damaged_data_is_found_everywhere(void **state)
{
    (void)state;
    char path[] = "/tmp/r2n_damaged_XXXXXX.r2n";
    static uint8_t bytes[4 << 20];
    const res2net_load_options verify = {.verify = 1};
    res2net_model *model;
    const int descriptor = mkstemps(path, 4);
    assert_true(descriptor >= 0);
    close(descriptor);
    assert_int_equal(res2net_model_create(SMALL, RES2NET_FAMILY_TORCH, 1, &model, NULL),
                     RES2NET_OK);
    assert_int_equal(res2net_model_save(model, path, NULL, NULL), RES2NET_OK);
    res2net_model_destroy(model);
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    const size_t size = fread(bytes, 1, sizeof bytes, file);
    assert_true(size > 1000 && size < sizeof bytes);
    assert_int_equal(res2net_model_load_memory(bytes, size, "whole", &verify, &model, NULL),
                     RES2NET_OK);
    res2net_model_destroy(model);
    bytes[size - 70] ^= 1;
    rewind(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
    assert_int_equal(res2net_model_load(path, &verify, &model, NULL), RES2NET_DAMAGED);
    assert_int_equal(res2net_model_load_memory(bytes, size, "cut", &verify, &model, NULL),
                     RES2NET_DAMAGED);
    assert_null(model);
    unlink(path);
}

#if defined(R2N_HAVE_EMBEDDED_MODEL) && defined(R2N_HAVE_PNG)
/* The whole way in one call, from memory, equals its parts. */
static void classify_equals_its_parts(void **state)
{
    (void)state;
    static uint8_t bytes[1 << 20];
    res2net_model *model;
    res2net_session *session;
    res2net_tensor picture;
    res2net_score scores[3], parts[3];
    float logits[100];
    int32_t count;
    FILE *file = fopen(R2N_SOURCE_DIR "/models/sample.png", "rb");
    assert_non_null(file);
    const size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    assert_int_equal(res2net_model_load_default(NULL, &model, NULL), RES2NET_OK);
    assert_int_equal(res2net_session_create(model, NULL, &session, NULL), RES2NET_OK);
    assert_int_equal(res2net_session_memory_bytes(session), 0);
    assert_int_equal(
        res2net_session_classify(session, bytes, size, "sample", 3, scores, &count, NULL),
        RES2NET_OK);
    assert_int_equal(count, 3);
    assert_string_equal(res2net_model_label(model, scores[0].class_id), "sunflower");
    assert_true(res2net_session_memory_bytes(session) > 32 * 32 * 3 * 4);
    assert_int_equal(res2net_session_prepare(session, bytes, size, "sample", &picture, NULL),
                     RES2NET_OK);
    assert_int_equal(
        res2net_session_run(session, picture.data, 1, picture.height, picture.width, logits, NULL),
        RES2NET_OK);
    assert_int_equal(res2net_top_scores(logits, 100, 3, parts), 3);
    assert_memory_equal(scores, parts, sizeof parts);
    res2net_tensor_free(&picture);
    assert_int_equal(res2net_session_classify(session, bytes, 100, "cut", 3, scores, &count, NULL),
                     RES2NET_BAD_PICTURE);
    assert_int_equal(count, 0);
    res2net_session_destroy(session);
    res2net_model_destroy(model);
}
#endif

static void near_names_are_found(void **state)
{
    (void)state;
    assert_string_equal(res2net_catalogue_nearest("Res2Net50_26w_5s"), "Res2Net50_26w_4s");
    assert_null(res2net_catalogue_nearest("a name that is near to nothing at all"));
}

static void families_do_not_mix_silently(void **state)
{
    (void)state;
    static const res2net_save_options keep = {.keep_family = 1};
    char path[] = "/tmp/r2n_family_XXXXXX.pdparams";
    res2net_model *model;
    res2net_model *loaded;
    res2net_model_info info;
    const int descriptor = mkstemps(path, 9);
    assert_true(descriptor >= 0);
    close(descriptor);
    assert_int_equal(res2net_model_create(SMALL, RES2NET_FAMILY_TORCH, 1, &model, NULL),
                     RES2NET_OK);
    assert_int_equal(res2net_model_save(model, path, NULL, NULL), RES2NET_MISMATCH);
    assert_int_equal(res2net_model_save(model, path, &keep, NULL), RES2NET_OK);
    assert_int_equal(res2net_model_load(path, NULL, &loaded, NULL), RES2NET_OK);
    res2net_model_describe(loaded, &info);
    assert_int_equal(info.family, RES2NET_FAMILY_TORCH);
    assert_int_equal(info.classes, CLASSES);
    res2net_model_destroy(loaded);
    res2net_model_destroy(model);
    unlink(path);
}

static void top_scores_are_ordered(void **state)
{
    (void)state;
    const float logits[6] = {1, 3, 3, -2, 5, 3};
    res2net_score scores[6];
    static const int order[6] = {4, 1, 2, 5, 0, 3};
    double sum = 0;
    assert_int_equal(res2net_top_scores(logits, 6, 99, scores), 6);
    for (int i = 0; i < 6; i++) {
        assert_int_equal(scores[i].class_id, order[i]);
        sum += (double)scores[i].score;
    }
    assert_true(fabs(sum - 1) < 1e-6);
    assert_int_equal(res2net_top_scores(logits, 6, 2, scores), 2);
    assert_int_equal(scores[1].class_id, 1);
    assert_int_equal(res2net_top_scores(logits, 6, 0, scores), 0);
}

static void self_test_passes(void **state)
{
    (void)state;
    assert_int_equal(res2net_self_test(NULL), RES2NET_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(bad_arguments_are_refused),
        cmocka_unit_test(families_do_not_mix_silently),
#if defined(R2N_HAVE_EMBEDDED_MODEL) && defined(R2N_HAVE_PNG)
        cmocka_unit_test(classify_equals_its_parts),
#endif
        cmocka_unit_test(near_names_are_found),
        cmocka_unit_test(damaged_data_is_found_everywhere),
        cmocka_unit_test(many_classes_have_no_matrix),
        cmocka_unit_test(top_scores_are_ordered),
        cmocka_unit_test(self_test_passes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
