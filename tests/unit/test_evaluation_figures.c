/* SPDX-License-Identifier: Apache-2.0 */
/* What an evaluation counts, the figures that follow from it, and the pictures it keeps. */
#include "unit/small_model.h"

#include <math.h>

#include "predict/evaluation_figures.h"
#include "predict/worst_pictures.h"

#define expect_near(value, wanted) assert_true(fabs((value) - (wanted)) < 1e-12)

/* ---- answers ------------------------------------------------------------------------------- */

static void an_answer_is_softmax_and_rank(void **state)
{
    (void)state;
    const float logits[] = {0, logf(3), logf(4)}; /* 1 : 3 : 4 */
    const r2n_answer right = r2n_answer_of(logits, 3, 2);
    assert_int_equal(right.answer, 2);
    assert_int_equal(right.better, 0);
    assert_true(fabs(right.confidence - 0.5) < 1e-7);
    assert_true(fabs(right.label_confidence - 0.5) < 1e-7);
    assert_true(fabs(right.loss - log(2)) < 1e-7);
    const r2n_answer wrong = r2n_answer_of(logits, 3, 0);
    assert_int_equal(wrong.answer, 2);
    assert_int_equal(wrong.better, 2);
    assert_true(fabs(wrong.confidence - 0.5) < 1e-7);
    assert_true(fabs(wrong.label_confidence - 0.125) < 1e-7);
    assert_true(fabs(wrong.loss - log(8)) < 1e-7);
}

/* Of equal logits the first class goes before, so that no picture has two answers. */
static void equal_logits_have_an_order(void **state)
{
    (void)state;
    const float logits[] = {2, 2, 2, 2, 2, 2, 2};
    for (int32_t label = 0; label < 7; label++) {
        const r2n_answer found = r2n_answer_of(logits, 7, label);
        assert_int_equal(found.answer, 0);
        assert_int_equal(found.better, label);
        expect_near(found.confidence, 1.0 / 7);
    }
}

static void large_logits_stay_finite(void **state)
{
    (void)state;
    const float logits[] = {-3e38f, 3e38f};
    const r2n_answer found = r2n_answer_of(logits, 2, 0);
    assert_true(isfinite(found.loss) && found.loss > 5e38);
    expect_near(found.confidence, 1.0);
    expect_near(found.label_confidence, 0.0);
}

/* ---- figures ------------------------------------------------------------------------------- */

enum { CLASSES = 4 };

/* Class 3 has no picture; class 2 is never answered. */
static const struct {
    int32_t label, answer;
    double confidence;
} pictures[] = {{0, 0, 0.9}, {0, 0, 0.93}, {0, 1, 0.5},  {1, 1, 0.4},
                {1, 0, 0.4}, {2, 3, 0.05}, {2, 0, 0.99}, {0, 0, 1.0}};
enum { PICTURES = sizeof pictures / sizeof *pictures };

static res2net_class_result per_class[CLASSES];
static int64_t confusion[CLASSES * CLASSES];

static res2net_evaluation counted(void)
{
    memset(per_class, 0, sizeof per_class);
    memset(confusion, 0, sizeof confusion);
    res2net_evaluation found = {.classes = CLASSES, .per_class = per_class, .confusion = confusion};
    for (size_t i = 0; i < PICTURES; i++) {
        const r2n_answer answer = {.answer = pictures[i].answer,
                                   .better = pictures[i].answer == pictures[i].label ? 0 : 7,
                                   .confidence = pictures[i].confidence};
        r2n_figures_count(&found, pictures[i].label, &answer);
    }
    return found;
}

static void classes_have_precision_recall_f1(void **state)
{
    (void)state;
    res2net_evaluation found = counted();
    r2n_figures_finish(&found);
    assert_int_equal(found.images, PICTURES);
    assert_int_equal(found.top1_correct, 4);
    assert_int_equal(found.top5_correct, 4);
    assert_int_equal(confusion[0], 3);
    assert_int_equal(confusion[0 * CLASSES + 1], 1);
    assert_int_equal(confusion[2 * CLASSES + 3], 1);
    expect_near(per_class[0].precision, 3.0 / 5);
    expect_near(per_class[0].recall, 3.0 / 4);
    expect_near(per_class[0].f1, 2.0 / 3);
    expect_near(per_class[1].precision, 0.5);
    expect_near(per_class[1].recall, 0.5);
    assert_true(isnan(per_class[2].precision)); /* no answer */
    expect_near(per_class[2].recall, 0);
    expect_near(per_class[2].f1, 0);
    expect_near(per_class[3].precision, 0);
    assert_true(isnan(per_class[3].recall)); /* no picture */
    expect_near(per_class[3].f1, 0);
    /* Over the three classes that have pictures. */
    expect_near(found.macro_precision, (3.0 / 5 + 0.5 + 0) / 3);
    expect_near(found.macro_recall, (3.0 / 4 + 0.5 + 0) / 3);
    expect_near(found.macro_f1, (2.0 / 3 + 0.5 + 0) / 3);
}

