/* SPDX-License-Identifier: Apache-2.0 */
/* The packed section of .r2n: used in place, the same bits, never trusted further than it goes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernels/cpu_features.h"
#include "plan/plan_internal.h"
#include "predict/model.h"
#include "res2net/res2net.h"

#define SMALL "cifar:planes=16,depths=1-1-1,width=26,scale=4,classes=10"
enum { CLASSES = 10, SIDE = 24, MOST_BYTES = 8 << 20 };

static char path[] = "/tmp/r2n_packed_XXXXXX.r2n";
static _Alignas(64) uint8_t bytes[MOST_BYTES];
static size_t size;

static res2net_status save(const char *architecture, res2net_family family,
                           const res2net_save_options *options)
{
    res2net_model *model;
    assert_int_equal(res2net_model_create(architecture, family, 5, &model, NULL), RES2NET_OK);
    const res2net_status status = res2net_model_save(model, path, options, NULL);
    res2net_model_destroy(model);
    return status;
}

static void read_file(void)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    assert_true(size > 1000 && size < sizeof bytes);
}

/* Logits of a fixed picture; whether the plan reads the file's own bytes. */
static int run(res2net_model *model, float *logits)
{
    static float input[3 * SIDE * SIDE];
    res2net_session *session;
    const r2n_plan *plan;
    for (size_t i = 0; i < sizeof input / sizeof *input; i++)
        input[i] = (float)(i * 37 % 101) / 50.0f - 1.0f;
    assert_int_equal(res2net_session_create(model, NULL, &session, NULL), RES2NET_OK);
    assert_int_equal(res2net_session_run(session, input, 1, SIDE, SIDE, logits, NULL), RES2NET_OK);
    res2net_session_destroy(session);
    assert_int_equal(r2n_model_plan(model, R2N_PRECISION_F32, r2n_isa_default(), &plan, NULL),
                     RES2NET_OK);
    return plan->own_numbers == NULL;
}

/* Loads what is in `bytes` and runs it. */
static int run_bytes(int verify, float *logits)
{
    const res2net_load_options options = {.verify = verify};
    res2net_model *model;
    assert_int_equal(res2net_model_load_memory(bytes, size, "bytes", &options, &model, NULL),
                     RES2NET_OK);
    const int in_place = run(model, logits);
    res2net_model_destroy(model);
    return in_place;
}

static void a_section_gives_the_same_bits(void **state)
{
    (void)state;
    static const res2net_family families[] = {RES2NET_FAMILY_PADDLE, RES2NET_FAMILY_TORCH};
    static const res2net_save_options canonical = {.packed = "none"};
    float packed_now[CLASSES], in_place[CLASSES], verified[CLASSES];
    for (int i = 0; i < 2; i++) {
        assert_int_equal(save(SMALL, families[i], &canonical), RES2NET_OK);
        read_file();
        const size_t small = size;
        assert_false(run_bytes(0, packed_now));
        assert_int_equal(save(SMALL, families[i], NULL), RES2NET_OK);
        read_file();
        assert_true(size > small + small / 2);
        assert_true(run_bytes(0, in_place));
        assert_memory_equal(packed_now, in_place, sizeof in_place);
        assert_false(run_bytes(1, verified));
        assert_memory_equal(packed_now, verified, sizeof verified);
    }
}

static void a_file_is_read_in_place(void **state)
{
    (void)state;
    float logits[CLASSES], expected[CLASSES];
    res2net_model *model;
    assert_int_equal(save(SMALL, RES2NET_FAMILY_TORCH, NULL), RES2NET_OK);
    assert_int_equal(res2net_model_load(path, NULL, &model, NULL), RES2NET_OK);
    assert_true(run(model, logits));
    /* Saved again from a model whose plan is the file's own section. */
    assert_int_equal(res2net_model_save(model, path, NULL, NULL), RES2NET_OK);
    res2net_model_destroy(model);
    read_file();
    assert_true(run_bytes(0, expected));
    assert_memory_equal(logits, expected, sizeof logits);
}

