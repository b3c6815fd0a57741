# SPDX-License-Identifier: Apache-2.0
"""Golden checksums of pictures from the real OpenCV 4.6 and Pillow, for tests/unit/test_image_*.c.

make_pictures.py
    writes tests/golden/pictures/* (drawn by picture_zoo.py and picture_formats.py) and expected.h.
Needs cjpeg (Debian 12: libjpeg-turbo-progs 2.1.5). Packages: opencv-python-headless==4.6.0.66 "numpy<2" "pillow<13" (from 13 on Pillow may resize
columns first, with other last bits; docs/numerics.md).
"""
import io
import os
import sys
import zlib

import cv2
import numpy as np
import PIL
from PIL import Image, ImageOps

import picture_formats
import picture_zoo

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "pictures")
WIDTH, HEIGHT = 23, 19
SHORT, CROP = 16, 12
MEAN = np.array([0.485, 0.456, 0.406], np.float32)
STD = np.array([0.229, 0.224, 0.225], np.float32)
RESIZES = [(1, 1, 1, 1), (1, 1, 7, 5), (1, 9, 4, 3), (9, 1, 3, 4), (2, 2, 1, 1), (8, 6, 4, 3),
           (64, 48, 32, 24), (63, 47, 31, 23), (40, 30, 40, 30), (40, 30, 40, 17), (40, 30, 13, 30),
           (17, 23, 51, 69), (100, 75, 31, 24), (33, 120, 16, 58), (120, 33, 58, 16), (5, 7, 90, 60),
           (150, 3, 16, 16), (97, 89, 96, 90), (128, 128, 3, 3), (31, 200, 5, 64)]


def crc(array):
    return zlib.crc32(np.ascontiguousarray(array).tobytes())


def formula_picture(width, height):
    """The same bytes as formula_picture() in tests/unit/test_image_resize.c."""
    state, out = (width << 16) + height, bytearray()
    for _ in range(width * height * 3):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        out.append(state >> 24)
    return np.frombuffer(bytes(out), np.uint8).reshape(height, width, 3)


def opencv(picture, width, height):
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_LINEAR)


def pillow(picture, width, height, how=Image.BILINEAR):
    return np.asarray(Image.fromarray(picture).resize((width, height), how))


def pnm_values(data):
    """Of a PNM as picture_formats.pnm() writes it, with its one comment: values, largest."""
    kind, _, size, level = data.split(b"\n", 4)[:4]
    body, kind = data.split(b"\n", 4)[4], int(kind[1:])
    width, height = map(int, size.split())
    shape = (height, width, 3 if kind in (3, 6) else 1)
    if kind <= 3:
        values = np.array(body.split(), np.int64)
    else:
        values = np.frombuffer(body, ">u2" if int(level) > 255 else np.uint8).astype(np.int64)
    return np.broadcast_to(values.reshape(shape), (height, width, 3)), int(level)


def short_header(data):
    """A BMP whose masks are inside its header, with the short header that OpenCV takes."""
    pixels = data[int.from_bytes(data[10:14], "little"):]
    return data[:10] + (66).to_bytes(4, "little") + (40).to_bytes(4, "little") + data[18:66] + pixels


def decode_opencv(data, tags, apply_exif):
    """As OpenCV, with the exceptions of docs/pictures.md."""
    if "no_end" in tags:
        data += b"\xff\xd9"
    if "headers" in tags:
        data = short_header(data)
    if "masks" in tags:
        return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    if "levels" in tags:
        values, level = pnm_values(data)
        scaled = values * 255 // level if level < 256 else values * 256 // (level + 1)
        return scaled.astype(np.uint8)
    flags = cv2.IMREAD_COLOR | (0 if apply_exif else cv2.IMREAD_IGNORE_ORIENTATION)
    return cv2.imdecode(np.frombuffer(data, np.uint8), flags)[:, :, ::-1].copy()


def decode_pillow(data, tags, apply_exif=False):
    """As Pillow, with the exceptions of docs/pictures.md."""
    if "grey16" in tags and data[:1] == b"P":
        values, level = pnm_values(data)
        return np.rint(values / level * 255).astype(np.uint8)
    if "grey16" in tags or "bottom" in tags or "no_end" in tags:
        return decode_opencv(data, tags, apply_exif)
    image = Image.open(io.BytesIO(data))
    return np.asarray((ImageOps.exif_transpose(image) if apply_exif else image).convert("RGB"))


def recipe_paddle(picture):
    height, width = picture.shape[:2]
    percent = float(SHORT) / min(width, height)
    picture = opencv(picture, round(width * percent), round(height * percent))
    left, top = (picture.shape[1] - CROP) // 2, (picture.shape[0] - CROP) // 2
    picture = picture[top:top + CROP, left:left + CROP]
    return picture, (picture.astype(np.float32) * np.float32(1.0 / 255.0) - MEAN) / STD


