/* SPDX-License-Identifier: Apache-2.0 */
/* Every allocation of predict may fail: loading, sessions, pictures, lists, tables. */
#include "unit/failing_memory.h"
#include "unit/small_model.h"

#include "weights/weights.h"

enum { SIDE = 32, PLANE = SIDE * SIDE, MOST_BATCH = 2 };

static char folder[64];
static res2net_model *model;
static float input[MOST_BATCH * 3 * PLANE];
static float expected[MOST_BATCH * SMALL_CLASSES];

static const char *in_folder(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static int set_up(void **state)
{
    (void)state;
    small_folder_make(folder);
    model = small_model(RES2NET_FAMILY_TORCH);
    res2net_session *session = small_session(model);
    small_noise(input, sizeof input / sizeof *input);
    assert_int_equal(res2net_session_run(session, input, MOST_BATCH, SIDE, SIDE, expected, NULL),
                     RES2NET_OK);
    res2net_session_destroy(session);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    res2net_model_destroy(model);
    small_folder_remove(folder);
    return 0;
}

static res2net_status right(int holds)
{
    return holds ? RES2NET_OK : RES2NET_INTERNAL;
}

/* ---- models ---------------------------------------------------------------------------------- */

/* Runs what was loaded: the answer is the same as the model's that was saved. */
static res2net_status run_once(const res2net_model *loaded, res2net_report *report)
{
    const res2net_session_options options = small_session_options();
    res2net_session *session;
    float logits[SMALL_CLASSES];
    res2net_status status = res2net_session_create(loaded, &options, &session, report);
    if (status != RES2NET_OK)
        return status;
    status = res2net_session_run(session, input, 1, SIDE, SIDE, logits, report);
    if (status == RES2NET_OK)
        status = right(memcmp(logits, expected, sizeof logits) == 0);
    res2net_session_destroy(session);
    return status;
}

typedef struct load_context {
    const char *path;
    res2net_load_options options;
} load_context;

static res2net_status load(void *context, res2net_report *report)
{
    const load_context *c = context;
    res2net_model *loaded;
    res2net_status status = res2net_model_load(c->path, &c->options, &loaded, report);
    if (status != RES2NET_OK)
        return loaded == NULL ? status : RES2NET_INTERNAL;
    status = run_once(loaded, report);
    res2net_model_destroy(loaded);
    return status;
}

static void loading(void **state)
{
    (void)state;
    static const char *const names[] = {"net.r2n", "net.safetensors", "net.pdparams"};
    const res2net_save_options keep = {.keep_family = 1};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        load_context context = {.path = in_folder(names[i]), .options = {.verify = 1}};
        assert_int_equal(res2net_model_save(model, context.path, &keep, NULL), RES2NET_OK);
        const failing_call call = {.name = names[i], .attempt = load, .context = &context};
        expect_failures_survived(&call, RES2NET_OK);
    }
}

static void loading_with_everything(void **state)
{
    (void)state;
    char path[128], labels[128], transforms[128];
    snprintf(path, sizeof path, "%s", in_folder("all.r2n"));
    snprintf(labels, sizeof labels, "%s", in_folder("labels.txt"));
    snprintf(transforms, sizeof transforms, "%s", in_folder("transforms.yaml"));
    assert_int_equal(res2net_model_save(model, path, NULL, NULL), RES2NET_OK);
    small_text(labels, "0 a\n1 b\n2 c\n3 d\n4 e\n5 f\n6 g\n7 h\n8 i\n9 ten words\n");
    small_copy(R2N_SOURCE_DIR "/tests/fuzz/corpus/recipe_yaml/infer.yaml", transforms);
    load_context context = {.path = path,
                            .options = {.architecture = SMALL_MODEL,
                                        .labels = labels,
                                        .licence = "Apache-2.0",
                                        .source = "a test"}};
#ifdef R2N_HAVE_YAML
    context.options.transforms = transforms;
#endif
    const failing_call call = {
        .name = "all options",
        .attempt = load,
        .context = &context,
        .lost_blocks = 1 /* libyaml 0.2.5 loses one where its stack of nodes cannot grow */
    };
    expect_failures_survived(&call, RES2NET_OK);
}

static res2net_status create(void *context, res2net_report *report)
{
    (void)context;
    res2net_model *made;
    res2net_status status =
        res2net_model_create(SMALL_MODEL, RES2NET_FAMILY_TORCH, 3, &made, report);
    if (status != RES2NET_OK)
        return made == NULL ? status : RES2NET_INTERNAL;
    status = run_once(made, report);
    res2net_model_destroy(made);
    return status;
}

static void creating(void **state)
{
    (void)state;
    const failing_call call = {.name = "a model from the formula", .attempt = create};
    expect_failures_survived(&call, RES2NET_OK);
}

