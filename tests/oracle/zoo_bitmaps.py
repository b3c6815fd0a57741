# SPDX-License-Identifier: Apache-2.0
"""BMP and PNM of every kind for picture_zoo.py, written here from the formats' definitions: no
library writes most of these kinds. Each drawer gives zoo_contents.Drawn with its true pixels."""
import struct

import numpy as np
import png_writer as png

from zoo_contents import Drawn, colour_picture, grey_to_rgb, values

RGB, RLE8, RLE4, MASKS = 0, 1, 2, 3


# ---- BMP ---------------------------------------------------------------------------------------

def row_bytes(pixels, bits):
    """[height][width] values to padded rows, the picture's first row first."""
    if bits < 8:
        rows = png.pack_rows(pixels[:, :, None], bits)
    elif bits == 24:
        rows = np.ascontiguousarray(pixels.astype("<u4")).view(np.uint8).reshape(
            *pixels.shape, 4)[:, :, :3].reshape(pixels.shape[0], -1)
    else:
        rows = np.ascontiguousarray(pixels.astype(f"<u{bits // 8}")).view(np.uint8).reshape(
            pixels.shape[0], -1)
    return np.pad(rows, ((0, 0), (0, -rows.shape[1] % 4)))


def file_of(shape, bits, data, header=40, compression=RGB, masks=(), palette=None, top_down=False,
            said_colours=0, gap=0):
    height, width = shape
    table = b""
    if palette is not None:
        entry = 3 if header == 12 else 4
        table = b"".join(bytes([int(b), int(g), int(r), 0][:entry]) for r, g, b in palette)
    if header == 12:
        info = struct.pack("<IHHHH", 12, width, height, 1, bits)
    else:
        info = struct.pack("<IiiHHIIiiII", header, width, -height if top_down else height, 1, bits,
                           compression, len(data), 0, 0, said_colours, 0)
        info += b"".join(struct.pack("<I", mask) for mask in masks)
        if header > 40:
            info = info.ljust(header, b"\0")
    offset = 14 + len(info) + len(table) + gap
    return (b"BM" + struct.pack("<IHHI", offset + len(data), 0, 0, offset) + info + table +
            bytes(gap) + data)


def plain(pixels, bits, top_down=False, **options):
    rows = row_bytes(pixels, bits)
    data = (rows if top_down else rows[::-1]).tobytes()
    return file_of(pixels.shape, bits, data, top_down=top_down, **options)


def encode_row(row, bits, rng):
    """One row as runs and literal lots, at random."""
    out, at = bytearray(), 0
    while at < len(row):
        left = len(row) - at
        literal = min(left, int(rng.integers(1, 40)))
        if literal >= 3 and rng.random() < 0.4:
            lot = row[at:at + literal]
            packed = bytes(lot) if bits == 8 else bytes(
                first << 4 | second for first, second in zip(lot[::2], lot[1::2] + [0]))
            out += bytes([0, literal]) + packed + bytes(len(packed) % 2)
            at += literal
            continue
        length, second = 1, row[min(at + 1, len(row) - 1)]
        if bits == 8:
            while length < min(left, 255) and row[at + length] == row[at]:
                length += 1
            out += bytes([length, row[at]])
        else:  # two colours in turn
            while length < min(left, 255) and row[at + length] == (row[at], second)[length % 2]:
                length += 1
            out += bytes([length, row[at] << 4 | second])
        at += length
    return bytes(out)


def encoded(pixels, bits, rng, ends):
    """`ends`: what stands behind the last row: "both" marks, "picture" alone, or "jumps": also some
    rows that jump over their middle and stop early; those pixels become 0. Gives data and pixels."""
    pixels = pixels.copy()
    rows = []
    for y in range(pixels.shape[0])[::-1]:
        row = [int(value) for value in pixels[y]]
        if ends == "jumps" and len(row) > 8 and rng.random() < 0.5:
            start, stop = sorted(int(rng.integers(1, len(row))) for _ in range(2))
            stop = min(stop, start + 255)
            last = int(rng.integers(stop, len(row))) if stop < len(row) else stop
            pixels[y, start:stop] = 0
            pixels[y, last:] = 0
            code = encode_row(row[:start], bits, rng) + bytes([0, 2, stop - start, 0]) + \
                encode_row(row[stop:last], bits, rng)
        else:
            code = encode_row(row, bits, rng)
        rows.append(code)
    return b"\0\0".join(rows) + (b"\0\1" if ends == "picture" else b"\0\0\0\1"), pixels


