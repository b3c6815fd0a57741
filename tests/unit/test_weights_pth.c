/* SPDX-License-Identifier: Apache-2.0 */
/* torch.save's archives that torch would not write: every lie about offsets, shapes and entries. */
#include "expect.h"

#include "weights/weights.h"
#include "zip_builder.h"

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

/* A pickle that is built piece by piece; strings may hold NULs, hence the macro. */
typedef struct pickle {
    char bytes[2048];
    size_t size;
} pickle;

static void add(pickle *p, const char *piece, size_t size)
{
    memcpy(p->bytes + p->size, piece, size);
    p->size += size;
}

#define ADD(p, piece) add(p, piece, sizeof(piece) - 1)

/* BININT1 has one byte after it, which may be NUL; the other numbers have none. */
static void add_number(pickle *p, const char *number)
{
    add(p, number, number[0] == 'K' ? 2 : strlen(number));
}

/* {"w": a tensor of storage `key`} with one dimension; each number is one opcode. */
static pickle tensor_pickle(const char *storage, char key, const char *offset, const char *size,
                            const char *stride)
{
    pickle p = {.size = 0};
    ADD(&p, "\x80\x02}X\x01\x00\x00\x00"
            "wctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\n");
    add(&p, storage, strlen(storage));
    ADD(&p, "\nX\x01\x00\x00\x00");
    add(&p, &key, 1);
    ADD(&p, "X\x03\x00\x00\x00"
            "cpuK\x06tQ");
    add_number(&p, offset);
    add_number(&p, size);
    ADD(&p, "\x85");
    add_number(&p, stride);
    ADD(&p, "\x85\x89"
            "ccollections\nOrderedDict\n)RtRs.");
    return p;
}

static const float NUMBERS[6] = {0, 1, 2, 3, 4, 5};

typedef struct file {
    const char *name;
    const void *data;
    size_t size;
} file;

static archive pack(const file *files, int count)
{
    archive a = {.size = 0};
    for (int i = 0; i < count; i++)
        put_local_bytes(&a, i, files[i].name, files[i].data, files[i].size);
    const size_t directory = a.size;
    for (int i = 0; i < count; i++)
        put_central_bytes(&a, i, files[i].name, files[i].data, files[i].size, 0);
    put_end(&a, (uint64_t)count, directory, 0);
    return a;
}

static archive pack_pickle(const pickle *p)
{
    const file files[] = {{"x/data.pkl", p->bytes, p->size}, {"x/data/0", NUMBERS, sizeof NUMBERS}};
    return pack(files, 2);
}

static void refuse(const archive *a, res2net_status status, const char *problem)
{
    r2n_tensor_set *set;
    assert_int_equal(r2n_weights_read_memory(a->bytes, a->size, "a.pth", &set, report), status);
    assert_null(set);
    expect_problem(report, status, problem);
}

static void expect_numbers(const pickle *p, const float *numbers, int64_t count)
{
    const archive a = pack_pickle(p);
    r2n_tensor_set *set;
    if (r2n_weights_read_memory(a.bytes, a.size, "a.pth", &set, report) != RES2NET_OK)
        fail_msg("%s", res2net_report_problem(report, 0)->text);
    assert_int_equal(set->count, 1);
    assert_string_equal(set->tensors[0].name, "w");
    assert_int_equal(set->tensors[0].count, count);
    assert_memory_equal(set->tensors[0].data, numbers, (size_t)count * sizeof *numbers);
    r2n_tensor_set_destroy(set);
}

static void views_are_read(void **state)
{
    (void)state;
    static const float tail[] = {2, 3, 4, 5}, every_second[] = {1, 3, 5}, same[] = {3, 3, 3};
    pickle p = tensor_pickle("FloatStorage", '0', "K\x00", "K\x06", "K\x01");
    expect_numbers(&p, NUMBERS, 6);
    p = tensor_pickle("FloatStorage", '0', "K\x02", "K\x04", "K\x01");
    expect_numbers(&p, tail, 4);
    p = tensor_pickle("FloatStorage", '0', "K\x01", "K\x03", "K\x02");
    expect_numbers(&p, every_second, 3);
    p = tensor_pickle("FloatStorage", '0', "K\x03", "K\x03", "K\x00");
    expect_numbers(&p, same, 3);
    p = tensor_pickle("FloatStorage", '0', "K\x05", "K\x01", "M\xFF\xFF");
    expect_numbers(&p, NUMBERS + 5, 1);
}