/* Files that other programs wrote, whole and damaged, as far as tensors. */
static res2net_status read_tensors(void *context, res2net_report *report)
{
    const r2n_file_bytes *file = context;
    r2n_tensor_set *set;
    const res2net_status status =
        r2n_weights_read_memory(file->data, file->size, "weights", &set, report);
    if (status == RES2NET_OK)
        r2n_tensor_set_destroy(set);
    return status;
}

static void each_file_of(const char *where, res2net_status (*attempt)(void *, res2net_report *))
{
    char **names;
    size_t count;
    char path[512];
    snprintf(path, sizeof path, "%s/%s", R2N_SOURCE_DIR, where);
    assert_int_equal(r2n_os_list_directory(path, &names, &count, NULL), RES2NET_OK);
    assert_true(count > 0);
    for (size_t i = 0; i < count; i++) {
        snprintf(path, sizeof path, "%s/%s/%s", R2N_SOURCE_DIR, where, names[i]);
        r2n_file_bytes file = expect_file(path);
        const failing_call call = {.name = names[i], .attempt = attempt, .context = &file};
        expect_failures_survived(&call, attempt(&file, NULL));
        r2n_file_release(&file);
        r2n_free(names[i]);
    }
    r2n_free(names);
}

static void weights_of_others(void **state)
{
    (void)state;
    each_file_of("tests/golden/weights", read_tensors);
    each_file_of("tests/fuzz/corpus/weights", read_tensors);
}

/* ---- sessions -------------------------------------------------------------------------------- */

/* One session, first small, then larger, then small again. */
static res2net_status grow(void *context, res2net_report *report)
{
    static const int sizes[][2] = {{1, 16}, {MOST_BATCH, SIDE}, {1, 16}};
    const res2net_session_options options = small_session_options();
    res2net_session *session;
    float logits[MOST_BATCH * SMALL_CLASSES];
    (void)context;
    res2net_status status = res2net_session_create(model, &options, &session, report);
    if (status != RES2NET_OK)
        return session == NULL ? status : RES2NET_INTERNAL;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes && status == RES2NET_OK; i++) {
        status = res2net_session_run(session, input, sizes[i][0], sizes[i][1], sizes[i][1], logits,
                                     report);
        if (status == RES2NET_OK && sizes[i][1] == SIDE)
            status = right(memcmp(logits, expected, sizeof expected) == 0);
    }
    /* A session whose growth failed goes on at the next size it has memory for. */
    if (status == RES2NET_OUT_OF_MEMORY &&
        res2net_session_run(session, input, MOST_BATCH, SIDE, SIDE, logits, NULL) == RES2NET_OK)
        status = memcmp(logits, expected, sizeof expected) == 0 ? status : RES2NET_INTERNAL;
    res2net_session_destroy(session);
    return status;
}

static void sessions(void **state)
{
    (void)state;
    const failing_call call = {.name = "a session that grows", .attempt = grow};
    expect_failures_survived(&call, RES2NET_OK);
}

static res2net_status tell(void *context, res2net_report *report)
{
    (void)context;
    res2net_session *session = NULL;
    res2net_summary by_name = {0}, of_model = {0};
    res2net_plan_report plan = {0};
    const res2net_session_options options = small_session_options();
    res2net_status status =
        res2net_summary_create("Res2Net50_26w_4s", RES2NET_FAMILY_PADDLE, 0, 0, &by_name, report);
    if (status == RES2NET_OK)
        status = res2net_summary_of_model(model, SIDE, SIDE, &of_model, report);
    if (status == RES2NET_OK)
        status = res2net_session_create(model, &options, &session, report);
    if (status == RES2NET_OK)
        status = res2net_session_explain(session, 1, SIDE, SIDE, 0, &plan, report);
    if (status == RES2NET_OK)
        status = right(plan.step_count > 0 && of_model.layer_count > 0);
    res2net_plan_report_free(&plan);
    res2net_session_destroy(session);
    res2net_summary_free(&of_model);
    res2net_summary_free(&by_name);
    return status;
}

static void summaries_and_plans(void **state)
{
    (void)state;
    const failing_call call = {.name = "summary and plan", .attempt = tell, .stride = 3};
    expect_failures_survived(&call, RES2NET_OK);
}

/* ---- pictures -------------------------------------------------------------------------------- */

typedef struct picture_context {
    res2net_session *session;
    const r2n_file_bytes *file;
    res2net_score wanted[3];
    int32_t wanted_count;
} picture_context;

static res2net_status classify(void *context, res2net_report *report)
{
    const picture_context *c = context;
    res2net_score scores[3];
    int32_t count;
    const res2net_status status = res2net_session_classify(c->session, c->file->data, c->file->size,
                                                           "picture", 3, scores, &count, report);
    if (status != RES2NET_OK)
        return status;
    return right(count == c->wanted_count &&
                 memcmp(scores, c->wanted, (size_t)count * sizeof *scores) == 0);
}

