/* SPDX-License-Identifier: Apache-2.0 */
#include "expect.h"

#include <stdlib.h>
#include <unistd.h>

#include "formats/pickle_opcodes.h"
#include "formats/pickle_reader.h"
#include "formats/pickle_writer.h"

static const r2n_pickle_global ALLOWED[] = {{"collections", "OrderedDict", R2N_PICKLE_ROLE_DICT, 1},
                                            {"torch", "FloatStorage", R2N_PICKLE_ROLE_MARKER, 2},
                                            {"numpy", "dtype", R2N_PICKLE_ROLE_CALL, 3},
                                            {"_codecs", "encode", R2N_PICKLE_ROLE_LATIN1, 4},
                                            {"builtins", "tuple", R2N_PICKLE_ROLE_TUPLE, 5},
                                            {NULL, NULL, R2N_PICKLE_ROLE_MARKER, 0}};

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

static r2n_pickle *parse(const void *data, size_t size)
{
    r2n_pickle *pickle;
    if (r2n_pickle_parse(data, size, "a.pkl", 0, ALLOWED, &pickle, report) != RES2NET_OK)
        fail_msg("%s", res2net_report_problem(report, 0)->text);
    return pickle;
}

static void refuse(const void *data, size_t size, res2net_status status, const char *problem)
{
    r2n_pickle *pickle;
    assert_int_equal(r2n_pickle_parse(data, size, "a.pkl", 0, ALLOWED, &pickle, report), status);
    assert_null(pickle);
    expect_problem(report, status, problem);
}

#define PARSE(text)                   parse(text, sizeof(text) - 1)
#define REFUSE(text, status, problem) refuse(text, sizeof(text) - 1, status, problem)

static void scalars_are_read(void **state)
{
    (void)state;
    /* [None, True, False, 200, 40000, -2, 2**40, -129, 1.5, "é", b"ab", str "cd"] */
    r2n_pickle *pickle = PARSE("\x80\x02](N\x88\x89K\xC8M\x40\x9CJ\xFE\xFF\xFF\xFF"
                               "\x8A\x06\x00\x00\x00\x00\x00\x01\x8A\x02\x7F\xFF"
                               "G\x3F\xF8\x00\x00\x00\x00\x00\x00X\x02\x00\x00\x00\xC3\xA9"
                               "C\x02"
                               "abU\x02"
                               "cde.");
    const r2n_pickle_value *list = r2n_pickle_root(pickle);
    assert_int_equal(list->kind, R2N_PICKLE_LIST);
    assert_int_equal(list->count, 12);
    static const int64_t integers[] = {200, 40000, -2, (int64_t)1 << 40, -129};
    assert_int_equal(list->items[0]->kind, R2N_PICKLE_NONE);
    assert_int_equal(list->items[1]->integer, 1);
    assert_int_equal(list->items[2]->kind, R2N_PICKLE_BOOL);
    for (size_t i = 0; i < 5; i++)
        assert_true(list->items[3 + i]->integer == integers[i]);
    assert_true(list->items[8]->number == 1.5);
    assert_true(r2n_pickle_is_text(list->items[9], "\xC3\xA9"));
    assert_int_equal(list->items[10]->kind, R2N_PICKLE_BYTES);
    assert_true(r2n_pickle_is_text(list->items[11], "cd"));
    r2n_pickle_destroy(pickle);
    pickle = PARSE("\x80\x02\x8A\x0A\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19.");
    assert_int_equal(r2n_pickle_root(pickle)->kind, R2N_PICKLE_HUGE);
    r2n_pickle_destroy(pickle);
}

static void containers_and_memo_are_read(void **state)
{
    (void)state;
    /* {"a": (1, 2), "b": [the same tuple], "c": ()} with the last "a" winning */
    r2n_pickle *pickle = PARSE("\x80\x04\x95\x00\x00\x00\x00\x00\x00\x00\x00}\x94(\x8C\x01"
                               "aK\x09\x8C\x01"
                               "aK\x01K\x02\x86\x94\x8C\x01"
                               "b]h\x01"
                               "a\x8C\x01"
                               "c)u.");
    const r2n_pickle_value *root = r2n_pickle_root(pickle);
    const r2n_pickle_value *a = r2n_pickle_member(root, "a");
    assert_int_equal(root->count, 8);
    assert_int_equal(a->kind, R2N_PICKLE_TUPLE);
    assert_int_equal(a->items[1]->integer, 2);
    assert_ptr_equal(r2n_pickle_member(root, "b")->items[0], a);
    assert_int_equal(r2n_pickle_member(root, "c")->count, 0);
    assert_null(r2n_pickle_member(root, "d"));
    r2n_pickle_destroy(pickle);
}

