/* SPDX-License-Identifier: Apache-2.0 */
/* Round trips through every format that is written, and what .r2n notices. */
#include "expect.h"

#include <stdlib.h>
#include <unistd.h>

#include "formats/crc32.h"
#include "weights/weights.h"

#define TINY   "cifar:planes=4,depths=1-1-1,width=32,scale=2,classes=3"
#define RECIPE "{\"resize_short\": 256, \"scale\": 0.0039215686274509803}"

static res2net_report *report;
static r2n_architecture tiny;
static r2n_tensor_set *original;
static char folder[] = "/tmp/r2n_write_XXXXXX";
static char path[64];

static int set_up(void **state)
{
    (void)state;
    report = res2net_report_create();
    if (mkdtemp(folder) == NULL || r2n_architecture_find(TINY, &tiny, report) != RES2NET_OK ||
        r2n_weights_formula(&tiny, 5, &original, report) != RES2NET_OK)
        return 1;
    original->metadata.recipe_json = r2n_copy_string(RECIPE);
    original->metadata.labels = r2n_copy_string("tench\ngreat \"white\", shark\n\xC3\xA9toile");
    original->metadata.licence = r2n_copy_string("Apache-2.0");
    original->metadata.source = r2n_copy_string("a test");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    r2n_tensor_set_destroy(original);
    res2net_report_destroy(report);
    return rmdir(folder);
}

static res2net_status write_as(const char *extension, r2n_family family, int keep_family)
{
    snprintf(path, sizeof path, "%s/a.%s", folder, extension);
    return r2n_weights_write(path, r2n_weights_format_from_path(path), original, &tiny, family,
                             keep_family, report);
}

static r2n_tensor_set *read_back(r2n_family family)
{
    r2n_tensor_set *set, *canonical = NULL;
    r2n_architecture architecture = {.classes = 0};
    r2n_family found = R2N_FAMILY_UNKNOWN;
    if (r2n_weights_read(path, &set, report) != RES2NET_OK ||
        r2n_weights_canonicalise(set, NULL, R2N_FAMILY_UNKNOWN, path, &canonical, &architecture,
                                 &found, report) != RES2NET_OK)
        fail_msg("%s: %s", path, res2net_report_problem(report, 0)->text);
    assert_int_equal(found, family);
    assert_memory_equal(&architecture, &tiny, sizeof tiny);
    assert_int_equal(canonical->count, original->count);
    for (size_t i = 0; i < canonical->count; i++) {
        assert_string_equal(canonical->tensors[i].name, original->tensors[i].name);
        assert_memory_equal(canonical->tensors[i].data, original->tensors[i].data,
                            (size_t)original->tensors[i].count * sizeof(float));
    }
    return canonical;
}

static void expect_metadata(const r2n_tensor_set *set)
{
    assert_string_equal(set->metadata.architecture, TINY);
    assert_string_equal(set->metadata.recipe_json, RECIPE);
    assert_string_equal(set->metadata.labels, original->metadata.labels);
    assert_string_equal(set->metadata.licence, "Apache-2.0");
    assert_string_equal(set->metadata.source, "a test");
}

static void r2n_keeps_everything(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        const r2n_family family = i == 0 ? R2N_FAMILY_PADDLE : R2N_FAMILY_TORCH;
        assert_int_equal(write_as("r2n", family, 0), RES2NET_OK);
        r2n_tensor_set *set = read_back(family);
        expect_metadata(set);
        assert_int_equal(set->block_count, 0);
        assert_true(set->file.mapped);
        for (size_t k = 0; k < set->count; k++)
            assert_int_equal((uintptr_t)set->tensors[k].data % 64, 0);
        assert_int_equal(r2n_weights_verify(set, path, report), RES2NET_OK);
        r2n_tensor_set_destroy(set);
        unlink(path);
    }
}

static void the_other_formats_keep_their_family(void **state)
{
    (void)state;
    assert_int_equal(write_as("pdparams", R2N_FAMILY_PADDLE, 0), RES2NET_OK);
    r2n_tensor_set_destroy(read_back(R2N_FAMILY_PADDLE));
    assert_int_equal(write_as("pdparams", R2N_FAMILY_TORCH, 0), RES2NET_MISMATCH);
    expect_problem(report, RES2NET_MISMATCH, "--keep-family");
    assert_int_equal(write_as("pdparams", R2N_FAMILY_TORCH, 1), RES2NET_OK);
    r2n_tensor_set_destroy(read_back(R2N_FAMILY_TORCH));
    unlink(path);
    assert_int_equal(write_as("safetensors", R2N_FAMILY_PADDLE, 0), RES2NET_MISMATCH);
    expect_problem(report, RES2NET_MISMATCH, "--keep-family");
    assert_int_equal(write_as("safetensors", R2N_FAMILY_PADDLE, 1), RES2NET_OK);
    r2n_tensor_set_destroy(read_back(R2N_FAMILY_PADDLE));
    assert_int_equal(write_as("safetensors", R2N_FAMILY_TORCH, 0), RES2NET_OK);
    r2n_tensor_set *set = read_back(R2N_FAMILY_TORCH);
    expect_metadata(set);
    assert_int_equal(set->block_count, 0); /* its data begin at a multiple of 8 */
    assert_int_equal(r2n_weights_verify(set, path, report), RES2NET_OK);
    r2n_tensor_set_destroy(set);
    unlink(path);
    assert_int_equal(write_as("pth", R2N_FAMILY_TORCH, 0), RES2NET_UNSUPPORTED);
    assert_int_equal(write_as("r2n", R2N_FAMILY_UNKNOWN, 0), RES2NET_INVALID_ARGUMENT);
    res2net_report_clear(report);
}

