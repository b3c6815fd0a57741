#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Draws models/sample.png: a sunflower before sky and grass, 256x256, from formulas only, so that
the sample picture is ours to give. Needs nothing but Python.

draw_sample.py OUT.png
"""
import math
import struct
import sys
import zlib

SIDE = 256
SAMPLES = 3  # a pixel is the mean of SAMPLES x SAMPLES points

SKY_TOP, SKY_LOW = (70, 130, 215), (150, 195, 235)
GRASS_FAR, GRASS_NEAR = (95, 150, 60), (45, 95, 30)
STEM, LEAF = (70, 120, 40), (60, 125, 40)
BACK_PETAL, FRONT_PETAL = (225, 150, 0), (255, 205, 25)
DISC_DARK, DISC_LIGHT = (45, 24, 8), (120, 70, 22)


def mix(a, b, part):
    part = min(max(part, 0.0), 1.0)
    return tuple(p + (q - p) * part for p, q in zip(a, b))


def shade(colour, light):
    return tuple(channel * light for channel in colour)


def background(x, y):
    horizon = 0.55 + 0.03 * math.sin(3 * x)
    if y < horizon:
        return mix(SKY_TOP, SKY_LOW, (y + 1) / (horizon + 1))
    blades = 0.08 * math.sin(90 * x + 25 * math.sin(7 * y))
    return shade(mix(GRASS_FAR, GRASS_NEAR, (y - horizon) / (1 - horizon)), 1 + blades)


def stem_and_leaf(x, y, below):
    if y > 0 and abs(x - 0.05 * math.sin(2 * y)) < 0.055:
        return shade(STEM, 0.8 + 4 * abs(x))
    # a leaf is an ellipse that leans out to the right
    u = (x - 0.30) * 0.87 - (y - 0.86) * 0.5
    v = (x - 0.30) * 0.5 + (y - 0.86) * 0.87
    if (u / 0.30) ** 2 + (v / 0.09) ** 2 < 1:
        return shade(LEAF, 0.8 + 3 * abs(v))
    return below


def petals(x, y, radius, turn, colour, below):
    """A ring of 16: the outline is a power of a cosine of the angle."""
    r = math.hypot(x, y)
    wave = abs(math.cos(8 * (math.atan2(y, x) + turn)))
    if r > radius * (0.62 + 0.38 * wave ** 0.7):
        return below
    return shade(colour, 0.62 + 0.30 * min(r / 0.8, 1.0) + 0.10 * wave)


def disc(x, y, below):
    """Seeds lie on two families of spirals."""
    r = math.hypot(x, y)
    if r > 0.38:
        return below
    angle = math.atan2(y, x)
    seeds = math.sin(21 * angle + 40 * r) * math.sin(13 * angle - 40 * r)
    rim = 0.35 * (r / 0.38) ** 4
    return mix(DISC_DARK, DISC_LIGHT, 0.35 + 0.35 * seeds + rim)


def point(x, y):
    """The colour at x, y of [-1, 1]; the flower's middle is a little above the picture's."""
    colour = stem_and_leaf(x, y, background(x, y))
    y += 0.06
    colour = petals(x, y, 0.88, math.pi / 16, BACK_PETAL, colour)
    colour = petals(x, y, 0.80, 0.0, FRONT_PETAL, colour)
    return disc(x, y, colour)


def pixel(column, row):
    total = [0.0, 0.0, 0.0]
    for i in range(SAMPLES * SAMPLES):
        x = (column + (i % SAMPLES + 0.5) / SAMPLES) / SIDE * 2 - 1
        y = (row + (i // SAMPLES + 0.5) / SAMPLES) / SIDE * 2 - 1
        for channel, value in enumerate(point(x, y)):
            total[channel] += value
    return bytes(min(max(int(t / SAMPLES ** 2 + 0.5), 0), 255) for t in total)


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(rows):
    """8-bit RGB; each row is filtered as differences to the pixel before it."""
    filtered = bytearray()
    for row in rows:
        filtered.append(1)
        filtered += row[:3]
        filtered += bytes((row[i] - row[i - 3]) & 255 for i in range(3, len(row)))
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) +
            chunk(b"IDAT", zlib.compress(bytes(filtered), 9)) + chunk(b"IEND", b""))


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__.strip().splitlines()[-1])
    rows = [b"".join(pixel(column, row) for column in range(SIDE)) for row in range(SIDE)]
    with open(sys.argv[1], "wb") as file:
        file.write(png(rows))


if __name__ == "__main__":
    main()
