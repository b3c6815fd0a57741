/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "formats/byte_cursor.h"

static const uint8_t BYTES[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};

static void numbers_are_read_in_both_orders(void **state)
{
    (void)state;
    r2n_byte_cursor cursor = r2n_cursor(BYTES, sizeof BYTES);
    assert_int_equal(r2n_cursor_u8(&cursor), 1);
    assert_int_equal(r2n_cursor_u16le(&cursor), 0x0302);
    assert_int_equal(r2n_cursor_u16be(&cursor), 0x0405);
    assert_int_equal(r2n_cursor_u32be(&cursor), 0x06070809);
    assert_int_equal(r2n_cursor_left(&cursor), 0);
    assert_false(cursor.failed);
    r2n_cursor_seek(&cursor, 1);
    assert_true(r2n_cursor_u64le(&cursor) == 0x0908070605040302u);
    r2n_cursor_seek(&cursor, 5);
    assert_int_equal(r2n_cursor_u32le(&cursor), 0x09080706);
    assert_false(cursor.failed);
}

static void the_end_is_never_passed(void **state)
{
    (void)state;
    r2n_byte_cursor cursor = r2n_cursor(BYTES, sizeof BYTES);
    r2n_cursor_skip(&cursor, 7);
    assert_int_equal(r2n_cursor_u32le(&cursor), 0);
    assert_true(cursor.failed);
    assert_int_equal(cursor.position, 7);
    assert_int_equal(r2n_cursor_u16le(&cursor), 0x0908);
    assert_true(cursor.failed);

    cursor = r2n_cursor(BYTES, sizeof BYTES);
    assert_null(r2n_cursor_take(&cursor, UINT64_MAX));
    cursor = r2n_cursor(BYTES, sizeof BYTES);
    r2n_cursor_seek(&cursor, 10);
    assert_true(cursor.failed);
    cursor = r2n_cursor(NULL, 5);
    assert_null(r2n_cursor_take(&cursor, 0));
    assert_int_equal(r2n_cursor_u8(&cursor), 0);
}

static void a_window_is_checked_against_its_block(void **state)
{
    (void)state;
    const r2n_byte_cursor cursor = r2n_cursor(BYTES, sizeof BYTES);
    r2n_byte_cursor window = r2n_cursor_window(&cursor, 2, 3);
    assert_int_equal(r2n_cursor_u16be(&window), 0x0304);
    assert_int_equal(r2n_cursor_u16be(&window), 0);
    assert_true(window.failed);
    assert_false(r2n_cursor_window(&cursor, 9, 0).failed);
    assert_true(r2n_cursor_window(&cursor, 9, 1).failed);
    assert_true(r2n_cursor_window(&cursor, UINT64_MAX, 2).failed);
    assert_true(r2n_cursor_window(&cursor, 2, UINT64_MAX).failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_read_in_both_orders),
        cmocka_unit_test(the_end_is_never_passed),
        cmocka_unit_test(a_window_is_checked_against_its_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
