/* SPDX-License-Identifier: Apache-2.0 */
/* report.html is well-formed XML with nothing from elsewhere; whatever the numbers are. */
#include <ctype.h>
#include <math.h>

#include "unit/records_fixture.h"

/* Every tag that opens is closed, in order; attributes are quoted; no stray '<' or '&'. */
static void expect_well_formed(const char *page)
{
    char open[32][32];
    int depth = 0, elements = 0;
    const char *at = page;
    assert_memory_equal(at, "<!DOCTYPE html>\n", 16);
    for (at += 15; *at != '\0';) {
        if (*at == '&') {
            const char *end = strchr(at, ';');
            assert_true(end != NULL && end - at < 8);
            at = end;
        }
        if (*at != '<') {
            at++;
            continue;
        }
        const int closes = at[1] == '/';
        const char *name = at + 1 + closes;
        size_t size = 0;
        while (isalnum((unsigned char)name[size]))
            size++;
        assert_true(size > 0 && size < sizeof open[0]);
        const char *end = name + size;
        for (int quoted = 0; quoted || *end != '>'; end++) {
            assert_true(*end != '\0' && *end != '<');
            quoted ^= *end == '"';
        }
        if (closes) {
            assert_true(depth-- > 0);
            assert_true(strlen(open[depth]) == size && memcmp(open[depth], name, size) == 0);
        } else if (end[-1] != '/') {
            assert_true(depth < 32);
            memcpy(open[depth], name, size);
            open[depth++][size] = '\0';
        }
        elements++;
        at = end + 1;
    }
    assert_int_equal(depth, 0);
    assert_true(elements > 5);
}

static void expect_page(char *page)
{
    expect_well_formed(page);
    assert_null(strstr(page, "<script"));
    assert_null(strstr(page, "src="));
    assert_null(strstr(page, "href="));
    assert_null(strstr(page, "url("));
    r2n_free(page);
}

static size_t count(const char *text, const char *piece)
{
    size_t found = 0;
    for (; (text = strstr(text, piece)) != NULL; text += strlen(piece))
        found++;
    return found;
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
    assert_int_equal(count(page, "<svg"), 4);
    assert_int_equal(count(page, "<polyline"), 6); /* loss 2, accuracy 2, rate, speed */
    assert_int_equal(count(page, "<tr><td>"), 6);
    assert_int_equal(count(page, "<tr class=\"top\"><td>best&#160;&#9733; 4</td>"), 1);
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
    assert_true(count(page, "<text") < 100); /* ticks do not grow with the epochs */
    assert_int_equal(count(page, "<polyline"), 7);
    expect_page(page);
    assert_int_equal(r2n_records_close(records, NULL), RES2NET_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {RUN_TEST(test_page), RUN_TEST(test_strange_numbers),
                                       RUN_TEST(test_many_epochs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
