/* SPDX-License-Identifier: Apache-2.0 */
/* Calibration: the same list gives the same file, whatever runs it; the calibrated model gives the
 * same bytes on every ISA; a model without a calibration, or with a bad one, is refused. */
#include "unit/quantize_fixture.h"

#include <math.h>

#include "formats/crc32.h"
#include "kernels/cpu_features.h"
#include "predict/model.h"

static char folder[64], pictures[128], out[128];

static int set_up(void **state)
{
    (void)state;
    small_folder_make(folder);
    snprintf(pictures, sizeof pictures, "%s/pictures.bin", folder);
    snprintf(out, sizeof out, "%s/out.r2n", folder);
    fixture_pictures(pictures);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    small_folder_remove(folder);
    return 0;
}

static void calibrate(res2net_model *model, int threads, int32_t batch, const char *isa,
                      res2net_quantization *found)
{
    res2net_session_options session = small_session_options();
    const res2net_quantize_options options = {.batch = batch};
    session.threads = threads;
    session.isa = isa;
    assert_int_equal(res2net_quantize(model, &session, pictures, &options, found, NULL),
                     RES2NET_OK);
}

static r2n_file_bytes saved(const res2net_model *model)
{
    const res2net_save_options options = {.packed = "f32,int8"};
    assert_int_equal(res2net_model_save(model, out, &options, NULL), RES2NET_OK);
    return expect_file(out);
}

static int has_isa(r2n_isa isa)
{
    if (r2n_isa_missing(isa) == NULL)
        return 1;
    print_message("SKIPPED: this CPU lacks %s\n", r2n_isa_name(isa));
    return 0;
}

/* ---- the same list, the same bytes ---- */

static void threads_batch_and_isa_change_no_byte(void **state)
{
    static const struct {
        int threads, batch;
        r2n_isa isa;
    } rows[] = {{1, 1, R2N_ISA_AVX2},
                {2, 3, R2N_ISA_AVX2},
                {2, 16, R2N_ISA_AVX512},
                {1, 2, R2N_ISA_AVX512}};
    (void)state;
    if (!has_isa(R2N_ISA_AVX2))
        return;
    for (int family = RES2NET_FAMILY_PADDLE; family <= RES2NET_FAMILY_TORCH; family++) {
        r2n_file_bytes first = {0};
        res2net_quantization kept = {0};
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            res2net_quantization found;
            if (!has_isa(rows[i].isa))
                continue;
            res2net_model *model = small_model((res2net_family)family);
            calibrate(model, rows[i].threads, rows[i].batch, r2n_isa_name(rows[i].isa), &found);
            r2n_file_bytes file = saved(model);
            if (i == 0) {
                first = file;
                kept = found;
            } else {
                assert_int_equal(file.size, first.size);
                assert_memory_equal(file.data, first.data, file.size);
                assert_int_equal(found.step_count, kept.step_count);
                for (size_t step = 0; step < kept.step_count; step++)
                    assert_true(
                        found.steps[step].signal_to_noise >= kept.steps[step].signal_to_noise &&
                        found.steps[step].signal_to_noise <= kept.steps[step].signal_to_noise);
                r2n_file_release(&file);
                res2net_quantization_free(&found);
            }
            res2net_model_destroy(model);
        }
        r2n_file_release(&first);
        res2net_quantization_free(&kept);
    }
}

/* reference/ rounds f32 otherwise: nearly the same scales. */
static void reference_is_near(void **state)
{
    float *scales[2];
    res2net_model *models[2];
    (void)state;
    for (int i = 0; i < 2; i++) {
        res2net_quantization found;
        models[i] = small_model(RES2NET_FAMILY_TORCH);
        calibrate(models[i], 1, 4, i == 0 ? "reference" : NULL, &found);
        res2net_quantization_free(&found);
        scales[i] = models[i]->weights->metadata.activation_scales;
        assert_int_equal(models[i]->weights->metadata.activation_scale_count,
                         models[i]->graph->count);
    }
    for (int32_t i = 0; i < models[0]->graph->count; i++)
        assert_true(fabsf(scales[0][i] - scales[1][i]) <= 0.02f * scales[0][i]);
    res2net_model_destroy(models[0]);
    res2net_model_destroy(models[1]);
}

/* ---- what a calibrated model answers ---- */

enum { SIDE = 24, BATCH = 3, INPUT = 3 * SIDE * SIDE };

static void run_int8(const res2net_model *model, r2n_isa isa, int threads, int32_t batch,
                     const float *input, float *logits)
{
    const res2net_session_options options = {
        .threads = threads, .precision = "int8", .isa = r2n_isa_name(isa)};
    res2net_session *session;
    assert_int_equal(res2net_session_create(model, &options, &session, NULL), RES2NET_OK);
    for (int32_t i = 0; i < BATCH; i += batch)
        assert_int_equal(res2net_session_run(session, input + i * INPUT, batch, SIDE, SIDE,
                                             logits + i * SMALL_CLASSES, NULL),
                         RES2NET_OK);
    res2net_session_destroy(session);
}

