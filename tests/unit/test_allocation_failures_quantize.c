/* SPDX-License-Identifier: Apache-2.0 */
/* Every allocation of a calibration and of a comparison may fail; the model is then as it was. */
#include "unit/failing_memory.h"
#include "unit/quantize_fixture.h"

#include "predict/model.h"

static char folder[64], pictures[128], list[128];

static int set_up(void **state)
{
    char path[128];
    (void)state;
    small_folder_make(folder);
    snprintf(pictures, sizeof pictures, "%s/pictures.bin", folder);
    snprintf(list, sizeof list, "%s/list.txt", folder);
    snprintf(path, sizeof path, "%s/good.ppm", folder);
    fixture_pictures(pictures);
    small_copy(R2N_SOURCE_DIR "/tests/fuzz/corpus/picture/ppm", path);
    small_text(list, "good.ppm\nabsent.ppm\n");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    small_folder_remove(folder);
    return 0;
}

typedef struct attempt {
    const char *source;
    int64_t images, skipped;
} attempt;

static res2net_status quantize(void *context, res2net_report *report)
{
    const attempt *a = context;
    const res2net_session_options session = small_session_options();
    const res2net_quantize_options options = {
        .batch = 2, .samples = 3, .on_bad_image = RES2NET_BAD_IMAGE_SKIP};
    res2net_quantization found;
    res2net_model *model;
    res2net_status status =
        res2net_model_create(SMALL_MODEL, RES2NET_FAMILY_TORCH, 3, &model, report);
    if (status != RES2NET_OK)
        return status;
    status = res2net_quantize(model, &session, a->source, &options, &found, report);
    const int calibrated = model->weights->metadata.activation_scales != NULL;
    if (calibrated != (status == RES2NET_OK) || calibrated != (found.steps != NULL))
        status = RES2NET_INTERNAL;
    if (status == RES2NET_OK &&
        (found.pictures.images != a->images || found.pictures.skipped != a->skipped))
        status = RES2NET_INTERNAL;
    res2net_quantization_free(&found);
    res2net_model_destroy(model);
    return status;
}

static void calibrations(void **state)
{
    attempt rows[] = {{pictures, 3, 0}, {list, 1, 1}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const failing_call call = {
            .name = i == 0 ? "CIFAR binary" : "list", .attempt = quantize, .context = &rows[i]};
        expect_failures_survived(&call, RES2NET_OK);
    }
}

static res2net_status compare(void *context, res2net_report *report)
{
    const res2net_model *model = context;
    const res2net_session_options options = small_session_options();
    const res2net_quantize_options settings = {.batch = 2, .samples = 3};
    res2net_session *sessions[2] = {NULL, NULL};
    res2net_comparison found;
    res2net_status status = RES2NET_OK;
    for (int i = 0; i < 2 && status == RES2NET_OK; i++)
        status = res2net_session_create(model, &options, &sessions[i], report);
    if (status == RES2NET_OK)
        status = res2net_compare(sessions[0], sessions[1], pictures, &settings, &found, report);
    if (status == RES2NET_OK && found.images != 3)
        status = RES2NET_INTERNAL;
    res2net_session_destroy(sessions[0]);
    res2net_session_destroy(sessions[1]);
    return status;
}

static void comparisons(void **state)
{
    (void)state;
    res2net_model *model = small_model(RES2NET_FAMILY_TORCH);
    const failing_call call = {.name = "comparison", .attempt = compare, .context = model};
    expect_failures_survived(&call, RES2NET_OK);
    res2net_model_destroy(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calibrations),
        cmocka_unit_test(comparisons),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
