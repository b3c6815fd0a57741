# SPDX-License-Identifier: Apache-2.0
"""JPEG, PNG and WebP of every kind for picture_zoo.py.

Each drawer takes a size, a random generator and photos, and gives zoo_contents.Drawn. Needs cjpeg
(Debian 12: libjpeg-turbo-progs) for the samplings and the arithmetic coding that Pillow lacks.
"""
import io
import struct
import subprocess

import numpy as np
import picture_zoo as golden  # tests/golden
import png_writer as png
from PIL import Image

from zoo_contents import Drawn, colour_picture, grey_to_rgb, values

LONGEST_JPEG, LONGEST_WEBP = 65500, 16383
# By cjpeg's rule: luma and both chromas, or luma alone over 1x1 chromas.
SAMPLINGS = {"444": "1x1", "422": "2x1", "420": "2x2", "440": "1x2", "411": "4x1", "410": "4x2",
             "441": "1x4", "311": "3x1", "mixed": "2x2,1x2,2x1", "chroma": "1x1,2x1,1x2",
             "luma_low": "1x1,2x2,2x2", "one_low": "2x2,2x2,1x1"}


def cjpeg(picture, *options):
    source = b"P6 %d %d 255\n" % (picture.shape[1], picture.shape[0]) + picture.tobytes()
    return subprocess.run(["cjpeg", *map(str, options)], input=source, capture_output=True,
                          check=True).stdout


def quality(rng):
    return int(rng.choice([1, 10, 35, 60, 75, 85, 92, 97, 100]))


def with_exif(data, value, big_endian):
    tiff = golden.tiff_orientation(value, big_endian, before=value % 4)
    return golden.with_segments(data, golden.app1(b"Exif\0\0" + tiff))


def jpegs(width, height, rng, photos):
    if max(width, height) > LONGEST_JPEG:
        return

    def picture():
        return colour_picture(width, height, rng, photos)

    for name, sampling in SAMPLINGS.items():
        for progressive in (False, True):
            options = ["-quality", quality(rng), "-sample", sampling]
            options += ["-progressive"] if progressive else []
            options += ["-optimize"] if rng.random() < 0.3 else []
            options += ["-restart", f"{int(rng.integers(1, 9))}B"] if rng.random() < 0.3 else []
            kind = "progressive" if progressive else "baseline"
            yield Drawn(f"{name}_{kind}.jpg", cjpeg(picture(), *options))
        yield Drawn(f"{name}_arithmetic.jpg", cjpeg(picture(), "-quality", quality(rng), "-sample",
                                                    sampling, "-arithmetic"))
    yield Drawn("arithmetic_progressive.jpg", cjpeg(picture(), "-arithmetic", "-progressive"))
    yield Drawn("restart_rows.jpg", cjpeg(picture(), "-restart", 1))
    yield Drawn("grey_low.jpg", cjpeg(picture(), "-grayscale", "-quality", quality(rng)))
    yield Drawn("grey_sampled.jpg", cjpeg(picture(), "-grayscale", "-sample", "2x2"))
    yield Drawn("rgb_adobe.jpg", cjpeg(picture(), "-rgb", "-quality", quality(rng)))
    yield Drawn("rgb_sampled.jpg", cjpeg(picture(), "-rgb", "-sample", "2x1,1x1,1x1"))
    yield Drawn("rgb_by_ids.jpg", golden.without_adobe(cjpeg(picture(), "-rgb")))
    yield Drawn("dct_fast.jpg", cjpeg(picture(), "-dct", "fast"))
    for progressive in (False, True):
        yield Drawn(f"pillow_{progressive}.jpg", golden.jpeg(
            picture(), quality=quality(rng), progressive=progressive, subsampling=int(rng.integers(0, 3))))
        yield Drawn(f"grey_{progressive}.jpg", golden.jpeg(picture(), "L", progressive=progressive))
        for sampling in (0, 2):
            inks = np.concatenate([picture(), values(width, height, rng, 256)], 2).astype(np.uint8)
            cmyk = golden.jpeg(inks, "CMYK", quality=quality(rng), progressive=progressive,
                               subsampling=sampling)
            for kind, data in (("cmyk", cmyk), ("ycck", golden.as_ycck(cmyk)),
                               ("cmyk_bare", golden.without_adobe(cmyk))):
                yield Drawn(f"{kind}_{sampling}_{progressive}.jpg", data)
    whole = golden.jpeg(picture(), quality=quality(rng))
    yield Drawn("no_end.jpg", whole[:-2], {"no_end"})
    yield Drawn("more_behind.jpg", whole + rng.bytes(40))
    yield Drawn("segments.jpg", golden.with_segments(
        whole, b"\xff\xfe\0\x0cA comment.", b"\xff\xed\0\x0ePhotoshop \0\0", b"\xff\xff\xff\xfe\0\x02"))
    for value in range(1, 9):
        for order in (False, True):
            name = f"exif{value}_{'big' if order else 'little'}.jpg"
            yield Drawn(name, with_exif(golden.jpeg(picture(), subsampling=value % 3), value, order))


