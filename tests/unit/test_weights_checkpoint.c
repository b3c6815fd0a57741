/* SPDX-License-Identifier: Apache-2.0 */
/* Checkpoints written piece by piece: which dict is taken, the form of torch.save before 1.6 and
 * its lies, arrays in pieces, tensors with subclasses and parameters around them. */
#include "expect.h"

#include "weights/weights.h"

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

typedef struct text {
    char bytes[4096];
    size_t size;
} text;

static void add(text *t, const char *piece, size_t size)
{
    assert_true(t->size + size <= sizeof t->bytes);
    memcpy(t->bytes + t->size, piece, size);
    t->size += size;
}

#define ADD(t, piece) add(t, piece, sizeof(piece) - 1)

static void add_word(text *t, const char *word)
{
    const char head[2] = {'U', (char)strlen(word)};
    add(t, head, 2);
    add(t, word, strlen(word));
}

static void add_u64(text *t, uint64_t number)
{
    add(t, (const char *)&number, 8);
}

/* ---- torch.save before 1.6 ----------------------------------------------------------------- */

#define MAGIC "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."

/* ('storage', FloatStorage, key, 'cpu', 4, None) */
static void add_storage(text *t, const char *key)
{
    ADD(t, "(");
    add_word(t, "storage");
    ADD(t, "ctorch\nFloatStorage\n");
    add_word(t, key);
    add_word(t, "cpu");
    ADD(t, "K\x04NtQ");
}

/* "name": _rebuild_tensor(storage, offset, (size,), (1,)), in the way of torch 0.3 and Python 2. */
static void add_tensor(text *t, const char *name, const char *key, char offset, char size)
{
    add_word(t, name);
    ADD(t, "ctorch._utils\n_rebuild_tensor\n(");
    add_storage(t, key);
    const char numbers[] = {'K', offset, 'K', size, (char)0x85, 'K', 1, (char)0x85, 't', 'R', 's'};
    add(t, numbers, sizeof numbers);
}

static text begin(void)
{
    text t = {.size = 0};
    ADD(&t, MAGIC "\x80\x02M\xE9\x03.\x80\x02}.\x80\x02}");
    return t;
}

static void end(text *t, const char *keys, size_t key_bytes, uint64_t elements)
{
    static const float numbers[4] = {1, 2, 3, 4};
    ADD(t, ".\x80\x02](");
    add(t, keys, key_bytes);
    ADD(t, "e.");
    if (key_bytes == 0)
        return;
    add_u64(t, elements);
    add(t, (const char *)numbers, sizeof numbers);
}

static r2n_tensor_set *read_text(const text *t)
{
    r2n_tensor_set *set;
    if (r2n_weights_read_memory(t->bytes, t->size, "a", &set, report) != RES2NET_OK)
        fail_msg("%s", res2net_report_problem(report, 0)->text);
    return set;
}

static void refuse(const text *t, res2net_status status, const char *problem)
{
    r2n_tensor_set *set;
    assert_int_equal(r2n_weights_read_memory(t->bytes, t->size, "a", &set, report), status);
    assert_null(set);
    expect_problem(report, status, problem);
}

#define KEY_A                                                                                      \
    "U\x01"                                                                                        \
    "a"

static void the_tar_form_and_inference_models_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *names[3];
        const char *problem;
    } cases[] = {{{"storages", "tensors", "pickle"}, "tar format from before 0.1.10"},
                 {{"x_infer/", "x_infer/inference.pdiparams", "x"}, "Paddle inference model"},
                 {{"a", "b", "c"}, "unpack it"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        text t = {.size = 3 * 1024};
        memset(t.bytes, 0, t.size);
        for (int k = 0; k < 3; k++) { /* a header and a block of content */
            strcpy(t.bytes + k * 1024, cases[i].names[k]);
            memcpy(t.bytes + k * 1024 + 124, "00000000777", 11);
            memcpy(t.bytes + k * 1024 + 257, "ustar", 5);
        }
        refuse(&t, RES2NET_UNSUPPORTED, cases[i].problem);
    }
}

/* ---- newer forms of tensors ---------------------------------------------------------------- */

/* The same file with one tensor whose value is `value`. */
static text one_value(const char *value, size_t bytes)
{
    text t = begin();
    add_word(&t, "w");
    add(&t, value, bytes);
    ADD(&t, "s");
    end(&t, KEY_A, 3, 4);
    return t;
}

#define STORAGE_OF(module, name, elements)                                                         \
    "(U\x07storagec" module "\n" name "\nU\x01"                                                    \
    "aU\x03"                                                                                       \
    "cpuK" elements "NtQ"
#define GEOMETRY "K\x00K\x02\x85K\x01\x85"

