/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PNG by libpng: every colour type and depth, interlaced or not. Alpha and transparency are
 * dropped, 16 bits are cut to their high byte, gamma and colour profiles are ignored, as OpenCV
 * does. Damage is an error.
 */
#include "image/decode.h"

#include "base/report.h"

#ifdef R2N_HAVE_PNG

#include <setjmp.h>
#include <string.h>

#include <png.h>

#include "base/memory.h"
#include "image/exif_orientation.h"
#include "image/resize.h"

enum {
    MAXIMUM_CHUNK_BYTES = 1 << 20, /* of the few auxiliary chunks that are looked at */
    MAXIMUM_KEPT_CHUNKS = 16,
    IHDR_SIZE_OFFSET = 16
};

/* All state, so that nothing lives in registers across setjmp. */
typedef struct png_reader {
    png_structp png;
    png_infop info;
    jmp_buf back;
    const r2n_encoded_picture *picture;
    r2n_pixels *out;
    size_t position;
    int out_of_memory;
    int orientation;
    res2net_status status;
    res2net_report *report;
} png_reader;

static void stop(png_reader *reader, res2net_status status)
{
    reader->status = status;
    longjmp(reader->back, 1);
}

static void on_error(png_structp png, png_const_charp message)
{
    png_reader *reader = png_get_error_ptr(png);
    if (reader->out_of_memory)
        stop(reader, r2n_fail(reader->report, RES2NET_OUT_OF_MEMORY, reader->picture->name, -1,
                              "no memory for the PNG decoder"));
    stop(reader,
         r2n_fail(reader->report, RES2NET_BAD_PICTURE, reader->picture->name,
                  (int64_t)reader->position,
                  "the PNG is damaged (%s): copy or download it again, or leave it out", message));
}

/* Warnings are about auxiliary chunks, which do not change a pixel here. */
static void on_warning(png_structp png, png_const_charp message)
{
    (void)png;
    (void)message;
}

static png_voidp on_allocate(png_structp png, png_alloc_size_t bytes)
{
    png_reader *reader = png_get_mem_ptr(png);
    void *block = r2n_allocate(bytes, 1);
    if (block == NULL)
        reader->out_of_memory = 1;
    return block;
}

static void on_free(png_structp png, png_voidp block)
{
    (void)png;
    r2n_free(block);
}

static void on_read(png_structp png, png_bytep to, size_t bytes)
{
    png_reader *reader = png_get_io_ptr(png);
    const size_t size = reader->picture->size;
    if (bytes > size - reader->position)
        stop(reader,
             r2n_fail(reader->report, RES2NET_BAD_PICTURE, reader->picture->name, (int64_t)size,
                      "the PNG is cut off: it ends after %zu bytes, before its end chunk; "
                      "copy or download it again",
                      size));
    memcpy(to, reader->picture->bytes + reader->position, bytes);
    reader->position += bytes;
}

/* Of the auxiliary chunks only eXIf is read: the rest would only cost time and memory. */
static void ignore_chunks(png_structp png)
{
    static const png_byte ignored[] = "bKGD\0cHRM\0gAMA\0hIST\0iCCP\0iTXt\0oFFs\0pCAL\0pHYs\0"
                                      "sBIT\0sCAL\0sPLT\0sRGB\0tEXt\0tIME\0tRNS\0zTXt";
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, 0);
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, ignored, (int)(sizeof ignored / 5));
    png_set_chunk_cache_max(png, MAXIMUM_KEPT_CHUNKS);
    png_set_chunk_malloc_max(png, MAXIMUM_CHUNK_BYTES);
}

