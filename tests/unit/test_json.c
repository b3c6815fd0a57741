/* SPDX-License-Identifier: Apache-2.0 */
#include "expect.h"


#include "formats/json.h"
#include "formats/json_writer.h"

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

static r2n_json *parse(const char *text)
{
    r2n_json *json;
    if (r2n_json_parse(text, strlen(text), "a.json", 100, &json, report) != RES2NET_OK)
        fail_msg("%s: %s", text, res2net_report_problem(report, 0)->text);
    return json;
}

static void refuse(const char *text, res2net_status status, const char *problem)
{
    r2n_json *json;
    assert_int_equal(r2n_json_parse(text, strlen(text), "a.json", 100, &json, report), status);
    assert_null(json);
    expect_problem(report, status, problem);
}

static void values_are_read(void **state)
{
    (void)state;
    r2n_json *json = parse(" {\"a\": [1, -2.5e1, true, false, null], \"b\": {\"c\": \"x\"}} ");
    const r2n_json_value *root = r2n_json_root(json);
    assert_int_equal(root->kind, R2N_JSON_OBJECT);
    assert_int_equal(root->count, 2);
    const r2n_json_value *a = r2n_json_member(root, "a");
    assert_int_equal(a->count, 5);
    assert_true(a->first->number == 1.0);
    assert_true(a->first->next->number == -25.0);
    assert_string_equal(a->first->next->text, "-2.5e1");
    assert_int_equal(a->first->next->next->kind, R2N_JSON_TRUE);
    assert_int_equal(a->first->next->next->next->kind, R2N_JSON_FALSE);
    assert_int_equal(a->first->next->next->next->next->kind, R2N_JSON_NULL);
    assert_null(a->first->next->next->next->next->next);
    const r2n_json_value *b = r2n_json_member(root, "b");
    assert_int_equal(b->end - b->start, strlen("{\"c\": \"x\"}"));
    assert_string_equal(r2n_json_member(b, "c")->text, "x");
    assert_null(r2n_json_member(b, "d"));
    assert_null(r2n_json_member(a, "c"));
    r2n_json_destroy(json);
    json = parse("7");
    assert_true(r2n_json_root(json)->number == 7.0);
    r2n_json_destroy(json);
    json = parse("[]");
    assert_int_equal(r2n_json_root(json)->count, 0);
    r2n_json_destroy(json);
}

static void strings_are_decoded(void **state)
{
    (void)state;
    r2n_json *json = parse("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD83D\\uDE00\xC3\xA9\"");
    assert_string_equal(r2n_json_root(json)->text,
                        "\"\\/\b\f\n\r\t\xC3\xA9\xF0\x9F\x98\x80\xC3\xA9");
    r2n_json_destroy(json);
    refuse("\"\\x\"", RES2NET_DAMAGED, "no such escape");
    refuse("\"\\u12\"", RES2NET_DAMAGED, "four hexadecimal");
    refuse("\"\\u0000\"", RES2NET_DAMAGED, "NUL");
    refuse("\"\\uD83D\"", RES2NET_DAMAGED, "surrogate");
    refuse("\"\\uDE00\"", RES2NET_DAMAGED, "surrogate");
    refuse("\"\x01\"", RES2NET_DAMAGED, "control character");
    refuse("\"\xC0\xAF\"", RES2NET_DAMAGED, "UTF-8");
    refuse("\"\xED\xA0\x80\"", RES2NET_DAMAGED, "UTF-8");
    refuse("\"\xF4\x90\x80\x80\"", RES2NET_DAMAGED, "UTF-8");
    refuse("\"abc", RES2NET_DAMAGED, "closing");
}

static void integers_are_exact(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int fits;
        int64_t number;
    } cases[] = {{"9223372036854775807", 1, INT64_MAX},
                 {"-9223372036854775808", 1, INT64_MIN},
                 {"9223372036854775808", 0, 0},
                 {"9007199254740993", 1, 9007199254740993},
                 {"1.0", 0, 0},
                 {"1e2", 0, 0},
                 {"-0", 1, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t number = -1;
        r2n_json *json = parse(cases[i].text);
        assert_int_equal(r2n_json_integer(r2n_json_root(json), &number), cases[i].fits);
        if (cases[i].fits)
            assert_true(number == cases[i].number);
        r2n_json_destroy(json);
    }
    assert_false(r2n_json_integer(NULL, &(int64_t){0}));
}

