/* SPDX-License-Identifier: Apache-2.0 */
/* Real files of Paddle, PyTorch and safetensors (tests/golden/make_weights.py), hostile ones, and
 * files that are no weights at all. */
#include "expect.h"

#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "weights/weights.h"

#define TINY    "cifar:planes=4,depths=1-1-1,width=32,scale=2,classes=3"
#define WEIGHTS R2N_SOURCE_DIR "/tests/golden/weights/"

static res2net_report *report;
static r2n_tensor_set *expected; /* TINY's numbers from the formula, seed 11 */

static int set_up(void **state)
{
    (void)state;
    r2n_architecture architecture;
    report = res2net_report_create();
    return r2n_architecture_find(TINY, &architecture, report) != RES2NET_OK ||
           r2n_weights_formula(&architecture, 11, &expected, report) != RES2NET_OK;
}

static int tear_down(void **state)
{
    (void)state;
    r2n_tensor_set_destroy(expected);
    res2net_report_destroy(report);
    return 0;
}

static r2n_tensor_set *read_canonical(const char *path, r2n_family family)
{
    r2n_tensor_set *set, *canonical = NULL;
    r2n_architecture architecture = {.classes = 0};
    r2n_family found = R2N_FAMILY_UNKNOWN;
    if (r2n_weights_read(path, &set, report) != RES2NET_OK ||
        r2n_weights_canonicalise(set, NULL, R2N_FAMILY_UNKNOWN, path, &canonical, &architecture,
                                 &found, report) != RES2NET_OK)
        fail_msg("%s: %s", path, res2net_report_problem(report, 0)->text);
    assert_string_equal(architecture.name, TINY);
    assert_int_equal(architecture.classes, 3);
    assert_int_equal(found, family);
    assert_int_equal(canonical->count, expected->count);
    return canonical;
}

/* One part in 2^`bits` of the expected number, and exactly equal for bits == 24. */
static void compare(const r2n_tensor_set *set, int (*bits)(size_t))
{
    for (size_t i = 0; i < set->count; i++) {
        const r2n_tensor *tensor = &set->tensors[i], *wanted = &expected->tensors[i];
        assert_string_equal(tensor->name, wanted->name);
        assert_int_equal(tensor->count, wanted->count);
        for (int64_t k = 0; k < tensor->count; k++) {
            const float error = fabsf(tensor->data[k] - wanted->data[k]);
            const float allowed =
                bits(i) == 24 ? 0 : ldexpf(fabsf(wanted->data[k]), -bits(i)) + 0x1p-25f;
            if (!(error <= allowed))
                fail_msg("%s[%lld]: %a instead of %a", tensor->name, (long long)k, tensor->data[k],
                         wanted->data[k]);
        }
    }
}

static int exact(size_t number)
{
    (void)number;
    return 24;
}

/* make_weights.py: f16, bf16, f64 in turn (numbers in the file's order, which is ours). */
static int rounded(size_t number)
{
    static const int bits[] = {11, 8, 24};
    return bits[number % 3];
}

static void real_files_give_the_formula_bits(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        r2n_family family;
        int (*bits)(size_t);
    } files[] = {{WEIGHTS "tiny.pdparams", R2N_FAMILY_PADDLE, exact},
                 {WEIGHTS "tiny_protocol2.pdparams", R2N_FAMILY_PADDLE, exact},
                 {WEIGHTS "tiny_wrapped.pdparams", R2N_FAMILY_PADDLE, exact},
                 {WEIGHTS "tiny_odd.pdparams", R2N_FAMILY_PADDLE, exact},
                 {WEIGHTS "tiny_pieces.pdparams", R2N_FAMILY_PADDLE, exact},
                 {WEIGHTS "tiny.pth", R2N_FAMILY_TORCH, exact},
                 {WEIGHTS "tiny_checkpoint.pth", R2N_FAMILY_TORCH, exact},
                 {WEIGHTS "tiny.safetensors", R2N_FAMILY_TORCH, exact},
                 {WEIGHTS "tiny_legacy.pth", R2N_FAMILY_TORCH, exact},
                 {WEIGHTS "tiny_half.pth", R2N_FAMILY_TORCH, rounded},
                 {WEIGHTS "tiny_legacy_half.pth", R2N_FAMILY_TORCH, rounded},
                 {WEIGHTS "tiny_big_endian.pth", R2N_FAMILY_TORCH, rounded},
                 {WEIGHTS "tiny_half.safetensors", R2N_FAMILY_TORCH, rounded}};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        r2n_tensor_set *set = read_canonical(files[i].path, files[i].family);
        compare(set, files[i].bits);
        r2n_tensor_set_destroy(set);
    }
}