static void listed_objects_are_described(void **state)
{
    (void)state;
    /* OrderedDict() with an item and a _metadata state */
    r2n_pickle *pickle = PARSE("\x80\x02"
                               "ccollections\nOrderedDict\n)RX\x01\x00\x00\x00kK\x05s}b.");
    assert_int_equal(r2n_pickle_member(r2n_pickle_root(pickle), "k")->integer, 5);
    r2n_pickle_destroy(pickle);
    /* dtype("f4"), state (3,) */
    pickle = PARSE("\x80\x04\x8C\x05numpy\x8C\x05"
                   "dtype\x93\x8C\x02"
                   "f4\x85RK\x03\x85"
                   "b.");
    const r2n_pickle_value *call = r2n_pickle_root(pickle);
    assert_int_equal(call->kind, R2N_PICKLE_CALL);
    assert_int_equal(call->global->id, 3);
    assert_true(r2n_pickle_is_text(call->items[0]->items[0], "f4"));
    assert_int_equal(call->items[1]->items[0]->integer, 3);
    r2n_pickle_destroy(pickle);
    /* bytes of protocol 2, with every way UTF-8 has to write them */
    pickle = PARSE("\x80\x02"
                   "c_codecs\nencode\nX\x05\x00\x00\x00"
                   "a\xC2\x80\xC3\xBFX\x06\x00\x00\x00latin1\x86R.");
    assert_int_equal(r2n_pickle_root(pickle)->kind, R2N_PICKLE_BYTES);
    assert_true(r2n_pickle_is_text(r2n_pickle_root(pickle), "a\x80\xFF"));
    r2n_pickle_destroy(pickle);
    /* tuple((1,)) and a persistent id */
    pickle = PARSE("\x80\x04\x8C\x08"
                   "builtins\x8C\x05tuple\x93K\x01\x85\x85RQ.");
    assert_int_equal(r2n_pickle_root(pickle)->kind, R2N_PICKLE_PERSISTENT);
    assert_int_equal(r2n_pickle_root(pickle)->items[0]->items[0]->integer, 1);
    r2n_pickle_destroy(pickle);
}

static void nothing_else_is_let_in(void **state)
{
    (void)state;
    REFUSE("\x80\x02"
           "cos\nsystem\nX\x07\x00\x00\x00touch x\x85R.",
           RES2NET_UNSUPPORTED, "os.system");
    REFUSE("\x80\x04\x8C\x05posix\x8C\x06system\x93\x8C\x01x\x85R.", RES2NET_UNSUPPORTED,
           "posix.system");
    REFUSE("\x80\x02"
           "cnumpy\ndtype.__reduce__\n.",
           RES2NET_UNSUPPORTED, "not on the list");
    REFUSE("\x80\x02(S'x'\nios\nsystem\n.", RES2NET_UNSUPPORTED, "opcode 0x53");
    REFUSE("\x80\x02(ios\nsystem\n.", RES2NET_UNSUPPORTED, "opcode 0x69");
    REFUSE("\x80\x02\x82\x01.", RES2NET_UNSUPPORTED, "opcode 0x82");
    REFUSE("\x80\x02"
           "ctorch\nFloatStorage\n)R.",
           RES2NET_UNSUPPORTED, "torch.FloatStorage is called");
    REFUSE("\x80\x02"
           "ccollections\nOrderedDict\n}\x85R.",
           RES2NET_UNSUPPORTED, "OrderedDict is called");
    REFUSE("\x80\x02"
           "c_codecs\nencode\nX\x01\x00\x00\x00xX\x05\x00\x00\x00rot13\x86R.",
           RES2NET_DAMAGED, "latin1");
    REFUSE("\x80\x02"
           "c_codecs\nencode\nX\x02\x00\x00\x00\xC4\x80X\x06\x00\x00\x00latin1\x86R.",
           RES2NET_DAMAGED, "above 255");
    REFUSE("\x80\x06N.", RES2NET_UNSUPPORTED, "protocol 6");
    REFUSE("\x80\x05\x97.", RES2NET_UNSUPPORTED, "opcode 0x97"); /* bytes from elsewhere */
    REFUSE("\x80\x02"
           "ccollections\nOrderedDict\n]]K\x01"
           "aa\x85R.",
           RES2NET_UNSUPPORTED, "weights never do");
    REFUSE("\x80\x02"
           "ccollections\nOrderedDict\nK\x01\x85R.",
           RES2NET_UNSUPPORTED, "weights never do");
    REFUSE("(dp0\n.", RES2NET_DAMAGED, "not a Python pickle");
}

