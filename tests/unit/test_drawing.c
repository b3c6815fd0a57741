/* SPDX-License-Identifier: Apache-2.0 */
/* `res2net_summary_draw`: well-formed, needs nothing else, and its numbers are the summary's. */
#include "unit/temporary_folder.h"

#include <inttypes.h>

#include "drawing/drawing.h"
#include "formats/markup.h"
#include "res2net/res2net.h"
#include "unit/expect.h"
#include "unit/markup_check.h"

/* The drawing as text; r2n_free. */
static char *drawn(const char *architecture, res2net_family family, int32_t height, int32_t width)
{
    const char *path = in_folder("net.svg");
    assert_int_equal(res2net_summary_draw(architecture, family, height, width, path, NULL),
                     RES2NET_OK);
    r2n_file_bytes file = expect_file(path);
    char *text = r2n_copy_bytes(file.data, file.size);
    assert_non_null(text);
    r2n_file_release(&file);
    return text;
}

/* A count as the drawing writes it, read back. */
static int64_t read_count(const char *at)
{
    int64_t count = 0;
    for (; (*at >= '0' && *at <= '9') || *at == ','; at++)
        count = *at == ',' ? count : 10 * count + *at - '0';
    return count;
}

/* The sum of all attributes of that name. */
static int64_t attribute_sum(const char *svg, const char *attribute)
{
    int64_t sum = 0;
    for (const char *at = svg; (at = strstr(at, attribute)) != NULL;) {
        at += strlen(attribute);
        sum += strtoll(at, NULL, 10);
    }
    return sum;
}

/* Sections, and the line of the title, must have the summary's numbers. */
static void expect_summary(const char *svg, const res2net_summary *summary)
{
    char line[256];
    assert_int_equal(attribute_sum(svg, "data-parameters=\""), summary->parameters);
    assert_int_equal(attribute_sum(svg, "data-macs=\""), summary->macs);
    const char *title = strstr(svg, "<text class=\"h\" x=\"24\" y=\"94\">");
    assert_non_null(title);
    title = strchr(title, '>') + 1;
    assert_int_equal(read_count(title), summary->parameters);
    const char *macs = strstr(title, "parameters · ");
    assert_non_null(macs);
    assert_int_equal(read_count(macs + strlen("parameters · ")), summary->macs);
    snprintf(line, sizeof line, " MACs (%.3f G)</text>", (double)summary->macs / 1e9);
    assert_non_null(strstr(macs, line));
    snprintf(line, sizeof line, ">%s family, picture 3 × %d × %d, %d classes.",
             summary->family == RES2NET_FAMILY_TORCH ? "torch" : "paddle", summary->height,
             summary->width, summary->classes);
    assert_non_null(strstr(svg, line));
    snprintf(line, sizeof line, ">%s</text>", summary->architecture);
    assert_non_null(strstr(svg, line));
}

/* Every layer that has parameters and lies in a block that is drawn tells them when pointed at. */
static void expect_layers(const char *svg, const res2net_summary *summary)
{
    size_t found = 0;
    for (size_t i = 0; i < summary->layer_count; i++) {
        char start[160];
        const res2net_layer *layer = &summary->layers[i];
        snprintf(start, sizeof start, "<title>%s: %s, ", layer->name, layer->kind);
        const char *at = layer->macs > 0 ? strstr(svg, start) : NULL;
        if (at == NULL)
            continue;
        const char *parameters = strstr(at, " parameters · ");
        assert_true(parameters != NULL && parameters < strstr(at, "</title>"));
        assert_int_equal(read_count(parameters + strlen(" parameters · ")), layer->macs);
        while (parameters[-1] != ' ')
            parameters--;
        assert_int_equal(read_count(parameters), layer->parameters);
        found++;
    }
    assert_true(found >= 6);
}

static void test_numbers(void **state)
{
    static const char *const names[] = {"Res2Net50_26w_4s",
                                        "Res2Net200_vd_26w_4s",
                                        "Res2Net50_14w_8s",
                                        "resnet50",
                                        "res2net20_26w_4s_cifar",
                                        "cifar:planes=16,depths=1-1-1,width=26,scale=4,classes=7",
                                        "vd:planes=64,depths=2-1-99-3,width=26,scale=16",
                                        "plain:planes=64,depths=3-4-6-3,width=48,scale=2"};
    static const int32_t sizes[][2] = {{0, 0}, {224, 320}, {64, 33}};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        for (int k = 0; k < 3; k++) {
            res2net_summary summary;
            const res2net_family family = k == 1 ? RES2NET_FAMILY_TORCH : RES2NET_FAMILY_PADDLE;
            char *svg = drawn(names[i], family, sizes[k][0], sizes[k][1]);
            assert_int_equal(
                res2net_summary_create(names[i], family, sizes[k][0], sizes[k][1], &summary, NULL),
                RES2NET_OK);
            expect_well_formed(svg);
            expect_summary(svg, &summary);
            expect_layers(svg, &summary);
            assert_true(strlen(svg) < 100000);
            assert_null(strstr(svg, "<script"));
            assert_null(strstr(svg, "href"));
            assert_int_equal(count_pieces(svg, "url("), 1);
            assert_int_equal(count_pieces(svg, "url(#arrow)"), 1);
            res2net_summary_free(&summary);
            r2n_free(svg);
        }
}

