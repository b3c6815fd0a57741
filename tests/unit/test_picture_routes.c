/* SPDX-License-Identifier: Apache-2.0 */
/* The same picture by every way into a session: a path, standard input, memory; turned by each of
 * the eight EXIF orientations or not. And what a session's options say about pictures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <unistd.h>

#include "res2net/res2net.h"
#include "unit/image_fixture.h"

static const char small[] = "cifar:planes=8,depths=1-1-1,width=26,scale=4,classes=10";

static res2net_session *open_session(const res2net_model *model, res2net_session_options options)
{
    res2net_session *session;
    options.resize_short = 40;
    options.crop = 32;
    assert_int_equal(res2net_session_create(model, &options, &session, NULL), RES2NET_OK);
    return session;
}

static void prepare_stdin(const res2net_session *session, const char *path, res2net_tensor *out)
{
    const int kept = dup(STDIN_FILENO), file = open(path, O_RDONLY);
    assert_true(file >= 0 && dup2(file, STDIN_FILENO) == STDIN_FILENO);
    close(file);
    assert_int_equal(res2net_session_prepare_file(session, "-", out, NULL), RES2NET_OK);
    if (kept >= 0) {
        assert_int_equal(dup2(kept, STDIN_FILENO), STDIN_FILENO);
        close(kept);
    }
}

static void same_tensor(const res2net_tensor *a, const res2net_tensor *b, const char *name)
{
    assert_int_equal(a->width, b->width);
    assert_int_equal(a->height, b->height);
    if (memcmp(a->data, b->data, sizeof(float) * 3 * (size_t)a->width * (size_t)a->height) != 0)
        fail_msg("%s: another tensor", name);
}

/* Three routes give one tensor, which is returned. */
static res2net_tensor prepare_by_all_routes(const res2net_session *session, const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/tests/golden/pictures/%s", R2N_SOURCE_DIR, name);
    file_copy file = read_golden(name);
    res2net_tensor memory, disk, input;
    assert_int_equal(res2net_session_prepare(session, file.bytes, file.size, name, &memory, NULL),
                     RES2NET_OK);
    assert_int_equal(res2net_session_prepare_file(session, path, &disk, NULL), RES2NET_OK);
    prepare_stdin(session, path, &input);
    same_tensor(&memory, &disk, name);
    same_tensor(&memory, &input, name);
    res2net_tensor_free(&disk);
    res2net_tensor_free(&input);
    free(file.bytes);
    return memory;
}

/* users.md A1 3 and 4 */
static void every_route_gives_the_same_tensor(void **state)
{
    static const char *const formats[] = {"jpg", "png", "webp"};
    const res2net_model *model = *state;
    const res2net_session_options choices[] = {
        {.preset = RES2NET_PRESET_PADDLE},
        {.preset = RES2NET_PRESET_TORCH},
        {.exif = RES2NET_EXIF_APPLY, .preset = RES2NET_PRESET_TORCH},
        {.exif = RES2NET_EXIF_IGNORE, .preset = RES2NET_PRESET_PADDLE}};
    for (size_t i = 0; i < sizeof choices / sizeof *choices; i++) {
        res2net_session *session = open_session(model, choices[i]);
        for (int k = 0; k < 3; k++) {
            res2net_tensor upright = {0};
            for (int value = 1; value <= 8; value++) {
                char name[32];
                snprintf(name, sizeof name, "exif%d.%s", value, formats[k]);
                if (!can_decode(name))
                    continue;
                res2net_tensor tensor = prepare_by_all_routes(session, name);
                /* Turned by the presets as their originals do; where told, in all formats. */
                const int turned =
                    i == 2 || (i == 0 && strcmp(formats[k], "webp") != 0) ? value != 1 : 0;
                if (value == 1) {
                    upright = tensor;
                    continue;
                }
                if (turned == (memcmp(tensor.data, upright.data, sizeof(float) * 3 * 32 * 32) == 0))
                    fail_msg("%s, choice %zu: turned %d was expected", name, i, turned);
                res2net_tensor_free(&tensor);
            }
            res2net_tensor_free(&upright);
        }
        res2net_session_destroy(session);
    }
}

