# SPDX-License-Identifier: Apache-2.0
"""WebP, BMP and PNM of every kind, and JPEG of odd kinds, drawn from a formula; the encoders of BMP
and PNM are ours, since Pillow writes few of their kinds.

formats(width, height) gives (name, file bytes, tags) as picture_zoo.zoo does. Tags:
"masks": OpenCV 4.6 does not look at the masks of 32 bits; "headers": it refuses 16 bits with masks
inside the header; "bottom": Pillow refuses a picture that
ends early by its end mark (and before 13 misreads odd lots of RLE4);
"levels": OpenCV does not scale binary PNM, nor more than 8 bits that are not 16; "grey16": Pillow
clips grey of more than 8 bits; "exif".
Needs numpy, Pillow, and cjpeg (Debian: libjpeg-turbo-progs).
"""
import io
import struct
import subprocess
import tempfile

import numpy as np
from PIL import Image

import picture_zoo as zoo

RGB, RLE8, RLE4, MASKS = 0, 1, 2, 3


# ---- BMP ---------------------------------------------------------------------------------------

def bmp_rows(values, bits):
    """Rows of pixel values, padded to 4 bytes; below 8 bits the first pixel is the highest."""
    rows = []
    for row in values:
        if bits < 8:
            text = "".join(format(int(value), f"0{bits}b") for value in row)
            text += "0" * (-len(text) % 8)
            data = int(text, 2).to_bytes(len(text) // 8, "big")
        else:
            data = b"".join(int(value).to_bytes(bits // 8, "little") for value in row)
        rows.append(data + bytes(-len(data) % 4))
    return rows


def bmp(width, height, bits, data, palette=b"", compression=RGB, header=40, masks=(), top_down=False,
        colours=0):
    """`data`: the coded pixels. `masks` lie behind a header of 40, inside a longer one."""
    if header == 12:
        info = struct.pack("<IHHHH", 12, width, height, 1, bits)
    else:
        info = struct.pack("<IiiHHIIiiII", header, width, -height if top_down else height, 1, bits,
                           compression, len(data), 2835, 2835, colours, 0)
        coded = b"".join(struct.pack("<I", mask) for mask in masks)
        info = info + coded if header == 40 else (info + coded).ljust(header, b"\0")
    offset = 14 + len(info) + len(palette)
    return b"BM" + struct.pack("<IHHI", offset + len(data), 0, 0, offset) + info + palette + data


def picture_bmp(values, bits, top_down=False, **options):
    """`values` has the picture's first row first."""
    rows = bmp_rows(values, bits)
    data = b"".join(rows if top_down else rows[::-1])
    return bmp(values.shape[1], values.shape[0], bits, data, top_down=top_down, **options)


def palette_bytes(colours, entry=4):
    """As BMP has it: blue, green, red, and a byte for nothing."""
    return b"".join(bytes([b, g, r, 0][:entry]) for r, g, b in colours)


def run_lengths(values, bits, absolute=0):
    """RLE: runs of equal pixels, or the pixels as they are in lots of 3 to `absolute`."""
    out = bytearray()
    for row in values[::-1]:
        row = [int(value) for value in row]
        at = 0
        while at < len(row):
            left = row[at:at + 60]
            lot = left[:absolute]
            if absolute % 2 == 0:
                lot = lot[:len(lot) // 2 * 2]
            if len(lot) >= 3:
                out += bytes([0, len(lot)])
                packed = bytes(lot) if bits == 8 else bytes(
                    first << 4 | second for first, second in zip(lot[::2], lot[1::2] + [0]))
                out += packed + bytes(len(packed) % 2)
                at += len(lot)
                continue
            length = 1
            while length < len(left) and left[length] == left[0]:
                length += 1
            out += bytes([length, left[0] if bits == 8 else left[0] << 4 | left[0]])
            at += length
        out += b"\0\0"
    return bytes(out[:-2]) + b"\0\1"


def zoo_bmp(width, height):
    colour = zoo.photo(width, height).astype(np.int64)
    bgr = colour[:, :, 0] << 16 | colour[:, :, 1] << 8 | colour[:, :, 2]
    colours = zoo.noise(256, 1, seed=9)[0]
    for bits in (1, 4, 8):
        values = zoo.noise(width, height, 1, top=1 << bits)[:, :, 0]
        some = colours[:1 << bits]
        yield f"palette{bits}.bmp", picture_bmp(values, bits, palette=palette_bytes(some)), set()
        yield f"palette{bits}_top_down.bmp", picture_bmp(values, bits, True,
                                                         palette=palette_bytes(some)), set()
        yield f"palette{bits}_os2.bmp", picture_bmp(values, bits, header=12,
                                                    palette=palette_bytes(some, 3)), set()
    yield "palette8_few.bmp", picture_bmp(values % 5, 8, palette=palette_bytes(colours[:5]),
                                          colours=5), set()
    for bits, name, compression in ((4, "rle4", RLE4), (8, "rle8", RLE8)):
        flat = np.repeat(zoo.noise(width, height, 1, top=1 << bits)[:, :, 0], 5, 1)[:, :width]
        for end, absolute in (("", 0), ("_lots", 6), ("_odd_lots", 7)):
            data = run_lengths(flat, bits, absolute)
            tags = {"bottom"} if bits == 4 and absolute == 7 else set()
            yield f"{name}{end}.bmp", bmp(width, height, bits, data,
                                          palette_bytes(colours[:1 << bits]), compression), tags
    jump = b"\x05\x03\0\2\2\1\x04\x07\0\0\x03\x09\0\1"
    yield "rle8_jump.bmp", bmp(width, height, 8, jump, palette_bytes(colours), RLE8), {"bottom"}
    deep = zoo.noise(width, height, 1, top=1 << 16)[:, :, 0]
    wide = bgr | zoo.noise(width, height, 1)[:, :, 0] << 24
    yield "rgb555.bmp", picture_bmp(deep, 16), set()
    yield "rgb565.bmp", picture_bmp(deep, 16, compression=MASKS, masks=(0xF800, 0x7E0, 0x1F)), set()
    yield "rgb565_v5.bmp", picture_bmp(deep, 16, compression=MASKS, header=124,
                                       masks=(0xF800, 0x7E0, 0x1F, 0)), {"headers"}
    for header in (12, 40, 64, 108, 124):
        yield f"rgb24_{header}.bmp", picture_bmp(bgr, 24, header=header), set()
    yield "rgb24_top_down.bmp", picture_bmp(bgr, 24, True), set()
    yield "rgb32.bmp", picture_bmp(wide, 32), set()
    yield "rgb32_top_down.bmp", picture_bmp(wide, 32, True), set()
    usual = (0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    yield "rgb32_masks.bmp", picture_bmp(wide, 32, compression=MASKS, masks=usual[:3]), set()
    for header in (56, 108, 124):
        yield f"rgba32_{header}.bmp", picture_bmp(wide, 32, compression=MASKS, header=header,
                                                  masks=usual), set()
    yield "abgr32.bmp", picture_bmp(wide, 32, compression=MASKS, header=108,
                                    masks=(0xFF, 0xFF00, 0xFF0000, 0xFF000000)), {"masks"}


# ---- PNM ---------------------------------------------------------------------------------------

def pnm(kind, values, level, comment=b""):
    """`values`: [height][width] or [height][width][3]."""
    height, width = values.shape[:2]
    head = b"P%d\n%s%d %d\n" % (kind, comment, width, height)
    if kind not in (1, 4):
        head += b"%d\n" % level
    if kind <= 3:
        lines = [" ".join(str(int(value)) for value in row.ravel()) for row in values]
        return head + "\n".join(lines).encode() + b"\n"
    if kind == 4:
        return head + np.packbits(values.astype(np.uint8), axis=1).tobytes()
    return head + values.astype(">u2" if level > 255 else np.uint8).tobytes()


def zoo_pnm(width, height):
    bits = zoo.noise(width, height, 1, top=2)[:, :, 0]
    yield "plain.pbm", pnm(1, bits, 1, b"# a comment\n"), set()
    yield "binary.pbm", pnm(4, bits, 1), set()
    for level in (255, 15, 1000, 65535):
        grey = zoo.noise(width, height, 1, top=level + 1)[:, :, 0]
        colour = zoo.noise(width, height, 3, top=level + 1)
        for kind, values, end in ((2, grey, "_plain.pgm"), (5, grey, ".pgm"),
                                  (3, colour, "_plain.ppm"), (6, colour, ".ppm")):
            tags = {"levels"} if level == 1000 or (level == 15 and kind > 3) else set()
            if level > 255 and kind in (2, 5):
                tags |= {"grey16"}
            yield f"level{level}{end}", pnm(kind, values, level, b"# a comment\n"), tags


# ---- WebP --------------------------------------------------------------------------------------

def webp(picture, **options):
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "WEBP", **options)
    return buffer.getvalue()


def zoo_webp(width, height):
    colour = zoo.photo(width, height)
    alpha = zoo.noise(width, height, 1).astype(np.uint8)
    rgba = np.concatenate([colour, alpha], 2)
    yield "lossy.webp", webp(colour, quality=80), set()
    yield "lossless.webp", webp(colour, lossless=True), set()
    yield "lossy_alpha.webp", webp(rgba, quality=80), set()
    yield "lossless_alpha.webp", webp(rgba, lossless=True, exact=True), set()
    for value in range(1, 9):
        prefix = b"Exif\0\0" if value % 2 else b""
        yield f"exif{value}.webp", webp(colour, lossless=True,
                                        exif=prefix + zoo.tiff_orientation(value)), {"exif"}


# ---- JPEG of odd kinds -------------------------------------------------------------------------

def cjpeg(picture, *options):
    run = subprocess.run(["cjpeg", "-quality", "85", *options], input=pnm(6, picture, 255),
                         capture_output=True, check=True)
    return run.stdout


def zoo_odd_jpeg(width, height):
    colour = zoo.photo(width, height)
    for sampling in ("4x1", "1x2", "3x1", "1x4", "1x1,2x1,1x2", "2x2,1x2,2x1"):
        name = "sampling_" + sampling.replace(",", "_")
        yield name + ".jpg", cjpeg(colour, "-sample", sampling), set()
        yield name + "_progressive.jpg", cjpeg(colour, "-sample", sampling, "-progressive"), set()
    yield "arithmetic.jpg", cjpeg(colour, "-arithmetic"), set()
    yield "arithmetic_progressive.jpg", cjpeg(colour, "-arithmetic", "-progressive"), set()
    yield "restarts_progressive.jpg", cjpeg(colour, "-progressive", "-restart", "3B"), set()
    yield "adobe_rgb.jpg", cjpeg(colour, "-rgb"), set()
    inks = np.concatenate([colour, zoo.noise(width, height, 1)], 2).astype(np.uint8)
    inks[:, :, 3] = 0  # stored inverted: 255, no black
    yield "ycck_no_black.jpg", zoo.as_ycck(zoo.jpeg(inks, "CMYK")), set()
    yield "cmyk_progressive.jpg", zoo.jpeg(inks, "CMYK", progressive=True), set()


def arithmetic_bomb(side, scans):
    """A grey picture of few bytes whose coefficients come one scan each."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as script:
        script.write("0: 0-0, 0, 0;\n" + "".join(f"0: {k}-{k}, 0, 0;\n" for k in range(1, scans)))
        script.flush()
        grey = np.full((side, side), 128, np.uint8)
        return subprocess.run(["cjpeg", "-grayscale", "-arithmetic", "-scans", script.name],
                              input=pnm(5, grey, 255), capture_output=True, check=True).stdout


# ---- small pictures that tests know the pixels of ----------------------------------------------

def others():
    """(name, file bytes) of pictures outside the golden table."""
    ramp = (257 * np.arange(256)).reshape(1, 256, 1)
    yield "ramp_grey16.png", zoo.png.encode(ramp, zoo.png.GREY, 16, False)
    yield "ramp_rgb16.png", zoo.png.encode(np.repeat(ramp, 3, 2), zoo.png.RGB, 16, False)
    two = np.array([[17, 34, 51], [68, 85, 102]])
    yield "palette_2x1.png", zoo.png.encode(np.array([0, 1]).reshape(1, 2, 1), zoo.png.PALETTE, 8,
                                            False, two, [(b"tRNS", b"\x80\x01")])
    frames = [Image.fromarray(zoo.photo(7, 5, seed)) for seed in (1, 2)]
    buffer = io.BytesIO()
    frames[0].save(buffer, "WEBP", save_all=True, append_images=frames[1:], lossless=True)
    yield "animated.webp", buffer.getvalue()
    yield "arithmetic_bomb.jpg", arithmetic_bomb(4000, 60)


def formats(width, height):
    yield from zoo_odd_jpeg(width, height)
    yield from zoo_bmp(width, height)
    yield from zoo_pnm(width, height)
    yield from zoo_webp(width, height)