static void damage_is_refused(void **state)
{
    (void)state;
    REFUSE("", RES2NET_DAMAGED, "nothing is where a pickle belongs");
    REFUSE("\x80\x02", RES2NET_DAMAGED, "cut off");
    REFUSE("\x80\x02"
           "B\xFF\xFF\xFF\xFFxx",
           RES2NET_DAMAGED, "cut off");
    REFUSE("\x80\x02\x8E\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFFxx", RES2NET_DAMAGED, "cut off");
    REFUSE("\x80\x02X\x01\x00\x00\x00\xFF.", RES2NET_DAMAGED, "UTF-8");
    REFUSE("\x80\x02h\x00.", RES2NET_DAMAGED, "never put");
    REFUSE("\x80\x02Nr\xFF\xFF\xFF\x7F.", RES2NET_LIMIT_EXCEEDED, "memo over the limit");
    REFUSE("\x80\x02Nq\x05h\x04.", RES2NET_DAMAGED, "never put");
    REFUSE("\x80\x02q\x00.", RES2NET_DAMAGED, "memo");
    REFUSE("\x80\x02N\x86.", RES2NET_DAMAGED, "tuple");
    REFUSE("\x80\x02N(\x85.", RES2NET_DAMAGED, "tuple");
    REFUSE("\x80\x02t.", RES2NET_DAMAGED, "without a mark");
    REFUSE("\x80\x02Nu.", RES2NET_DAMAGED, "without a mark");
    REFUSE("\x80\x02}(Nu.", RES2NET_DAMAGED, "no dict");
    REFUSE("\x80\x02](NNu.", RES2NET_DAMAGED, "no dict");
    REFUSE("\x80\x02}Na.", RES2NET_DAMAGED, "no list");
    REFUSE("\x80\x02NNR.", RES2NET_DAMAGED, "cannot be called");
    REFUSE("\x80\x02NNb.", RES2NET_DAMAGED, "takes none");
    REFUSE("\x80\x02Q.", RES2NET_DAMAGED, "persistent");
    REFUSE("\x80\x02"
           "0.",
           RES2NET_DAMAGED, "pop");
    REFUSE("\x80\x02.", RES2NET_DAMAGED, "one value");
    REFUSE("\x80\x02NN.", RES2NET_DAMAGED, "one value");
    REFUSE("\x80\x02(N.", RES2NET_DAMAGED, "one value");
    REFUSE("\x80\x02"
           "cos",
           RES2NET_DAMAGED, "cut off or too long");
    REFUSE("\x80\x04NN\x93.", RES2NET_DAMAGED, "no text");
}

static void a_list_may_hold_itself(void **state)
{
    (void)state;
    r2n_pickle *pickle = PARSE("\x80\x02]q\x00h\x00"
                               "a.");
    const r2n_pickle_value *list = r2n_pickle_root(pickle);
    assert_ptr_equal(list->items[0], list);
    r2n_pickle_destroy(pickle);
}

