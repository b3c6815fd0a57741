/* SPDX-License-Identifier: Apache-2.0 */
/* Files made to cost memory or time are refused before they do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/memory.h"
#include "base/os.h"
#include "unit/image_fixture.h"

typedef struct builder {
    uint8_t *bytes;
    size_t size, capacity;
} builder;

static void put(builder *to, const void *bytes, size_t size)
{
    assert_true(r2n_grow((void **)&to->bytes, &to->capacity, to->size + size, 1));
    memcpy(to->bytes + to->size, bytes, size);
    to->size += size;
}

static void put_number(builder *to, uint32_t value, int bytes, int big_endian)
{
    for (int i = 0; i < bytes; i++) {
        const uint8_t byte = (uint8_t)(value >> 8 * (big_endian ? bytes - 1 - i : i));
        put(to, &byte, 1);
    }
}

static void put_chunk(builder *png, const char *kind, const void *bytes, size_t size)
{
    put_number(png, (uint32_t)size, 4, 1);
    const size_t at = png->size;
    put(png, kind, 4);
    put(png, bytes, size);
    put_number(png, r2n_crc32(0, png->bytes + at, size + 4), 4, 1);
}

static builder make_png(uint32_t width, uint32_t height)
{
    builder png = {0}, header = {0};
    put(&png, "\x89PNG\r\n\x1A\n", 8);
    put_number(&header, width, 4, 1);
    put_number(&header, height, 4, 1);
    put(&header, "\x08\x02\0\0\0", 5);
    put_chunk(&png, "IHDR", header.bytes, header.size);
    r2n_free(header.bytes);
    put_chunk(&png, "IDAT", "\x78\x9C\x63\0\0\0\1\0\1", 9);
    put_chunk(&png, "IEND", "", 0);
    return png;
}

static builder make_bmp(uint32_t width, uint32_t height)
{
    builder bmp = {0};
    put(&bmp, "BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0", 18);
    put_number(&bmp, width, 4, 0);
    put_number(&bmp, height, 4, 0);
    put(&bmp, "\1\0\x18\0", 4);
    put(&bmp, (char[30]){0}, 30);
    return bmp;
}

static builder make_pnm(uint32_t width, uint32_t height)
{
    char text[64];
    builder pnm = {0};
    put(&pnm, text, (size_t)snprintf(text, sizeof text, "P6\n%u %u\n255\nabcdef", width, height));
    return pnm;
}

/* Lossless; sides up to 16384. */
static builder make_webp(uint32_t width, uint32_t height)
{
    builder webp = {0};
    put(&webp, "RIFF\x1C\0\0\0WEBPVP8L\x10\0\0\0\x2F", 21);
    put_number(&webp, (width - 1) | (height - 1) << 14, 4, 0);
    put(&webp, (char[11]){0}, 11);
    return webp;
}

static void put_segment(builder *jpeg, uint8_t marker, const void *bytes, size_t size)
{
    put(jpeg, (uint8_t[]){0xFF, marker}, 2);
    put_number(jpeg, (uint32_t)size + 2, 2, 1);
    put(jpeg, bytes, size);
}

/* A grey JPEG, baseline or progressive, without its scans. One code for each table: a bit for "no
 * change", and two bits, with 14 more, for the end of 16384 or more blocks. */
static builder make_jpeg(uint32_t width, uint32_t height, int progressive)
{
    builder jpeg = {0}, frame = {0};
    uint8_t table[65] = {0}, codes[18] = {0, 1};
    memset(table + 1, 1, 64);
    put(&jpeg, "\xFF\xD8", 2);
    put_segment(&jpeg, 0xDB, table, sizeof table);
    put_number(&frame, 8, 1, 1);
    put_number(&frame, height, 2, 1);
    put_number(&frame, width, 2, 1);
    put(&frame, "\1\1\x11\0", 4);
    put_segment(&jpeg, progressive ? 0xC2 : 0xC0, frame.bytes, frame.size);
    r2n_free(frame.bytes);
    put_segment(&jpeg, 0xC4, codes, sizeof codes);
    codes[0] = 0x10;
    codes[1] = 0;
    codes[2] = 1;
    codes[17] = progressive ? 0xE0 : 0;
    put_segment(&jpeg, 0xC4, codes, sizeof codes);
    return jpeg;
}