static void half_floats_are_widened_exactly(void **state)
{
    (void)state;
    static const char header[] =
        "{\"h\":{\"dtype\":\"F16\",\"shape\":[8],\"data_offsets\":[0,16]}}";
    static const uint16_t halves[] = {0x0000, 0x8000, 0x0001, 0x83FF,
                                      0x3C00, 0x7BFF, 0x7C00, 0xFC00};
    static const float values[] = {0.0f, -0.0f,    0x1p-24f, -0x3FFp-24f,
                                   1.0f, 65504.0f, INFINITY, -INFINITY};
    uint8_t file[256];
    const uint64_t length = sizeof header - 1;
    r2n_tensor_set *set;
    memcpy(file, &length, 8);
    memcpy(file + 8, header, length);
    memcpy(file + 8 + length, halves, sizeof halves);
    assert_int_equal(r2n_weights_read_memory(file, 8 + length + sizeof halves, "a", &set, report),
                     RES2NET_OK);
    assert_memory_equal(set->tensors[0].data, values, sizeof values);
    r2n_tensor_set_destroy(set);
}

static void aligned_floats_are_pointed_to(void **state)
{
    (void)state;
    r2n_tensor_set *set;
    assert_int_equal(r2n_weights_read(WEIGHTS "tiny.pth", &set, report), RES2NET_OK);
    assert_int_equal(set->block_count, 0);
    assert_true(set->file.mapped);
    r2n_tensor_set_destroy(set);
    assert_int_equal(r2n_weights_read(WEIGHTS "tiny_protocol2.pdparams", &set, report), RES2NET_OK);
    assert_null(set->file.data); /* nothing points into it: it is gone */
    assert_null(set->source);
    r2n_tensor_set_destroy(set);
}

static void a_checkpoint_says_what_was_taken(void **state)
{
    (void)state;
    r2n_tensor_set *set;
    assert_int_equal(r2n_weights_read(WEIGHTS "tiny_checkpoint.pth", &set, report), RES2NET_OK);
    assert_string_equal(set->metadata.source, "the checkpoint's state_dict_ema");
    expect_problem(report, RES2NET_OK, "weights under \"state_dict_ema\" are taken");
    assert_non_null(r2n_tensor_set_find(set, "layer1.0.convs.0.weight"));
    assert_null(r2n_tensor_set_find(set, "conv1.num_batches_tracked"));
    r2n_tensor_set_destroy(set);
}

/* ---- refusals ------------------------------------------------------------------------------ */

static void refuse(const void *data, size_t size, res2net_status status, const char *problem)
{
    r2n_tensor_set *set;
    assert_int_equal(r2n_weights_read_memory(data, size, "a.bin", &set, report), status);
    assert_null(set);
    expect_problem(report, status, problem);
}