static void sizes_are_capped(void **state)
{
    (void)state;
    const size_t size = (size_t)3 << 20;
    uint8_t *bytes = r2n_allocate(size, 1);
    assert_non_null(bytes);
    memset(bytes, '(', size);
    bytes[0] = 0x80;
    bytes[1] = 2;
    refuse(bytes, size, RES2NET_LIMIT_EXCEEDED, "nested");
    memset(bytes + 2, 'N', size - 2);
    refuse(bytes, size, RES2NET_LIMIT_EXCEEDED, "more values");
    for (size_t i = 2; i + 1 < size; i += 2)
        memcpy(bytes + i, "N0", 2);
    refuse(bytes, size, RES2NET_LIMIT_EXCEEDED, "more values");
    memset(bytes + 2, '\x94', size - 2); /* MEMOIZE */
    bytes[2] = 'N';
    refuse(bytes, size, RES2NET_LIMIT_EXCEEDED, "memo over the limit");
    /* a tuple in a tuple in ...: fewer of them than of values that own nothing */
    memset(bytes + 2, '\x85', size - 2); /* TUPLE1 */
    bytes[2] = 'N';
    refuse(bytes, 120000, RES2NET_LIMIT_EXCEEDED, "more items");
    /* one small list, put into tuples again and again */
    static const char start[] = "\x80\x02(",
                      tuple[] = "]q\x00h\x00h\x00h\x00h\x00h\x00h\x00\x87\x87\x87";
    memcpy(bytes, start, sizeof start - 1);
    for (size_t i = sizeof start - 1; i + sizeof tuple < size; i += sizeof tuple - 1)
        memcpy(bytes + i, tuple, sizeof tuple - 1);
    refuse(bytes, size, RES2NET_LIMIT_EXCEEDED, "limit");
    /* one text of 64 KiB, decoded again and again */
    memset(bytes + 2, 'a', size - 2);
    static const char head[] = "\x80\x02]c_codecs\nencode\nq\x00"
                               "0X\x06\x00\x00\x00latin1q\x01"
                               "0X\x00\x00\x01\x00";
    static const char again[] = "h\x00h\x02h\x01\x86R0";
    memcpy(bytes, head, sizeof head - 1);
    size_t at = sizeof head - 1 + 65536;
    memcpy(bytes + at,
           "q\x02"
           "0",
           3);
    for (at += 3; at + sizeof again < 131072; at += sizeof again - 1)
        memcpy(bytes + at, again, sizeof again - 1);
    refuse(bytes, at, RES2NET_DAMAGED, "again and again");
    r2n_free(bytes);
}

static void a_pickle_may_follow_another(void **state)
{
    (void)state;
    static const char two[] = "\x80\x02X\x01\x00\x00\x00sQ.\x80\x02N.";
    size_t count = 0;
    r2n_pickle *pickle = PARSE(two);
    assert_int_equal(r2n_pickle_bytes(pickle), 10);
    const r2n_pickle_value *const *ids = r2n_pickle_persistent(pickle, &count);
    assert_int_equal(count, 1);
    assert_ptr_equal(ids[0], r2n_pickle_root(pickle));
    assert_true(r2n_pickle_is_text(ids[0]->items[0], "s"));
    r2n_pickle_destroy(pickle);
}

/* Python 2 writes OrderedDict([[key, value], ...]); protocol 5 writes bytearrays. */
static void other_pythons_are_read(void **state)
{
    (void)state;
    r2n_pickle *pickle = PARSE("\x80\x02"
                               "ccollections\nOrderedDict\n](](U\x01"
                               "aK\x07"
                               "e](U\x01"
                               "bK\x08"
                               "ee\x85R.");
    const r2n_pickle_value *dict = r2n_pickle_root(pickle);
    assert_int_equal(dict->kind, R2N_PICKLE_DICT);
    assert_int_equal(dict->count, 4);
    assert_int_equal(r2n_pickle_member(dict, "b")->integer, 8);
    r2n_pickle_destroy(pickle);
    pickle = PARSE("\x80\x05\x96\x02\x00\x00\x00\x00\x00\x00\x00hi.");
    assert_true(r2n_pickle_is_text(r2n_pickle_root(pickle), "hi"));
    r2n_pickle_destroy(pickle);
    /* Python 2 numbers the memo from 1; {7} is a set. */
    pickle = PARSE("\x80\x04](U\x01kq\x01h\x01\x8F(K\x07\x90"
                   "e.");
    const r2n_pickle_value *list = r2n_pickle_root(pickle);
    assert_ptr_equal(list->items[0], list->items[1]);
    assert_int_equal(list->items[2]->items[0]->integer, 7);
    r2n_pickle_destroy(pickle);
}