static void newer_tensors_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
    } values[] = {
#define ROW(bytes) {bytes, sizeof(bytes) - 1}
        /* a parameter with its own state around a tensor */
        ROW("ctorch._utils\n_rebuild_parameter_with_state\n(ctorch._utils\n_rebuild_tensor_"
            "v2\n(" STORAGE_OF("torch", "FloatStorage", "\x04") GEOMETRY "\x89}tR\x89}}tR"),
        /* an attribute on a tensor */
        ROW("ctorch._tensor\n_rebuild_from_type_v2\n(ctorch._utils\n_rebuild_tensor_v2\n"
            "ctorch.nn.parameter\nParameter\n(" STORAGE_OF("torch", "FloatStorage", "\x04") GEOMETRY
            "\x89}t}tR"),
        /* a storage without a type */
        ROW("ctorch._utils\n_rebuild_tensor_v3\n(" STORAGE_OF("torch", "FloatStorage", "\x04")
                GEOMETRY "\x89}ctorch\nfloat32\ntR"),
        ROW("ctorch._utils\n_rebuild_tensor_v2\n(" STORAGE_OF(
            "torch", "FloatStorage", "\x04") "K\x00"
                                             "ctorch\nSize\nK\x02\x85\x85RK\x01\x85\x89}tR"),
#undef ROW
    };
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        const text t = one_value(values[i].bytes, values[i].size);
        r2n_tensor_set *set = read_text(&t);
        assert_int_equal(set->count, 1);
        assert_int_equal(set->tensors[0].count, 2);
        assert_true(set->tensors[0].data[1] == 2);
        r2n_tensor_set_destroy(set);
    }
    /* 16 bytes without a type are four floats */
    static const char untyped[] =
        "ctorch._utils\n_rebuild_tensor_v3\n(" STORAGE_OF("torch.storage", "UntypedStorage", "\x10")
            GEOMETRY "\x89}ctorch\nfloat32\ntR";
    text t = one_value(untyped, sizeof untyped - 1);
    memcpy(t.bytes + t.size - 24, "\x10\0\0\0\0\0\0\0", 8);
    r2n_tensor_set *set = read_text(&t);
    assert_true(set->tensors[0].data[1] == 2);
    r2n_tensor_set_destroy(set);
    static const char float8[] =
        "ctorch._utils\n_rebuild_tensor_v3\n(" STORAGE_OF("torch.storage", "UntypedStorage", "\x10")
            GEOMETRY "\x89}ctorch\nfloat8_e4m3fn\ntR";
    t = one_value(float8, sizeof float8 - 1);
    refuse(&t, RES2NET_UNSUPPORTED, "torch.float8_e4m3fn");
}

/* ---- arrays in pieces ---------------------------------------------------------------------- */

/* "name": a numpy array of two floats in one dimension. */
static void add_array(text *t, const char *name)
{
    add_word(t, name);
    ADD(t, "cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01"
           "b\x87R(K\x01K\x02\x85"
           "cnumpy\ndtype\nU\x02"
           "f4K\x00K\x01\x87R(K\x03U\x01<NNNJ\xFF\xFF\xFF\xFFJ\xFF\xFF\xFF\xFFK\x00tb\x89"
           "U\x08\x00\x00\x80\x3F\x00\x00\x00\x40tbs");
}

/* {"w@@.0": two floats, "w@@.1": two floats, table} with one entry for "w". */
static text in_pieces(const char *shape, size_t shape_bytes, const char *const *slices)
{
    text t = {.size = 0};
    ADD(&t, "\x80\x02}");
    add_array(&t, "w@@.0");
    add_array(&t, "w@@.1");
    add_word(&t, "UnpackBigParamInfor@@");
    ADD(&t, "}");
    add_word(&t, "w");
    ADD(&t, "}");
    add_word(&t, "OriginShape");
    add(&t, shape, shape_bytes);
    ADD(&t, "s");
    add_word(&t, "slices");
    ADD(&t, "](");
    for (; *slices != NULL; slices++)
        add_word(&t, *slices);
    ADD(&t, "esss.");
    return t;
}

static void pieces_are_joined_or_refused(void **state)
{
    (void)state;
    static const char *const both[] = {"w@@.0", "w@@.1", NULL}, *const one[] = {"w@@.0", NULL};
    static const char *const other[] = {"w@@.0", "w@@.2", NULL};
    static const char *const three[] = {"w@@.0", "w@@.1", "w@@.0", NULL};
    static const float numbers[] = {1, 2, 1, 2};
    text t = in_pieces("K\x02K\x02\x86", 5, both);
    r2n_tensor_set *set = read_text(&t);
    assert_int_equal(set->count, 1);
    assert_int_equal(set->tensors[0].rank, 2);
    assert_memory_equal(set->tensors[0].data, numbers, sizeof numbers);
    r2n_tensor_set_destroy(set);
    t = in_pieces("K\x02K\x02\x86", 5, one);
    refuse(&t, RES2NET_DAMAGED, "has 4 elements, its pieces have 2");
    t = in_pieces("K\x02K\x02\x86", 5, other);
    refuse(&t, RES2NET_DAMAGED, "its piece \"w@@.2\" is missing");
    t = in_pieces("K\x02K\x02\x86", 5, three);
    refuse(&t, RES2NET_DAMAGED, "does not fit");
    t = in_pieces("M\xFF\xFFM\xFF\xFF\x86", 7, both);
    refuse(&t, RES2NET_DAMAGED, "larger than the file");
    t = in_pieces("N", 1, both);
    refuse(&t, RES2NET_DAMAGED, "has no shape");
}