static void calibration_compares_confidence_and_being_right(void **state)
{
    (void)state;
    res2net_evaluation found = counted();
    r2n_figures_finish(&found);
    const struct {
        int bin;
        int64_t images, correct;
        double confidence;
    } rows[] = {
        {0, 1, 0, 0.05}, {5, 2, 1, 0.4}, {7, 1, 0, 0.5}, {13, 2, 2, 0.915}, {14, 2, 1, 0.995}};
    double error = 0;
    int64_t images = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const res2net_calibration_bin *bin = &found.calibration[rows[i].bin];
        assert_int_equal(bin->images, rows[i].images);
        assert_int_equal(bin->correct, rows[i].correct);
        expect_near(bin->confidence, rows[i].confidence);
        images += bin->images;
        error += fabs((double)rows[i].correct / (double)rows[i].images - rows[i].confidence) *
                 (double)rows[i].images / PICTURES;
    }
    assert_int_equal(images, PICTURES); /* the other bins have none */
    expect_near(found.calibration_error, error);
}

/* An end belongs to the bin below it. */
static void ends_of_bins(void **state)
{
    (void)state;
    for (int i = 0; i < RES2NET_CALIBRATION_BINS; i++) {
        res2net_class_result one[1] = {{0}};
        res2net_evaluation found = {.classes = 1, .per_class = one};
        const double end = (double)(i + 1) / RES2NET_CALIBRATION_BINS;
        r2n_answer answer = {.confidence = end};
        r2n_figures_count(&found, 0, &answer);
        assert_int_equal(found.calibration[i].images, 1);
        answer.confidence = nextafter(end, 2);
        r2n_figures_count(&found, 0, &answer);
        assert_int_equal(found.calibration[i].images, i == RES2NET_CALIBRATION_BINS - 1 ? 2 : 1);
    }
}

static void nothing_has_no_figures(void **state)
{
    (void)state;
    res2net_class_result none[CLASSES] = {{0}};
    res2net_evaluation found = {.classes = CLASSES, .per_class = none};
    r2n_figures_finish(&found);
    assert_true(isnan(found.macro_precision) && isnan(found.macro_recall));
    assert_true(isnan(found.macro_f1) && isnan(found.calibration_error));
    for (int i = 0; i < CLASSES; i++)
        assert_true(isnan(none[i].precision) && isnan(none[i].recall) && isnan(none[i].f1));
}

/* ---- the worst pictures -------------------------------------------------------------------- */

enum { OFFERED = 200 };

static int is_before(const double *losses, int a, int b)
{
    return losses[a] > losses[b] || (losses[a] == losses[b] && a < b);
}