static void every_isa_gives_the_same_scores(void **state)
{
    static float input[BATCH * INPUT], expected[BATCH * SMALL_CLASSES],
        logits[BATCH * SMALL_CLASSES];
    (void)state;
    small_noise(input, BATCH * INPUT);
    for (int family = RES2NET_FAMILY_PADDLE; family <= RES2NET_FAMILY_TORCH; family++) {
        res2net_quantization found;
        res2net_model *model = small_model((res2net_family)family);
        calibrate(model, 2, 4, NULL, &found);
        res2net_quantization_free(&found);
        run_int8(model, R2N_ISA_REFERENCE, 1, BATCH, input, expected);
        for (int isa = R2N_ISA_REFERENCE; isa <= R2N_ISA_AMX; isa++)
            for (int threads = 1; has_isa((r2n_isa)isa) && threads <= 2; threads++)
                for (int32_t batch = 1; batch <= BATCH; batch += BATCH - 1) {
                    run_int8(model, (r2n_isa)isa, threads, batch, input, logits);
                    assert_memory_equal(logits, expected, sizeof logits);
                }
        res2net_model_destroy(model);
    }
}

static void the_report_tells_what_int8_costs(void **state)
{
    res2net_quantization found;
    res2net_comparison compared;
    res2net_session *sessions[2];
    res2net_session_options options = small_session_options();
    (void)state;
    res2net_model *model = small_model(RES2NET_FAMILY_TORCH);
    calibrate(model, 2, 4, NULL, &found);
    assert_int_equal(found.pictures.images, FIXTURE_PICTURES);
    assert_int_equal(found.pictures.labelled, FIXTURE_PICTURES);
    assert_true(found.step_count > 10 && found.pictures.signal_to_noise > 15);
    for (size_t i = 0; i < found.step_count; i++)
        assert_true(found.steps[i].signal_to_noise > 10 &&
                    isfinite(found.steps[i].signal_to_noise));
    assert_string_equal(found.steps[found.step_count - 1].name, "fc");
    /* Whole runs count the same. */
    options.precision = "f32";
    assert_int_equal(res2net_session_create(model, &options, &sessions[0], NULL), RES2NET_OK);
    options.precision = "int8";
    assert_int_equal(res2net_session_create(model, &options, &sessions[1], NULL), RES2NET_OK);
    assert_int_equal(res2net_compare(sessions[0], sessions[1], pictures, NULL, &compared, NULL),
                     RES2NET_OK);
    assert_memory_equal(&compared, &found.pictures, sizeof compared);
    /* So does an evaluation. */
    for (int i = 0; i < 2; i++) {
        res2net_evaluation evaluation;
        assert_int_equal(res2net_evaluate(sessions[i], pictures, NULL, &evaluation, NULL),
                         RES2NET_OK);
        assert_int_equal(evaluation.top1_correct, compared.top1_correct[i]);
        assert_int_equal(evaluation.top5_correct, compared.top5_correct[i]);
        assert_true(fabs(evaluation.loss - compared.loss[i]) < 1e-9);
        res2net_evaluation_free(&evaluation);
    }
    /* A session beside itself loses nothing. */
    assert_int_equal(res2net_compare(sessions[0], sessions[0], pictures, NULL, &compared, NULL),
                     RES2NET_OK);
    assert_true(isinf(compared.signal_to_noise) && compared.same_answer == FIXTURE_PICTURES);
    res2net_session_destroy(sessions[0]);
    res2net_session_destroy(sessions[1]);
    res2net_quantization_free(&found);
    res2net_model_destroy(model);
}

/* ---- refusals ---- */

static int interrupt(void *context, int64_t done, int64_t total)
{
    return ++*(int *)context > 3 || done > total;
}

static void a_failure_leaves_the_model_as_it_was(void **state)
{
    res2net_quantization found;
    int calls = 0;
    const res2net_session_options session = small_session_options();
    const res2net_quantize_options options = {
        .batch = 2, .progress = interrupt, .progress_context = &calls, .samples = 5};
    const res2net_quantize_options negative = {.samples = -1};
    (void)state;
    res2net_report *report = res2net_report_create();
    res2net_model *model = small_model(RES2NET_FAMILY_TORCH);
    calibrate(model, 1, 4, NULL, &found);
    res2net_quantization_free(&found);
    r2n_file_bytes before = saved(model);
    assert_int_equal(res2net_quantize(model, &session, "/absent", NULL, &found, report),
                     RES2NET_NOT_FOUND);
    assert_int_equal(res2net_quantize(model, &session, pictures, &negative, &found, report),
                     RES2NET_INVALID_ARGUMENT);
    res2net_report_clear(report);
    /* Fewer pictures would give other scales; the fourth call is in the second pass. */
    assert_int_equal(res2net_quantize(model, &session, pictures, &options, &found, report),
                     RES2NET_INTERRUPTED);
    assert_int_equal(calls, 4);
    assert_null(found.steps);
    r2n_file_bytes after = saved(model);
    assert_int_equal(before.size, after.size);
    assert_memory_equal(before.data, after.data, before.size);
    r2n_file_release(&before);
    r2n_file_release(&after);
    res2net_model_destroy(model);
    res2net_report_destroy(report);
}

