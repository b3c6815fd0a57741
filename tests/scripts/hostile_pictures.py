# SPDX-License-Identifier: Apache-2.0
"""Pictures that are damaged, lie about themselves, or are none."""
import os
import struct
import zlib

from hostile_case import case

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden", "pictures")
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def golden(name):
    with open(os.path.join(FOLDER, name), "rb") as file:
        return file.read()


def picture(name, data, *words, **options):
    return case("picture", name, data, *words, **options)


# ---- PNG ---------------------------------------------------------------------------------------

def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, depth, colour, *chunks, interlace=0):
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace)
    return SIGNATURE + chunk(b"IHDR", header) + b"".join(chunks) + chunk(b"IEND", b"")


def idat(raw):
    return chunk(b"IDAT", zlib.compress(raw, 9))


def png_cases():
    grey = idat(b"\0\x7f" * 1)
    yield picture("bomb.png", png(50000, 50000, 8, 0, idat(bytes(1000))), "50000")
    yield picture("largest.png", png(2**31 - 1, 2**31 - 1, 16, 6, idat(b"")), "2147483647")
    yield picture("over_png.png", png(2**32 - 1, 1, 8, 0, idat(b"")), "a side")
    yield picture("no_pixels.png", png(0, 0, 8, 0, idat(b"")), "0 x 0")
    yield picture("promise.png", png(10000, 10000, 8, 0, idat(bytes(100))), "cut off")
    yield picture("depth.png", png(1, 1, 3, 0, grey), "png")
    yield picture("colour.png", png(1, 1, 8, 5, grey), "png")
    yield picture("interlace.png", png(1, 1, 8, 0, grey, interlace=2), "png")
    yield picture("no_palette.png", png(1, 1, 8, 3, grey), "png")
    yield picture("palette_index.png", png(1, 1, 8, 3, chunk(b"PLTE", bytes(6)), grey), "palette")
    yield picture("no_data.png", png(1, 1, 8, 0), "png")
    yield picture("only_signature.png", SIGNATURE, "cut off")
    yield picture("text_mode.png", SIGNATURE.replace(b"\r\n", b"\n") + bytes(50), "text mode")
    yield picture("critical.png", png(1, 1, 8, 0, chunk(b"QUUX", b""), grey), "png")
    yield picture("wild_length.png", SIGNATURE + b"\xff\xff\xff\xffIHDR" + bytes(20), "0 x 0")
    yield picture("chunk_flood.png",
                  png(1, 1, 8, 0, chunk(b"tEXt", b"a\0b") * 200000, grey), "chunks")
    # Valid, whatever lies in their auxiliary chunks: those are not unpacked.
    bomb = zlib.compress(bytes(1 << 26), 9)
    yield picture("text_bomb.png", png(1, 1, 8, 0, chunk(b"zTXt", b"a\0\0" + bomb), grey),
                  statuses=(0,))
    yield picture("profile_bomb.png", png(1, 1, 8, 0, chunk(b"iCCP", b"a\0\0" + bomb), grey),
                  statuses=(0,))
    whole = golden("rgb8.png")
    for at in (9, 20, 33, 40, len(whole) // 2, len(whole) - 13, len(whole) - 1):
        yield picture(f"cut_{at}.png", whole[:at], "cut off")
    for at, word in ((17, "a side"), (30, "CRC"), (45, "PNG is damaged"),
                     (len(whole) // 2, "PNG is damaged"), (len(whole) - 2, "CRC")):
        flipped = bytearray(whole)
        flipped[at] ^= 0x55
        yield picture(f"flipped_{at}.png", flipped, word)


# ---- JPEG --------------------------------------------------------------------------------------

def segment(marker, data):
    return bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data


def frame(width, height, marker=0xC0, precision=8, components=1):
    parts = b"".join(bytes([i + 1, 0x11, 0]) for i in range(components))
    return segment(marker, struct.pack(">BHHB", precision, height, width, components) + parts)


def jpeg_cases():
    whole = golden("rgb420.jpg")
    start, end = b"\xff\xd8", b"\xff\xd9"
    tables = segment(0xDB, bytes([0]) + bytes([1] * 64))
    scan = segment(0xDA, b"\1\1\0\0\x3f\0") + bytes(10)
    yield picture("bomb.jpg", start + tables + frame(65535, 65535) + scan + end, "65500")
    yield picture("empty.jpg", start + end, "jpeg")
    yield picture("only_start.jpg", start + b"\xff", "jpeg")
    yield picture("no_height.jpg", start + tables + frame(10, 0) + end, "jpeg")
    yield picture("twelve_bits.jpg", start + tables + frame(10, 10, precision=12) + scan + end, "12")
    yield picture("lossless.jpg", start + frame(10, 10, 0xC3) + end, "jpeg")
    yield picture("hierarchical.jpg", start + frame(10, 10, 0xC5) + end, "jpeg")
    yield picture("components.jpg", start + tables + frame(10, 10, components=9) + end, "jpeg")
    yield picture("no_tables.jpg", start + frame(8, 8) + scan + end, "jpeg")
    yield picture("scans.jpg", golden("many_scans.jpg"), "scans")
    yield picture("scan_flood.jpg", golden("many_scans.jpg")[:-2] * 1 +
                  b"\xff\xda\0\x08\1\1\0\0\0\0" * 50000 + end, "scans")
    for at in (3, 20, 200, len(whole) // 2, len(whole) - 30):
        yield picture(f"cut_{at}.jpg", whole[:at], "jpeg")
    noise = bytes((i * 7919 >> 3) & 0xFF for i in range(3000))
    yield picture("noise.jpg", start + b"\xff" + noise, "jpeg")
    progressive = golden("rgb420_progressive.jpg")
    yield picture("cut_progressive.jpg", progressive[:len(progressive) * 6 // 10], "jpeg")


# ---- the others --------------------------------------------------------------------------------

def riff(*chunks):
    body = b"WEBP" + b"".join(kind + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)
                              for kind, data in chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def webp_cases():
    whole = golden("lossy.webp")
    large = struct.pack("<I", 0) + (16383).to_bytes(3, "little") * 2
    yield picture("bomb.webp", riff((b"VP8X", large), (b"VP8 ", bytes(20))), "webp")
    yield picture("canvas.webp", riff((b"VP8X", struct.pack("<I", 0) + b"\xff" * 6)), "webp")
    yield picture("lossless_bomb.webp", riff((b"VP8L", b"\x2f\xff\xff\xff\x0f" + bytes(20))), "limit")
    yield picture("nothing.webp", riff(), "webp")
    yield picture("wild_length.webp", b"RIFF\xff\xff\xff\xffWEBPVP8 \xff\xff\xff\xff" + bytes(30),
                  "webp")
    for at in (12, 20, 30, len(whole) // 2, len(whole) - 3):
        yield picture(f"cut_{at}.webp", whole[:at], "webp")


def bmp(width, height, bits=24, compression=0, header=40, offset=54, colours=0, data=b""):
    info = struct.pack("<IiiHHIIiiII", header, width, height, 1, bits, compression, 0, 0, 0,
                       colours, 0)
    return b"BM" + struct.pack("<IHHI", 54 + len(data), 0, 0, offset) + info + data


def bmp_cases():
    pixels = bytes(64)
    yield picture("bomb.bmp", bmp(60000, 60000, data=pixels), "60000")
    yield picture("widest.bmp", bmp(2**31 - 1, 2**31 - 1, data=pixels), "2147483647")
    yield picture("lowest.bmp", bmp(1, -2**31, data=pixels), "a side")
    yield picture("negative.bmp", bmp(-4, 4, data=pixels), "bmp")
    yield picture("no_pixels.bmp", bmp(0, 0, data=pixels), "0 x 0")
    yield picture("promise.bmp", bmp(10000, 10000, data=pixels), "cut off")
    yield picture("bits.bmp", bmp(4, 4, bits=7, data=pixels), "bmp")
    yield picture("compression.bmp", bmp(4, 4, compression=77, data=pixels), "bmp")
    yield picture("offset.bmp", bmp(4, 4, offset=2**31, data=pixels), "bmp")
    yield picture("header.bmp", bmp(4, 4, header=2**31, data=pixels), "bmp")
    yield picture("colours.bmp", bmp(4, 4, bits=8, colours=2**31, data=pixels), "bmp")
    yield picture("run.bmp", bmp(4, 4, bits=8, compression=1, offset=54 + 1024,
                                 data=bytes(1024) + b"\xff\x01" * 20), "bmp")
    yield picture("masks.bmp", bmp(4, 4, bits=16, compression=3, offset=66, data=bytes(60)), "bmp")
    yield picture("cut.bmp", bmp(4, 4)[:30], "bmp")
    yield picture("only_magic.bmp", b"BM", "bmp")


def pnm_cases():
    yield picture("bomb.ppm", b"P6 99999 99999 255\n" + bytes(30), "99999")
    yield picture("wide.ppm", b"P6 99999999999999999999 1 255\n" + bytes(30), "side")
    yield picture("negative.ppm", b"P6 -1 1 255\n" + bytes(30), "pnm")
    yield picture("level.ppm", b"P6 1 1 0\n" + bytes(30), "pnm")
    yield picture("high_level.ppm", b"P6 1 1 70000\n" + bytes(30), "pnm")
    yield picture("no_size.pgm", b"P5\n", "pnm")
    yield picture("cut.pgm", b"P5 10 10 255\n" + bytes(50), "cut off")
    yield picture("cut_text.pgm", b"P2 10 10 255\n1 2 3", "cut off")
    yield picture("value.pgm", b"P2 2 1 255\n1 256\n", "pnm")
    yield picture("letters.pgm", b"P2 2 1 255\n1 x\n", "pnm")
    yield picture("bit.pbm", b"P1 2 1\n0 2\n", "pnm")
    yield picture("comment.pbm", b"P1 #" + b"x" * 1000000, "pnm")
    yield picture("promise.pbm", b"P1 13000 13000\n1", "cut off")


FOREIGN = {"gif": (b"GIF89a" + bytes(20), "gif"), "tif": (b"II*\0" + bytes(20), "tiff"),
           "tiff": (b"MM\0*" + bytes(20), "tiff"), "avif": (b"\0\0\0 ftypavif" + bytes(20), "avif"),
           "heic": (b"\0\0\0 ftypheic" + bytes(20), "heic"),
           "jxl": (b"\xff\x0a" + bytes(20), "jpeg xl"),
           "jp2": (b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(20), "jpeg 2000"),
           "psd": (b"8BPS" + bytes(20), "photoshop"), "pdf": (b"%PDF-1.7\n", "pdf"),
           "svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "svg"),
           "gz": (b"\x1f\x8b" + bytes(20), "gzip"), "zip": (b"PK\3\4" + bytes(20), "zip"),
           "pam": (b"P7\nWIDTH 1\n", "pam")}


def other_cases():
    for ending, (data, word) in FOREIGN.items():
        yield picture(f"foreign.{ending}", data, word, "convert")
        yield picture(f"{ending}_called.jpg", data, word)
    yield picture("zero.jpg", b"", "empty")
    yield picture("one.png", b"\x89", "damaged")
    yield picture("page.jpg", b"<!DOCTYPE html><html><body>403</body></html>", "html")
    yield picture("text.png", b"just some words\n", "no picture")


def cases():
    for maker in (png_cases, jpeg_cases, webp_cases, bmp_cases, pnm_cases, other_cases):
        yield from maker()