static void counters_are_left_out_whatever_their_type(void **state)
{
    (void)state;
    text t = begin();
    add_tensor(&t, "bn1.num_batches_tracked", "a", 0, 1);
    add_tensor(&t, "w", "a", 0, 1);
    end(&t, KEY_A, 3, 4);
    r2n_tensor_set *set = read_text(&t);
    assert_int_equal(set->count, 1);
    assert_string_equal(set->tensors[0].name, "w");
    r2n_tensor_set_destroy(set);
}

/* ---- wrappers ------------------------------------------------------------------------------ */

/* `layout` is a word a dict: ">name" opens one, "<" closes it, any other is a tensor, "!x" a
 * number.
 */
static text wrapped(const char *const *layout)
{
    text t = begin();
    int tensors = 0;
    for (; *layout != NULL; layout++) {
        if ((*layout)[0] == '>') {
            add_word(&t, *layout + 1);
            ADD(&t, "}");
        } else if ((*layout)[0] == '<') {
            ADD(&t, "s");
        } else if ((*layout)[0] == '!') {
            add_word(&t, *layout + 1);
            ADD(&t, "K\x03s");
        } else {
            add_tensor(&t, *layout, "a", 0, 1);
            tensors++;
        }
    }
    end(&t, KEY_A, tensors > 0 ? 3 : 0, 4);
    return t;
}

static void the_right_dict_is_taken(void **state)
{
    (void)state;
    static const struct {
        const char *layout[16];
        const char *tensor, *note;
    } cases[] = {
        {{"x", NULL}, "x", NULL},
        {{">state_dict", "x", "<", NULL}, "x", "under \"state_dict\""},
        {{"best_acc1", ">state_dict", "x", "<", "!epoch", NULL}, "x", "under \"state_dict\""},
        {{">model", "a", "<", ">state_dict", "b", "<", ">model_ema", "c", "<", ">state_dict_ema",
          "x", "<", NULL},
         "x",
         "under \"state_dict_ema\""},
        {{">model", "a", "<", ">state_dict", "b", "<", ">model_ema", "x", "<", NULL},
         "x",
         "under \"model_ema\""},
        {{">model", "a", "<", ">state_dict", "x", "<", ">state_dict_ema", "<", NULL},
         "x",
         "under \"state_dict\""},
        {{"!state_dict_ema", ">model", "x", "<", NULL}, "x", "under \"model\""},
        {{">model", ">state_dict", "x", "<", "<", NULL}, "x", "under \"model.state_dict\""},
        {{">net", "x", "<", ">optimizer", "!lr", "<", NULL}, "x", "under \"net\""},
        {{">model_state", "x", "<", NULL}, "x", "under \"model_state\""},
        {{">params", "x", "<", NULL}, "x", "under \"params\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const text t = wrapped(cases[i].layout);
        r2n_tensor_set *set = read_text(&t);
        assert_int_equal(set->count, 1);
        assert_string_equal(set->tensors[0].name, cases[i].tensor);
        r2n_tensor_set_destroy(set);
        if (cases[i].note == NULL)
            assert_int_equal(res2net_report_count(report), 0);
        else
            expect_problem(report, RES2NET_OK, cases[i].note);
    }
}

static void what_is_not_clear_is_refused(void **state)
{
    (void)state;
    static const char *const two[] = {">net", "x", "<", ">params", "y", "<", NULL};
    static const char *const none[] = {"!epoch", ">optimizer", "!lr", "<", NULL};
    static const char *const unknown[] = {">discriminator", "x", "<", NULL};
    text t = wrapped(two);
    refuse(&t, RES2NET_UNSUPPORTED, "(net, params)");
    t = wrapped(none);
    refuse(&t, RES2NET_UNSUPPORTED, "no tensors");
    t = wrapped(unknown);
    refuse(&t, RES2NET_UNSUPPORTED, "no tensors");
    static const char loop[] = "\x80\x02}q\x01U\x05modelh\x01s.";
    t = (text){.size = 0};
    ADD(&t, loop);
    refuse(&t, RES2NET_UNSUPPORTED, "no tensors"); /* a dict that holds itself */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_tar_form_and_inference_models_are_named),
        cmocka_unit_test(newer_tensors_are_read),
        cmocka_unit_test(pieces_are_joined_or_refused),
        cmocka_unit_test(counters_are_left_out_whatever_their_type),
        cmocka_unit_test(the_right_dict_is_taken),
        cmocka_unit_test(what_is_not_clear_is_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
