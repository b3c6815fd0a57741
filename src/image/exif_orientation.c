/* SPDX-License-Identifier: Apache-2.0 */
#include "image/exif_orientation.h"

#include <string.h>

#include "formats/byte_cursor.h"
#include "formats/crc32.h"
#include "image/resize.h"

enum {
    UPRIGHT = 1,
    TAG_ORIENTATION = 0x0112,
    TIFF_MAGIC = 42,
    ENTRY_BYTES = 12, /* tag, type, count, value or offset */
    PNG_SIGNATURE_BYTES = 8,
    RIFF_HEADER_BYTES = 12,
    MARKER_SOI = 0xD8,
    MARKER_EOI = 0xD9,
    MARKER_SOS = 0xDA,
    MARKER_APP1 = 0xE1
};

static uint16_t read_u16(r2n_byte_cursor *cursor, int big_endian)
{
    return big_endian ? r2n_cursor_u16be(cursor) : r2n_cursor_u16le(cursor);
}

static uint32_t read_u32(r2n_byte_cursor *cursor, int big_endian)
{
    return big_endian ? r2n_cursor_u32be(cursor) : r2n_cursor_u32le(cursor);
}

int r2n_exif_tiff_orientation(const uint8_t *tiff, size_t size)
{
    r2n_byte_cursor cursor = r2n_cursor(tiff, size);
    const uint8_t *order = r2n_cursor_take(&cursor, 2);
    if (order == NULL || order[0] != order[1] || (order[0] != 'I' && order[0] != 'M'))
        return UPRIGHT;
    const int big_endian = order[0] == 'M';
    if (read_u16(&cursor, big_endian) != TIFF_MAGIC)
        return UPRIGHT;
    r2n_cursor_seek(&cursor, read_u32(&cursor, big_endian));
    const unsigned entries = read_u16(&cursor, big_endian);
    for (unsigned i = 0; i < entries && !cursor.failed; i++) {
        r2n_byte_cursor entry =
            r2n_cursor_window(&cursor, cursor.position, ENTRY_BYTES - 2 /* LONGs may be cut */);
        r2n_cursor_skip(&cursor, ENTRY_BYTES);
        if (read_u16(&entry, big_endian) != TAG_ORIENTATION)
            continue;
        r2n_cursor_skip(&entry, 6); /* type and count */
        const unsigned orientation = read_u16(&entry, big_endian);
        return !entry.failed && orientation >= 1 && orientation <= 8 ? (int)orientation : UPRIGHT;
    }
    return UPRIGHT;
}

/* The next marker, or 0 at the end; extra 0xFF and stray bytes before it are passed over, as
 * libjpeg does. */
static unsigned next_marker(r2n_byte_cursor *cursor)
{
    while (!cursor->failed) {
        unsigned byte = r2n_cursor_u8(cursor);
        if (byte != 0xFF)
            continue;
        while (byte == 0xFF && !cursor->failed)
            byte = r2n_cursor_u8(cursor);
        if (byte != 0)
            return byte;
    }
    return 0;
}

int r2n_exif_jpeg_orientation(const uint8_t *jpeg, size_t size)
{
    static const uint8_t signature[5] = {'E', 'x', 'i', 'f', 0}; /* and one byte that varies */
    r2n_byte_cursor cursor = r2n_cursor(jpeg, size);
    if (r2n_cursor_u8(&cursor) != 0xFF || r2n_cursor_u8(&cursor) != MARKER_SOI)
        return UPRIGHT;
    for (;;) {
        const unsigned marker = next_marker(&cursor);
        if (marker == 0 || marker == MARKER_SOS || marker == MARKER_EOI)
            return UPRIGHT;
        if (marker == 0x01 || (marker >= 0xD0 && marker <= 0xD7))
            continue; /* TEM and RSTn have no length */
        const unsigned length = r2n_cursor_u16be(&cursor);
        const uint8_t *content = length < 2 ? NULL : r2n_cursor_take(&cursor, length - 2);
        if (content == NULL)
            return UPRIGHT;
        if (marker != MARKER_APP1)
            continue;
        const size_t bytes = length - 2;
        if (bytes <= sizeof signature + 1 || memcmp(content, signature, sizeof signature) != 0)
            return UPRIGHT;
        return r2n_exif_tiff_orientation(content + sizeof signature + 1,
                                         bytes - sizeof signature - 1);
    }
}

