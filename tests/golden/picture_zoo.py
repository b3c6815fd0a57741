# SPDX-License-Identifier: Apache-2.0
"""Pictures of many kinds, drawn here from a formula: the golden set and the oracle's zoo use them.

zoo(size) gives (name, file bytes, tags). Tags: "cmyk" (OpenCV's conversion differs from Pillow's),
"grey16" (Pillow clips 16-bit grey), "no_end" (a JPEG that only lacks its end marker: Pillow refuses),
"exif" (has an orientation).
Needs numpy and Pillow.
"""
import io
import struct

import numpy as np
from PIL import Image, ImageFile

import png_writer as png

SEED = 20240601
ImageFile.MAXBLOCK = 1 << 24  # noise does not fit the default


def noise(width, height, channels=3, seed=SEED, top=256):
    return np.random.RandomState(seed + 31 * width + 17 * height + channels).randint(
        0, top, (height, width, channels))


def photo(width, height, seed=SEED):
    """Soft colours, hard edges and noise: what makes resizers differ."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    waves = [128 + 90 * np.sin(x / (3.0 + 2 * c) + c) * np.cos(y / (5.0 + c)) for c in range(3)]
    picture = np.stack(waves, 2)
    picture[(x + 2 * y) % 23 < 5] = (250, 20, 120)
    picture[height // 3:height // 2, width // 4:width // 2] = (10, 200, 240)
    picture += noise(width, height, seed=seed) / 8.0
    return np.clip(picture, 0, 255).astype(np.uint8)


def jpeg(picture, mode="RGB", **options):
    image = Image.fromarray(picture)
    if image.mode != mode:
        image = image.convert(mode)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", **{"quality": 90, **options})
    return buffer.getvalue()


# ---- parts of files ----------------------------------------------------------------------------

def tiff_orientation(value, big_endian=False, kind=3, before=0):
    """`before`: other entries in front of the orientation."""
    order = ">" if big_endian else "<"
    entries = [struct.pack(order + "HHII", 0x100 + i, 4, 1, 1) for i in range(before)]
    content = struct.pack(order + ("I" if kind == 4 else "H"), value).ljust(4, b"\0")
    entries.append(struct.pack(order + "HHI", 0x112, kind, 1) + content)
    return ((b"MM" if big_endian else b"II") + struct.pack(order + "HI", 42, 8) +
            struct.pack(order + "H", len(entries)) + b"".join(entries) + bytes(4))


def app1(content):
    return b"\xff\xe1" + struct.pack(">H", len(content) + 2) + content


def with_segments(data, *segments):
    """Segments put right behind the start marker."""
    return data[:2] + b"".join(segments) + data[2:]


def adobe_marker(data):
    at = data.index(b"\xff\xee")
    return at, at + 2 + struct.unpack(">H", data[at + 2:at + 4])[0]


def as_ycck(cmyk):
    """The same bytes said to be YCCK."""
    _, end = adobe_marker(cmyk)
    return cmyk[:end - 1] + b"\x02" + cmyk[end:]


def without_adobe(cmyk):
    start, end = adobe_marker(cmyk)
    return cmyk[:start] + cmyk[end:]


# ---- the zoo -----------------------------------------------------------------------------------

def zoo_png(width, height):
    colour = photo(width, height)
    for depth in (1, 2, 4, 8, 16):
        grey = noise(width, height, 1, top=1 << depth)
        for interlaced in (False, True):
            name = f"grey{depth}{'_interlaced' if interlaced else ''}.png"
            yield name, png.encode(grey, png.GREY, depth, interlaced), \
                {"grey16"} if depth == 16 else set()
    palette = noise(256, 1, seed=5)[0]
    for depth in (1, 2, 4, 8):
        indices = noise(width, height, 1, top=1 << depth)
        for interlaced in (False, True):
            name = f"palette{depth}{'_interlaced' if interlaced else ''}.png"
            yield name, png.encode(indices, png.PALETTE, depth, interlaced,
                                   palette[:1 << depth]), set()
    indices = noise(width, height, 1, top=16)
    yield "palette_transparent.png", png.encode(indices, png.PALETTE, 4, False, palette[:16],
                                                [(b"tRNS", bytes(range(0, 160, 10)))]), set()
    for depth in (8, 16):
        wide = colour.astype(np.int64) * (257 if depth == 16 else 1)
        alpha = noise(width, height, 1, top=1 << depth)
        rgba = np.concatenate([wide, alpha], 2)
        for interlaced in (False, True):
            end = f"{depth}{'_interlaced' if interlaced else ''}.png"
            yield "rgb" + end, png.encode(wide, png.RGB, depth, interlaced), set()
            yield "rgba" + end, png.encode(rgba, png.RGBA, depth, interlaced), set()
            yield "grey_alpha" + end, png.encode(rgba[:, :, 2:], png.GREY_ALPHA, depth,
                                                 interlaced), set()
    yield "rgb_transparent_gamma.png", png.encode(
        colour, png.RGB, 8, False, None,
        [(b"gAMA", struct.pack(">I", 220000)), (b"tRNS", bytes(6)),
         (b"tEXt", b"Comment\0drawn for a test")]), set()
    for value in range(1, 9):
        yield f"exif{value}.png", png.encode(colour, png.RGB, 8, False, None,
                                             [(b"eXIf", tiff_orientation(value))]), {"exif"}


def zoo_jpeg(width, height):
    colour = photo(width, height)
    for sampling, name in ((0, "444"), (1, "422"), (2, "420")):
        for progressive in (False, True):
            yield f"rgb{name}{'_progressive' if progressive else ''}.jpg", jpeg(
                colour, subsampling=sampling, progressive=progressive), set()
    yield "restarts.jpg", jpeg(colour, restart_marker_blocks=3), set()
    yield "quality30.jpg", jpeg(colour, quality=30), set()
    yield "quality100.jpg", jpeg(colour, quality=100), set()
    yield "grey.jpg", jpeg(colour, "L"), set()
    yield "grey_progressive.jpg", jpeg(colour, "L", progressive=True), set()
    yield "no_end_marker.jpg", jpeg(colour)[:-2], {"no_end"}
    yield "bytes_after_end.jpg", jpeg(colour) + b"more", set()
    cmyk = jpeg(np.concatenate([colour, noise(width, height, 1)], 2).astype(np.uint8), "CMYK")
    yield "cmyk.jpg", cmyk, {"cmyk"}
    yield "ycck.jpg", as_ycck(cmyk), {"cmyk"}
    yield "cmyk_no_adobe.jpg", without_adobe(cmyk), {"cmyk"}
    plain = jpeg(colour, subsampling=0)
    for value in range(1, 9):
        tiff = tiff_orientation(value, big_endian=value % 2 == 0, before=value % 3)
        yield f"exif{value}.jpg", with_segments(plain, app1(b"Exif\0\0" + tiff)), {"exif"}
    odd = {"zero": b"Exif\0\0" + tiff_orientation(0), "nine": b"Exif\0\0" + tiff_orientation(9),
           "long": b"Exif\0\0" + tiff_orientation(6, kind=4),
           "long_big_endian": b"Exif\0\0" + tiff_orientation(6, True, kind=4),
           "cut": b"Exif\0\0" + tiff_orientation(6)[:18], "broken": b"Exif\0\0rubbish",
           "empty": b"Exif\0\0"}
    for name, content in odd.items():
        yield f"exif_{name}.jpg", with_segments(plain, app1(content)), {"exif"}
    yield "exif_after_xmp.jpg", with_segments(
        plain, app1(b"http://ns.adobe.com/xap/1.0/\0<x/>"),
        app1(b"Exif\0\0" + tiff_orientation(6))), {"exif"}


def zoo(width, height):
    yield from zoo_png(width, height)
    yield from zoo_jpeg(width, height)