static void what_is_not_json_is_refused(void **state)
{
    (void)state;
    refuse("", RES2NET_DAMAGED, "ends");
    refuse("{\"a\":1,}", RES2NET_DAMAGED, "a key in double quotes");
    refuse("[1,]", RES2NET_DAMAGED, "a value");
    refuse("[1 2]", RES2NET_DAMAGED, "',' or ']'");
    refuse("{\"a\" 1}", RES2NET_DAMAGED, "':'");
    refuse("{a:1}", RES2NET_DAMAGED, "a key");
    refuse("[1}", RES2NET_DAMAGED, "',' or ']'");
    refuse("{} x", RES2NET_DAMAGED, "the end");
    refuse("NaN", RES2NET_DAMAGED, "a value");
    refuse("01", RES2NET_DAMAGED, "the end");
    refuse("-", RES2NET_DAMAGED, "a digit");
    refuse("1.", RES2NET_DAMAGED, "after the point");
    refuse("1e", RES2NET_DAMAGED, "exponent");
    refuse("[1e999]", RES2NET_NOT_FINITE, "too large");
    refuse("{\"a\":1,\"b\":2,\"a\":3}", RES2NET_DAMAGED, "\"a\" is there twice");
    refuse("{\"0\":0,\"1\":0,\"2\":0,\"3\":0,\"4\":0,\"5\":0,\"6\":0,\"7\":0,\"8\":0,\"3\":0}",
           RES2NET_DAMAGED, "\"3\" is there twice");
    r2n_json *json;
    assert_int_equal(r2n_json_parse("[1,?]", 5, "a.json", 100, &json, report), RES2NET_DAMAGED);
    assert_int_equal(res2net_report_problem(report, 0)->offset, 103);
    res2net_report_clear(report);
}

static void depth_is_capped(void **state)
{
    (void)state;
    char text[4096] = "";
    memset(text, '[', 64);
    memset(text + 64, ']', 64);
    r2n_json_destroy(parse(text));
    memset(text, '[', 65);
    refuse(text, RES2NET_LIMIT_EXCEEDED, "nested");
    memset(text, '[', sizeof text - 1);
    refuse(text, RES2NET_LIMIT_EXCEEDED, "nested");
}

static res2net_status attempt(void *text)
{
    r2n_json *json;
    const res2net_status status = r2n_json_parse(text, strlen(text), "a", 0, &json, NULL);
    r2n_json_destroy(json);
    return status;
}

static void memory_may_run_out(void **state)
{
    (void)state;
    char text[] = "{\"a\":[1,2],\"b\":0,\"c\":0,\"d\":0,\"e\":0,\"f\":0,\"g\":0,\"h\":0,\"i\":0}";
    expect_every_allocation_may_fail(attempt, text);
}

static void what_is_written_reads_back(void **state)
{
    (void)state;
    static const char hard[] = "q\" b\\ n\n r\r t\t \x01\x7F \xC3\xA9 \xF0\x9F\x98\x80 /";
    static const double numbers[] = {0.1, 1e-300, 5e-324, 1.7976931348623157e308, -0.0, 1.0 / 255};
    r2n_text text = {0};
    r2n_text_put(&text, "[");
    r2n_json_put_string(&text, hard);
    r2n_text_put(&text, ",");
    r2n_json_put_integer(&text, INT64_MIN);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        r2n_text_put(&text, ",");
        r2n_json_put_number(&text, numbers[i]);
    }
    r2n_text_put(&text, "]");
    assert_false(text.failed);
    r2n_json *json = parse(text.data);
    const r2n_json_value *value = r2n_json_root(json)->first;
    assert_string_equal(value->text, hard);
    int64_t integer;
    value = value->next;
    assert_true(r2n_json_integer(value, &integer) && integer == INT64_MIN);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        value = value->next;
        assert_memory_equal(&value->number, &numbers[i], sizeof numbers[i]);
    }
    r2n_json_destroy(json);
    r2n_free(text.data);
    text = (r2n_text){0};
    r2n_json_put_string(&text, "\xFF");
    assert_string_equal(text.data, "\"\xEF\xBF\xBD\"");
    r2n_json_put_number(&text, 1e308 * 10);
    assert_true(text.failed);
    r2n_free(text.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_read),
        cmocka_unit_test(strings_are_decoded),
        cmocka_unit_test(integers_are_exact),
        cmocka_unit_test(what_is_not_json_is_refused),
        cmocka_unit_test(depth_is_capped),
        cmocka_unit_test(memory_may_run_out),
        cmocka_unit_test(what_is_written_reads_back),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
