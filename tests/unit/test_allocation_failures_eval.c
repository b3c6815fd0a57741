/* SPDX-License-Identifier: Apache-2.0 */
/* Every allocation of eval and of data check may fail: lists, class folders, CIFAR binaries,
 * labels, configurations, and the evaluation itself. */
#include "unit/failing_memory.h"
#include "unit/small_model.h"

#include "data/dataset.h"

static char folder[64], list[128], bad_list[128], cifar[128], classes[128];
static res2net_model *model;
static res2net_session *session;

/* A list with a good picture, a damaged one and one that is not there. */
static void write_lists(void)
{
    static uint8_t records[3 * 3073];
    char path[160];
    for (size_t i = 0; i < sizeof records; i++)
        records[i] = (uint8_t)(i * 37 % 251);
    for (size_t i = 0; i < 3; i++)
        records[i * 3073] = (uint8_t)i;
    small_file(cifar, records, sizeof records);
    snprintf(path, sizeof path, "%s/good.ppm", folder);
    small_copy(R2N_SOURCE_DIR "/tests/fuzz/corpus/picture/ppm", path);
    snprintf(path, sizeof path, "%s/damaged.png", folder);
    small_file(path, "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1", 20);
    small_text(list, "good.ppm 3\ngood.ppm 3\ndamaged.png 4\ngood.ppm 9\n");
    small_text(bad_list, "good.ppm 3\ngood.ppm\n\xff 4\nx y z\ngood.ppm 99\n");
    assert_int_equal(mkdir(classes, 0700), 0);
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/class %d", classes, i);
        assert_int_equal(mkdir(path, 0700), 0);
        snprintf(path, sizeof path, "%s/class %d/good.ppm", classes, i);
        small_copy(R2N_SOURCE_DIR "/tests/fuzz/corpus/picture/ppm", path);
    }
}

static int set_up(void **state)
{
    (void)state;
    small_folder_make(folder);
    snprintf(list, sizeof list, "%s/list.txt", folder);
    snprintf(bad_list, sizeof bad_list, "%s/bad.txt", folder);
    snprintf(cifar, sizeof cifar, "%s/cifar.bin", folder);
    snprintf(classes, sizeof classes, "%s/classes", folder);
    write_lists();
    model = small_model(RES2NET_FAMILY_TORCH);
    session = small_session(model);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    res2net_session_destroy(session);
    res2net_model_destroy(model);
    small_folder_remove(folder);
    return 0;
}

static res2net_status right(int holds)
{
    return holds ? RES2NET_OK : RES2NET_INTERNAL;
}

/* ---- evaluation ------------------------------------------------------------------------------ */

typedef struct evaluation {
    const char *source;
    res2net_evaluate_options options;
    int64_t images, skipped;
    double loss; /* of the first run that was not disturbed; below 0: not known yet */
} evaluation;

static res2net_status evaluate(void *context, res2net_report *report)
{
    evaluation *e = context;
    res2net_evaluation found;
    res2net_status status = res2net_evaluate(session, e->source, &e->options, &found, report);
    if (status != RES2NET_OK)
        return found.per_class == NULL && found.confusion == NULL && found.worst == NULL
                   ? status
                   : RES2NET_INTERNAL;
    if (e->loss < 0)
        e->loss = found.loss;
    status = right(found.images == e->images && found.skipped == e->skipped &&
                   found.loss >= e->loss && found.loss <= e->loss);
    res2net_evaluation_free(&found);
    return status;
}

#if defined(R2N_HAVE_PNG)
enum { A_DAMAGED_PNG = RES2NET_BAD_PICTURE };
#else
enum { A_DAMAGED_PNG = RES2NET_UNSUPPORTED };
#endif

static void evaluations(void **state)
{
    (void)state;
    const struct {
        const char *name;
        evaluation evaluation;
        res2net_status status;
    } rows[] = {
        {"list, skip",
         {list, {.batch = 2, .on_bad_image = RES2NET_BAD_IMAGE_SKIP, .worst = 2}, 3, 1, -1},
         RES2NET_OK},
        {"list, wrong",
         {list, {.batch = 3, .on_bad_image = RES2NET_BAD_IMAGE_WRONG}, 4, 1, -1},
         RES2NET_OK},
        {"list, stop", {list, {.batch = 2}, 0, 0, -1}, (res2net_status)A_DAMAGED_PNG},
        {"list with bad lines", {bad_list, {.batch = 2}, 0, 0, -1}, RES2NET_BAD_LIST},
        {"class folders", {classes, {.batch = 2}, 3, 0, -1}, RES2NET_OK},
        {"CIFAR binary", {cifar, {.batch = 2, .worst = 2}, 3, 0, -1}, RES2NET_OK},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        evaluation e = rows[i].evaluation;
        const failing_call call = {.name = rows[i].name, .attempt = evaluate, .context = &e};
        expect_failures_survived(&call, rows[i].status);
    }
}