static void lies_about_tensors_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *storage;
        char key;
        const char *offset, *size, *stride;
        const char *problem;
    } cases[] = {
        {"FloatStorage", '0', "K\x07", "K\x01", "K\x01", "begins at element 7 of a storage of 6"},
        {"FloatStorage", '0', "K\x06", "K\x01", "K\x01", "holds only 0"},
        {"FloatStorage", '0', "K\x01", "K\x06", "K\x01", "holds only 5"},
        {"FloatStorage", '0', "K\x00", "K\x04", "K\x02", "holds only 6"},
        {"FloatStorage", '0', "K\x00", "M\xFF\xFF", "K\x00", "has 65535 elements"},
        {"DoubleStorage", '0', "K\x00", "K\x06", "K\x01", "holds only 3"},
        {"FloatStorage", '1', "K\x00", "K\x06", "K\x01", "no entry \"data/1\""},
        {"FloatStorage", '0', "K\x00", "J\xFF\xFF\xFF\xFF", "K\x01", "not what torch writes"},
        {"FloatStorage", '0', "K\x00", "K\x06", "J\xFF\xFF\xFF\xFF", "not what torch writes"},
        {"FloatStorage", '0', "K\x00", "\x8A\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F",
         "\x8A\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F", "elements"},
        {"FloatStorage", '0', "K\x00", "N", "K\x01", "not what torch writes"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const pickle p = tensor_pickle(cases[i].storage, cases[i].key, cases[i].offset,
                                       cases[i].size, cases[i].stride);
        const archive a = pack_pickle(&p);
        refuse(&a, RES2NET_DAMAGED, cases[i].problem);
    }
    pickle p = tensor_pickle("LongStorage", '7', "K\x00", "K\x06", "K\x01");
    archive a = pack_pickle(&p);
    refuse(&a, RES2NET_MISMATCH, "no float tensors"); /* integers are left out unseen */
    p = tensor_pickle("QInt8Storage", '0', "K\x00", "K\x06", "K\x01");
    a = pack_pickle(&p);
    refuse(&a, RES2NET_UNSUPPORTED, "torch.QInt8Storage");
    p = tensor_pickle("FloatStorage", '0', "K\x00", "K\x06", "K\x01");
    a = pack_pickle(&p);
    a.bytes[a.local[1] + 30 + strlen("x/data/0") + 3]++;
    refuse(&a, RES2NET_DAMAGED, "\"x/data/0\" do not have the checksum");
}

static void other_archives_are_named(void **state)
{
    (void)state;
    const pickle p = tensor_pickle("FloatStorage", '0', "K\x00", "K\x06", "K\x01");
    const file plain[] = {{"word/document.xml", "x", 1}};
    archive a = pack(plain, 1);
    refuse(&a, RES2NET_UNSUPPORTED, "without data.pkl");
    const file script[] = {{"x/constants.pkl", "x", 1}, {"x/data.pkl", p.bytes, p.size}};
    a = pack(script, 2);
    refuse(&a, RES2NET_UNSUPPORTED, "TorchScript");
    const file order[] = {{"x/byteorder", "middle", 6}, {"x/data.pkl", p.bytes, p.size}};
    a = pack(order, 2);
    refuse(&a, RES2NET_DAMAGED, "neither little nor big");
    static const char evil[] = "\x80\x02"
                               "cposix\nsystem\nX\x02\x00\x00\x00id\x85R.";
    const file call[] = {{"x/data.pkl", evil, sizeof evil - 1}};
    a = pack(call, 1);
    refuse(&a, RES2NET_UNSUPPORTED, "posix.system");
    static const char keys[] = "\x80\x02}(X\x05\x00\x00\x00"
                               "epochK\x03X\x03\x00\x00\x00net}u.";
    const file other[] = {{"data.pkl", keys, sizeof keys - 1}};
    a = pack(other, 1);
    refuse(&a, RES2NET_UNSUPPORTED, "its keys: epoch, net");
    static const char number[] = "\x80\x02K\x03.";
    const file scalar[] = {{"x/data.pkl", number, sizeof number - 1}};
    a = pack(scalar, 1);
    refuse(&a, RES2NET_UNSUPPORTED, "holds an integer");
}

static r2n_tensor_set *read_archive(const archive *a)
{
    r2n_tensor_set *set;
    if (r2n_weights_read_memory(a->bytes, a->size, "a.pth", &set, report) != RES2NET_OK)
        fail_msg("%s", res2net_report_problem(report, 0)->text);
    assert_int_equal(set->count, 1);
    assert_int_equal(set->tensors[0].count, 6);
    return set;
}

/* zip64 sizes, data descriptors and no checksums: what other machines and options write. */
static void archives_of_all_kinds_are_read(void **state)
{
    (void)state;
    enum { DESCRIPTORS, ZIP64, NO_CHECKSUMS, KINDS };
    const pickle p = tensor_pickle("FloatStorage", '0', "K\x00", "K\x06", "K\x01");
    for (int kind = 0; kind < KINDS; kind++) {
        archive a = {.size = 0};
        put_local_bytes(&a, 0, "x/data.pkl", p.bytes, p.size);
        if (kind == DESCRIPTORS) {
            a.bytes[a.local[0] + 6] = 8;
            memset(a.bytes + a.local[0] + 14, 0, 12);
            put(&a, 0x08074b50, 4);
            put(&a, r2n_crc32(0, p.bytes, p.size), 4);
            put(&a, p.size, 4);
            put(&a, p.size, 4);
        }
        put_local_bytes(&a, 1, "x/data/0", NUMBERS, sizeof NUMBERS);
        const size_t directory = a.size;
        put_central_bytes(&a, 0, "x/data.pkl", p.bytes, p.size, kind == ZIP64);
        put_central_bytes(&a, 1, "x/data/0", NUMBERS, sizeof NUMBERS, kind == ZIP64);
        if (kind == DESCRIPTORS)
            a.bytes[a.central[0] + 8] = 8;
        for (int i = 0; kind == NO_CHECKSUMS && i < 2; i++) {
            memset(a.bytes + a.local[i] + 14, 0, 4);
            memset(a.bytes + a.central[i] + 16, 0, 4);
        }
        put_end(&a, 2, directory, kind == ZIP64);
        r2n_tensor_set *set = read_archive(&a);
        assert_memory_equal(set->tensors[0].data, NUMBERS, sizeof NUMBERS);
        r2n_tensor_set_destroy(set);
    }
}