def palette_bmps(width, height, rng):
    for bits in (1, 4, 8):
        for header in (12, 40, 64, 108, 124):
            full = header == 12 or bool(rng.integers(0, 2))
            count = 1 << bits if full else int(rng.integers(1, (1 << bits) + 1))
            palette = rng.integers(0, 256, (count, 3))
            if rng.random() < 0.2:
                palette = np.repeat(np.linspace(0, 255, count).astype(int)[:, None], 3, 1)
            index = values(width, height, rng, count)[:, :, 0]
            top_down = header != 12 and bool(rng.integers(0, 2))
            gap = 0 if header == 12 else int(rng.choice([0, 0, 2, 16]))
            data = plain(index, bits, top_down, header=header, palette=palette,
                         said_colours=0 if full else count, gap=gap)
            yield Drawn(f"palette{bits}_{header}.bmp", data, set(),
                        lambda preset, p=palette[index].astype(np.uint8): p)
    for bits, compression in ((8, RLE8), (4, RLE4)):
        for ends in ("both", "picture", "jumps"):
            palette = rng.integers(0, 256, (1 << bits, 3))
            index = values(width, height, rng, 1 << bits)[:, :, 0]
            code, index = encoded(index, bits, rng, ends)
            yield Drawn(f"rle{bits}_{ends}.bmp",
                        file_of((height, width), bits, code, compression=compression,
                                palette=palette), {"run_lengths_" + ends},
                        lambda preset, p=palette[index].astype(np.uint8): p)


def widen(pixels, masks, preset):
    """The rule of docs/pictures.md for channels of any width."""
    out = []
    for mask in masks[:3]:
        shift = (mask & -mask).bit_length() - 1
        bits = (mask >> shift).bit_length()
        value = (pixels & mask) >> shift
        if bits != 8 and preset == "torch":
            value = value * 255 // ((1 << bits) - 1)
        elif bits != 8:
            value = value << (8 - bits) if bits < 8 else value >> (bits - 8)
        out.append(value)
    return np.stack(out, 2).astype(np.uint8)


FIVES, SIX = (0x7C00, 0x3E0, 0x1F), (0xF800, 0x7E0, 0x1F)
USUAL = (0xFF0000, 0xFF00, 0xFF)
# name: bits, header, compression, masks, tags
MASKED = {
    "rgb555": (16, 40, RGB, FIVES, set()),
    "rgb555_124": (16, 124, RGB, FIVES, set()),
    "masks555": (16, 40, MASKS, FIVES, set()),
    "masks565": (16, 40, MASKS, SIX, set()),
    "masks565_56": (16, 56, MASKS, (*SIX, 0), {"masks16_inside"}),
    "masks565_108": (16, 108, MASKS, (*SIX, 0), {"masks16_inside"}),
    "masks444": (16, 40, MASKS, (0xF00, 0xF0, 0xF), {"masks_unusual"}),
    "masks_bgr565": (16, 40, MASKS, (0x1F, 0x7E0, 0xF800), {"masks_unusual"}),
    "rgb32": (32, 40, RGB, USUAL, set()),
    "masks32": (32, 40, MASKS, USUAL, set()),
    "masks32_52": (32, 52, MASKS, USUAL, set()),
    "masks32_56": (32, 56, MASKS, (*USUAL, 0xFF000000), set()),
    "masks32_108": (32, 108, MASKS, (*USUAL, 0xFF000000), set()),
    "masks32_124": (32, 124, MASKS, (*USUAL, 0), set()),
    "rgba32": (32, 108, MASKS, (0xFF, 0xFF00, 0xFF0000, 0xFF000000), {"masks32_order"}),
    "xbgr32": (32, 124, MASKS, (0xFF000000, 0xFF0000, 0xFF00, 0), {"masks32_order"}),
    "deep32": (32, 40, MASKS, (0x3FF00000, 0xFFC00, 0x3FF), {"masks32_order", "masks_unusual"}),
    "shallow32": (32, 56, MASKS, (0x70000, 0x300, 0x1, 0), {"masks32_order", "masks_unusual"}),
}


