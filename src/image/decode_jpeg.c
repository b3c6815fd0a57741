/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JPEG by libjpeg(-turbo): accurate integer DCT, fancy upsampling, so the pixels are OpenCV's and
 * Pillow's. Damage is an error, not a grey area; only what cannot change a pixel is let through: a
 * missing end marker, stray bytes between segments, odd version numbers. A cut off file is taken
 * where the caller tolerates that, with what libjpeg makes of the missing part: grey, or for a
 * progressive file what its earlier scans give. Only the option `fast` gives other pixels.
 */
#include "image/decode.h"

#include "base/report.h"

#ifdef R2N_HAVE_JPEG

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

#include "base/memory.h"
#include "image/resize.h"

enum {
    MAXIMUM_SCANS = 100, /* usual progressive files have 10 */
    /* Blocks of 8x8 that all scans together may visit: a quarter of a second. The largest picture
     * that the limits allow has 8.4 million in colour, of which the usual 10 scans visit 39
     * million. */
    MAXIMUM_VISITS = 50 * 1000 * 1000,
    ARITHMETIC_VISIT = 4, /* costs so many times a Huffman one */
    /* No Huffman code is shorter than a bit, and a picture has at least one for the first
     * coefficient of each block. With the oddest subsampling that is 8 blocks in 32x32 pixels. */
    MOST_PIXELS_PER_BYTE = 1024,
    MAXIMUM_ATTEMPTS = 4 /* of finding an end in a cut off file */
};

/* All state, so that nothing lives in registers across setjmp. */
typedef struct jpeg_reader {
    struct jpeg_decompress_struct info;
    struct jpeg_error_mgr errors;
    struct jpeg_source_mgr source;
    struct jpeg_progress_mgr progress;
    jmp_buf back;
    const r2n_encoded_picture *picture;
    r2n_pixels *out;
    size_t size;       /* bytes of the picture that libjpeg gets to see */
    uint8_t *cmyk_row; /* four-component pictures only */
    int past_end;      /* the end marker that libjpeg sees is ours, not the file's */
    int in_pixels;     /* the header is read: what is missing may be tolerated */
    int is_cut;        /* something is missing, and pixels have been made up */
    int scan;          /* the last one that was counted */
    int64_t visits;
    res2net_status status;
    res2net_report *report;
} jpeg_reader;

static int64_t reader_offset(const jpeg_reader *reader)
{
    const size_t size = reader->size;
    const size_t left = reader->past_end ? 0 : reader->source.bytes_in_buffer;
    return (int64_t)(left <= size ? size - left : size);
}

static void stop(jpeg_reader *reader, res2net_status status)
{
    reader->status = status;
    longjmp(reader->back, 1);
}

/* Told when all attempts are made. */
static void stop_cut_off(jpeg_reader *reader)
{
    reader->is_cut = 1;
    stop(reader, RES2NET_BAD_PICTURE);
}

static void stop_with_library_message(jpeg_reader *reader, res2net_status status)
{
    char message[JMSG_LENGTH_MAX];
    reader->errors.format_message((j_common_ptr)&reader->info, message);
    stop(reader,
         r2n_fail(reader->report, status, reader->picture->name, reader_offset(reader),
                  status == RES2NET_BAD_PICTURE ? "the JPEG is damaged (%s): copy or download it "
                                                  "again, or leave it out"
                  : status == RES2NET_UNSUPPORTED
                      ? "libjpeg cannot read this kind of JPEG (%s): convert it to a baseline or "
                        "progressive 8-bit JPEG or a PNG"
                      : "libjpeg stopped (%s)",
                  message));
}

static void on_error(j_common_ptr info)
{
    jpeg_reader *reader = info->client_data;
    switch (info->err->msg_code) {
    case JERR_OUT_OF_MEMORY:
        stop_with_library_message(reader, RES2NET_OUT_OF_MEMORY);
        break;
    case JERR_IMAGE_TOO_BIG:
        stop_with_library_message(reader, RES2NET_LIMIT_EXCEEDED);
        break;
    case JERR_BAD_PRECISION:
    case JERR_SOF_UNSUPPORTED:
    case JERR_CONVERSION_NOTIMPL:
    case JERR_ARITH_NOTIMPL:
    case JERR_NOT_COMPILED:
    case JERR_FRACT_SAMPLE_NOTIMPL:
    case JERR_CCIR601_NOTIMPL:
        stop_with_library_message(reader, RES2NET_UNSUPPORTED);
        break;
    default:
        if (reader->past_end)
            stop_cut_off(reader);
        stop_with_library_message(reader, RES2NET_BAD_PICTURE);
    }
}