/* ---- data check ------------------------------------------------------------------------------ */

static res2net_status check(void *context, res2net_report *report)
{
    const char *source = context;
    const res2net_check_options options = {.threads = 1};
    res2net_data_check found;
    res2net_status status = res2net_check_data(source, &options, &found, report);
    if (status != RES2NET_OK)
        return found.per_class == NULL && found.class_names == NULL ? status : RES2NET_INTERNAL;
    if (source == list)
        status = right(found.items == 4 && found.readable == 3 && found.unreadable == 1 &&
                       found.duplicates == 2 && found.contradictions == 1);
    if (source == bad_list)
        status = right(found.items == 3 && found.bad_lines == 2);
    res2net_data_check_free(&found);
    return status;
}

static void data_checks(void **state)
{
    (void)state;
    char *const sources[] = {list, bad_list, classes, cifar};
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        const failing_call call = {
            .name = strrchr(sources[i], '/') + 1, .attempt = check, .context = sources[i]};
        expect_failures_survived(&call, RES2NET_OK);
    }
}

/* ---- labels, lists, configurations of the corpora -------------------------------------------- */

static res2net_status read_labels(void *context, res2net_report *report)
{
    char *names;
    int32_t count;
    const res2net_status status = r2n_labels_read(context, &names, &count, report);
    if (status != RES2NET_OK)
        return names == NULL ? status : RES2NET_INTERNAL;
    r2n_free(names);
    return RES2NET_OK;
}

static res2net_status read_list(void *context, res2net_report *report)
{
    r2n_dataset *dataset;
    const r2n_dataset_options options = {.root = "root"};
    const res2net_status status = r2n_dataset_open(context, &options, &dataset, report);
    if (status != RES2NET_OK)
        return dataset == NULL ? status : RES2NET_INTERNAL;
    r2n_dataset_destroy(dataset);
    return RES2NET_OK;
}

static res2net_status read_config(void *context, res2net_report *report)
{
    static const char *const overrides[] = {"DataLoader.Eval.sampler.batch_size=3",
                                            "Global.pretrained_model='a b'", "Arch.class_num=7"};
    res2net_evaluate_config config;
    const res2net_status status =
        res2net_evaluate_config_read(context, overrides, 3, &config, report);
    res2net_evaluate_config_free(&config);
    return status;
}

static void each_file_of(const char *where, res2net_status (*attempt)(void *, res2net_report *))
{
    char **names;
    size_t count;
    char path[512];
    assert_int_equal(r2n_os_list_directory(where, &names, &count, NULL), RES2NET_OK);
    assert_true(count > 0);
    for (size_t i = 0; i < count; i++) {
        snprintf(path, sizeof path, "%s/%s", where, names[i]);
        const failing_call call = {
            .name = names[i],
            .attempt = attempt,
            .context = path,
            /* libyaml 0.2.5 loses a block where its stack of nodes cannot grow. */
            .lost_blocks = attempt == read_config};
        expect_failures_survived(&call, attempt(path, NULL));
        r2n_free(names[i]);
    }
    r2n_free(names);
}

static void labels(void **state)
{
    (void)state;
    each_file_of(R2N_SOURCE_DIR "/tests/fuzz/corpus/labels", read_labels);
}

static void lists(void **state)
{
    (void)state;
    each_file_of(R2N_SOURCE_DIR "/tests/fuzz/corpus/list", read_list);
}

static void configurations(void **state)
{
    (void)state;
    each_file_of(R2N_SOURCE_DIR "/tests/fuzz/corpus/config", read_config);
    each_file_of(R2N_SOURCE_DIR "/configs/ImageNet/Res2Net", read_config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(evaluations), cmocka_unit_test(data_checks),    cmocka_unit_test(labels),
        cmocka_unit_test(lists),       cmocka_unit_test(configurations),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
