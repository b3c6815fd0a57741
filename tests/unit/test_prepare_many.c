/* SPDX-License-Identifier: Apache-2.0 */
/* Many pictures at once: each is what it is alone, with any number of threads; and the pool's
 * sharing out of uneven work. */
#include "unit/small_model.h"

#include <stdatomic.h>

#include "base/thread_pool.h"

enum { FILES = 23, INPUTS = FILES + 3, SIDE = 32 };

static char folder[64];
static char paths[FILES][96];
static uint8_t memory[64 * 48 * 3 + 32];
static size_t memory_bytes;
static res2net_list *list;
static res2net_input inputs[INPUTS];

/* A binary PPM of noise. */
static size_t make_ppm(uint8_t *out, int width, int height, uint32_t seed)
{
    const int header = sprintf((char *)out, "P6 %d %d 255\n", width, height);
    for (int i = 0; i < width * height * 3; i++) {
        seed = seed * 1664525u + 1013904223u;
        out[header + i] = (uint8_t)(seed >> 24);
    }
    return (size_t)header + (size_t)(width * height * 3);
}

/* Pictures of many sizes; every fifth is cut off, one is absent. */
static int set_up(void **state)
{
    (void)state;
    char list_path[96];
    small_folder_make(folder);
    for (int i = 0; i < FILES; i++) {
        const int width = 17 + i, height = 64 - i;
        uint8_t *bytes = malloc((size_t)(width * height * 3) + 32);
        assert_non_null(bytes);
        const size_t size = make_ppm(bytes, width, height, (uint32_t)i);
        snprintf(paths[i], sizeof paths[i], "%s/%d.ppm", folder, i);
        if (i != 7)
            small_file(paths[i], bytes, i % 5 == 4 ? size / 2 : size);
        free(bytes);
        inputs[i] = (res2net_input){.path = paths[i]};
    }
    memory_bytes = make_ppm(memory, 64, 48, 99);
    inputs[FILES] = (res2net_input){.path = "from memory", .bytes = memory, .size = memory_bytes};
    inputs[FILES + 1] = (res2net_input){.path = "cut", .bytes = memory, .size = 40};
    snprintf(list_path, sizeof list_path, "%s/list.txt", folder);
    small_text(list_path, "0.ppm 1\n3.ppm 2\n");
    assert_int_equal(res2net_list_open(list_path, NULL, NULL, &list, NULL), RES2NET_OK);
    inputs[FILES + 2] = (res2net_input){.list = list, .index = 1};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    res2net_list_close(list);
    small_folder_remove(folder);
    return 0;
}

static void assert_same_problems(const res2net_report *a, const res2net_report *b)
{
    assert_int_equal(res2net_report_count(a), res2net_report_count(b));
    for (size_t i = 0; i < res2net_report_count(a); i++) {
        assert_string_equal(res2net_report_problem(a, i)->text, res2net_report_problem(b, i)->text);
        assert_string_equal(res2net_report_problem(a, i)->file, res2net_report_problem(b, i)->file);
    }
}

/* What the calls for one picture give. */
static void prepare_alone(const res2net_session *session, const res2net_input *input,
                          res2net_prepared *out)
{
    if (input->list != NULL)
        out->status = res2net_list_prepare(list, input->index, session, &out->tensor, out->report);
    else if (input->bytes != NULL)
        out->status = res2net_session_prepare(session, input->bytes, input->size, input->path,
                                              &out->tensor, out->report);
    else
        out->status = res2net_session_prepare_file(session, input->path, &out->tensor, out->report);
}

static void check_threads(const res2net_model *model, int threads)
{
    res2net_prepared many[INPUTS], alone;
    res2net_session_options options = small_session_options();
    res2net_session *session;
    int bad = 0;
    options.threads = threads;
    assert_int_equal(res2net_session_create(model, &options, &session, NULL), RES2NET_OK);
    for (int i = 0; i < INPUTS; i++)
        many[i] = (res2net_prepared){.report = res2net_report_create()};
    res2net_session_prepare_many(session, inputs, INPUTS, many);
    for (int i = 0; i < INPUTS; i++) {
        alone = (res2net_prepared){.report = res2net_report_create()};
        prepare_alone(session, &inputs[i], &alone);
        assert_int_equal(many[i].status, alone.status);
        assert_same_problems(many[i].report, alone.report);
        if (alone.status == RES2NET_OK)
            assert_memory_equal(many[i].tensor.data, alone.tensor.data,
                                3 * SIDE * SIDE * sizeof(float));
        else
            assert_null(many[i].tensor.data);
        bad += alone.status != RES2NET_OK;
        res2net_tensor_free(&alone.tensor);
        res2net_tensor_free(&many[i].tensor);
        res2net_report_destroy(alone.report);
        res2net_report_destroy(many[i].report);
    }
    assert_int_equal(bad, 6);
    res2net_session_destroy(session);
}

static void many_are_what_each_is_alone(void **state)
{
    (void)state;
    res2net_model *model = small_model(RES2NET_FAMILY_TORCH);
    check_threads(model, 1);
    check_threads(model, 2);
    check_threads(model, 5);
    res2net_model_destroy(model);
}

static void none_and_no_report_are_allowed(void **state)
{
    (void)state;
    res2net_prepared one = {.report = NULL};
    const res2net_input absent = {.path = "/nonexistent/picture.jpg"};
    res2net_model *model = small_model(RES2NET_FAMILY_TORCH);
    res2net_session *session = small_session(model);
    res2net_session_prepare_many(session, NULL, 0, NULL);
    res2net_session_prepare_many(session, &absent, 1, &one);
    assert_int_equal(one.status, RES2NET_NOT_FOUND);
    assert_null(one.tensor.data);
    res2net_session_destroy(session);
    res2net_model_destroy(model);
}

enum { MOST_WORK = 1000 };
static _Atomic int seen[MOST_WORK];

static void see(void *context, size_t index)
{
    assert_ptr_equal(context, seen);
    atomic_fetch_add(&seen[index], 1);
}

static void the_pool_takes_each_once(void **state)
{
    (void)state;
    const size_t counts[] = {0, 1, 2, 3, 64, MOST_WORK};
    for (size_t k = 0; k < sizeof counts / sizeof *counts; k++)
        for (int threads = 1; threads <= 4; threads++) {
            memset((void *)seen, 0, sizeof seen);
            r2n_thread_pool_each(threads, counts[k], see, seen);
            for (size_t i = 0; i < MOST_WORK; i++)
                assert_int_equal(seen[i], i < counts[k] ? 1 : 0);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_are_what_each_is_alone),
        cmocka_unit_test(none_and_no_report_are_allowed),
        cmocka_unit_test(the_pool_takes_each_once),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