/* Level -1 is a warning: libjpeg would go on and make up pixels. */
static void on_message(j_common_ptr info, int level)
{
    jpeg_reader *reader = info->client_data;
    if (level >= 0)
        return;
    switch (info->err->msg_code) {
    case JWRN_EXTRANEOUS_DATA:
    case JWRN_JFIF_MAJOR:
    case JWRN_ADOBE_XFORM:
    case JWRN_NOT_SEQUENTIAL:
        return;
    default:
        if (reader->past_end && reader->in_pixels && reader->picture->options.tolerate_truncated) {
            reader->is_cut = 1;
            return;
        }
        if (reader->past_end)
            stop_cut_off(reader);
        stop_with_library_message(reader, RES2NET_BAD_PICTURE);
    }
}

static void print_nothing(j_common_ptr info)
{
    (void)info;
}

static void on_progress(j_common_ptr info)
{
    jpeg_reader *reader = info->client_data;
    const struct jpeg_decompress_struct *jpeg = &reader->info;
    if (jpeg->input_scan_number == reader->scan)
        return;
    reader->scan = jpeg->input_scan_number;
    const int64_t cost = jpeg->arith_code ? ARITHMETIC_VISIT : 1;
    for (int i = 0; i < jpeg->comps_in_scan; i++)
        reader->visits += cost * (int64_t)jpeg->cur_comp_info[i]->width_in_blocks *
                          (int64_t)jpeg->cur_comp_info[i]->height_in_blocks;
    if (reader->scan > MAXIMUM_SCANS)
        stop(reader, r2n_fail(reader->report, RES2NET_LIMIT_EXCEEDED, reader->picture->name,
                              reader_offset(reader),
                              "the JPEG has more than %d scans, made to waste time: save it anew",
                              MAXIMUM_SCANS));
    if (reader->scan > 1 && reader->visits > MAXIMUM_VISITS)
        stop(reader, r2n_fail(reader->report, RES2NET_LIMIT_EXCEEDED, reader->picture->name,
                              reader_offset(reader),
                              "the JPEG has too many scans for its size, made to waste time: save "
                              "it anew"));
}

static void source_nothing(j_decompress_ptr info)
{
    (void)info;
}

/* The whole file is in the buffer: being here is its end. Many writers forget the end marker, so
 * one is given once; what really is missing shows when the decoder asks for more. */
static boolean source_fill(j_decompress_ptr info)
{
    static const JOCTET end_marker[2] = {0xFF, JPEG_EOI};
    jpeg_reader *reader = info->client_data;
    if (reader->past_end && !(reader->in_pixels && reader->picture->options.tolerate_truncated))
        stop_cut_off(reader);
    reader->is_cut = reader->past_end;
    reader->past_end = 1;
    reader->source.next_input_byte = end_marker;
    reader->source.bytes_in_buffer = sizeof end_marker;
    return TRUE;
}

static void source_skip(j_decompress_ptr info, long bytes)
{
    jpeg_reader *reader = info->client_data;
    if (bytes <= 0)
        return;
    if ((unsigned long)bytes > reader->source.bytes_in_buffer)
        stop_cut_off(reader);
    reader->source.next_input_byte += bytes;
    reader->source.bytes_in_buffer -= (size_t)bytes;
}

static void start(jpeg_reader *reader)
{
    jpeg_create_decompress(&reader->info);
    reader->source.init_source = source_nothing;
    reader->source.fill_input_buffer = source_fill;
    reader->source.skip_input_data = source_skip;
    reader->source.resync_to_restart = jpeg_resync_to_restart;
    reader->source.term_source = source_nothing;
    reader->source.next_input_byte = reader->picture->bytes;
    reader->source.bytes_in_buffer = reader->size;
    reader->info.src = &reader->source;
    reader->progress.progress_monitor = on_progress;
    reader->info.progress = &reader->progress;
    jpeg_read_header(&reader->info, TRUE);
}

/* With an Adobe marker or without, stored values are inverted inks: OpenCV and Pillow agree in
 * that. OpenCV divides by 256, rounding down; Pillow by 255, rounding to the nearest. */