static void pictures_of(const char *where, res2net_session *session)
{
    char **names;
    size_t count;
    char path[512];
    assert_int_equal(r2n_os_list_directory(where, &names, &count, NULL), RES2NET_OK);
    for (size_t i = 0; i < count; i++) {
        snprintf(path, sizeof path, "%s/%s", where, names[i]);
        r2n_file_bytes file = expect_file(path);
        picture_context c = {.session = session, .file = &file};
        const res2net_status status = res2net_session_classify(
            session, file.data, file.size, "picture", 3, c.wanted, &c.wanted_count, NULL);
        failing_call call = {.name = names[i], .attempt = classify, .context = &c};
        /* libwebp 1.2.4 reads through NULL where its lossless decoder lacks memory, or tells it as
         * damage. */
        call.ours_only = strstr(names[i], "webp") != NULL;
        expect_failures_survived(&call, status);
        r2n_file_release(&file);
        r2n_free(names[i]);
    }
    r2n_free(names);
}

/* All kinds of picture, whole and damaged, by both presets. */
static void pictures(void **state)
{
    (void)state;
    static const res2net_preset presets[] = {RES2NET_PRESET_TORCH, RES2NET_PRESET_PADDLE};
    for (size_t i = 0; i < sizeof presets / sizeof *presets; i++) {
        res2net_session_options options = small_session_options();
        res2net_session *session;
        options.preset = presets[i];
        assert_int_equal(res2net_session_create(model, &options, &session, NULL), RES2NET_OK);
        pictures_of(R2N_SOURCE_DIR "/tests/fuzz/corpus/picture", session);
        pictures_of(R2N_SOURCE_DIR "/tests/golden/pictures", session);
        res2net_session_destroy(session);
    }
}

static res2net_status prepare_file(void *context, res2net_report *report)
{
    res2net_tensor tensor;
    const res2net_status status =
        res2net_session_prepare_file(context, R2N_SOURCE_DIR "/models/sample.png", &tensor, report);
    if (status != RES2NET_OK)
        return tensor.data == NULL ? status : RES2NET_INTERNAL;
    res2net_tensor_free(&tensor);
    return RES2NET_OK;
}

static void a_picture_file(void **state)
{
    (void)state;
    res2net_session *session = small_session(model);
    const failing_call call = {
        .name = "a picture file", .attempt = prepare_file, .context = session};
    expect_failures_survived(&call, prepare_file(session, NULL));
    res2net_session_destroy(session);
}

/* ---- tensors, lists, folders ----------------------------------------------------------------- */

static res2net_status npy(void *context, res2net_report *report)
{
    const char *path = context;
    const int64_t shape[4] = {1, 3, SIDE, SIDE};
    res2net_tensor tensor = {0};
    res2net_status status = res2net_npy_write(path, 4, shape, input, report);
    if (status == RES2NET_OK)
        status = res2net_tensor_read_npy(path, &tensor, report);
    if (status == RES2NET_OK)
        status = right(memcmp(tensor.data, input, 3 * PLANE * sizeof(float)) == 0);
    res2net_tensor_free(&tensor);
    if (status == RES2NET_OUT_OF_MEMORY)
        unlink(path); /* it may have been written; a part of it or another name may not be there */
    return status;
}

static void tensors(void **state)
{
    (void)state;
    char path[128];
    snprintf(path, sizeof path, "%s", in_folder("input.npy"));
    const failing_call call = {
        .name = "npy", .attempt = npy, .context = path, .folder = folder, .target = path};
    expect_failures_survived(&call, RES2NET_OK);
}

static res2net_status paths(void *context, res2net_report *report)
{
    char **found;
    size_t count;
    (void)context;
    res2net_status status =
        res2net_folder_paths(R2N_SOURCE_DIR "/tests/golden/pictures", &found, &count, report);
    if (status != RES2NET_OK)
        return found == NULL && count == 0 ? status : RES2NET_INTERNAL;
    res2net_paths_free(found, count);
    const size_t pictures_found = count;
    res2net_list *list;
    status = res2net_list_open(in_folder("list.txt"), "root", NULL, &list, report);
    if (status != RES2NET_OK)
        return list == NULL ? status : RES2NET_INTERNAL;
    status = right(pictures_found > 10 && res2net_list_count(list) == 3 &&
                   strcmp(res2net_list_name(list, 2), "root/c d.jpg") == 0);
    res2net_list_close(list);
    return status;
}

static void lists_and_folders(void **state)
{
    (void)state;
    small_text(in_folder("list.txt"), "a.jpg 0\nb.jpg 1\nc d.jpg 2\n");
    const failing_call call = {.name = "paths", .attempt = paths};
    expect_failures_survived(&call, RES2NET_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(creating),
        cmocka_unit_test(loading),
        cmocka_unit_test(loading_with_everything),
        cmocka_unit_test(weights_of_others),
        cmocka_unit_test(sessions),
        cmocka_unit_test(summaries_and_plans),
        cmocka_unit_test(pictures),
        cmocka_unit_test(a_picture_file),
        cmocka_unit_test(tensors),
        cmocka_unit_test(lists_and_folders),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