static void big_endian_numbers_are_turned_around(void **state)
{
    (void)state;
    uint8_t turned[sizeof NUMBERS];
    for (size_t i = 0; i < sizeof turned; i++)
        turned[i] = ((const uint8_t *)NUMBERS)[i ^ 3];
    const pickle p = tensor_pickle("FloatStorage", '0', "K\x00", "K\x06", "K\x01");
    const file files[] = {{"x/byteorder", "big", 3},
                          {"x/data.pkl", p.bytes, p.size},
                          {"x/data/0", turned, sizeof turned}};
    const archive a = pack(files, 3);
    r2n_tensor_set *set = read_archive(&a);
    assert_memory_equal(set->tensors[0].data, NUMBERS, sizeof NUMBERS);
    r2n_tensor_set_destroy(set);
}

/* One tensor of FloatStorage '0' from `first` on. */
static void add_tensor(pickle *p, const char *first)
{
    ADD(p, "ctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\nFloatStorage\n"
           "X\x01\x00\x00\x00"
           "0X\x03\x00\x00\x00"
           "cpuK\x06tQ");
    add_number(p, first);
    ADD(p, "K\x01\x85K\x01\x85\x89"
           "ccollections\nOrderedDict\n)RtR");
}

/* Whatever order the file has them in, and whatever tensors lie beside them. */
static void wrappers_are_taken_in_timms_order(void **state)
{
    (void)state;
    static const char *const names[] = {"model", "state_dict", "model_ema", "state_dict_ema"};
    static const char *const firsts[] = {"K\x01", "K\x02", "K\x03", "K\x04"};
    for (int wrappers = 1; wrappers <= 4; wrappers++) {
        pickle p = {.size = 0};
        ADD(&p, "\x80\x02}X\x04\x00\x00\x00"
                "best");
        add_tensor(&p, "K\x00");
        ADD(&p, "s");
        for (int i = 0; i < wrappers; i++) {
            const char length = (char)strlen(names[i]);
            ADD(&p, "U");
            add(&p, &length, 1);
            add(&p, names[i], strlen(names[i]));
            ADD(&p, "}U\x01w");
            add_tensor(&p, firsts[i]);
            ADD(&p, "ss");
        }
        ADD(&p, "U\x0Estate_dict_emaNs");
        if (wrappers == 4)
            p.size -= sizeof "U\x0Estate_dict_emaNs" - 1;
        ADD(&p, ".");
        expect_numbers(&p, NUMBERS + wrappers, 1);
        expect_problem(report, RES2NET_OK, names[wrappers - 1]);
    }
}

/* torch from 2.1 on: types without a storage class of their own are told by an argument. */
static void typed_tensors_are_read(void **state)
{
    (void)state;
    static const char head[] = "\x80\x02}X\x01\x00\x00\x00"
                               "wctorch._utils\n_rebuild_tensor_v3\n((X\x07\x00\x00\x00storage"
                               "ctorch.storage\nUntypedStorage\nX\x01\x00\x00\x00"
                               "0X\x03\x00\x00\x00"
                               "cpuK\x18tQK\x00K\x06\x85K\x01\x85\x89"
                               "ccollections\nOrderedDict\n)Rctorch\n";
    static const char *const types[] = {"float32", "uint16", "float8_e5m2"};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        pickle p = {.size = 0};
        ADD(&p, head);
        add(&p, types[i], strlen(types[i]));
        ADD(&p, "\ntRs.");
        const archive a = pack_pickle(&p);
        if (i == 0)
            expect_numbers(&p, NUMBERS, 6);
        else if (i == 1)
            refuse(&a, RES2NET_MISMATCH, "no float tensors");
        else
            refuse(&a, RES2NET_UNSUPPORTED, "torch.float8_e5m2");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(views_are_read),
        cmocka_unit_test(lies_about_tensors_are_refused),
        cmocka_unit_test(other_archives_are_named),
        cmocka_unit_test(archives_of_all_kinds_are_read),
        cmocka_unit_test(big_endian_numbers_are_turned_around),
        cmocka_unit_test(typed_tensors_are_read),
        cmocka_unit_test(wrappers_are_taken_in_timms_order),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