# ---- PNG ---------------------------------------------------------------------------------------

def split_data(data, rng):
    """The same PNG with its IDAT in pieces, some of them empty."""
    at = data.index(b"IDAT") - 4
    length = struct.unpack(">I", data[at:at + 4])[0]
    content = data[at + 8:at + 8 + length]
    cuts = sorted(int(rng.integers(0, length + 1)) for _ in range(5)) + [length]
    pieces, last = b"", 0
    for cut in cuts:
        pieces += png.chunk(b"IDAT", content[last:cut])
        last = cut
    return data[:at] + pieces + data[at + 12 + length:]


def png_kinds(width, height, rng, photos):
    """(name, samples, colour type, depth, palette, the RGB of it, tags)"""
    for depth in (1, 2, 4, 8, 16):
        grey = values(width, height, rng, 1 << depth)
        wide = grey >> 8 if depth == 16 else grey * 255 // ((1 << depth) - 1)
        yield f"grey{depth}", grey, png.GREY, depth, None, grey_to_rgb(wide), \
            {"grey16"} if depth == 16 else set()
    for depth in (1, 2, 4, 8):
        count = int(rng.integers(1, (1 << depth) + 1))
        palette = rng.integers(0, 256, (count, 3))
        index = values(width, height, rng, count)
        yield f"palette{depth}", index, png.PALETTE, depth, palette, \
            palette[index[:, :, 0]].astype(np.uint8), set()
    for depth in (8, 16):
        top = 1 << depth
        colour = colour_picture(width, height, rng, photos).astype(np.int64)
        if depth == 16:
            colour = colour << 8 | rng.integers(0, 256, colour.shape)
        alpha = values(width, height, rng, top)
        rgb = (colour >> (depth - 8)).astype(np.uint8)
        yield f"rgb{depth}", colour, png.RGB, depth, None, rgb, set()
        yield f"rgba{depth}", np.concatenate([colour, alpha], 2), png.RGBA, depth, None, rgb, set()
        yield f"grey_alpha{depth}", np.concatenate([colour[:, :, 1:2], alpha], 2), \
            png.GREY_ALPHA, depth, None, grey_to_rgb(rgb[:, :, 1]), set()


def transparency(colour_type, samples, palette, rng):
    """A tRNS chunk: of the first pixel's colour, or of alphas for the palette."""
    if colour_type == png.PALETTE:
        return b"tRNS", rng.bytes(int(rng.integers(1, len(palette) + 1)))
    return b"tRNS", b"".join(struct.pack(">H", int(value)) for value in samples[0, 0])


AUXILIARY = [(b"gAMA", struct.pack(">I", 45455)), (b"sRGB", b"\0"), (b"pHYs", bytes(9)),
             (b"tEXt", b"Comment\0of the zoo"), (b"gAMA", struct.pack(">I", 220000))]