static void what_is_no_weights_file_is_named(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"\r\n <!DOCTYPE html><html></html>", "HTML page"},
        {"<html><head>", "HTML page"},
        {"version https://git-lfs.github.com/spec/v1\noid sha256:00", "Git LFS pointer"},
        {"<!-- a page -->", "HTML page"},
        {"\x1F\x8B\x08xxxxxxxxxxx", "gzip"},
        {"BZh91AY&SYxxxxxxxx", "bzip2"},
        {"\xFD"
         "7zXZ",
         "xz archive"},
        {"\x28\xB5\x2F\xFDxxxx", "zstd"},
        {"7z\xBC\xAF\x27\x1C", "7z"},
        {"Rar!\x1A\x07", "RAR"},
        {"\xFF\xD8\xFF\xE0xxJFIF", "JPEG picture"},
        {"\x89PNG\r\n\x1a\n", "PNG picture"},
        {"GIF89a", "GIF picture"},
        {"BMxxxx", "BMP picture"},
        {"RIFFxxxxWEBP", "WebP picture"},
        {"%PDF-1.4", "PDF"},
        {"\x93NUMPY\x01", "--input-npy"},
        {"\x7F"
         "ELF\x02",
         "ELF"},
        {"\x08\x08\x12\x07pytorch", "ONNX"},
        {"\x89HDF\r\n\x1a\nxxxx", "HDF5"},
        {"{\"a\": 1}        ", "JSON"},
        {"404: Not Found\n", "a text, not a weights file; it begins with \"404: Not Found\""},
        {"\x01\x02hello", "begins with 01 02 68 65 6c 6c 6f"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        refuse(cases[i][0], strlen(cases[i][0]), RES2NET_UNSUPPORTED, cases[i][1]);
    static const uint8_t zeros[64];
    refuse(zeros, sizeof zeros, RES2NET_UNSUPPORTED, ".pdiparams");
    refuse(zeros, 0, RES2NET_UNSUPPORTED, "empty");
    r2n_tensor_set *set;
    assert_int_equal(r2n_weights_read(WEIGHTS, &set, report), RES2NET_READ_FAILED);
    assert_int_equal(r2n_weights_read(WEIGHTS "none.pth", &set, report), RES2NET_NOT_FOUND);
    res2net_report_clear(report);
}

static void hostile_pickles_are_refused(void **state)
{
    (void)state;
    static const char call[] = "\x80\x02"
                               "cos\nsystem\nX\x07\x00\x00\x00touch x\x85R.";
    static const char list[] = "\x80\x04]K\x01"
                               "a.";
    static const char number[] = "\x80\x04K\x01.";
    static const char none[] = "\x80\x04}.";
    refuse(call, sizeof call - 1, RES2NET_UNSUPPORTED, "os.system");
    refuse(list, sizeof list - 1, RES2NET_UNSUPPORTED, ".pdopt");
    refuse(number, sizeof number - 1, RES2NET_UNSUPPORTED, "an integer");
    refuse(none, sizeof none - 1, RES2NET_UNSUPPORTED, "it is empty");
    static const char states[] = "\x80\x04}(\x8C\x06metricG\x00\x00\x00\x00\x00\x00\x00\x00"
                                 "\x8C\x05"
                                 "epochK\x03u.";
    refuse(states, sizeof states - 1, RES2NET_UNSUPPORTED, ".pdstates");
}

/* A safetensors file with this header and 16 bytes of data. */
static void refuse_header(const char *header, res2net_status status, const char *problem)
{
    uint8_t file[1024] = {0};
    const uint64_t length = strlen(header);
    memcpy(file, &length, 8);
    memcpy(file + 8, header, length);
    refuse(file, 8 + length + 16, status, problem);
}