/* Circles are sums: one a block drawn, one in the legend, and those of the groups. */
static void test_hierarchy(void **state)
{
    (void)state;
    char *paddle = drawn("Res2Net50_26w_4s", RES2NET_FAMILY_PADDLE, 0, 0);
    char *torch = drawn("Res2Net50_26w_4s", RES2NET_FAMILY_TORCH, 0, 0);
    char *eight = drawn("Res2Net50_26w_8s", RES2NET_FAMILY_PADDLE, 0, 0);
    assert_int_equal(count_pieces(paddle, "<circle"), 1 + 8 + 5 * 2);
    assert_int_equal(count_pieces(torch, "<circle"), 1 + 8 + 4 * 2);
    assert_int_equal(count_pieces(eight, "<circle"), 1 + 8 + 5 * 6);
    assert_int_equal(count_pieces(paddle, ">avg. pool</text>"), 3);
    assert_int_equal(count_pieces(torch, ">avg. pool</text>"), 4);
    assert_int_equal(count_pieces(eight, ">avg</text>"), 3);
    /* Groups and shortcuts that are passed on. */
    assert_int_equal(count_pieces(paddle, ">as it is</text>"), 5 + 4);
    assert_int_equal(count_pieces(torch, ">as it is</text>"), 4 + 4);
    assert_non_null(strstr(paddle, "<title>layer1.0.adds.1: add, 26 × 56 × 56</title>"));
    assert_null(strstr(torch, "<title>layer1.0.adds.1: add"));
    assert_non_null(strstr(paddle, ">Blocks 2 to 6</text>"));
    assert_non_null(strstr(paddle, ">5 × (1,147,504 parameters · 224,224,000 MACs)</text>"));
    assert_non_null(strstr(paddle, ">6 blocks, 4 groups of 104 channels</text>"));
    r2n_free(paddle);
    r2n_free(torch);
    r2n_free(eight);
}

static void test_model(void **state)
{
    (void)state;
    res2net_model *model;
    res2net_summary summary;
    assert_int_equal(res2net_model_create("cifar:planes=16,depths=1-1-1,width=26,scale=4,classes=7",
                                          RES2NET_FAMILY_TORCH, 1, &model, NULL),
                     RES2NET_OK);
    const char *path = in_folder("model.svg");
    assert_int_equal(res2net_summary_draw_model(model, 40, 48, path, NULL), RES2NET_OK);
    assert_int_equal(res2net_summary_of_model(model, 40, 48, &summary, NULL), RES2NET_OK);
    r2n_file_bytes file = expect_file(path);
    char *svg = r2n_copy_bytes(file.data, file.size);
    assert_non_null(svg);
    expect_summary(svg, &summary);
    r2n_free(svg);
    r2n_file_release(&file);
    res2net_summary_free(&summary);
    res2net_model_destroy(model);
}

static void test_refusals(void **state)
{
    (void)state;
    res2net_report *report = res2net_report_create();
    const char *path = in_folder("net.svg");
    assert_int_equal(
        res2net_summary_draw("Res2Net50_26w_4s", RES2NET_FAMILY_PADDLE, 16, 16, path, report),
        RES2NET_INVALID_ARGUMENT);
    expect_problem(report, RES2NET_INVALID_ARGUMENT, "needs at least 32 a side");
    assert_int_equal(
        res2net_summary_draw("Res2Net50_26w_5s", RES2NET_FAMILY_PADDLE, 0, 0, path, report),
        RES2NET_NOT_FOUND);
    res2net_report_clear(report);
    assert_false(r2n_os_exists(path));
    assert_int_equal(res2net_summary_draw("Res2Net50_26w_4s", RES2NET_FAMILY_PADDLE, 0, 0,
                                          in_folder("absent/net.svg"), report),
                     RES2NET_WRITE_FAILED);
    expect_problem(report, RES2NET_WRITE_FAILED, "");
    res2net_report_destroy(report);
}

/* A name is text from outside; nothing of it may become markup. */
static void test_name_is_escaped(void **state)
{
    (void)state;
    r2n_graph *graph;
    r2n_architecture architecture;
    assert_int_equal(r2n_architecture_find("Res2Net50_26w_4s", &architecture, NULL), RES2NET_OK);
    strcpy(architecture.name, "a<b>&\"%s\x01\xff");
    assert_int_equal(r2n_graph_create(&architecture, R2N_FAMILY_PADDLE, &graph, NULL), RES2NET_OK);
    const char *path = in_folder("net.svg");
    assert_int_equal(r2n_draw_graph(graph, 64, 64, path, NULL), RES2NET_OK);
    r2n_file_bytes file = expect_file(path);
    char *svg = r2n_copy_bytes(file.data, file.size);
    assert_non_null(svg);
    expect_well_formed(svg);
    assert_int_equal(count_pieces(svg, ">a&lt;b&gt;&amp;&quot;%s\xEF\xBF\xBD\xEF\xBF\xBD</"), 2);
    r2n_free(svg);
    r2n_file_release(&file);
    r2n_graph_destroy(graph);
}

static res2net_status draw_once(void *context)
{
    return res2net_summary_draw("res2net20_26w_4s_cifar", RES2NET_FAMILY_TORCH, 0, 0, context,
                                NULL);
}

static void test_no_memory(void **state)
{
    (void)state;
    char path[256];
    snprintf(path, sizeof path, "%s", in_folder("net.svg"));
    expect_every_allocation_may_fail(draw_once, path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FOLDER_TEST(test_numbers),  FOLDER_TEST(test_hierarchy),       FOLDER_TEST(test_model),
        FOLDER_TEST(test_refusals), FOLDER_TEST(test_name_is_escaped), FOLDER_TEST(test_no_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