/* Changes the first character of the section's `member`. */
static void change(const char *member)
{
    static const char section[] = "\"packed\":[";
    char *at = NULL;
    for (size_t i = 64; i + sizeof section < size && at == NULL; i++)
        if (memcmp(bytes + i, section, sizeof section - 1) == 0)
            at = (char *)bytes + i;
    assert_non_null(at);
    at = strstr(at, member);
    assert_non_null(at);
    at += strlen(member);
    *at = *at == '9' ? '8' : '9';
}

static uint32_t crc32_of(const uint8_t *from, size_t count)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < count; i++) {
        crc ^= from[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (0xEDB88320u & (0u - (crc & 1u)));
    }
    return ~crc;
}

static void seal(void)
{
    uint64_t metadata_bytes;
    memcpy(&metadata_bytes, bytes + 24, sizeof metadata_bytes);
    const uint32_t metadata = crc32_of(bytes + 64, metadata_bytes);
    memcpy(bytes + 48, &metadata, sizeof metadata);
    const uint32_t header = crc32_of(bytes, 60);
    memcpy(bytes + 60, &header, sizeof header);
}

static void sections_of_other_plans_are_not_used(void **state)
{
    (void)state;
    static const char *const members[] = {"\"layout\":", "\"steps\":", "\"precision\":\""};
    float logits[CLASSES], expected[CLASSES];
    assert_int_equal(save(SMALL, RES2NET_FAMILY_TORCH, NULL), RES2NET_OK);
    read_file();
    assert_true(run_bytes(0, expected));
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        read_file();
        change(members[i]);
        seal();
        assert_false(run_bytes(0, logits));
        assert_memory_equal(logits, expected, sizeof logits);
    }
    /* Bytes that lie at no multiple of 64 in memory are not read in place. */
    read_file();
    memmove(bytes + 4, bytes, size);
    res2net_model *model;
    assert_int_equal(res2net_model_load_memory(bytes + 4, size, "bytes", NULL, &model, NULL),
                     RES2NET_OK);
    assert_false(run(model, logits));
    res2net_model_destroy(model);
    assert_memory_equal(logits, expected, sizeof logits);
}

/* A number that is none, in a tensor that a section stands for. */
static void damage_is_found_before_it_is_packed_or_written(void **state)
{
    (void)state;
    float logits[CLASSES];
    res2net_model *model;
    const res2net_load_options verify = {.verify = 1};
    res2net_report *report = res2net_report_create();
    assert_int_equal(save(SMALL, RES2NET_FAMILY_TORCH, NULL), RES2NET_OK);
    assert_int_equal(res2net_model_load(path, NULL, &model, NULL), RES2NET_OK);
    const r2n_tensor *tensor = r2n_tensor_set_find(model->weights, "conv1.weight");
    assert_non_null(tensor);
    const size_t at = (size_t)((const uint8_t *)tensor->data - model->weights->source);
    res2net_model_destroy(model);
    read_file();
    memcpy(bytes + at, &(float){NAN}, sizeof(float));
    assert_true(run_bytes(0, logits)); /* it is not read */
    assert_int_equal(res2net_model_load_memory(bytes, size, "bytes", &verify, &model, report),
                     RES2NET_DAMAGED);
    assert_int_equal(res2net_model_load_memory(bytes, size, "bytes", NULL, &model, NULL),
                     RES2NET_OK);
    assert_int_equal(res2net_model_save(model, path, NULL, report), RES2NET_NOT_FINITE);
    res2net_model_destroy(model);
    change("\"layout\":");
    seal();
    assert_int_equal(res2net_model_load_memory(bytes, size, "bytes", NULL, &model, NULL),
                     RES2NET_OK);
    res2net_session *session;
    res2net_report_clear(report);
    assert_int_equal(res2net_session_create(model, NULL, &session, report), RES2NET_NOT_FINITE);
    assert_non_null(strstr(res2net_report_problem(report, 0)->text, "conv1.weight"));
    res2net_model_destroy(model);
    res2net_report_destroy(report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_section_gives_the_same_bits),
        cmocka_unit_test(a_file_is_read_in_place),
        cmocka_unit_test(sections_of_other_plans_are_not_used),
        cmocka_unit_test(damage_is_found_before_it_is_packed_or_written),
    };
    const int descriptor = mkstemps(path, 4);
    if (descriptor < 0)
        return 1;
    close(descriptor);
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return failed;
}
