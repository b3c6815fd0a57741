/* SPDX-License-Identifier: Apache-2.0 */
/* Protocol buffers' wire format: the examples of its encoding guide, both ways, and damage. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "formats/protobuf_reader.h"
#include "formats/protobuf_writer.h"

static void check_bytes(r2n_text *text, const void *expected, size_t size)
{
    assert_false(text->failed);
    assert_int_equal(text->size, size);
    assert_memory_equal(text->data, expected, size);
    text->size = 0;
}

static void test_guide(void **state)
{
    (void)state;
    static const uint8_t integer[] = {0x08, 0x96, 0x01};
    static const uint8_t string[] = {0x12, 0x07, 't', 'e', 's', 't', 'i', 'n', 'g'};
    static const uint8_t nested[] = {0x1a, 0x03, 0x08, 0x96, 0x01};
    static const uint8_t packed[] = {0x32, 0x06, 0x03, 0x8e, 0x02, 0x9e, 0xa7, 0x05};
    static const uint8_t repeated[] = {0x30, 0x03, 0x30, 0x8e, 0x02};
    static const uint8_t negative[] = {0x08, 0xfe, 0xff, 0xff, 0xff, 0xff,
                                       0xff, 0xff, 0xff, 0xff, 0x01};
    static const uint8_t number[] = {0x15, 0x00, 0x00, 0x80, 0x3f};
    static const int64_t values[] = {3, 270, 86942};
    r2n_text text = {0}, message = {0};
    r2n_protobuf_put_integer(&text, 1, 150);
    check_bytes(&text, integer, sizeof integer);
    r2n_protobuf_put_string(&text, 2, "testing");
    check_bytes(&text, string, sizeof string);
    r2n_protobuf_put_integer(&message, 1, 150);
    r2n_protobuf_put_message(&text, 3, &message);
    assert_int_equal(message.size, 0);
    check_bytes(&text, nested, sizeof nested);
    r2n_protobuf_put_packed(&text, 6, values, 3);
    check_bytes(&text, packed, sizeof packed);
    r2n_protobuf_put_repeated(&text, 6, values, 2);
    check_bytes(&text, repeated, sizeof repeated);
    r2n_protobuf_put_integer(&text, 1, -2);
    check_bytes(&text, negative, sizeof negative);
    r2n_protobuf_put_float(&text, 2, 1.0f);
    check_bytes(&text, number, sizeof number);
    assert_int_equal(r2n_protobuf_varint_bytes(127), 1);
    assert_int_equal(r2n_protobuf_varint_bytes(128), 2);
    assert_int_equal(r2n_protobuf_varint_bytes(UINT64_MAX), 10);
    r2n_free(text.data);
    r2n_free(message.data);
}

static void test_read(void **state)
{
    (void)state;
    static const int64_t values[] = {3, 270, -1, INT64_MIN};
    r2n_text text = {0}, message = {0};
    r2n_protobuf_put_integer(&text, 1, 150);
    r2n_protobuf_put_float(&message, 7, -2.5f);
    r2n_protobuf_put_string(&message, 8, "Conv");
    r2n_protobuf_put_message(&text, 3, &message);
    r2n_protobuf_put_packed(&text, 6, values, 4);
    r2n_protobuf_put_integer(&text, 6, 9);
    r2n_protobuf_field field;
    r2n_protobuf_reader reader = r2n_protobuf(text.data, text.size, 1000);
    assert_true(r2n_protobuf_next(&reader, &field));
    assert_true(field.number == 1 && field.kind == R2N_PROTOBUF_VARINT && field.value == 150);
    assert_int_equal(field.at, 1000);
    assert_true(r2n_protobuf_next(&reader, &field));
    assert_int_equal(field.at, 1003);
    r2n_protobuf_reader inside = r2n_protobuf_open(&reader, &field);
    assert_int_equal(inside.start, 1005);
    assert_true(r2n_protobuf_next(&inside, &field));
    assert_true(r2n_protobuf_float(&field) == -2.5f && !r2n_protobuf_is(&field, "Conv"));
    assert_true(r2n_protobuf_next(&inside, &field));
    assert_true(r2n_protobuf_is(&field, "Conv") && !r2n_protobuf_is(&field, "Con"));
    assert_false(r2n_protobuf_next(&inside, &field));
    assert_false(inside.cursor.failed);
    int64_t found[8], count = 0;
    while (r2n_protobuf_next(&reader, &field))
        count = r2n_protobuf_integers(&field, found, count, 8);
    assert_int_equal(count, 5);
    assert_memory_equal(found, values, sizeof values);
    assert_int_equal(found[4], 9);
    assert_false(reader.cursor.failed);
    reader = r2n_protobuf(text.data, text.size, 0);
    while (r2n_protobuf_next(&reader, &field) && field.number != 6)
        continue;
    assert_int_equal(r2n_protobuf_integers(&field, found, 0, 3), -1); /* more than there is room */
    r2n_free(text.data);
    r2n_free(message.data);
}

static void check_damage(const void *data, size_t size)
{
    r2n_protobuf_field field;
    r2n_protobuf_reader reader = r2n_protobuf(data, size, 0);
    while (r2n_protobuf_next(&reader, &field))
        continue;
    assert_true(reader.cursor.failed);
}

static void test_damage(void **state)
{
    (void)state;
    check_damage("\x08", 1);                                          /* no value */
    check_damage("\x08\x96", 2);                                      /* a cut varint */
    check_damage("\x12\x07tes", 5);                                   /* fewer bytes than told */
    check_damage("\x15\x00\x00", 3);                                  /* a cut float */
    check_damage("\x00\x01", 2);                                      /* field 0 */
    check_damage("\x0b\x0c", 2);                                      /* a group */
    check_damage("\x0e\x01", 2);                                      /* a wire type that is none */
    check_damage("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 11); /* more than 64 bits */
    check_damage("\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11); /* 2^64 - 1 bytes */
    const r2n_protobuf_field cut = {
        .kind = R2N_PROTOBUF_BYTES, .bytes = (const uint8_t *)"\x03\x8e", .size = 2};
    int64_t found[4];
    assert_int_equal(r2n_protobuf_integers(&cut, found, 0, 4), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_guide), cmocka_unit_test(test_read),
                                       cmocka_unit_test(test_damage)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