static res2net_status attempt(void *unused)
{
    static const char text[] = "\x80\x02}q\x00(X\x01\x00\x00\x00"
                               "ac_codecs\nencode\nX\x02\x00\x00\x00\xC3\xBFX\x06\x00\x00\x00"
                               "latin1\x86RX\x01\x00\x00\x00"
                               "bcnumpy\ndtype\n](K\x01K\x02K\x03\x87K\x04"
                               "e\x85RX\x01\x00\x00\x00"
                               "c)Qu.";
    r2n_pickle *pickle;
    (void)unused;
    const res2net_status status =
        r2n_pickle_parse(text, sizeof text - 1, "a", 0, ALLOWED, &pickle, NULL);
    r2n_pickle_destroy(pickle);
    return status;
}

static void memory_may_run_out(void **state)
{
    (void)state;
    expect_every_allocation_may_fail(attempt, NULL);
}

static void what_is_written_reads_back(void **state)
{
    (void)state;
    static const int64_t integers[] = {0, 255, 256, -1, 65536, INT32_MIN, INT64_MAX, INT64_MIN};
    char path[] = "/tmp/r2n_pickle_XXXXXX", text[400];
    const int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    close(descriptor);
    r2n_pickle_writer writer = {0};
    assert_int_equal(r2n_writer_open(path, &writer.file, report), RES2NET_OK);
    r2n_pickle_put_start(&writer);
    r2n_pickle_put_opcode(&writer, R2N_PICKLE_EMPTY_LIST);
    r2n_pickle_put_opcode(&writer, R2N_PICKLE_MARK);
    for (size_t i = 0; i < 8; i++)
        r2n_pickle_put_integer(&writer, integers[i]);
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    r2n_pickle_put_text(&writer, text);
    const uint32_t memo = r2n_pickle_memoize(&writer);
    for (int i = 0; i < 300; i++) {
        r2n_pickle_put_text(&writer, "y");
        assert_int_equal(r2n_pickle_memoize(&writer), memo + 1 + (uint32_t)i);
    }
    r2n_pickle_put_memo(&writer, memo);
    r2n_pickle_put_memo(&writer, 299);
    r2n_pickle_put_bytes_head(&writer, sizeof text);
    r2n_writer_put(writer.file, text, sizeof text);
    r2n_pickle_put_global(&writer, "numpy", "dtype");
    r2n_pickle_put_opcode(&writer, R2N_PICKLE_APPENDS);
    r2n_pickle_put_opcode(&writer, R2N_PICKLE_STOP);
    assert_int_equal(r2n_writer_close(writer.file, report), RES2NET_OK);
    r2n_file_bytes file = expect_file(path);
    r2n_pickle *pickle = parse(file.data, file.size);
    const r2n_pickle_value *list = r2n_pickle_root(pickle);
    assert_int_equal(list->count, 8 + 1 + 300 + 4);
    for (size_t i = 0; i < 8; i++)
        assert_true(list->items[i]->integer == integers[i]);
    assert_true(r2n_pickle_is_text(list->items[8], text));
    assert_ptr_equal(list->items[309], list->items[8]);
    assert_ptr_equal(list->items[310], list->items[8 + 299]);
    assert_int_equal(list->items[311]->size, sizeof text);
    assert_int_equal(list->items[312]->global->id, 3);
    r2n_pickle_destroy(pickle);
    r2n_file_release(&file);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scalars_are_read),
        cmocka_unit_test(containers_and_memo_are_read),
        cmocka_unit_test(listed_objects_are_described),
        cmocka_unit_test(nothing_else_is_let_in),
        cmocka_unit_test(damage_is_refused),
        cmocka_unit_test(a_list_may_hold_itself),
        cmocka_unit_test(a_pickle_may_follow_another),
        cmocka_unit_test(other_pythons_are_read),
        cmocka_unit_test(sizes_are_capped),
        cmocka_unit_test(memory_may_run_out),
        cmocka_unit_test(what_is_written_reads_back),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
