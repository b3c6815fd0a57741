/* SPDX-License-Identifier: Apache-2.0 */
/* torch.save's form from before 1.6: what Python 2 wrote, and every lie about storages. Whole
 * networks in this form: test_weights_read.c. */
#include "expect.h"

#include "weights/weights.h"

#define MAGIC    "\x80\x02\x8a\nl\xfc\x9c\x46\xf9 j\xa8P\x19."
#define PROTOCOL "\x80\x02M\xe9\x03."
#define MACHINE  "\x80\x02}(U\rlittle_endian\x89u." /* torch never looks at it */
#define KEYS                                                                                       \
    "\x80\x02](U\x02"                                                                              \
    "17e."
#define COUNT   "\x06\0\0\0\0\0\0\0"
#define NO_VIEW "N"
#define VIEW(first, count)                                                                         \
    "(U\x02"                                                                                       \
    "99K" first "K" count "t"
#define TENSOR(type, elements, view, size)                                                         \
    "ctorch._utils\n_rebuild_tensor\n((U\x07storagectorch\n" type "\nU\x02"                        \
    "17U\x03"                                                                                      \
    "cpuK" elements view "tQK\0K" size "\x85K\x01\x85tR"
#define STATE(pairs)                                                                               \
    "\x80\x02"                                                                                     \
    "ccollections\nOrderedDict\n](" pairs "e\x85R."
#define PAIR(name, tensor) "](U\x01" name tensor "e"

static const float NUMBERS[6] = {0, 1, 2, 3, 4, 5};
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

/* The pieces with the numbers behind them. */
static res2net_status read(const char *text, size_t size, size_t numbers, r2n_tensor_set **set)
{
    static uint8_t file[2048];
    memcpy(file, text, size);
    memcpy(file + size, NUMBERS, numbers);
    return r2n_weights_read_memory(file, size + numbers, "old.pth", set, report);
}

static void refuse(const char *text, size_t size, size_t numbers, res2net_status status,
                   const char *problem)
{
    r2n_tensor_set *set;
    assert_int_equal(read(text, size, numbers, &set), status);
    assert_null(set);
    expect_problem(report, status, problem);
}

#define REFUSE(text, numbers, status, problem)                                                     \
    refuse(text, sizeof(text) - 1, numbers, status, problem)
#define WHOLE sizeof NUMBERS

static void views_and_shared_storages_are_read(void **state)
{
    (void)state;
    static const char text[] = MAGIC PROTOCOL MACHINE STATE(
        PAIR("a", TENSOR("FloatStorage", "\x06", NO_VIEW, "\x06"))
            PAIR("v", TENSOR("FloatStorage", "\x06", VIEW("\x02", "\x03"), "\x03"))) KEYS COUNT;
    r2n_tensor_set *set;
    if (read(text, sizeof text - 1, WHOLE, &set) != RES2NET_OK)
        fail_msg("%s", res2net_report_problem(report, 0)->text);
    assert_int_equal(set->count, 2);
    assert_int_equal(set->tensors[0].count, 6);
    assert_memory_equal(set->tensors[0].data, NUMBERS, sizeof NUMBERS);
    assert_string_equal(set->tensors[1].name, "v");
    assert_int_equal(set->tensors[1].count, 3);
    assert_memory_equal(set->tensors[1].data, NUMBERS + 2, 3 * sizeof(float));
    r2n_tensor_set_destroy(set);
}

static void lies_about_storages_are_refused(void **state)
{
    (void)state;
#define HEAD     MAGIC PROTOCOL MACHINE
#define ONE(...) STATE(PAIR("a", TENSOR(__VA_ARGS__)))
#define GOOD     ONE("FloatStorage", "\x06", NO_VIEW, "\x06")
    REFUSE(HEAD GOOD KEYS COUNT, WHOLE - 1, RES2NET_DAMAGED, "the file ends within storage \"17\"");
    REFUSE(HEAD GOOD KEYS, 0, RES2NET_DAMAGED, "the file ends within storage");
    REFUSE(HEAD GOOD KEYS COUNT "\0\0\0\0", WHOLE, RES2NET_DAMAGED, "4 bytes follow");
    REFUSE(HEAD GOOD KEYS "\x05\0\0\0\0\0\0\0", WHOLE, RES2NET_DAMAGED,
           "has 5 elements here, but 6");
    REFUSE(HEAD GOOD KEYS "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", WHOLE, RES2NET_DAMAGED,
           "elements here, but 6");
    REFUSE(HEAD GOOD "\x80\x02].", 0, RES2NET_DAMAGED, "holds no storage \"17\"");
    REFUSE(HEAD GOOD "\x80\x02}.", 0, RES2NET_DAMAGED, "list of storages belongs");
    REFUSE(HEAD GOOD "\x80\x02](U\x02"
                     "18e." COUNT,
           WHOLE, RES2NET_DAMAGED, "no tensor names");
    REFUSE(HEAD GOOD "\x80\x02](K\x11"
                     "e." COUNT,
           WHOLE, RES2NET_DAMAGED, "no tensor names");
    REFUSE(HEAD GOOD "\x80\x02](U\x02"
                     "17U\x02"
                     "17e." COUNT "\0\0\0\0\0\0\0\0\0\0\0\0"
                     "\0\0\0\0\0\0\0\0\0\0\0\0" COUNT,
           WHOLE, RES2NET_DAMAGED, "same key twice");
    REFUSE(HEAD ONE("FloatStorage", "\x06", NO_VIEW, "\x07") KEYS COUNT, WHOLE, RES2NET_DAMAGED,
           "has 7 elements, but the file holds only 6");
    REFUSE(HEAD ONE("FloatStorage", "\x06", VIEW("\x04", "\x03"), "\x03") KEYS COUNT, WHOLE,
           RES2NET_DAMAGED, "its view of a storage lies outside");
    REFUSE(HEAD ONE("FloatStorage", "\x06", VIEW("\x04", "\x02"), "\x03") KEYS COUNT, WHOLE,
           RES2NET_DAMAGED, "has 3 elements, but the file holds only 2");
    REFUSE(HEAD ONE("FloatStorage", "\x06", "K\x01", "\x06") KEYS COUNT, WHOLE, RES2NET_DAMAGED,
           "lies outside");
    REFUSE(HEAD STATE(PAIR("a", TENSOR("FloatStorage", "\x06", NO_VIEW, "\x06"))
                          PAIR("b", TENSOR("HalfStorage", "\x06", NO_VIEW, "\x06"))) KEYS COUNT,
           WHOLE, RES2NET_DAMAGED, "has two types or sizes");
    REFUSE(HEAD ONE("ComplexFloatStorage", "\x06", NO_VIEW, "\x06") KEYS COUNT, WHOLE,
           RES2NET_UNSUPPORTED, "torch.ComplexFloatStorage");
    REFUSE(HEAD "\x80\x02U\x01xQ." KEYS COUNT, WHOLE, RES2NET_DAMAGED, "names no storage");
    REFUSE(MAGIC "\x80\x02M\xe8\x03." MACHINE GOOD KEYS COUNT, WHOLE, RES2NET_UNSUPPORTED,
           "the protocol 1001");
    REFUSE(MAGIC PROTOCOL MACHINE "\x80\x02"
                                  "cposix\nsystem\nU\x02id\x85R." KEYS,
           0, RES2NET_UNSUPPORTED, "posix.system");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(views_and_shared_storages_are_read),
        cmocka_unit_test(lies_about_storages_are_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