static void other_formats_take_the_same_routes(void **state)
{
    static const char *const names[] = {"rgb420_progressive.jpg",
                                        "grey16.png",
                                        "lossy.webp",
                                        "rgb565.bmp",
                                        "rle8.bmp",
                                        "binary.pbm",
                                        "level1000.ppm",
                                        "grey_alpha16.png"};
    res2net_session *session =
        open_session(*state, (res2net_session_options){.preset = RES2NET_PRESET_TORCH});
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!can_decode(names[i]))
            continue;
        res2net_tensor tensor = prepare_by_all_routes(session, names[i]);
        res2net_tensor_free(&tensor);
    }
    res2net_session_destroy(session);
}

/* The BMP that no preset decodes like the other. */
static void presets_decode_as_their_originals(void **state)
{
    res2net_tensor tensors[2];
    for (int i = 0; i < 2; i++) {
        res2net_session *session = open_session(
            *state, (res2net_session_options){.preset = i == 0 ? RES2NET_PRESET_PADDLE
                                                               : RES2NET_PRESET_TORCH});
        tensors[i] = prepare_by_all_routes(session, "rgb555.bmp");
        res2net_session_destroy(session);
    }
    assert_memory_not_equal(tensors[0].data, tensors[1].data, sizeof(float) * 3 * 32 * 32);
    res2net_tensor_free(&tensors[0]);
    res2net_tensor_free(&tensors[1]);
}

static void options_limit_and_tolerate(void **state)
{
    const res2net_model *model = *state;
    file_copy file = read_golden("rgb24_40.bmp");
    res2net_report *report = res2net_report_create();
    res2net_session_options options = {.preset = RES2NET_PRESET_TORCH, .maximum_pixels = 23 * 19};
    res2net_session *session = open_session(model, options);
    res2net_tensor tensor;
    assert_int_equal(res2net_session_prepare(session, file.bytes, file.size, "a", &tensor, report),
                     RES2NET_OK);
    res2net_tensor_free(&tensor);
    assert_int_equal(
        res2net_session_prepare(session, file.bytes, file.size / 2, "a", &tensor, report),
        RES2NET_BAD_PICTURE);
    res2net_session_destroy(session);
    options.maximum_pixels--;
    options.truncated = RES2NET_TRUNCATED_TOLERATE;
    session = open_session(model, options);
    assert_int_equal(res2net_session_prepare(session, file.bytes, file.size, "a", &tensor, report),
                     RES2NET_LIMIT_EXCEEDED);
    res2net_session_destroy(session);
    options.maximum_pixels = 0;
    session = open_session(model, options);
    res2net_report_clear(report);
    assert_int_equal(
        res2net_session_prepare(session, file.bytes, file.size / 2, "a", &tensor, report),
        RES2NET_OK);
    assert_int_equal(res2net_report_count(report), 1);
    assert_says(report, "what is missing is taken as black");
    res2net_tensor_free(&tensor);
    res2net_session_destroy(session);
    options.maximum_pixels = -1;
    assert_int_equal(res2net_session_create(model, &options, &session, report),
                     RES2NET_INVALID_ARGUMENT);
    options.maximum_pixels = 0;
    options.truncated = 2;
    assert_int_equal(res2net_session_create(model, &options, &session, report),
                     RES2NET_INVALID_ARGUMENT);
    res2net_report_destroy(report);
    free(file.bytes);
}

static int make_model(void **state)
{
    res2net_model *model;
    if (res2net_model_create(small, RES2NET_FAMILY_PADDLE, 1, &model, NULL) != RES2NET_OK)
        return -1;
    *state = model;
    return 0;
}

static int free_model(void **state)
{
    res2net_model_destroy(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_route_gives_the_same_tensor),
        cmocka_unit_test(other_formats_take_the_same_routes),
        cmocka_unit_test(presets_decode_as_their_originals),
        cmocka_unit_test(options_limit_and_tolerate),
    };
    return cmocka_run_group_tests(tests, make_model, free_model);
}
