/* SPDX-License-Identifier: Apache-2.0 */
/* A Paddle inference model that could not be completed leaves nothing; one that replaces another is
 * never half of each; what else is in the folder stays. */
#include "unit/failing_memory.h"
#include "unit/temporary_folder.h"

#include <signal.h>
#include <sys/resource.h>

#include "export/export.h"

#define NET "cifar:planes=16,depths=1,width=26,scale=2,classes=3"

static r2n_graph *graph;
static r2n_tensor_set *weights;
static r2n_export_model model;

static int set_up(void **state)
{
    r2n_architecture architecture;
    assert_int_equal(r2n_architecture_find(NET, &architecture, NULL), RES2NET_OK);
    assert_int_equal(r2n_graph_create(&architecture, R2N_FAMILY_PADDLE, &graph, NULL), RES2NET_OK);
    assert_int_equal(r2n_weights_formula(&architecture, 7, &weights, NULL), RES2NET_OK);
    model = (r2n_export_model){.graph = graph, .weights = weights};
    return make_folder(state);
}

static int tear_down(void **state)
{
    r2n_tensor_set_destroy(weights);
    r2n_graph_destroy(graph);
    return remove_folder(state);
}

static res2net_status export_to(const char *path, res2net_report *report)
{
    const r2n_paddle_options options = {.softmax = 1};
    return r2n_export_paddle(&model, &options, path, report);
}

/* The names in a folder, with a blank behind each. */
static const char *names_in(const char *path)
{
    static char text[1024];
    char **names;
    size_t count;
    text[0] = '\0';
    assert_int_equal(r2n_os_list_directory(path, &names, &count, NULL), RES2NET_OK);
    for (size_t i = 0; i < count; i++) {
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s ", names[i]);
        r2n_free(names[i]);
    }
    r2n_free(names);
    return text;
}

#define MODEL_NAMES                                                                                \
    "inference.json inference.pdiparams inference.pdiparams.info inference.pdmodel inference.yml "
#define SERVING_NAMES "serving_client serving_server "

static void expect_model(const char *path, const char *others)
{
    char expected[256], serving[256];
    snprintf(expected, sizeof expected, MODEL_NAMES "%s" SERVING_NAMES, others);
    assert_string_equal(names_in(path), expected);
    snprintf(serving, sizeof serving, "%s/serving_server", path);
    assert_string_equal(names_in(serving),
                        "inference.pdiparams inference.pdmodel serving_server_conf.prototxt "
                        "serving_server_conf.stream.prototxt ");
}

static void test_new_folder(void **state)
{
    (void)state;
    assert_int_equal(export_to(in_folder("net//"), NULL), RES2NET_OK);
    expect_model(in_folder("net"), "");
    assert_string_equal(names_in(folder), "net ");
}

static void test_old_folder(void **state)
{
    char net[128];
    (void)state;
    strcpy(net, in_folder("net"));
    assert_int_equal(mkdir(net, 0777), 0);
    write_text("net/label_list.txt", "cat\n");
    write_text("net/inference.pdmodel", "old");
    write_text("net/inference.yml", "old");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(export_to(net, NULL), RES2NET_OK);
        expect_model(net, "label_list.txt ");
    }
    r2n_file_bytes file = expect_file(in_folder("net/inference.pdmodel"));
    assert_true(file.size > 1000);
    r2n_file_release(&file);
}

/* As the verb is called with "-o ." and with a link. */
static void test_other_names(void **state)
{
    char here[512], link[128];
    (void)state;
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(mkdir(in_folder("net"), 0777), 0);
    strcpy(link, in_folder("link"));
    assert_int_equal(symlink("net", link), 0);
    assert_int_equal(export_to(link, NULL), RES2NET_OK);
    expect_model(in_folder("net"), "");
    assert_string_equal(names_in(folder), "link net ");
    assert_int_equal(chdir(in_folder("net")), 0);
    const res2net_status status = export_to(".", NULL);
    assert_int_equal(chdir(here), 0);
    assert_int_equal(status, RES2NET_OK);
    expect_model(in_folder("net"), "");
}

static void expect_refusal(const char *path, res2net_status status, const char *words)
{
    res2net_report *report = res2net_report_create();
    const uint64_t files = failing_folder_sum(folder);
    assert_int_equal(export_to(path, report), status);
    expect_problem(report, status, words);
    assert_true(failing_folder_sum(folder) == files);
    res2net_report_destroy(report);
}