def bmps(width, height, rng, photos):
    yield from palette_bmps(width, height, rng)
    for header in (12, 40, 52, 56, 64, 108, 124):
        colour = colour_picture(width, height, rng, photos)
        wide = colour.astype(np.int64)
        bgr = wide[:, :, 0] << 16 | wide[:, :, 1] << 8 | wide[:, :, 2]
        for top_down in (False, True) if header != 12 else (False,):
            gap = 0 if header == 12 else int(rng.choice([0, 0, 4, 100]))
            yield Drawn(f"rgb24_{header}{'_top_down' if top_down else ''}.bmp",
                        plain(bgr, 24, top_down, header=header, gap=gap), set(),
                        lambda preset, p=colour: p)
    for name, (bits, header, compression, masks, tags) in MASKED.items():
        pixels = rng.integers(0, 1 << bits, (height, width))
        top_down = bool(rng.integers(0, 2))
        data = plain(pixels, bits, top_down, header=header, compression=compression,
                     masks=masks if compression == MASKS else ())
        yield Drawn(f"{name}.bmp", data, tags,
                    lambda preset, p=pixels, m=masks: widen(p, m, preset))


# ---- PNM ---------------------------------------------------------------------------------------

def comment(rng):
    return [b" ", b"\n", b"\t", b"\r\n", b"\n# a comment\n", b" # 1 2 3\n", b"\n#\n\n  "][
        int(rng.integers(0, 7))]


def scaled(samples, level, preset):
    """The rule of docs/pictures.md for levels."""
    if preset == "torch":
        return np.rint(samples / level * 255).astype(np.uint8)
    return (samples * 255 // level if level < 256 else samples * 256 // (level + 1)).astype(np.uint8)


def pnm_tags(kind, level, channels):
    if level == 255:
        return set()
    tags = set()
    if (kind > 3 and level < 255) or (level > 255 and level != 65535):
        tags.add("levels")
    if level > 255 and channels == 1:
        tags.add("grey_levels")
    return tags


def plain_text(samples, rng, separators=(b" ", b"  ", b"\n", b"\t")):
    width = 17 if rng.random() < 0.5 else 5
    numbers = [b"%d" % value for value in samples.ravel()]
    blank = separators[int(rng.integers(0, len(separators)))]
    return b"\n".join(blank.join(numbers[i:i + width]) for i in range(0, len(numbers), width)) + b"\n"


def pnms(width, height, rng, _photos):
    bits = values(width, height, rng, 2)
    black = grey_to_rgb((1 - bits) * 255)
    size = b"%d%s%d" % (width, b" ", height)
    for number, body in ((4, np.packbits(bits[:, :, 0].astype(np.uint8), axis=1).tobytes()),
                         (1, plain_text(bits, rng))):
        yield Drawn(f"p{number}.pbm", b"P%d%s%s\n" % (number, comment(rng), size) + body, set(),
                    lambda preset, p=black: p)
    for level in (255, 1, 3, 15, 100, 254, 256, 1000, 4095, 65534, 65535):
        for channels, ending in ((1, "pgm"), (3, "ppm")):
            samples = values(width, height, rng, level + 1, channels)
            for number in (2, 5) if channels == 1 else (3, 6):
                if number < 4 and width * height > 70000 and level != 255:
                    continue  # text of megabytes shows nothing more
                head = b"P%d%s%d%s%d%s%d\n" % (number, comment(rng), width, comment(rng), height,
                                               comment(rng), level)
                body = plain_text(samples, rng) if number < 4 else \
                    samples.astype(">u2" if level > 255 else np.uint8).tobytes()
                yield Drawn(f"p{number}_{level}.{ending}", head + body,
                            pnm_tags(number, level, channels),
                            lambda preset, s=samples, v=level: np.broadcast_to(
                                scaled(s, v, preset), (*s.shape[:2], 3)))