static void hostile_safetensors_are_refused(void **state)
{
    (void)state;
#define TENSOR(name, type, shape, offsets)                                                         \
    "\"" name "\":{\"dtype\":\"" type "\",\"shape\":" shape ",\"data_offsets\":" offsets "}"
    refuse_header("{" TENSOR("a", "F32", "[5]", "[0,20]") "}", RES2NET_DAMAGED, "only 16");
    refuse_header("{" TENSOR("a", "F32", "[4]", "[16,0]") "}", RES2NET_DAMAGED, "before that");
    refuse_header("{" TENSOR("a", "F32", "[4]", "[-16,0]") "}", RES2NET_DAMAGED, "begins at -16");
    refuse_header("{" TENSOR("a", "F32", "[3]", "[0,16]") "}", RES2NET_DAMAGED,
                  "needs 12 bytes, its data_offsets span 16");
    refuse_header(
        "{" TENSOR("a", "F32", "[4]", "[0,16]") "," TENSOR("b", "F32", "[2]", "[8,16]") "}",
        RES2NET_DAMAGED, "overlaps");
    refuse_header("{" TENSOR("a", "F32", "[2]", "[8,16]") "}", RES2NET_DAMAGED, "hole of 8");
    refuse_header("{" TENSOR("a", "F32", "[2]", "[0,8]") "}", RES2NET_DAMAGED, "8 bytes follow");
    refuse_header("{" TENSOR("a", "Q4", "[4]", "[0,16]") "}", RES2NET_UNSUPPORTED, "type \"Q4\"");
    refuse_header("{" TENSOR("a", "F8_E4M3", "[16]", "[0,16]") "}", RES2NET_UNSUPPORTED, "F8_E4M3");
    refuse_header("{" TENSOR("a", "F32", "[4294967296,4294967296]", "[0,16]") "}", RES2NET_DAMAGED,
                  "beyond 64 bits");
    refuse_header("{" TENSOR("a", "F32", "[9223372036854775808]", "[0,16]") "}", RES2NET_DAMAGED,
                  "whole number");
    refuse_header("{" TENSOR("a", "F32", "[4.0]", "[0,16]") "}", RES2NET_DAMAGED, "whole number");
    refuse_header("{" TENSOR("a", "F32", "[-4]", "[0,16]") "}", RES2NET_DAMAGED, "whole number");
    refuse_header("{" TENSOR("a", "F32", "[0]", "[0,0]") "}", RES2NET_DAMAGED, "below 1");
    refuse_header("{" TENSOR("a", "F32", "[1,1,1,1,1,1,1,1,4]", "[0,16]") "}",
                  RES2NET_LIMIT_EXCEEDED, "9 dimensions");
    refuse_header("{" TENSOR("a", "F32", "[4]", "[0]") "}", RES2NET_DAMAGED, "data_offsets");
    refuse_header("{" TENSOR("a", "F32", "[4]", "[0,16.0]") "}", RES2NET_DAMAGED, "data_offsets");
    refuse_header("{" TENSOR("a", "F32", "4", "[0,16]") "}", RES2NET_DAMAGED, "array \"shape\"");
    refuse_header("{" TENSOR("", "F32", "[4]", "[0,16]") "}", RES2NET_DAMAGED, "name is empty");
    refuse_header(
        "{" TENSOR("a", "F32", "[4]", "[0,16]") "," TENSOR("a", "F32", "[4]", "[0,16]") "}",
        RES2NET_DAMAGED, "twice");
    refuse_header("{\"a\":7}", RES2NET_DAMAGED, "a number, not an object");
    refuse_header("{\"__metadata__\":{\"a\":7}}", RES2NET_DAMAGED, "not a text");
    refuse_header("{\"__metadata__\":{\"res2net.family\":\"x\"}}", RES2NET_DAMAGED, "family");
    refuse_header("{\"a\":", RES2NET_DAMAGED, "ends");
#undef TENSOR
    uint8_t file[32] = {0, 0, 0, 0, 0, 0, 0, 0x80, '{', '}'};
    refuse(file, sizeof file, RES2NET_LIMIT_EXCEEDED, "9223372036854775808 bytes");
    file[7] = 0;
    file[1] = 1;
    refuse(file, sizeof file, RES2NET_DAMAGED, "claims 256 bytes, but only 24 follow");
}

/* The first bytes are the header's size, and may be those of a pickle. */
static void a_header_of_any_size_is_no_pickle(void **state)
{
    (void)state;
    static const char json[] = "{\"w\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}";
    for (size_t header = 64; header < 2000; header += 8) {
        static uint8_t file[8 + 2000 + 4];
        r2n_tensor_set *set;
        memset(file, ' ', sizeof file);
        for (size_t i = 0; i < 8; i++)
            file[i] = (uint8_t)(header >> (8 * i));
        memcpy(file + 8, json, sizeof json - 1);
        memset(file + 8 + header, 0, 4);
        assert_int_equal(r2n_weights_read_memory(file, 8 + header + 4, "file", &set, report),
                         RES2NET_OK);
        r2n_tensor_set_destroy(set);
    }
}