static void refuses_int8(const res2net_model *model, const char *why)
{
    const res2net_session_options options = {.precision = "int8"};
    res2net_report *report = res2net_report_create();
    res2net_session *session;
    assert_int_equal(res2net_session_create(model, &options, &session, report),
                     RES2NET_INVALID_ARGUMENT);
    expect_problem(report, RES2NET_INVALID_ARGUMENT, why);
    res2net_report_destroy(report);
}

static void a_bad_calibration_is_refused(void **state)
{
    res2net_quantization found;
    (void)state;
    res2net_model *model = small_model(RES2NET_FAMILY_TORCH);
    refuses_int8(model, "not calibrated for int8");
    calibrate(model, 1, 4, NULL, &found);
    res2net_quantization_free(&found);
    r2n_weights_metadata *metadata = &model->weights->metadata;
    int32_t count = metadata->activation_scale_count;
    /* Each scale that is there is needed. */
    for (int32_t i = 0; i < count; i++) {
        float *scales = r2n_allocate((size_t)count, sizeof *scales);
        assert_non_null(scales);
        memcpy(scales, metadata->activation_scales, (size_t)count * sizeof *scales);
        const int there = scales[i] > 0;
        scales[i] = 0;
        r2n_model_exchange_scales(model, &scales, &count);
        if (there)
            refuses_int8(model, "has no scale for");
        r2n_model_exchange_scales(model, &scales, &count);
        r2n_free(scales);
    }
    metadata->activation_scale_count--;
    refuses_int8(model, "quantize the model anew");
    metadata->activation_scale_count++;
    res2net_model_destroy(model);
}

/* Writes `number` over the first scale of the file and makes the checksums right again. */
static res2net_status load_with_scale(const r2n_file_bytes *file, const char *number,
                                      res2net_report *report)
{
    static const char key[] = "\"activation_scales\":[";
    uint8_t *copy = r2n_allocate(file->size, 1);
    res2net_model *model;
    uint64_t metadata_bytes;
    size_t at = 64;
    assert_non_null(copy);
    memcpy(copy, file->data, file->size);
    while (at + sizeof key < file->size && memcmp(copy + at, key, sizeof key - 1) != 0)
        at++;
    at += sizeof key - 1;
    size_t room = 0;
    while (copy[at + room] != ',')
        room++;
    assert_true(room >= strlen(number));
    memset(copy + at, ' ', room);
    memcpy(copy + at, number, strlen(number));
    memcpy(&metadata_bytes, copy + 24, sizeof metadata_bytes);
    const uint32_t metadata = r2n_crc32(0, copy + 64, metadata_bytes);
    memcpy(copy + 48, &metadata, sizeof metadata);
    const uint32_t header = r2n_crc32(0, copy, 60);
    memcpy(copy + 60, &header, sizeof header);
    const res2net_status status =
        res2net_model_load_memory(copy, file->size, "damaged", NULL, &model, report);
    res2net_model_destroy(model);
    r2n_free(copy);
    return status;
}

static void damaged_scales_are_refused(void **state)
{
    static const char *const bad[] = {"-0.01", "1e-40", "1e39", "\"a\"", "null", "[1]"};
    res2net_quantization found;
    (void)state;
    res2net_report *report = res2net_report_create();
    res2net_model *model = small_model(RES2NET_FAMILY_TORCH);
    calibrate(model, 1, 4, NULL, &found);
    res2net_quantization_free(&found);
    r2n_file_bytes file = saved(model);
    res2net_model_destroy(model);
    assert_int_equal(load_with_scale(&file, "0.015625", report), RES2NET_OK);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(load_with_scale(&file, bad[i], report), RES2NET_DAMAGED);
        expect_problem(report, RES2NET_DAMAGED, "activation scale");
    }
    r2n_file_release(&file);
    res2net_report_destroy(report);
}

static void sessions_of_two_models_are_not_compared(void **state)
{
    res2net_comparison compared;
    res2net_session *sessions[2];
    res2net_model *models[2];
    (void)state;
    res2net_report *report = res2net_report_create();
    for (int i = 0; i < 2; i++) {
        models[i] = small_model(RES2NET_FAMILY_TORCH);
        sessions[i] = small_session(models[i]);
    }
    assert_int_equal(res2net_compare(sessions[0], sessions[1], pictures, NULL, &compared, report),
                     RES2NET_INVALID_ARGUMENT);
    expect_problem(report, RES2NET_INVALID_ARGUMENT, "different models");
    for (int i = 0; i < 2; i++) {
        res2net_session_destroy(sessions[i]);
        res2net_model_destroy(models[i]);
    }
    res2net_report_destroy(report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_batch_and_isa_change_no_byte),
        cmocka_unit_test(reference_is_near),
        cmocka_unit_test(every_isa_gives_the_same_scores),
        cmocka_unit_test(the_report_tells_what_int8_costs),
        cmocka_unit_test(a_failure_leaves_the_model_as_it_was),
        cmocka_unit_test(a_bad_calibration_is_refused),
        cmocka_unit_test(damaged_scales_are_refused),
        cmocka_unit_test(sessions_of_two_models_are_not_compared),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