static void expect_refusal(builder *file, res2net_status wanted, const char *part)
{
    res2net_report *report = res2net_report_create();
    r2n_pixels pixels;
    const res2net_status status =
        r2n_image_decode(file->bytes, file->size, "a", NULL, &pixels, report);
    if (status != wanted)
        fail_msg("%s instead of \"%s\"", res2net_status_name(status), part);
    assert_int_equal(res2net_report_count(report), 1);
    assert_says(report, part);
    res2net_report_destroy(report);
    r2n_free(file->bytes);
}

/* users.md A1 16: the peak of memory does not move. */
static void bombs_are_refused_from_the_header(void **state)
{
    (void)state;
    const uint64_t before = r2n_os_peak_memory_bytes();
    for (int i = 0; i < 100; i++) {
        builder files[5] = {make_bmp(50000, 50000), make_pnm(50000, 50000), make_png(50000, 50000),
                            make_webp(16384, 16384), make_jpeg(50000, 50000, 0)};
        put_segment(&files[4], 0xDA, "\1\1\0\0\x3F\0", 6);
        put(&files[4], "\0\0", 2);
        const int can[5] = {1, 1, CAN_PNG, CAN_WEBP, CAN_JPEG};
        for (int k = 0; k < 5; k++) {
            if (can[k])
                expect_refusal(&files[k], RES2NET_LIMIT_EXCEEDED,
                               "raise the limit (--max-pixels, maximum_pixels)");
            else
                r2n_free(files[k].bytes);
        }
    }
    assert_true(r2n_os_peak_memory_bytes() < before + (8 << 20));
}

/* Sizes within the limits, in files that cannot hold them. */
static void promises_that_the_bytes_cannot_keep_are_refused(void **state)
{
    (void)state;
    const uint64_t before = r2n_os_peak_memory_bytes();
    builder file = make_bmp(10000, 10000);
    expect_refusal(&file, RES2NET_BAD_PICTURE, "10000 x 10000 pixels, and the file's 60 bytes");
    file = make_pnm(10000, 10000);
    expect_refusal(&file, RES2NET_BAD_PICTURE, "10000 x 10000 pixels, and the file's");
    if (CAN_PNG) {
        file = make_png(10000, 10000);
        expect_refusal(&file, RES2NET_BAD_PICTURE, "can hold 3440 at most");
    }
    if (CAN_JPEG) {
        file = make_jpeg(10000, 10000, 0);
        put_segment(&file, 0xDA, "\1\1\0\0\x3F\0", 6);
        put(&file, "\0\0", 2);
        expect_refusal(&file, RES2NET_BAD_PICTURE, "10000 x 10000 pixels, and the file's");
    }
    assert_true(r2n_os_peak_memory_bytes() < before + (8 << 20));
}

/* One scan for the first coefficients, then `scans` that say "nothing" for one coefficient each. */
static builder progressive_bomb(uint32_t side, int scans)
{
    builder jpeg = make_jpeg(side, side, 1);
    const size_t blocks = (size_t)((side + 7) / 8) * ((side + 7) / 8);
    put_segment(&jpeg, 0xDA, "\1\1\0\0\0\0", 6);
    for (size_t i = 0; i < blocks; i += 8)
        put(&jpeg, "\0", 1);
    for (int scan = 0; scan < scans; scan++) {
        const uint8_t k = (uint8_t)(1 + scan % 63);
        put_segment(&jpeg, 0xDA, (uint8_t[]){1, 1, 0, k, k, 0}, 6);
        for (size_t left = blocks; left > 0; left -= left < 16384 ? left : 16384)
            put(&jpeg, "\0\0", 2);
    }
    put(&jpeg, "\xFF\xD9", 2);
    return jpeg;
}

static void progressive_scans_are_counted_by_the_blocks_they_visit(void **state)
{
    (void)state;
    if (!CAN_JPEG)
        skip();
    builder file = progressive_bomb(6000, 99);
    expect_refusal(&file, RES2NET_LIMIT_EXCEEDED, "too many scans for its size");
    file = progressive_bomb(64, 100);
    expect_refusal(&file, RES2NET_LIMIT_EXCEEDED, "more than 100 scans");
}