static void a_set_that_does_not_fit_is_not_written(void **state)
{
    (void)state;
    r2n_architecture other = tiny;
    other.classes = 4;
    snprintf(path, sizeof path, "%s/a.r2n", folder);
    assert_int_equal(
        r2n_weights_write(path, R2N_WEIGHTS_R2N, original, &other, R2N_FAMILY_TORCH, 0, report),
        RES2NET_MISMATCH);
    expect_problem(report, RES2NET_MISMATCH, "fc.weight [3, 64]");
    char *recipe = original->metadata.recipe_json;
    original->metadata.recipe_json = (char[]){"[1]"};
    assert_int_equal(write_as("r2n", R2N_FAMILY_TORCH, 0), RES2NET_INVALID_ARGUMENT);
    original->metadata.recipe_json = (char[]){"{"};
    assert_int_equal(write_as("r2n", R2N_FAMILY_TORCH, 0), RES2NET_DAMAGED);
    original->metadata.recipe_json = recipe;
    assert_int_equal(access(path, F_OK), -1);
    res2net_report_clear(report);
}

/* ---- damage to .r2n ------------------------------------------------------------------------ */

static uint8_t *copy_of_file(size_t *size)
{
    r2n_file_bytes file = expect_file(path);
    uint8_t *copy = (uint8_t *)r2n_copy_bytes(file.data, file.size);
    *size = file.size;
    r2n_file_release(&file);
    assert_non_null(copy);
    return copy;
}

static void put_u32(uint8_t *at, uint32_t number)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(number >> (8 * i));
}

/* Header and metadata checksums made right again after a change. */
static void seal(uint8_t *file)
{
    uint32_t bytes;
    memcpy(&bytes, file + 24, 4);
    put_u32(file + 48, r2n_crc32(0, file + 64, bytes));
    put_u32(file + 60, r2n_crc32(0, file, 60));
}

static res2net_status read_damaged(const uint8_t *file, size_t size, int verify)
{
    r2n_tensor_set *set;
    res2net_status status = r2n_weights_read_memory(file, size, "a.r2n", &set, report);
    if (status == RES2NET_OK && verify)
        status = r2n_weights_verify(set, "a.r2n", report);
    r2n_tensor_set_destroy(set);
    return status;
}

static void every_damaged_byte_is_noticed(void **state)
{
    (void)state;
    size_t size;
    uint64_t data_offset;
    assert_int_equal(write_as("r2n", R2N_FAMILY_TORCH, 0), RES2NET_OK);
    uint8_t *file = copy_of_file(&size);
    memcpy(&data_offset, file + 32, 8);
    assert_int_equal(read_damaged(file, size, 1), RES2NET_OK);
    size_t metadata_bytes = 0;
    memcpy(&metadata_bytes, file + 24, 4);
    for (size_t i = 0; i < 64 + metadata_bytes; i++) {
        file[i] ^= 1;
        assert_int_not_equal(read_damaged(file, size, 0), RES2NET_OK);
        file[i] ^= 1;
    }
    res2net_report_clear(report);
    file[data_offset] ^= 1;
    assert_int_equal(read_damaged(file, size, 0), RES2NET_OK); /* fast: checked when asked */
    assert_int_equal(read_damaged(file, size, 1), RES2NET_DAMAGED);
    expect_problem(report, RES2NET_DAMAGED, "the data of \"conv1.weight\"");
    file[data_offset] ^= 1;
    for (size_t cut = 0; cut < size; cut += cut < 128 ? 1 : 777)
        assert_int_not_equal(read_damaged(file, cut, 0), RES2NET_OK);
    res2net_report_clear(report);
    r2n_free(file);
    unlink(path);
}

/* Replaces the first `from` of the metadata by `to`, of the same length, and seals the file. */
static void refuse_change(const char *from, const char *to, res2net_status status,
                          const char *problem)
{
    size_t size, metadata_bytes = 0;
    uint8_t *file = copy_of_file(&size);
    memcpy(&metadata_bytes, file + 24, 4);
    uint8_t *found = memmem(file + 64, metadata_bytes, from, strlen(from));
    assert_non_null(found);
    assert_int_equal(strlen(from), strlen(to));
    memcpy(found, to, strlen(to));
    seal(file);
    assert_int_equal(read_damaged(file, size, 0), status);
    if (status != RES2NET_OK)
        expect_problem(report, status, problem);
    r2n_free(file);
}