def pngs(width, height, rng, photos):
    for name, samples, colour_type, depth, palette, rgb, tags in png_kinds(width, height, rng, photos):
        for interlaced in (False, True):
            extra = [AUXILIARY[int(rng.integers(0, len(AUXILIARY)))]] if rng.random() < 0.3 else []
            extra = [] if colour_type == png.PALETTE else extra  # gAMA would have to lie before PLTE
            data = png.encode(samples, colour_type, depth, interlaced, palette, extra)
            data = split_data(data, rng) if rng.random() < 0.4 else data
            end = "_interlaced" if interlaced else ""
            yield Drawn(f"{name}{end}.png", data, tags, lambda preset, rgb=rgb: rgb)
        if colour_type in (png.GREY, png.RGB, png.PALETTE):
            data = png.encode(samples, colour_type, depth, False, palette,
                              [transparency(colour_type, samples, palette, rng)])
            yield Drawn(f"{name}_transparent.png", data, tags, lambda preset, rgb=rgb: rgb)
    for value in range(1, 9):
        for order in (False, True):
            picture = colour_picture(width, height, rng, photos)
            tiff = golden.tiff_orientation(value, order, before=value % 3)
            yield Drawn(f"exif{value}_{'big' if order else 'little'}.png",
                        png.encode(picture, png.RGB, 8, bool(rng.integers(0, 2)), None,
                                   [(b"eXIf", tiff)]))
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"):
        buffer = io.BytesIO()
        if mode == "I;16":
            wide = values(width, height, rng, 1 << 16).astype(np.uint16)
            Image.fromarray(wide[:, :, 0]).save(buffer, "PNG")
            high = grey_to_rgb(wide >> 8)
            yield Drawn("pillow_grey16.png", buffer.getvalue(), {"grey16"}, lambda preset, p=high: p)
            continue
        Image.fromarray(colour_picture(width, height, rng, photos)).convert(mode).save(
            buffer, "PNG", compress_level=int(rng.integers(0, 10)), optimize=bool(rng.integers(0, 2)))
        yield Drawn(f"pillow_{mode}.png", buffer.getvalue())


# ---- WebP --------------------------------------------------------------------------------------

def webps(width, height, rng, photos):
    if max(width, height) > LONGEST_WEBP:
        return

    def save(picture, mode="RGB", **options):
        buffer = io.BytesIO()
        Image.fromarray(picture, mode).save(buffer, "WEBP", method=int(rng.integers(0, 5)), **options)
        return buffer.getvalue()

    for level in (0, 10, 50, 80, 100):
        yield Drawn(f"lossy{level}.webp", save(colour_picture(width, height, rng, photos),
                                               quality=level))
        picture = colour_picture(width, height, rng, photos)
        yield Drawn(f"lossless{level}.webp", save(picture, lossless=True, quality=level), set(),
                    lambda preset, p=picture: p)
        inks = np.concatenate([colour_picture(width, height, rng, photos),
                               values(width, height, rng, 256)], 2).astype(np.uint8)
        yield Drawn(f"lossy_alpha{level}.webp", save(inks, "RGBA", quality=level,
                                                     alpha_quality=int(rng.integers(0, 101))))
        yield Drawn(f"lossless_alpha{level}.webp", save(inks, "RGBA", lossless=True, exact=True,
                                                        quality=level), set(),
                    lambda preset, p=inks[:, :, :3]: p)
    yield Drawn("profile.webp", save(colour_picture(width, height, rng, photos),
                                     icc_profile=rng.bytes(600)))
    for value in range(1, 9):
        for order in (False, True):
            tiff = golden.tiff_orientation(value, order)
            picture = colour_picture(width, height, rng, photos)
            yield Drawn(f"exif{value}_{'big' if order else 'little'}.webp",
                        save(picture, lossless=True, exif=(b"Exif\0\0" if value % 2 else b"") + tiff),
                        set(), lambda preset, p=picture: p)