int r2n_exif_png_orientation(const uint8_t *png, size_t size)
{
    r2n_byte_cursor cursor = r2n_cursor(png, size);
    r2n_cursor_skip(&cursor, PNG_SIGNATURE_BYTES);
    for (;;) {
        const uint32_t bytes = r2n_cursor_u32be(&cursor);
        const uint8_t *chunk = r2n_cursor_take(&cursor, (uint64_t)bytes + 4);
        const uint32_t sum = r2n_cursor_u32be(&cursor);
        if (cursor.failed)
            return UPRIGHT;
        if (memcmp(chunk, "eXIf", 4) == 0 && r2n_crc32(0, chunk, (size_t)bytes + 4) == sum)
            return r2n_exif_tiff_orientation(chunk + 4, bytes);
    }
}

int r2n_exif_webp_orientation(const uint8_t *webp, size_t size)
{
    r2n_byte_cursor cursor = r2n_cursor(webp, size);
    r2n_cursor_skip(&cursor, RIFF_HEADER_BYTES);
    for (;;) {
        const uint8_t *kind = r2n_cursor_take(&cursor, 4);
        const uint32_t bytes = r2n_cursor_u32le(&cursor);
        const uint8_t *content = r2n_cursor_take(&cursor, bytes);
        if (cursor.failed)
            return UPRIGHT;
        if (memcmp(kind, "EXIF", 4) == 0) {
            /* Some writers put the JPEG's prefix before the TIFF. */
            const size_t prefix = bytes >= 6 && memcmp(content, "Exif\0\0", 6) == 0 ? 6 : 0;
            return r2n_exif_tiff_orientation(content + prefix, bytes - prefix);
        }
        r2n_cursor_skip(&cursor, bytes % 2);
    }
}

/* Where a turned picture's pixels come from: source pixel = origin + column * per_column +
 * row * per_row, counted in pixels. */
typedef struct turn {
    int transposed;
    int64_t origin, per_column, per_row;
} turn;

static turn turn_of(int orientation, int64_t width, int64_t height)
{
    const int64_t right = width - 1, bottom = (height - 1) * width;
    switch (orientation) {
    case 2: /* mirrored */
        return (turn){0, right, -1, width};
    case 3: /* upside down */
        return (turn){0, bottom + right, -1, -width};
    case 4: /* mirrored top to bottom */
        return (turn){0, bottom, 1, -width};
    case 5: /* transposed */
        return (turn){1, 0, width, 1};
    case 6: /* to be turned right */
        return (turn){1, bottom, -width, 1};
    case 7: /* transposed along the other diagonal */
        return (turn){1, bottom + right, -width, -1};
    case 8: /* to be turned left */
        return (turn){1, right, width, -1};
    default:
        return (turn){0, 0, 1, width};
    }
}

res2net_status r2n_pixels_turn(r2n_pixels *pixels, int orientation, const char *name,
                               res2net_report *report)
{
    if (orientation == UPRIGHT)
        return RES2NET_OK;
    const turn t = turn_of(orientation, pixels->width, pixels->height);
    r2n_pixels turned;
    const res2net_status status =
        r2n_pixels_allocate(&turned, t.transposed ? pixels->height : pixels->width,
                            t.transposed ? pixels->width : pixels->height, name, report);
    if (status != RES2NET_OK)
        return status;
    uint8_t *out = turned.rgb;
    for (int64_t row = 0; row < turned.height; row++) {
        for (int64_t column = 0; column < turned.width; column++) {
            const uint8_t *in =
                pixels->rgb + (t.origin + column * t.per_column + row * t.per_row) * 3;
            out[0] = in[0];
            out[1] = in[1];
            out[2] = in[2];
            out += 3;
        }
    }
    r2n_pixels_free(pixels);
    *pixels = turned;
    return RES2NET_OK;
}