static void wrong_metadata_are_refused(void **state)
{
    (void)state;
    assert_int_equal(write_as("r2n", R2N_FAMILY_TORCH, 0), RES2NET_OK);
    refuse_change("\"shape\":[4,3,3,3]", "\"shape\":[0,3,3,3]", RES2NET_DAMAGED, "below 1");
    refuse_change("\"shape\":[4,3,3,3]", "\"shape\":4444444  ", RES2NET_DAMAGED, "no \"name\"");
    refuse_change("\"shape\":[4,3,3,3]", "\"shape\":[9999999]", RES2NET_DAMAGED,
                  "not inside the file");
    refuse_change("\"offset\":", "\"Offset\":", RES2NET_DAMAGED, "no valid \"offset\"");
    refuse_change("\"tensors\":", "\"Tensors\":", RES2NET_DAMAGED, "no array \"tensors\"");
    refuse_change("\"family\":\"torch\"", "\"family\":\"tarch\"", RES2NET_DAMAGED, "family");
    refuse_change("\"labels\":[\"tench\"", "\"labels\":[5      ", RES2NET_DAMAGED, "a label");
    refuse_change("\"packed\":[]", "\"packed\":{}", RES2NET_DAMAGED, "\"packed\" is no array");
    refuse_change("\"name\":\"bn1.bias\"", "\"name\":\"bn1.mean\"", RES2NET_OK, NULL);
    unlink(path);
}

static void a_newer_format_is_refused(void **state)
{
    (void)state;
    size_t size;
    assert_int_equal(write_as("r2n", R2N_FAMILY_TORCH, 0), RES2NET_OK);
    uint8_t *file = copy_of_file(&size);
    put_u32(file + 8, 2);
    seal(file);
    assert_int_equal(read_damaged(file, size, 0), RES2NET_UNSUPPORTED);
    expect_problem(report, RES2NET_UNSUPPORTED, "version 2");
    put_u32(file + 8, 1);
    put_u32(file + 52, 1);
    seal(file);
    assert_int_equal(read_damaged(file, size, 0), RES2NET_UNSUPPORTED);
    expect_problem(report, RES2NET_UNSUPPORTED, "features");
    r2n_free(file);
    unlink(path);
}

enum { PACKED_BYTES = 580 };

/* A file with one tensor and one packed section of `packed_bytes`, as a later writer makes it. */
static void build_packed(uint8_t *file, int packed_bytes)
{
    static const float numbers[] = {1, 2};
    static const uint8_t packed[] = {7, 8, 9, 10};
    memset(file, 0, PACKED_BYTES);
    memcpy(file, "\x89R2N\r\n\x1a\n", 8);
    const int length = snprintf(
        (char *)file + 64, 448,
        "{\"tensors\":[{\"name\":\"a\",\"shape\":[2],\"offset\":512,\"crc32\":%u}],\"packed\":"
        "[{\"precision\":\"bf16\",\"layout\":3,\"note\":[1],\"offset\":576,\"bytes\":%d,"
        "\"crc32\":%u}]}",
        r2n_crc32(0, numbers, sizeof numbers), packed_bytes, r2n_crc32(0, packed, sizeof packed));
    put_u32(file + 8, 1);
    put_u32(file + 12, 64);
    put_u32(file + 16, 64);
    put_u32(file + 24, (uint32_t)length);
    put_u32(file + 32, 512);
    put_u32(file + 40, PACKED_BYTES);
    memcpy(file + 512, numbers, sizeof numbers);
    memcpy(file + 576, packed, sizeof packed);
    seal(file);
}

static void packed_sections_are_checked_and_skipped(void **state)
{
    (void)state;
    uint8_t file[PACKED_BYTES];
    build_packed(file, 4);
    assert_int_equal(read_damaged(file, sizeof file, 1), RES2NET_OK);
    file[576]++;
    assert_int_equal(read_damaged(file, sizeof file, 0), RES2NET_OK);
    assert_int_equal(read_damaged(file, sizeof file, 1), RES2NET_DAMAGED);
    expect_problem(report, RES2NET_DAMAGED, "the data of \"bf16\"");
    build_packed(file, 5);
    assert_int_equal(read_damaged(file, sizeof file, 0), RES2NET_DAMAGED);
    expect_problem(report, RES2NET_DAMAGED, "not inside the file");
}

static res2net_status attempt(void *context)
{
    (void)context;
    return r2n_weights_write(path, r2n_weights_format_from_path(path), original, &tiny,
                             R2N_FAMILY_TORCH, 1, NULL);
}

static void memory_may_run_out(void **state)
{
    (void)state;
    static const char *const extensions[] = {"r2n", "safetensors", "pdparams"};
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/a.%s", folder, extensions[i]);
        expect_every_allocation_may_fail(attempt, NULL);
        unlink(path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(r2n_keeps_everything),
        cmocka_unit_test(the_other_formats_keep_their_family),
        cmocka_unit_test(a_set_that_does_not_fit_is_not_written),
        cmocka_unit_test(every_damaged_byte_is_noticed),
        cmocka_unit_test(wrong_metadata_are_refused),
        cmocka_unit_test(a_newer_format_is_refused),
        cmocka_unit_test(packed_sections_are_checked_and_skipped),
        cmocka_unit_test(memory_may_run_out),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