static void every_cut_of_a_real_file_is_refused(void **state)
{
    (void)state;
    static const char *const paths[] = {WEIGHTS "tiny.pdparams",
                                        WEIGHTS "tiny_protocol2.pdparams",
                                        WEIGHTS "tiny.pth",
                                        WEIGHTS "tiny_legacy.pth",
                                        WEIGHTS "tiny_legacy_half.pth",
                                        WEIGHTS "tiny.safetensors",
                                        WEIGHTS "tiny_pieces.pdparams"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        r2n_file_bytes file = expect_file(paths[i]);
        r2n_tensor_set *ninety;
        assert_int_equal(
            r2n_weights_read_memory(file.data, file.size * 9 / 10, paths[i], &ninety, report),
            RES2NET_DAMAGED);
        expect_problem(report, RES2NET_DAMAGED, "fetch");
        for (size_t cut = 0; cut < file.size; cut += cut < 64 ? 1 : 997) {
            r2n_tensor_set *set = NULL;
            if (r2n_weights_read_memory(file.data, cut, paths[i], &set, NULL) == RES2NET_OK)
                fail_msg("%s was read though only %zu bytes of it were there", paths[i], cut);
            assert_null(set);
        }
        r2n_file_release(&file);
    }
}

static res2net_status attempt(void *context)
{
    const r2n_file_bytes *file = context;
    r2n_tensor_set *set, *canonical;
    r2n_architecture architecture;
    r2n_family family;
    res2net_status status = r2n_weights_read_memory(file->data, file->size, "a", &set, NULL);
    if (status != RES2NET_OK)
        return status;
    status = r2n_weights_canonicalise(set, NULL, R2N_FAMILY_UNKNOWN, "a", &canonical, &architecture,
                                      &family, NULL);
    if (status == RES2NET_OK)
        r2n_tensor_set_destroy(canonical);
    return status;
}

static void memory_may_run_out(void **state)
{
    (void)state;
    static const char *const paths[] = {
        WEIGHTS "tiny.pdparams",        WEIGHTS "tiny_protocol2.pdparams",
        WEIGHTS "tiny_half.pth",        WEIGHTS "tiny_checkpoint.pth",
        WEIGHTS "tiny_legacy_half.pth", WEIGHTS "tiny_half.safetensors",
        WEIGHTS "tiny_pieces.pdparams"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        r2n_file_bytes file = expect_file(paths[i]);
        expect_every_allocation_may_fail(attempt, &file);
        r2n_file_release(&file);
    }
}

/* ---- prefixes ------------------------------------------------------------------------------ */

/* Reads a safetensors file of one-element tensors with these names. */
static res2net_status read_names(const char *const *names, size_t count, r2n_tensor_set **set)
{
    static uint8_t file[4096];
    char header[2048] = "{";
    for (size_t i = 0; i < count; i++)
        snprintf(header + strlen(header), sizeof header - strlen(header),
                 "%s\"%s\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[%zu,%zu]}",
                 i == 0 ? "" : ",", names[i], 4 * i, 4 * i + 4);
    strcat(header, "}");
    const uint64_t length = strlen(header);
    memset(file, 0, sizeof file);
    memcpy(file, &length, 8);
    memcpy(file + 8, header, length);
    return r2n_weights_read_memory(file, 8 + length + 4 * count, "a", set, report);
}