static void cmyk_to_rgb(const uint8_t *cmyk, uint8_t *rgb, int32_t width, r2n_decoder decoder)
{
    for (int32_t x = 0; x < width; x++) {
        const int32_t light = cmyk[3]; /* 255 - black */
        for (int i = 0; i < 3; i++) {
            const int32_t product = (255 - cmyk[i]) * light, rounded = product + 128;
            const int32_t dark =
                decoder == R2N_DECODER_OPENCV ? product >> 8 : (rounded + (rounded >> 8)) >> 8;
            rgb[i] = (uint8_t)(light - dark);
        }
        cmyk += 4;
        rgb += 3;
    }
}

/* A file may end early between two scans without libjpeg noticing. */
static void check_complete(jpeg_reader *reader)
{
    const struct jpeg_decompress_struct *info = &reader->info;
    const int tolerant = reader->picture->options.tolerate_truncated;
    if (reader->past_end && info->arith_code) {
        if (!tolerant)
            stop_cut_off(reader); /* arithmetic decoding gives no sign of missing bytes */
        reader->is_cut = 1;
    }
    for (int i = 0; i < info->num_components; i++) {
        if (info->comp_info[i].quant_table == NULL)
            stop(reader, r2n_fail(reader->report, RES2NET_BAD_PICTURE, reader->picture->name,
                                  reader_offset(reader),
                                  "colour component %d of %d has no data: the JPEG is cut off or "
                                  "damaged",
                                  i + 1, info->num_components));
        for (int k = 0; reader->past_end && info->coef_bits != NULL && k < DCTSIZE2; k++)
            if (info->coef_bits[i][k] != 0) {
                if (!tolerant)
                    stop_cut_off(reader);
                reader->is_cut = 1;
            }
    }
}

static void check_header(jpeg_reader *reader)
{
    const struct jpeg_decompress_struct *info = &reader->info;
    const r2n_encoded_picture *picture = reader->picture;
    const int64_t offset = reader_offset(reader);
    res2net_status status = r2n_decode_check_size(picture, info->image_width, info->image_height,
                                                  offset, reader->report);
    if (status == RES2NET_OK && offset >= (int64_t)reader->size)
        stop_cut_off(reader); /* nothing but a header */
    if (status == RES2NET_OK && !info->arith_code)
        status = r2n_decode_check_promise(picture, info->image_width, info->image_height,
                                          (uint64_t)picture->size * MOST_PIXELS_PER_BYTE,
                                          reader->report);
    if (status != RES2NET_OK)
        stop(reader, status);
}

/* The inverse DCT gives a half, a quarter or an eighth of the size at a fraction of the cost; the
 * scales between have no fast code in libjpeg-turbo. */
static void choose_fast_ways(struct jpeg_decompress_struct *info, int32_t side)
{
    const JDIMENSION shorter =
        info->image_width < info->image_height ? info->image_width : info->image_height;
    info->dct_method = JDCT_IFAST;
    info->do_fancy_upsampling = FALSE;
    info->do_block_smoothing = FALSE;
    info->scale_denom = 8;
    info->scale_num = 8;
    while (side > 0 && info->scale_num > 1 &&
           ((uint64_t)shorter * info->scale_num / 2 + 7) / 8 >= (uint64_t)side)
        info->scale_num /= 2;
}

static void read_rows(jpeg_reader *reader, int cmyk)
{
    struct jpeg_decompress_struct *info = &reader->info;
    const size_t row_bytes = (size_t)reader->out->width * 3;
    while (info->output_scanline < info->output_height) {
        uint8_t *row = reader->out->rgb + (size_t)info->output_scanline * row_bytes;
        JSAMPROW rows[1] = {cmyk ? reader->cmyk_row : row};
        jpeg_read_scanlines(info, rows, 1);
        if (cmyk)
            cmyk_to_rgb(reader->cmyk_row, row, reader->out->width,
                        reader->picture->options.decoder);
    }
}

