/* SPDX-License-Identifier: Apache-2.0 */
/* report.html is well-formed XML with nothing from elsewhere; whatever the numbers are. */
#include <math.h>

#include "unit/markup_check.h"
#include "unit/records_fixture.h"

static void expect_page(char *page)
{
    assert_memory_equal(page, "<!DOCTYPE html>\n", 16);
    expect_well_formed(page + 16);
    assert_null(strstr(page, "<script"));
    assert_null(strstr(page, "src="));
    assert_null(strstr(page, "href="));
    assert_null(strstr(page, "url("));
    r2n_free(page);
}

static void test_page(void **state)
{
    (void)state;
    r2n_records_options options = run_options();
    options.title = "R & D <b> \"net\" \x01 \xFF \xC3\xA9";
    r2n_records *records = open_run(&options);
    tell_epochs(records, 1, 7);
    assert_int_equal(r2n_records_close(records, NULL), RES2NET_OK);
    char *page = run_text("report.html");
    assert_non_null(strstr(page, "<h1>R &amp; D &lt;b&gt; &quot;net&quot; \xEF\xBF\xBD "
                                 "\xEF\xBF\xBD \xC3\xA9</h1>"));
    assert_int_equal(count_pieces(page, "<svg"), 4);
    assert_int_equal(count_pieces(page, "<polyline"), 6); /* loss 2, accuracy 2, rate, speed */
    assert_int_equal(count_pieces(page, "<tr><td>"), 6);
    assert_int_equal(count_pieces(page, "<tr class=\"top\"><td>best&#160;&#9733; 4</td>"), 1);
    assert_non_null(strstr(page, "Epoch 7 of 20, step 175, 7:07:10 of work. Best top-1: "
                                 "<strong>75.00 %</strong> in epoch 4 (dotted line).</p>"));
    assert_non_null(strstr(page, "<title>epoch 4, top-1: 75 %</title>"));
    assert_non_null(strstr(page, "prefers-color-scheme:dark"));
    expect_page(page);
}

/* One epoch; then all that a run which goes wrong may tell. */
static void test_strange_numbers(void **state)
{
    (void)state;
    static const double strange[] = {0, -1, 1e-300, 1e29, 1e308, -1e308, HUGE_VAL, -HUGE_VAL, NAN};
    const r2n_records_options options = run_options();
    r2n_records *records = open_run(&options);
    for (int i = 0; i < 9; i++) {
        r2n_epoch_record record = epoch_record(2 * i + 2);
        record.train_loss = record.eval_loss = record.rate = record.seconds = strange[i];
        record.eval_top1 = record.eval_top5 = record.images_per_second = strange[i];
        record.skipped_steps = i;
        record.left_out = i;
        assert_int_equal(r2n_records_epoch(records, &record, NULL), RES2NET_OK);
        char *page = run_text("report.html");
        assert_null(strstr(page, "=\"nan"));
        assert_null(strstr(page, "=\"inf"));
        assert_null(strstr(page, "=\"-inf"));
        expect_page(page);
    }
    assert_int_equal(r2n_records_close(records, NULL), RES2NET_OK);
}

static void test_many_epochs(void **state)
{
    (void)state;
    const r2n_records_options options = run_options();
    r2n_records *records = open_run(&options);
    tell_epochs(records, 1, 40);
    r2n_epoch_record record = epoch_record(1000000000000);
    record.average_top1 = 0.5;
    assert_int_equal(r2n_records_epoch(records, &record, NULL), RES2NET_OK);
    char *page = run_text("report.html");
    assert_true(count_pieces(page, "<text") < 100); /* ticks do not grow with the epochs */
    assert_int_equal(count_pieces(page, "<polyline"), 7);
    expect_page(page);
    assert_int_equal(r2n_records_close(records, NULL), RES2NET_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {RUN_TEST(test_page), RUN_TEST(test_strange_numbers),
                                       RUN_TEST(test_many_epochs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
