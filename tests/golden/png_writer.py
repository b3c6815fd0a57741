# SPDX-License-Identifier: Apache-2.0
"""PNG of every colour type, depth and interlacing, which Pillow and OpenCV cannot all write."""
import struct
import zlib

import numpy as np

GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
CHANNELS = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGBA: 4}
# Adam7: first column, first row, column step, row step
PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
          (0, 1, 1, 2))


def chunk(kind, content):
    return (struct.pack(">I", len(content)) + kind + content +
            struct.pack(">I", zlib.crc32(kind + content)))


def pack_rows(samples, depth):
    """[rows][columns][channels] samples to the bytes of each row."""
    rows = samples.reshape(samples.shape[0], -1)
    if depth == 16:
        return rows.astype(">u2").view(np.uint8).reshape(rows.shape[0], -1)
    if depth == 8:
        return rows.astype(np.uint8)
    bits = np.unpackbits(rows.astype(np.uint8)[:, :, None], axis=2)[:, :, 8 - depth:]
    return np.packbits(bits.reshape(rows.shape[0], -1), axis=1)


def filtered(rows, pixel_bytes):
    """Each row with a filter of its own: all five come."""
    out = []
    above = np.zeros(rows.shape[1], np.int32)
    for number, row in enumerate(rows.astype(np.int32)):
        left = np.concatenate([np.zeros(pixel_bytes, np.int32), row])[:len(row)]
        corner = np.concatenate([np.zeros(pixel_bytes, np.int32), above])[:len(row)]
        kind = number % 5
        estimate = left + above - corner
        far = [abs(estimate - left), abs(estimate - above), abs(estimate - corner)]
        paeth = np.where((far[0] <= far[1]) & (far[0] <= far[2]), left,
                         np.where(far[1] <= far[2], above, corner))
        guess = (0, left, above, (left + above) // 2, paeth)[kind]
        out.append(bytes([kind]) + ((row - guess) & 255).astype(np.uint8).tobytes())
        above = row
    return b"".join(out)


def encode(samples, colour_type, depth=8, interlaced=False, palette=None, extra=()):
    """`samples`: [height][width] or [height][width][channels], each below 2^depth.
    `extra`: (kind, content) of chunks to put before the picture."""
    height, width = samples.shape[:2]
    samples = samples.reshape(height, width, CHANNELS[colour_type])
    pixel_bytes = max(1, CHANNELS[colour_type] * depth // 8)
    data = b""
    for x, y, step_x, step_y in PASSES if interlaced else ((0, 0, 1, 1),):
        part = samples[y::step_y, x::step_x]
        if part.size:
            data += filtered(pack_rows(part, depth), pixel_bytes)
    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, int(interlaced))
    chunks = [chunk(b"IHDR", header)]
    if palette is not None:
        chunks.append(chunk(b"PLTE", np.asarray(palette, np.uint8).tobytes()))
    chunks += [chunk(kind, content) for kind, content in extra]
    chunks += [chunk(b"IDAT", zlib.compress(data, 9)), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)
