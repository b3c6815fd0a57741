#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Write PNG files of smooth random colours: make_png.py WIDTH HEIGHT SEED FILE [SEED FILE]..."""
import random
import struct
import sys
import zlib


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, seed):
    rng = random.Random(seed)
    slopes = [(rng.randrange(1, 8), rng.randrange(1, 8), rng.randrange(256)) for _ in range(3)]
    rows = bytearray()
    for y in range(height):
        rows.append(0)
        for x in range(width):
            rows += bytes((a * x + b * y + c) % 256 for a, b, c in slopes)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) +
            chunk(b"IDAT", zlib.compress(bytes(rows))) + chunk(b"IEND", b""))


def main():
    width, height = int(sys.argv[1]), int(sys.argv[2])
    rest = sys.argv[3:]
    for seed, path in zip(rest[::2], rest[1::2]):
        with open(path, "wb") as file:
            file.write(png(width, height, int(seed)))


if __name__ == "__main__":
    main()