static void prefixes_are_taken_off(void **state)
{
    (void)state;
    static const char *const wrapped[] = {"module.a.b", "_orig_mod.module.c", "d.module.e",
                                          "submodule.f"};
    static const char *const student[] = {"Student2.a", "Teacher.a", "Student.a", "x.Student.b",
                                          "module.Student.c"};
    static const char *const colliding[] = {"module.a", "a"};
    r2n_tensor_set *set;
    assert_int_equal(read_names(wrapped, 4, &set), RES2NET_OK);
    assert_string_equal(set->tensors[0].name, "a.b");
    assert_string_equal(set->tensors[1].name, "c");
    assert_string_equal(set->tensors[2].name, "d.e");
    assert_string_equal(set->tensors[3].name, "submodule.f");
    r2n_tensor_set_destroy(set);
    assert_int_equal(read_names(student, 5, &set), RES2NET_OK);
    expect_problem(report, RES2NET_OK, "the 2 tensors under \"Student.\" are taken, 3 others left");
    assert_int_equal(set->count, 2);
    assert_string_equal(set->tensors[0].name, "a");
    assert_string_equal(set->tensors[1].name, "c");
    r2n_tensor_set_destroy(set);
    assert_int_equal(read_names(colliding, 2, &set), RES2NET_DAMAGED);
    expect_problem(report, RES2NET_DAMAGED, "two tensors have the name \"a\"");
}

/* ---- the bootstrap network ----------------------------------------------------------------- */

static int find_bootstrap(char *folder, size_t size)
{
    struct stat status;
    const char *data = getenv("RES2NET_DATA");
    if (data != NULL)
        snprintf(folder, size, "%s/../bootstrap", data);
    else
        snprintf(folder, size, "%s/../shared/bootstrap", R2N_SOURCE_DIR);
    return stat(folder, &status) == 0;
}

static void a_trained_network_is_the_same_in_both_formats(void **state)
{
    (void)state;
    char folder[1024], path[1200];
    r2n_tensor_set *sets[2];
    if (!find_bootstrap(folder, sizeof folder)) {
        print_message("SKIPPED: no bootstrap network at %s (set RES2NET_DATA)\n", folder);
        skip();
    }
    for (int i = 0; i < 2; i++) {
        r2n_tensor_set *set;
        r2n_architecture architecture;
        r2n_family family;
        snprintf(path, sizeof path, "%s/res2net20_26w_4s_cifar.%s", folder,
                 i == 0 ? "pth" : "safetensors");
        assert_int_equal(r2n_weights_read(path, &set, report), RES2NET_OK);
        assert_int_equal(r2n_weights_canonicalise(set, NULL, R2N_FAMILY_UNKNOWN, path, &sets[i],
                                                  &architecture, &family, report),
                         RES2NET_OK);
        assert_int_equal(family, R2N_FAMILY_TORCH);
        assert_int_equal(architecture.classes, 100);
        assert_int_equal(architecture.planes, 32);
        assert_int_equal(architecture.scale, 4);
    }
    assert_int_equal(sets[0]->count, 172);
    for (size_t i = 0; i < 172; i++) {
        const r2n_tensor *tensor = &sets[0]->tensors[i];
        assert_string_equal(tensor->name, sets[1]->tensors[i].name);
        assert_memory_equal(tensor->data, sets[1]->tensors[i].data,
                            (size_t)tensor->count * sizeof(float));
    }
    r2n_tensor_set_destroy(sets[0]);
    r2n_tensor_set_destroy(sets[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(real_files_give_the_formula_bits),
        cmocka_unit_test(half_floats_are_widened_exactly),
        cmocka_unit_test(aligned_floats_are_pointed_to),
        cmocka_unit_test(a_checkpoint_says_what_was_taken),
        cmocka_unit_test(what_is_no_weights_file_is_named),
        cmocka_unit_test(hostile_pickles_are_refused),
        cmocka_unit_test(hostile_safetensors_are_refused),
        cmocka_unit_test(a_header_of_any_size_is_no_pickle),
        cmocka_unit_test(every_cut_of_a_real_file_is_refused),
        cmocka_unit_test(memory_may_run_out),
        cmocka_unit_test(prefixes_are_taken_off),
        cmocka_unit_test(a_trained_network_is_the_same_in_both_formats),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