/* Any number of room keeps what sorting would give; losses repeat. */
static void the_heap_keeps_what_sorting_would(void **state)
{
    (void)state;
    double losses[OFFERED];
    int order[OFFERED];
    r2n_item items[OFFERED] = {{0}};
    char name[] = "picture.png";
    const r2n_dataset dataset = {.items = items, .count = OFFERED};
    for (int i = 0; i < OFFERED; i++) {
        losses[i] = (double)((uint32_t)i * 2654435761u >> 24 & 63);
        items[i].path = name;
        int at = i;
        for (; at > 0 && is_before(losses, i, order[at - 1]); at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
    for (int32_t room = 0; room <= OFFERED + 1; room += room < 20 ? 1 : 30) {
        res2net_worst_picture *heap = r2n_allocate_zeroed((size_t)room, sizeof *heap);
        int32_t count = 0;
        assert_non_null(heap);
        for (int i = 0; i < OFFERED; i++) {
            const res2net_worst_picture picture = {.item = i, .loss = losses[i]};
            r2n_worst_offer(heap, &count, room, &picture);
        }
        assert_int_equal(count, room < OFFERED ? room : OFFERED);
        assert_int_equal(r2n_worst_finish(heap, count, &dataset, "list", NULL), RES2NET_OK);
        for (int i = 0; i < count; i++) {
            assert_int_equal(heap[i].item, order[i]);
            assert_string_equal(heap[i].name, name);
            assert_null(heap[i].pixels);
        }
        r2n_worst_free(heap, count);
    }
}

/* ---- the whole evaluation ------------------------------------------------------------------ */

enum { RECORDS = 9, RECORD_BYTES = 3073 };
static uint8_t records[RECORDS * RECORD_BYTES];

static void write_records(char path[128], const char *folder)
{
    for (size_t i = 0; i < sizeof records; i++)
        records[i] = (uint8_t)((uint32_t)i * 2654435761u >> 21);
    for (size_t i = 0; i < RECORDS; i++)
        records[i * RECORD_BYTES] = (uint8_t)(i % 3);
    snprintf(path, 128, "%s/cifar.bin", folder);
    small_file(path, records, sizeof records);
}

static void expect_record(const res2net_worst_picture *one)
{
    const uint8_t *planes = records + one->item * RECORD_BYTES + 1;
    char end[16];
    snprintf(end, sizeof end, "cifar.bin[%d]", (int)one->item);
    assert_non_null(strstr(one->name, end));
    assert_int_equal(one->label, one->item % 3);
    assert_int_equal(one->width, 32);
    assert_int_equal(one->height, 32);
    for (int i = 0; i < 1024; i++)
        for (int channel = 0; channel < 3; channel++)
            assert_int_equal(one->pixels[3 * i + channel], planes[1024 * channel + i]);
    assert_true(fabs(one->loss + log(one->label_confidence)) < 1e-9);
    assert_true(one->confidence >= one->label_confidence);
}

static void an_evaluation_keeps_the_worst(void **state)
{
    (void)state;
    char folder[64], path[128];
    small_folder_make(folder);
    write_records(path, folder);
    res2net_model *model = small_model(RES2NET_FAMILY_TORCH);
    res2net_session *session = small_session(model);
    res2net_evaluation all, few;
    const res2net_evaluate_options keep_all = {.worst = RES2NET_MAXIMUM_WORST, .batch = 1};
    const res2net_evaluate_options keep_few = {.worst = 4, .batch = 5};
    assert_int_equal(res2net_evaluate(session, path, &keep_all, &all, NULL), RES2NET_OK);
    assert_int_equal(res2net_evaluate(session, path, &keep_few, &few, NULL), RES2NET_OK);
    assert_int_equal(all.worst_count, RECORDS);
    assert_int_equal(few.worst_count, 4);
    double sum = 0;
    for (int i = 0; i < RECORDS; i++) {
        expect_record(&all.worst[i]);
        assert_true(i == 0 || all.worst[i].loss <= all.worst[i - 1].loss);
        sum += all.worst[i].loss;
    }
    assert_true(fabs(sum / RECORDS - all.loss) < 1e-12);
    for (int i = 0; i < 4; i++)
        assert_int_equal(few.worst[i].item, all.worst[i].item);
    /* The figures do not depend on the batch, to the last bit. */
    assert_memory_equal(all.calibration, few.calibration, sizeof all.calibration);
    assert_memory_equal(&all.macro_f1, &few.macro_f1, sizeof all.macro_f1);
    assert_memory_equal(&all.calibration_error, &few.calibration_error, sizeof(double));
    res2net_evaluation_free(&all);
    assert_null(all.worst);
    res2net_evaluation_free(&few);
    res2net_session_destroy(session);
    res2net_model_destroy(model);
    small_folder_remove(folder);
}

static void numbers_out_of_range_are_refused(void **state)
{
    (void)state;
    res2net_report *report = res2net_report_create();
    res2net_model *model = small_model(RES2NET_FAMILY_TORCH);
    res2net_session *session = small_session(model);
    res2net_evaluation found;
    const int32_t bad[] = {-1, RES2NET_MAXIMUM_WORST + 1, INT32_MAX};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const res2net_evaluate_options options = {.worst = bad[i]};
        assert_int_equal(res2net_evaluate(session, "list", &options, &found, report),
                         RES2NET_INVALID_ARGUMENT);
        expect_problem(report, RES2NET_INVALID_ARGUMENT, "0 to 10000 of the worst pictures");
    }
    res2net_session_destroy(session);
    res2net_model_destroy(model);
    res2net_report_destroy(report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_is_softmax_and_rank),
        cmocka_unit_test(equal_logits_have_an_order),
        cmocka_unit_test(large_logits_stay_finite),
        cmocka_unit_test(classes_have_precision_recall_f1),
        cmocka_unit_test(calibration_compares_confidence_and_being_right),
        cmocka_unit_test(ends_of_bins),
        cmocka_unit_test(nothing_has_no_figures),
        cmocka_unit_test(the_heap_keeps_what_sorting_would),
        cmocka_unit_test(an_evaluation_keeps_the_worst),
        cmocka_unit_test(numbers_out_of_range_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
