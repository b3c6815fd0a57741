/* SPDX-License-Identifier: Apache-2.0 */
/* Event files to the byte: VisualDL's as visualdl 2.5.3 writes them, TensorBoard's with checksums
 * of known records; and memory that is short. */
#include "unit/expect.h"

#include "formats/crc32.h"
#include "formats/event_log.h"

static void expect_bytes(const r2n_text *text, const uint8_t *bytes, size_t size)
{
    assert_false(text->failed);
    assert_int_equal(text->size, size);
    assert_memory_equal(text->data, bytes, size);
}

/* RFC 3720, B.4, and the usual check value. */
static void test_crc32c(void **state)
{
    uint8_t block[32] = {0};
    (void)state;
    assert_int_equal(r2n_crc32c(0, "123456789", 9), 0xE3069283);
    assert_int_equal(r2n_crc32c(0, block, sizeof block), 0x8A9136AA);
    memset(block, 0xFF, sizeof block);
    assert_int_equal(r2n_crc32c(0, block, sizeof block), 0x62A8AB43);
    for (int i = 0; i < 32; i++)
        block[i] = (uint8_t)i;
    assert_int_equal(r2n_crc32c(0, block, sizeof block), 0x46DD794E);
    assert_int_equal(r2n_crc32c(r2n_crc32c(0, block, 7), block + 7, 25), 0x46DD794E);
    assert_int_equal(r2n_crc32c(5, block, 0), 5);
}

/* What visualdl 2.5.3's LogWriter wrote at that millisecond for the same calls. */
static void test_visualdl(void **state)
{
    static const uint8_t expected[] = {
        0x1a, 0,    0,    0,    0,    0,    0,    0,    0x0a, 0x18, 0x12, 0x0d, 0x6d, 0x65, 0x74,
        0x61, 0x5f, 0x64, 0x61, 0x74, 0x61, 0x5f, 0x74, 0x61, 0x67, 0x18, 0xb2, 0xd6, 0xfa, 0xb2,
        0xa2, 0x34, 0x52, 0x00, 0x28, 0,    0,    0,    0,    0,    0,    0,    0x0a, 0x26, 0x12,
        0x18, 0x6c, 0x72, 0x28, 0x43, 0x6f, 0x73, 0x69, 0x6e, 0x65, 0x41, 0x6e, 0x6e, 0x65, 0x61,
        0x6c, 0x69, 0x6e, 0x67, 0x44, 0x65, 0x63, 0x61, 0x79, 0x29, 0x18, 0xb2, 0xd6, 0xfa, 0xb2,
        0xa2, 0x34, 0x25, 0xcd, 0xcc, 0xcc, 0x3d, 0x1d, 0,    0,    0,    0,    0,    0,    0,
        0x0a, 0x1b, 0x08, 0xac, 0x02, 0x12, 0x0a, 0x74, 0x72, 0x61, 0x69, 0x6e, 0x5f, 0x6c, 0x6f,
        0x73, 0x73, 0x18, 0xb2, 0xd6, 0xfa, 0xb2, 0xa2, 0x34, 0x25, 0x00, 0x00, 0x00, 0x00};
    const int64_t milliseconds = INT64_C(1795940068146);
    r2n_text text = {0};
    (void)state;
    r2n_visualdl_put_start(&text, milliseconds);
    r2n_visualdl_put_scalar(&text, milliseconds, "lr(CosineAnnealingDecay)", 0, 0.1);
    r2n_visualdl_put_scalar(&text, milliseconds, "train_loss", 300, 0);
    expect_bytes(&text, expected, sizeof expected);
    r2n_free(text.data);
}

/* What tensorboard's EventFileWriter wrote for the same two events. */
static void test_tensorboard(void **state)
{
    static const uint8_t expected[] = {
        0x18, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xa3, 0x7f, 0x4b, 0x22, 0x09, 0x00, 0x00,
        0x10, 0xb9, 0xf7, 0xc2, 0xda, 0x41, 0x1a, 0x0d, 0x62, 0x72, 0x61, 0x69, 0x6e, 0x2e, 0x45,
        0x76, 0x65, 0x6e, 0x74, 0x3a, 0x32, 0x59, 0xbe, 0x54, 0xe3, 0x1f, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x51, 0x4b, 0x44, 0x18, 0x09, 0x00, 0x00, 0x20, 0xb9, 0xf7, 0xc2, 0xda,
        0x41, 0x10, 0xac, 0x02, 0x2a, 0x11, 0x0a, 0x0f, 0x0a, 0x08, 0x65, 0x76, 0x61, 0x6c, 0x5f,
        0x61, 0x63, 0x63, 0x15, 0x00, 0x00, 0x40, 0x3f, 0x14, 0x1a, 0x5e, 0xc9, 0x18, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x00, 0xa3, 0x7f, 0x4b, 0x22, 0x09, 0x00, 0x00, 0x40, 0xb9, 0xf7,
        0xc2, 0xda, 0x41, 0x2a, 0x0d, 0x0a, 0x0b, 0x0a, 0x04, 0x6c, 0x6f, 0x73, 0x73, 0x15, 0x00,
        0x00, 0x00, 0x00, 0xb2, 0x85, 0x94, 0xce};
    r2n_text text = {0};
    (void)state;
    r2n_tensorboard_put_start(&text, 1795940068.25);
    r2n_tensorboard_put_scalar(&text, 1795940068.5, "eval_acc", 300, 0.75);
    r2n_tensorboard_put_scalar(&text, 1795940069.0, "loss", 0, 0);
    expect_bytes(&text, expected, sizeof expected);
    r2n_free(text.data);
}

/* A varint of ten bytes, and a message whose length takes two. */
static void test_large_numbers(void **state)
{
    char tag[200];
    static const uint8_t start[] = {0xe7, 0,    0,    0,    0,    0,    0,    0,    0x0a,
                                    0xe4, 1,    0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                    0xff, 0xff, 0x7f, 0x12, 0xc7, 1,    't'};
    r2n_text text = {0};
    (void)state;
    memset(tag, 't', sizeof tag - 1);
    tag[sizeof tag - 1] = '\0';
    r2n_visualdl_put_scalar(&text, -1, tag, INT64_MAX, 1);
    assert_int_equal(text.size, 8 + 0xe7);
    assert_memory_equal(text.data, start, sizeof start);
    r2n_free(text.data);
}

static res2net_status write_all(void *context)
{
    r2n_text text = {0};
    (void)context;
    r2n_visualdl_put_start(&text, 1);
    r2n_visualdl_put_scalar(&text, 1, "tag", 2, 3);
    r2n_tensorboard_put_start(&text, 1);
    r2n_tensorboard_put_scalar(&text, 1, "tag", 2, 3);
    const int failed = text.failed;
    r2n_free(text.data);
    return failed ? RES2NET_OUT_OF_MEMORY : RES2NET_OK;
}

static void test_memory_is_short(void **state)
{
    (void)state;
    expect_every_allocation_may_fail(write_all, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crc32c), cmocka_unit_test(test_visualdl),
        cmocka_unit_test(test_tensorboard), cmocka_unit_test(test_large_numbers),
        cmocka_unit_test(test_memory_is_short)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