static void test_refused_places(void **state)
{
    (void)state;
    expect_refusal("", RES2NET_INVALID_ARGUMENT, "must be named");
    write_text("file", "x");
    expect_refusal(in_folder("file"), RES2NET_WRITE_FAILED, "no folder");
    expect_refusal(in_folder("none/net"), RES2NET_WRITE_FAILED, "No such file");
    /* A folder in a file's place is seen before the old model is touched. */
    assert_int_equal(mkdir(in_folder("net"), 0777), 0);
    assert_int_equal(mkdir(in_folder("net/inference.yml"), 0777), 0);
    write_text("net/inference.pdmodel", "old");
    expect_refusal(in_folder("net"), RES2NET_WRITE_FAILED, "is a folder where a file");
    assert_string_equal(names_in(in_folder("net")), "inference.pdmodel inference.yml ");
}

static void test_refused_options(void **state)
{
    static const r2n_paddle_options bad[] = {{.batch = -1},
                                             {.batch = INT64_MAX},
                                             {.rows = 32},
                                             {.columns = 32},
                                             {.rows = -1, .columns = -1},
                                             {.rows = 2, .columns = 2},
                                             {.rows = 1 << 20, .columns = 32}};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_not_equal(r2n_export_paddle(&model, &bad[i], in_folder("net"), NULL),
                             RES2NET_OK);
    model.preprocessing = "{\"scale\": 1}";
    expect_refusal(in_folder("net"), RES2NET_INVALID_ARGUMENT, "no recipe");
    model.preprocessing = "{";
    assert_int_equal(export_to(in_folder("net"), NULL), RES2NET_DAMAGED);
    model.preprocessing = NULL;
    model.label_count = 2;
    expect_refusal(in_folder("net"), RES2NET_MISMATCH, "2 class names for 3 classes");
    model.label_count = 0;
    weights->count--;
    expect_refusal(in_folder("net"), RES2NET_MISMATCH, "are not the tensors");
    weights->count++;
    assert_string_equal(names_in(folder), "");
}

/* A disk that is full after so many bytes of a file. */
static void test_full_disk(void **state)
{
    struct rlimit old, small;
    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = old;
    assert_int_equal(mkdir(in_folder("net"), 0777), 0);
    write_text("net/inference.pdmodel", "old");
    assert_int_equal(export_to(in_folder("whole"), NULL), RES2NET_OK);
    r2n_file_bytes largest = expect_file(in_folder("whole/inference.pdiparams"));
    const size_t size = largest.size;
    r2n_file_release(&largest);
    for (size_t tenths = 0; tenths < 10; tenths++) {
        small.rlim_cur = size * tenths / 10;
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
        const res2net_status fresh = export_to(in_folder("new"), NULL);
        const res2net_status over = export_to(in_folder("net"), NULL);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
        assert_int_equal(fresh, RES2NET_WRITE_FAILED);
        assert_int_equal(over, RES2NET_WRITE_FAILED);
        assert_string_equal(names_in(folder), "net whole ");
        assert_string_equal(names_in(in_folder("net")), "inference.pdmodel ");
    }
    signal(SIGXFSZ, SIG_DFL);
}

static res2net_status attempt(void *context, res2net_report *report)
{
    const res2net_status status = export_to(context, report);
    if (status == RES2NET_OK) {
        char command[256];
        snprintf(command, sizeof command, "%s/gone", folder);
        assert_int_equal(rename(context, command), 0);
        snprintf(command, sizeof command, "rm -rf %s/gone", folder);
        assert_int_equal(system(command), 0);
    }
    return status;
}

static void test_memory(void **state)
{
    char net[128];
    (void)state;
    strcpy(net, in_folder("net"));
    const failing_call call = {
        .name = "export --to paddle", .attempt = attempt, .context = net, .folder = folder};
    expect_failures_survived(&call, RES2NET_OK);
    assert_string_equal(names_in(folder), "");
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_new_folder),      TEST(test_old_folder),
                                       TEST(test_other_names),     TEST(test_refused_places),
                                       TEST(test_refused_options), TEST(test_full_disk),
                                       TEST(test_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