static void read_picture(jpeg_reader *reader)
{
    struct jpeg_decompress_struct *info = &reader->info;
    start(reader);
    check_header(reader);
    reader->in_pixels = 1;
    const int cmyk = info->jpeg_color_space == JCS_CMYK || info->jpeg_color_space == JCS_YCCK;
    info->out_color_space = cmyk ? JCS_CMYK : JCS_RGB;
    info->dct_method = JDCT_ISLOW;
    info->do_fancy_upsampling = TRUE;
    info->quantize_colors = FALSE;
    if (reader->picture->options.fast)
        choose_fast_ways(info, reader->picture->options.fast_side);
    /* A progressive file is read to its end here, so that one made to waste time takes no more. */
    jpeg_start_decompress(info);
    const res2net_status status =
        r2n_pixels_allocate(reader->out, (int32_t)info->output_width, (int32_t)info->output_height,
                            reader->picture->name, reader->report);
    if (status != RES2NET_OK)
        stop(reader, status);
    if (cmyk) {
        reader->cmyk_row = r2n_allocate((size_t)info->output_width, 4);
        if (reader->cmyk_row == NULL)
            stop(reader, r2n_fail(reader->report, RES2NET_OUT_OF_MEMORY, reader->picture->name, -1,
                                  "no memory for a row of %d pixels", (int)info->output_width));
    }
    read_rows(reader, cmyk);
    check_complete(reader);
}

/* Reads the picture from its first `size` bytes. *is_cut: pixels were made up, or, with
 * BAD_PICTURE, the end was missing; that is not in the report yet. */
static res2net_status attempt(const r2n_encoded_picture *picture, size_t size, r2n_pixels *out,
                              int *is_cut, res2net_report *report)
{
    *is_cut = 0;
    jpeg_reader *reader = r2n_allocate_zeroed(1, sizeof(*reader));
    if (reader == NULL)
        return r2n_fail(report, RES2NET_OUT_OF_MEMORY, picture->name, -1,
                        "no memory for the JPEG decoder");
    reader->picture = picture;
    reader->size = size;
    reader->out = out;
    reader->report = report;
    reader->status = RES2NET_OK;
    reader->info.err = jpeg_std_error(&reader->errors);
    reader->info.client_data = reader;
    reader->errors.error_exit = on_error;
    reader->errors.emit_message = on_message;
    reader->errors.output_message = print_nothing;
    if (setjmp(reader->back) == 0)
        read_picture(reader);
    jpeg_destroy_decompress(&reader->info);
    r2n_free(reader->cmyk_row);
    const res2net_status status = reader->status;
    *is_cut = reader->is_cut;
    r2n_free(reader);
    if (status != RES2NET_OK)
        r2n_pixels_free(out);
    return status;
}

/* Where the last marker of the first `size` bytes begins; 0 without one. */
static size_t last_marker(const uint8_t *bytes, size_t size)
{
    for (size_t at = size < 2 ? 0 : size - 2; at > 0; at--)
        if (bytes[at] == 0xFF && bytes[at + 1] >= 0xC0 && bytes[at + 1] < 0xFF &&
            (bytes[at + 1] < JPEG_RST0 || bytes[at + 1] > JPEG_RST0 + 7))
            return at;
    return 0;
}

res2net_status r2n_decode_jpeg(const r2n_encoded_picture *picture, r2n_pixels *out,
                               res2net_report *report)
{
    size_t size = picture->size;
    int is_cut;
    res2net_status status = attempt(picture, size, out, &is_cut, report);
    /* Cut off between two scans: what is before the piece of a segment can still be decoded. */
    for (int i = 1; picture->options.tolerate_truncated && status == RES2NET_BAD_PICTURE &&
                    is_cut && i < MAXIMUM_ATTEMPTS;
         i++) {
        size = last_marker(picture->bytes, size);
        status = attempt(picture, size, out, &is_cut, report);
        is_cut = is_cut || status == RES2NET_OK;
    }
    if (is_cut) {
        const res2net_status told =
            r2n_decode_cut_off(picture, "JPEG", status == RES2NET_OK, "grey", report);
        status = status == RES2NET_OK ? told : status;
    }
    return status;
}

#else

res2net_status r2n_decode_jpeg(const r2n_encoded_picture *picture, r2n_pixels *out,
                               res2net_report *report)
{
    (void)out;
    return r2n_fail(report, RES2NET_UNSUPPORTED, picture->name, 0,
                    "this is a JPEG, and this build has no libjpeg: build it with libjpeg's "
                    "development files and -DRES2NET_JPEG=ON, or convert the picture to PNG");
}

#endif
