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
#include "formats/byte_cursor.h"
#include "image/resize.h"

enum {
    MAXIMUM_CHUNK_BYTES = 1 << 20, /* of the few auxiliary chunks that libpng looks at */
    MAXIMUM_KEPT_CHUNKS = 16,
    /* Auxiliary chunks of a file: a picture has a dozen, and a colour profile has megabytes. */
    MAXIMUM_OTHER_CHUNKS = 10000,
    MAXIMUM_OTHER_BYTES = 64 << 20,
    MOST_BYTES_PER_BYTE = 1032, /* deflate: 258 bytes for two bits */
    TOLERANT_READ_BYTES = 16,   /* libpng asks for so many at once: fewer are lost at the end */
    SIGNATURE_BYTES = 8,
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
    int32_t rows; /* begun so far */
    int palette;  /* rows come as indices: apply_palette makes colours of them */
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
    if (bytes > reader->picture->size - reader->position)
        stop(reader,
             r2n_decode_cut_off(reader->picture, "PNG", reader->rows, "black", reader->report));
    memcpy(to, reader->picture->bytes + reader->position, bytes);
    reader->position += bytes;
}

/* Auxiliary chunks would only cost time and memory; the orientation is read without libpng. */
static void ignore_chunks(png_structp png)
{
    static const png_byte ignored[] = "bKGD\0cHRM\0eXIf\0gAMA\0hIST\0iCCP\0iTXt\0oFFs\0pCAL\0pHYs\0"
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
    if (reader->picture->options.tolerate_truncated)
        png_set_compression_buffer_size(reader->png, TOLERANT_READ_BYTES);
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
    for (int32_t y = 0; y < reader->rows; y++) {
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

static void set_conversions(png_reader *reader)
{
    png_structp png = reader->png;
    const int colour_type = png_get_color_type(png, reader->info);
    const int depth = png_get_bit_depth(png, reader->info);
    if (colour_type == PNG_COLOR_TYPE_PALETTE) {
        /* Where a cut off picture has holes everywhere, an index would give them a colour. */
        reader->palette = !reader->picture->options.tolerate_truncated ||
                          png_get_interlace_type(png, reader->info) == PNG_INTERLACE_NONE;
        if (reader->palette)
            png_set_packing(png);
        else
            png_set_palette_to_rgb(png);
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

static void read_rows(png_reader *reader, int passes)
{
    const int32_t height = reader->out->height;
    for (int pass = 0; pass < passes; pass++) {
        for (int32_t y = 0; y < height; y++) {
            png_read_row(reader->png, reader->out->rgb + (size_t)y * (size_t)reader->out->width * 3,
                         NULL);
            reader->rows = pass > 0 ? height : y + 1;
        }
    }
    png_read_end(reader->png, reader->info);
}

static void read_picture(png_reader *reader)
{
    start(reader);
    png_structp png = reader->png;
    const int32_t width = (int32_t)png_get_image_width(png, reader->info);
    const int32_t height = (int32_t)png_get_image_height(png, reader->info);
    set_conversions(reader);
    const int passes = png_set_interlace_handling(png);
    png_read_update_info(png, reader->info);
    if (png_get_rowbytes(png, reader->info) != (size_t)width * (reader->palette ? 1 : 3))
        stop(reader, r2n_fail(reader->report, RES2NET_INTERNAL, reader->picture->name, -1,
                              "libpng gives rows of %zu bytes for %d pixels",
                              png_get_rowbytes(png, reader->info), (int)width));
    const res2net_status status =
        r2n_pixels_allocate(reader->out, width, height, reader->picture->name, reader->report);
    if (status != RES2NET_OK)
        stop(reader, status);
    if (reader->picture->options.tolerate_truncated)
        memset(reader->out->rgb, 0, (size_t)width * (size_t)height * 3);
    read_rows(reader, passes);
}

/* Counts before libpng goes through them one by one, and holds the compressed bytes against the
 * size that IHDR promises. */
static res2net_status check_chunks(const r2n_encoded_picture *picture, uint64_t width,
                                   uint64_t height, res2net_report *report)
{
    static const uint8_t channels[7] = {1, 1, 3, 1, 2, 1, 4}; /* by colour type */
    r2n_byte_cursor cursor = r2n_cursor(picture->bytes, picture->size);
    uint64_t compressed = 0, other = 0, other_bytes = 0;
    r2n_cursor_skip(&cursor, SIGNATURE_BYTES);
    while (!cursor.failed) {
        const uint64_t bytes = r2n_cursor_u32be(&cursor);
        const uint8_t *kind = r2n_cursor_take(&cursor, 4);
        const uint64_t left = r2n_cursor_left(&cursor);
        const uint64_t there = bytes < left ? bytes : left;
        if (kind == NULL)
            break;
        if (memcmp(kind, "IDAT", 4) == 0) {
            compressed += there;
        } else {
            other++;
            other_bytes += there;
        }
        r2n_cursor_skip(&cursor, bytes + 4);
    }
    if (other > MAXIMUM_OTHER_CHUNKS || other_bytes > MAXIMUM_OTHER_BYTES)
        return r2n_fail(report, RES2NET_LIMIT_EXCEEDED, picture->name, SIGNATURE_BYTES,
                        "the PNG has %llu chunks of %llu bytes beside its pixels; at most %d of "
                        "%d bytes are read: save it anew without them",
                        (unsigned long long)other, (unsigned long long)other_bytes,
                        MAXIMUM_OTHER_CHUNKS, MAXIMUM_OTHER_BYTES);
    const int depth = picture->bytes[IHDR_SIZE_OFFSET + 8];
    const int colour_type = picture->bytes[IHDR_SIZE_OFFSET + 9];
    if (depth == 0 || colour_type > 6)
        return RES2NET_OK; /* libpng has the words for that */
    const uint64_t most =
        (compressed + 1) * MOST_BYTES_PER_BYTE * 8 / ((uint64_t)depth * channels[colour_type]);
    return r2n_decode_check_promise(picture, width, height, most, report);
}

/* Before libpng sees a byte: it would allocate rows by what the header says. */
static res2net_status check_header(const r2n_encoded_picture *picture, res2net_report *report)
{
    if (picture->size < IHDR_SIZE_OFFSET + 10)
        return r2n_fail(report, RES2NET_BAD_PICTURE, picture->name, (int64_t)picture->size,
                        "the PNG is cut off inside its header, after %zu bytes: copy or download "
                        "it again",
                        picture->size);
    if (memcmp(picture->bytes + IHDR_SIZE_OFFSET - 4, "IHDR", 4) != 0)
        return r2n_fail(report, RES2NET_BAD_PICTURE, picture->name, IHDR_SIZE_OFFSET - 4,
                        "the PNG does not begin with an IHDR chunk: it is damaged");
    const uint32_t width = png_get_uint_32(picture->bytes + IHDR_SIZE_OFFSET);
    const uint32_t height = png_get_uint_32(picture->bytes + IHDR_SIZE_OFFSET + 4);
    const res2net_status status =
        r2n_decode_check_size(picture, width, height, IHDR_SIZE_OFFSET, report);
    return status == RES2NET_OK ? check_chunks(picture, width, height, report) : status;
}

/* The palette comes after all rows: in a cut off picture only the rows that are there get it. */
static void finish(png_reader *reader)
{
    if (setjmp(reader->back) == 0 && reader->palette)
        apply_palette(reader);
}

res2net_status r2n_decode_png(const r2n_encoded_picture *picture, r2n_pixels *out,
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
    reader->status = RES2NET_OK;
    reader->report = report;
    if (setjmp(reader->back) == 0) {
        reader->png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, reader, on_error, on_warning,
                                               reader, on_allocate, on_free);
        if (reader->png == NULL)
            stop(reader, r2n_fail(report, RES2NET_OUT_OF_MEMORY, picture->name, -1,
                                  "no memory for the PNG decoder"));
        read_picture(reader);
    }
    if (reader->status == RES2NET_OK)
        finish(reader);
    png_destroy_read_struct(&reader->png, &reader->info, NULL);
    status = reader->status;
    r2n_free(reader);
    if (status != RES2NET_OK)
        r2n_pixels_free(out);
    return status;
}

#else

res2net_status r2n_decode_png(const r2n_encoded_picture *picture, r2n_pixels *out,
                              res2net_report *report)
{
    (void)out;
    return r2n_fail(report, RES2NET_UNSUPPORTED, picture->name, 0,
                    "this is a PNG, and this build has no libpng: build it with libpng's "
                    "development files and -DRES2NET_PNG=ON, or convert the picture to JPEG");
}

#endif
