# SPDX-License-Identifier: Apache-2.0
"""Golden checksums of operations on pixels from the real Pillow, for tests/unit/test_transforms_pixels.c.

make_augment.py
    writes tests/golden/augment.h. Packages: pillow, numpy.
"""
import os
import zlib

import numpy as np
import PIL
from PIL import Image, ImageEnhance, ImageOps

HEADER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "augment.h")
FILL = (124, 116, 104)
SIZES = [(37, 29), (64, 48), (24, 24), (2, 5), (7, 2), (1, 1)]
FILTERS = {"NEAREST": Image.NEAREST, "BILINEAR": Image.BILINEAR, "BICUBIC": Image.BICUBIC}


def noise(width, height):
    """The same bytes as noise() in tests/unit/transforms_fixture.h."""
    state, out = (width << 16) + height, bytearray()
    for _ in range(width * height * 3):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        out.append(state >> 24)
    return np.frombuffer(bytes(out), np.uint8).reshape(height, width, 3)


def slope(width, height):
    """The same bytes as slope() there: few values, and not all of the range."""
    y, x, channel = np.mgrid[0:height, 0:width, 0:3]
    return (40 + (x * (channel + 1) + y * 3 + x * y // 7) % (150 + 10 * channel)).astype(np.uint8)


def affine(image, matrix, how):
    return image.transform(image.size, Image.AFFINE, matrix, how, fillcolor=FILL)


def hue(image, turn):
    h, s, v = image.convert("HSV").split()
    turned = (np.asarray(h).astype(np.int32) + int(turn * 255)) % 256
    return Image.merge("HSV", (Image.fromarray(turned.astype(np.uint8)), s, v)).convert("RGB")


def posterize(image, bits):
    # Older Pillows took 0 bits too, and timm asks for them.
    return ImageOps.posterize(image, bits) if bits > 0 else image.point(lambda value: 0)


def solarize_add(image, added):
    return image.point([min(255, i + added) if i < 128 else i for i in range(256)] * 3)


def apply(image, name, amount, how):
    width, height = image.size
    return {
        "SHEAR_X": lambda: affine(image, (1, amount, 0, 0, 1, 0), how),
        "SHEAR_Y": lambda: affine(image, (1, 0, 0, amount, 1, 0), how),
        "TRANSLATE_X": lambda: affine(image, (1, 0, amount * width, 0, 1, 0), how),
        "TRANSLATE_Y": lambda: affine(image, (1, 0, 0, 0, 1, amount * height), how),
        "ROTATE": lambda: image.rotate(amount, how, fillcolor=FILL),
        "COLOUR": lambda: ImageEnhance.Color(image).enhance(amount),
        "CONTRAST": lambda: ImageEnhance.Contrast(image).enhance(amount),
        "BRIGHTNESS": lambda: ImageEnhance.Brightness(image).enhance(amount),
        "SHARPNESS": lambda: ImageEnhance.Sharpness(image).enhance(amount),
        "POSTERIZE": lambda: posterize(image, amount),
        "SOLARIZE": lambda: ImageOps.solarize(image, amount),
        "SOLARIZE_ADD": lambda: solarize_add(image, amount),
        "AUTOCONTRAST": lambda: ImageOps.autocontrast(image),
        "EQUALIZE": lambda: ImageOps.equalize(image),
        "INVERT": lambda: ImageOps.invert(image),
        "OPS": lambda: hue(image, amount),
    }[name]()


def cases():
    for how in FILTERS:
        for amount in (0.15, -0.3, 0.2718):
            yield "SHEAR_X", amount, how
            yield "SHEAR_Y", amount, how
        for amount in (0.25, -0.453, 0.1):
            yield "TRANSLATE_X", amount, how
            yield "TRANSLATE_Y", amount, how
        for amount in (0, 30, -30, 3.3333333333333335, -17.25, 26.666666666666668):
            yield "ROTATE", amount, how
    for name in ("COLOUR", "CONTRAST", "BRIGHTNESS", "SHARPNESS"):
        for amount in (0.0, 0.1, 0.55, 1.0, 1.45, 1.9):
            yield name, amount, "NEAREST"
    for bits in range(0, 9):
        yield "POSTERIZE", bits, "NEAREST"
    for threshold in (0, 28.444444444444457, 128, 142.22222222222223, 256):
        yield "SOLARIZE", threshold, "NEAREST"
    for added in (0, 11, 99, 110):
        yield "SOLARIZE_ADD", added, "NEAREST"
    for name in ("AUTOCONTRAST", "EQUALIZE", "INVERT"):
        yield name, 0, "NEAREST"
    for turn in (0.0, 0.1, -0.1, 0.5, -0.5, 0.3137):
        yield "OPS", turn, "NEAREST"  # the hue


def main():
    with open(HEADER, "w", encoding="ascii") as file:
        file.write("/* SPDX-License-Identifier: Apache-2.0 */\n")
        file.write(f"/* Made by make_augment.py with Pillow {PIL.__version__}, NumPy "
                   f"{np.__version__}. CRC-32 of the bytes. */\n")
        file.write("#ifndef R2N_GOLDEN_AUGMENT_H\n#define R2N_GOLDEN_AUGMENT_H\n\n"
                   '#include "train/transforms_internal.h"\n\n/* clang-format off */\n'
                   f"static const uint8_t golden_fill[3] = {{{', '.join(map(str, FILL))}}};\n"
                   f"static const int32_t golden_sizes[{len(SIZES)}][2] = "
                   f"{{{', '.join(f'{{{w}, {h}}}' for w, h in SIZES)}}};\n\n"
                   "/* OPS stands for the hue; then noise and slope of every size. */\n"
                   "static const struct golden_pixels {\n    r2n_pixel_op op;\n    double amount;\n"
                   f"    r2n_filter filter;\n    uint32_t crcs[{len(SIZES)}][2];\n"
                   "} golden_pixels[] = {\n")
        for name, amount, how in cases():
            sums = []
            for size in SIZES:
                made = [apply(Image.fromarray(draw(*size)), name, amount, FILTERS[how])
                        for draw in (noise, slope)]
                sums.append("{" + ", ".join(f"0x{zlib.crc32(m.tobytes()):08X}" for m in made) + "}")
            file.write(f"    {{R2N_PIXEL_{name}, {amount!r}, R2N_FILTER_{how},\n     {{"
                       + ", ".join(sums[:3]) + ",\n      " + ", ".join(sums[3:]) + "}},\n")
        file.write("};\n/* clang-format on */\n\n#endif\n")


if __name__ == "__main__":
    main()