def recipe_torch(picture):
    height, width = picture.shape[:2]
    short = min(width, height)
    picture = pillow(picture, int(SHORT * width / short), int(SHORT * height / short))
    left, top = (round((side - CROP) / 2.0) for side in (picture.shape[1], picture.shape[0]))
    picture = picture[top:top + CROP, left:left + CROP]
    return picture, (picture.astype(np.float32) / np.float32(255) - MEAN) / STD


def many_scans(width, height):
    """A progressive JPEG that sends its first scan 120 times more: valid, and a waste of time."""
    data = picture_zoo.jpeg(picture_zoo.photo(width, height), "L", progressive=True)
    start = data.index(b"\xff\xc4")
    spectral = data.index(b"\xff\xda") + 7  # first and last coefficient, then the bits
    end = spectral + 3
    while data[end] != 0xFF or data[end + 1] == 0:
        end += 1
    scan = data[start:spectral] + b"\x00\x00\x00" + data[spectral + 3:end]
    return data[:-2] + 120 * scan + data[-2:]


def picture_row(name, data, tags):
    upright, turned = decode_opencv(data, tags, False), decode_opencv(data, tags, True)
    plain = decode_pillow(data, tags)
    # OpenCV 4.6 never turns WebP; told to apply EXIF, we do.
    everywhere = decode_pillow(data, tags, True) if name.endswith(".webp") else turned
    sums = [crc(upright), crc(turned), crc(everywhere), crc(plain)]
    for pixels, floats in (recipe_paddle(turned), recipe_torch(plain)):
        sums += [crc(pixels), crc(floats.transpose(2, 0, 1))]
    return f'    {{"{name}", {turned.shape[1]}, {turned.shape[0]}, ' + \
        ", ".join(f"0x{value:08X}" for value in sums) + "},"


def main():
    if cv2.__version__ != "4.6.0" or int(PIL.__version__.split(".")[0]) >= 13:
        sys.exit("this needs OpenCV 4.6.0 and Pillow before 13")
    os.makedirs(FOLDER, exist_ok=True)
    lines = ["/* SPDX-License-Identifier: Apache-2.0 */",
             f"/* Made by make_pictures.py with OpenCV {cv2.__version__}, Pillow {PIL.__version__}, "
             f"NumPy {np.__version__}, seed {picture_zoo.SEED}. CRC-32 of the bytes. */",
             "#ifndef R2N_GOLDEN_PICTURES_H", "#define R2N_GOLDEN_PICTURES_H", "",
             "#include <stdint.h>", "", "/* clang-format off */",
             "static const struct golden_resize {",
             "    int32_t width, height, out_width, out_height;",
             "    uint32_t opencv, bilinear, bicubic;", "} golden_resizes[] = {"]
    for width, height, out_width, out_height in RESIZES:
        picture = formula_picture(width, height)
        sums = [crc(opencv(picture, out_width, out_height)), crc(pillow(picture, out_width, out_height)),
                crc(pillow(picture, out_width, out_height, Image.BICUBIC))]
        lines.append(f"    {{{width}, {height}, {out_width}, {out_height}, " +
                     ", ".join(f"0x{value:08X}" for value in sums) + "},")
    lines += ["};", "",
              f"/* Decoded without and with EXIF (width, height: with), then resized to {SHORT} and "
              f"cropped to {CROP} by each preset's", " * rules: pixels, and floats channel by channel."
              " */", f"enum {{ GOLDEN_SHORT = {SHORT}, GOLDEN_CROP = {CROP} }};",
              "static const struct golden_picture {", "    const char *name;",
              "    int32_t width, height;",
              "    uint32_t upright, turned, everywhere; /* OpenCV's decoder; WebP turned too */",
              "    uint32_t pillow;                      /* Pillow's decoder, as stored */",
              "    uint32_t paddle_pixels, paddle_floats, torch_pixels, torch_floats;",
              "} golden_pictures[] = {"]
    for name, data, tags in [*picture_zoo.zoo(WIDTH, HEIGHT),
                             *picture_formats.formats(WIDTH, HEIGHT)]:
        with open(os.path.join(FOLDER, name), "wb") as file:
            file.write(data)
        lines.append(picture_row(name, data, tags))
    for name, data in [("many_scans.jpg", many_scans(WIDTH, HEIGHT)), *picture_formats.others()]:
        with open(os.path.join(FOLDER, name), "wb") as file:
            file.write(data)
    lines += ["};", "/* clang-format on */", "", "#endif", ""]
    with open(os.path.join(FOLDER, "expected.h"), "w", encoding="utf-8") as file:
        file.write("\n".join(lines))


if __name__ == "__main__":
    main()