static void start(png_reader *reader)
{
    reader->info = png_create_info_struct(reader->png);
    if (reader->info == NULL) {
        reader->out_of_memory = 1;
        on_error(reader->png, "");
    }
    png_set_read_fn(reader->png, reader, on_read);
    /* Sizes have been held against our own limits, which may be wider than libpng's. */
    png_set_user_limits(reader->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    ignore_chunks(reader->png);
    png_read_info(reader->png, reader->info);
}

/* Rows of palette indices, one byte each, lie at the start of their rows of RGB: spread them from
 * the end. */
static void apply_palette(png_reader *reader)
{
    png_colorp palette = NULL;
    int colours = 0;
    png_get_PLTE(reader->png, reader->info, &palette, &colours);
    const size_t width = (size_t)reader->out->width;
    for (int32_t y = 0; y < reader->out->height; y++) {
        uint8_t *row = reader->out->rgb + (size_t)y * width * 3;
        for (size_t x = width; x-- > 0;) {
            const int index = row[x];
            if (index >= colours)
                stop(reader,
                     r2n_fail(reader->report, RES2NET_BAD_PICTURE, reader->picture->name, -1,
                              "row %d has palette index %d, but the palette has %d colours: "
                              "the PNG is damaged",
                              (int)y, index, colours));
            row[3 * x] = palette[index].red;
            row[3 * x + 1] = palette[index].green;
            row[3 * x + 2] = palette[index].blue;
        }
    }
}

static void set_conversions(png_structp png, int colour_type, int depth)
{
    if (colour_type == PNG_COLOR_TYPE_PALETTE) {
        png_set_packing(png);
        return;
    }
    if (depth == 16)
        png_set_strip_16(png);
    if (colour_type == PNG_COLOR_TYPE_GRAY && depth < 8)
        png_set_expand_gray_1_2_4_to_8(png);
    if ((colour_type & PNG_COLOR_MASK_COLOR) == 0)
        png_set_gray_to_rgb(png);
    if ((colour_type & PNG_COLOR_MASK_ALPHA) != 0)
        png_set_strip_alpha(png);
}

static void read_orientation(png_reader *reader)
{
    png_uint_32 bytes = 0;
    png_bytep tiff = NULL;
    if (png_get_eXIf_1(reader->png, reader->info, &bytes, &tiff) != 0 && tiff != NULL)
        reader->orientation = r2n_exif_tiff_orientation(tiff, bytes);
}

static void read_picture(png_reader *reader)
{
    start(reader);
    png_structp png = reader->png;
    const int32_t width = (int32_t)png_get_image_width(png, reader->info);
    const int32_t height = (int32_t)png_get_image_height(png, reader->info);
    const int colour_type = png_get_color_type(png, reader->info);
    const int palette = colour_type == PNG_COLOR_TYPE_PALETTE;
    set_conversions(png, colour_type, png_get_bit_depth(png, reader->info));
    const int passes = png_set_interlace_handling(png);
    png_read_update_info(png, reader->info);
    if (png_get_rowbytes(png, reader->info) != (size_t)width * (palette ? 1 : 3))
        stop(reader, r2n_fail(reader->report, RES2NET_INTERNAL, reader->picture->name, -1,
                              "libpng gives rows of %zu bytes for %d pixels",
                              png_get_rowbytes(png, reader->info), (int)width));
    const res2net_status status =
        r2n_pixels_allocate(reader->out, width, height, reader->picture->name, reader->report);
    if (status != RES2NET_OK)
        stop(reader, status);
    for (int pass = 0; pass < passes; pass++)
        for (int32_t y = 0; y < height; y++)
            png_read_row(png, reader->out->rgb + (size_t)y * (size_t)width * 3, NULL);
    png_read_end(png, reader->info);
    if (palette)
        apply_palette(reader);
    read_orientation(reader);
    /* libpng goes on without an auxiliary chunk that it had no memory for: the orientation. */
    if (reader->out_of_memory)
        on_error(png, "");
}

/* Before libpng sees a byte: it would allocate rows by what the header says. */
static res2net_status check_header(const r2n_encoded_picture *picture, res2net_report *report)
{
    if (picture->size < IHDR_SIZE_OFFSET + 8)
        return r2n_fail(report, RES2NET_BAD_PICTURE, picture->name, (int64_t)picture->size,
                        "the PNG is cut off inside its header, after %zu bytes: copy or download "
                        "it again",
                        picture->size);
    if (memcmp(picture->bytes + IHDR_SIZE_OFFSET - 4, "IHDR", 4) != 0)
        return r2n_fail(report, RES2NET_BAD_PICTURE, picture->name, IHDR_SIZE_OFFSET - 4,
                        "the PNG does not begin with an IHDR chunk: it is damaged");
    return r2n_decode_check_size(picture, png_get_uint_32(picture->bytes + IHDR_SIZE_OFFSET),
                                 png_get_uint_32(picture->bytes + IHDR_SIZE_OFFSET + 4),
                                 IHDR_SIZE_OFFSET, report);
}

res2net_status r2n_decode_png(const r2n_encoded_picture *picture, r2n_pixels *out, int *orientation,
                              res2net_report *report)
{
    res2net_status status = check_header(picture, report);
    if (status != RES2NET_OK)
        return status;
    png_reader *reader = r2n_allocate_zeroed(1, sizeof(*reader));
    if (reader == NULL)
        return r2n_fail(report, RES2NET_OUT_OF_MEMORY, picture->name, -1,
                        "no memory for the PNG decoder");
    reader->picture = picture;
    reader->out = out;
    reader->orientation = 1;
    reader->status = RES2NET_OK;
    reader->report = report;
    if (setjmp(reader->back) == 0) {
        reader->png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, reader, on_error, on_warning,
                                               reader, on_allocate, on_free);
        if (reader->png == NULL) {
            reader->status = r2n_fail(report, RES2NET_OUT_OF_MEMORY, picture->name, -1,
                                      "no memory for the PNG decoder");
        } else {
            read_picture(reader);
        }
    }
    png_destroy_read_struct(&reader->png, &reader->info, NULL);
    status = reader->status;
    *orientation = reader->orientation;
    r2n_free(reader);
    if (status != RES2NET_OK)
        r2n_pixels_free(out);
    return status;
}

#else

res2net_status r2n_decode_png(const r2n_encoded_picture *picture, r2n_pixels *out, int *orientation,
                              res2net_report *report)
{
    (void)out;
    (void)orientation;
    return r2n_fail(report, RES2NET_UNSUPPORTED, picture->name, 0,
                    "this is a PNG, and this build has no libpng: build it with libpng's "
                    "development files and -DRES2NET_PNG=ON, or convert the picture to JPEG");
}

#endif