/* 4000x4000 in a thousand bytes, for which no number of bytes is too small. */
static void arithmetic_coding_hides_no_work(void **state)
{
    (void)state;
    if (!CAN_JPEG)
        skip();
    file_copy file = read_golden("arithmetic_bomb.jpg");
    builder bomb = {0};
    assert_true(file.size < 1500);
    put(&bomb, file.bytes, file.size);
    free(file.bytes);
    expect_refusal(&bomb, RES2NET_LIMIT_EXCEEDED, "too many scans for its size");
}

static void png_chunks_are_counted(void **state)
{
    (void)state;
    if (!CAN_PNG)
        skip();
    const size_t end = 12; /* IEND */
    builder file = make_png(1, 1);
    file.size -= end;
    for (int i = 0; i < 10001; i++)
        put_chunk(&file, "tEXt", "a\0b", 3);
    put_chunk(&file, "IEND", "", 0);
    expect_refusal(&file, RES2NET_LIMIT_EXCEEDED, "10003 chunks");
    file = make_png(1, 1);
    file.size -= end;
    uint8_t *large = r2n_allocate_zeroed(65 << 20, 1);
    assert_non_null(large);
    put_chunk(&file, "iCCP", large, 65 << 20);
    r2n_free(large);
    put_chunk(&file, "IEND", "", 0);
    expect_refusal(&file, RES2NET_LIMIT_EXCEEDED, "68157453 bytes beside its pixels");
}

static void the_limit_is_the_callers(void **state)
{
    (void)state;
    const char *names[] = {"rgb420.jpg", "rgb8.png", "lossy.webp", "rgb24_40.bmp", "level255.ppm"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!can_decode(names[i]))
            continue;
        file_copy file = read_golden(names[i]);
        r2n_image_options options = R2N_IMAGE_OPTIONS_DEFAULT;
        r2n_pixels pixels;
        options.limits.pixels = 23 * 19;
        assert_int_equal(r2n_image_decode(file.bytes, file.size, "a", &options, &pixels, NULL),
                         RES2NET_OK);
        r2n_pixels_free(&pixels);
        options.limits.pixels--;
        assert_int_equal(r2n_image_decode(file.bytes, file.size, "a", &options, &pixels, NULL),
                         RES2NET_LIMIT_EXCEEDED);
        free(file.bytes);
    }
}

/* users.md A1 23c */
static void thin_pictures_cost_no_more_than_others(void **state)
{
    (void)state;
    const uint32_t sizes[][2] = {{1, 1}, {1, 5000}, {5000, 1}, {65535, 1}, {1, 65535}};
    const uint64_t before = r2n_os_peak_memory_bytes();
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const uint32_t width = sizes[i][0], height = sizes[i][1];
        builder file = make_bmp(width, height);
        file.size = 54; /* the header */
        const size_t row = (3 * (size_t)width + 3) / 4 * 4;
        for (size_t k = 0; k < row * height; k++)
            put(&file, "\x40", 1);
        r2n_pixels pixels;
        assert_int_equal(r2n_image_decode(file.bytes, file.size, "a", NULL, &pixels, NULL),
                         RES2NET_OK);
        for (int torch = 0; torch < 2; torch++) {
            r2n_recipe recipe;
            r2n_pixels prepared;
            (torch ? r2n_recipe_torch : r2n_recipe_paddle)(&recipe);
            assert_int_equal(r2n_recipe_apply_pixels(&recipe, &pixels, "a", &prepared, NULL),
                             RES2NET_OK);
            assert_int_equal(prepared.width, 224);
            assert_int_equal(prepared.height, 224);
            for (size_t k = 0; k < 3 * 224 * 224; k++)
                assert_int_equal(prepared.rgb[k], 0x40);
            r2n_pixels_free(&prepared);
        }
        r2n_pixels_free(&pixels);
        r2n_free(file.bytes);
    }
    assert_true(r2n_os_peak_memory_bytes() < before + (8 << 20));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bombs_are_refused_from_the_header), /* these look at the peak of memory */
        cmocka_unit_test(promises_that_the_bytes_cannot_keep_are_refused),
        cmocka_unit_test(thin_pictures_cost_no_more_than_others),
        cmocka_unit_test(progressive_scans_are_counted_by_the_blocks_they_visit),
        cmocka_unit_test(arithmetic_coding_hides_no_work),
        cmocka_unit_test(png_chunks_are_counted),
        cmocka_unit_test(the_limit_is_the_callers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
