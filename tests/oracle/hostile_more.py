# SPDX-License-Identifier: Apache-2.0
"""More hostile files for hostile_zoo.py, on top of tests/scripts/hostile_*.py: legacy PyTorch files,
archives written byte by byte, broken segments of pictures, and strangers for every verb.

Verbs besides those of tests/scripts/hostile_zoo.py: "convert" (which must leave nothing behind) and
"stdin" (the picture comes through a pipe). Python's own library only.
"""
import io
import pickle
import struct
import zipfile
import zlib

import hostile_pictures as pictures
import hostile_weights as weights
from hostile_case import case

ANY = (0, 3)  # may be read: what counts is that it is cheap and safe
REFUSED = (2, 3)


# ---- PyTorch's files before 1.6 ----------------------------------------------------------------

MAGIC = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
PROTOCOL = pickle.dumps(1001, 2)


def system_info(little_endian=True):
    return pickle.dumps({"protocol_version": 1001, "little_endian": little_endian,
                         "type_sizes": {"short": 2, "int": 4, "long": 4}}, 2)


def tensor_of(count, shape):
    """As weights.state_dict, with the sixth entry that legacy persistent ids have."""
    return weights.state_dict(count, shape).replace(b"tQ", b"NtQ")


def legacy(content, keys=pickle.dumps(["0"], 2), tail=struct.pack("<q", 1) + b"\0\0\x80\x3f",
           info=system_info()):
    return MAGIC + PROTOCOL + info + content + keys + tail


def legacy_cases(marker):
    for name, content, words in weights.pickles(marker):
        yield case("convert", f"legacy_{name}.pth", legacy(content), *words)
    attack = weights.call(b"os", b"system", b"touch " + marker.encode())
    one = tensor_of(1, (1,))
    yield case("convert", "legacy_info_attack.pth", legacy(one, info=attack), "system")
    yield case("convert", "legacy_keys_attack.pth", legacy(one, keys=attack), "system")
    yield case("convert", "legacy_protocol_attack.pth", MAGIC + attack + attack, "os.system")
    yield case("convert", "legacy_other_protocol.pth", MAGIC + pickle.dumps(7, 2) + one, "protocol")
    for name, count in (("huge", 2**62), ("negative", -1), ("zero", 0), ("two", 2)):
        yield case("convert", f"legacy_count_{name}.pth",
                   legacy(one, tail=struct.pack("<q", count) + b"\0\0\x80\x3f"),
                   f"{count} elements here, but 1")
    yield case("convert", "legacy_no_keys.pth", legacy(one, keys=pickle.dumps([], 2)),
               "12 bytes follow the last storage")
    yield case("convert", "legacy_many_keys.pth",
               legacy(one, keys=pickle.dumps(["0"] * 100000, 2)), "same key twice")
    yield case("convert", "legacy_number_keys.pth", legacy(one, keys=pickle.dumps(7, 2)),
               "list of storages")
    yield case("convert", "legacy_outside.pth", legacy(tensor_of(1, (1000,))), "1000 elements")
    yield case("convert", "legacy_product.pth", legacy(tensor_of(1, (2**32, 2**32))), "shape")
    whole = legacy(one)
    for at in range(len(MAGIC), len(whole), 23):
        yield case("convert", f"legacy_cut_{at}.pth", whole[:at], "cut off")


# ---- archives byte by byte ---------------------------------------------------------------------

class Entry:
    def __init__(self, name, data, **lies):
        self.name, self.data, self.lies = name.encode("latin-1"), data, lies

    def said(self, what, truth):
        return self.lies.get(what, truth)


def local_header(entry):
    size = len(entry.data)
    return struct.pack("<IHHHHHIIIHH", 0x04034B50, 45, entry.said("flags", 0), entry.said("method", 0),
                       0, 0, zlib.crc32(entry.data), entry.said("local_size", size),
                       entry.said("local_size", size), len(entry.name), 0) + entry.name


def central_header(entry, offset):
    size = len(entry.data)
    extra = entry.said("extra", b"")
    return struct.pack("<IHHHHHHIIIHHHHHII", 0x02014B50, 45, 45, entry.said("flags", 0),
                       entry.said("method", 0), 0, 0, entry.said("checksum", zlib.crc32(entry.data)),
                       entry.said("packed", size), entry.said("size", size), len(entry.name),
                       len(extra), 0, 0, 0, 0, entry.said("offset", offset)) + entry.name + extra


def archive(entries, zip64=None, disks=0, before=b"", comment=b"", said_comment=None):
    out, directory = bytearray(before), b""
    for entry in entries:
        directory += central_header(entry, len(out))
        out += local_header(entry) + entry.data + entry.said("behind", b"")
    start = len(out)
    out += directory
    if zip64 is not None:
        where = len(out)
        out += struct.pack("<IQHHIIQQQQ", 0x06064B50, 44, 45, 45, 0, 0,
                           zip64.get("count", len(entries)), zip64.get("count", len(entries)),
                           zip64.get("bytes", len(directory)), zip64.get("start", start))
        out += struct.pack("<IIQI", 0x07064B50, 0, zip64.get("where", where), 1)
    count, size, offset = (0xFFFF, 2**32 - 1, 2**32 - 1) if zip64 is not None else (
        len(entries), len(directory), start)
    out += struct.pack("<IHHHHIIH", 0x06054B50, disks, disks, count, count, size, offset,
                       len(comment) if said_comment is None else said_comment) + comment
    return bytes(out)


def torch_entries(**lies):
    return [Entry("archive/data.pkl", weights.state_dict(1, (1,)), **lies),
            Entry("archive/data/0", b"\0\0\x80\x3f"), Entry("archive/version", b"3\n")]


def size_extra(*fields):
    return struct.pack("<HH", 1, 8 * len(fields)) + b"".join(struct.pack("<Q", f) for f in fields)


def archive_cases():
    full = 2**32 - 1
    lies = {
        "zip64_size": ({"packed": full, "size": full, "extra": size_extra(2**63, 2**63)},
                       f"{2**63} bytes, but the file ends"),
        "zip64_wraps": ({"packed": full, "size": full, "extra": size_extra(2**64 - 1, 2**64 - 1)},
                        f"{2**64 - 1} bytes, but the file ends"),
        "zip64_offset": ({"offset": full, "extra": size_extra(2**63)}, "beyond the end"),
        "zip64_no_extra": ({"packed": full, "size": full}, "zip64 sizes"),
        "zip64_short_extra": ({"packed": full, "size": full, "extra": size_extra(5)}, "zip64 sizes"),
        "extra_cut": ({"packed": full, "size": full, "extra": b"\1\0\xff\xff"}, "zip64 sizes"),
        "sizes_differ": ({"packed": 4, "size": 4000000}, "two sizes differ"),
        "method": ({"method": 99}, "method 99"), "deflate_said": ({"method": 8}, "method 8"),
        "encrypted": ({"flags": 1}, "is encrypted"), "strong": ({"flags": 0x41}, "is encrypted"),
        "checksum": ({"checksum": 7}, "do not have the checksum"),
        "offset_end": ({"offset": 2**31}, "beyond the end"),
        "descriptor": ({"flags": 8, "local_size": 0, "size": 2**31, "packed": 2**31},
                       f"{2**31} bytes, but the file ends")}
    for name, (lie, word) in lies.items():
        yield case("convert", f"archive_{name}.pth", archive(torch_entries(**lie)), word)
    for name, lie, word in (("count", {"count": 2**40}, f"{2**40} entries"),
                            ("bytes", {"bytes": 2**63}, "not inside"),
                            ("start", {"start": 2**63}, "not inside"),
                            ("where", {"where": 2**63}, "locator"), ("nowhere", {"where": 0}, "locator"),
                            ("wraps", {"count": 2**64 - 1, "bytes": 2**64 - 1}, "not inside")):
        yield case("convert", f"archive_directory_{name}.pth", archive(torch_entries(), lie), word)
    two = torch_entries() + [Entry("archive/data.pkl", b"\x80\x02}.")]
    yield case("convert", "archive_two_pickles.pth", archive(two), "data.pkl")
    yield case("convert", "archive_disks.pth", archive(torch_entries(), disks=3), "several discs")
    yield case("convert", "archive_comment.pth",
               archive(torch_entries(), comment=b"PK\5\6" + bytes(18)), "not a file of torch.save")
    yield case("convert", "archive_said_comment.pth", archive(torch_entries(), said_comment=9000),
               "no end record")
    yield case("convert", "archive_empty.pth", archive([]), "not a file of torch.save")
    for name in ("/etc/passwd", "../../../../tmp/x", "a/../../x", "C:\\x", "a\0b", "n" * 60000):
        entries = torch_entries()
        entries[1].name = name.encode()
        yield case("convert", f"archive_name_{len(name)}_{ord(name[0])}.pth", archive(entries),
                   "NUL byte" if "\0" in name else 'no entry "data/0"')
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("archive/data.pkl", bytes(1 << 26))
    yield case("convert", "archive_pickle_bomb.pth", bomb.getvalue(), "is compressed")
    nested = archive([Entry("archive/data.pkl", archive(torch_entries()))])
    yield case("convert", "archive_nested.pth", nested, "not a Python pickle")
    same = archive([Entry(f"archive/data/{i}", b"", offset=0) for i in range(5000)])
    yield case("convert", "archive_all_at_once.pth", same, "central directory")


# ---- pictures ----------------------------------------------------------------------------------

def png_cases():
    chunk, png, grey = pictures.chunk, pictures.png, pictures.idat(b"\0\x7f")
    index = pictures.idat(b"\0\0")
    for name, palette in (("long", bytes(3 * 257)), ("uneven", bytes(7)), ("none", b""),
                          ("huge", bytes(3 << 20))):
        yield case("picture", f"palette_{name}.png", png(1, 1, 8, 3, chunk(b"PLTE", palette), index),
                   "png")
    yield case("picture", "filter.png", png(1, 1, 8, 0, pictures.idat(b"\x09\0")), "png")
    yield case("picture", "no_zlib.png", png(1, 1, 8, 0, chunk(b"IDAT", b"\0\0\0\0")), "png")
    yield case("picture", "window.png", png(1, 1, 8, 0, chunk(b"IDAT", b"\xf8\x01")), "png")
    for name, blob in (("zeros", bytes(1 << 27)), ("noise", zlib.compress(bytes(1 << 22), 0))):
        yield case("picture", f"data_bomb_{name}.png", png(1, 1, 8, 0, pictures.idat(blob)),
                   statuses=ANY)
    yield case("picture", "empty_data_flood.png", png(1, 1, 8, 0, chunk(b"IDAT", b"") * 100000, grey),
               statuses=ANY)
    yield case("picture", "two_headers.png",
               png(1, 1, 8, 0, chunk(b"IHDR", struct.pack(">IIBBBBB", 9, 9, 8, 0, 0, 0, 0)), grey),
               statuses=ANY)
    exif = b"II*\0" + struct.pack("<I", 2**32 - 1) + bytes(1 << 19)
    yield case("picture", "exif.png", png(1, 1, 8, 0, chunk(b"eXIf", exif), grey), statuses=ANY)
    for side, height, word in ((65536, 1, "a side"), (1, 65536, "a side"),
                               (65535, 65535, "limit"), (16384, 16384, "limit")):
        yield case("picture", f"sides_{side}_{height}.png", png(side, height, 1, 0, grey), word)


def jpeg_cases():
    segment, frame = pictures.segment, pictures.frame
    whole = pictures.golden("rgb420.jpg")
    start, end = b"\xff\xd8", b"\xff\xd9"
    tables = segment(0xDB, bytes([0]) + bytes([1] * 64))
    scan = segment(0xDA, b"\1\1\0\0\x3f\0") + bytes(10)
    heads = {
        "huffman_full": segment(0xC4, b"\0" + bytes([255] * 16) + bytes(4080)),
        "huffman_short": segment(0xC4, b"\0" + bytes([200] * 16)),
        "huffman_index": segment(0xC4, b"\x1f" + bytes([1] + [0] * 15) + b"\0"),
        "table_index": segment(0xDB, b"\x0f" + bytes([1] * 64)),
        "length_zero": b"\xff\xe0\0\0", "length_one": b"\xff\xe0\0\1",
        "length_past": b"\xff\xe0\xff\xff" + b"x"}
    for name, head in heads.items():
        yield case("picture", f"{name}.jpg", start + head + tables + frame(8, 8) + scan + end, "jpeg")
    yield case("picture", "two_frames.jpg", start + tables + frame(8, 8) * 2 + scan + end, "jpeg")
    yield case("picture", "scan_stranger.jpg", start + tables + frame(8, 8) +
               segment(0xDA, b"\1\x63\0\0\x3f\0") + end, "jpeg")
    for name, sampling in (("none", 0), ("wide", 0x51), ("fat", 0x44)):
        parts = b"".join(bytes([i, sampling, 0]) for i in range(1, 5))
        yield case("picture", f"sampling_{name}.jpg", start + tables + segment(
            0xC0, struct.pack(">BHHB", 8, 64, 64, 4) + parts) + scan + end, "jpeg")
    yield case("picture", "start_inside.jpg", whole[:200] + start + whole[200:], statuses=ANY)
    yield case("picture", "restart_missing.jpg",
               whole.replace(b"\xff\xda", segment(0xDD, b"\0\1") + b"\xff\xda", 1), "jpeg")
    yield case("picture", "comments.jpg", start + segment(0xFE, b"x" * 65000) * 800 + whole[2:],
               statuses=ANY)
    yield case("picture", "fill_bytes.jpg", start + b"\xff" * 5000000 + whole[3:], statuses=ANY)
    loop = b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + struct.pack("<HHII", 0x8769, 4, 1, 8) * 5000
    yield case("picture", "exif_loop.jpg", start + segment(0xE1, loop[:65000]) + whole[2:], statuses=ANY)
    for width, height, word in ((65500, 65500, "limit"), (65535, 1, "dimension"),
                                (30000, 5000, "cut off"), (1, 65501, "dimension")):
        marker = 0xC2 if height > 1 else 0xC0
        yield case("picture", f"sides_{width}_{height}.jpg",
                   start + tables + frame(width, height, marker, components=3) + scan + end, word)


def small_format_cases():
    riff = pictures.riff
    for width, word in ((16383, "limit"), (9000, "webp is damaged")):
        key = b"\x10\0\0\x9d\x01\x2a" + struct.pack("<HH", width, width)
        yield case("picture", f"promise_{width}.webp", riff((b"VP8 ", key + bytes(40))), word)
    lossy = pictures.golden("lossy.webp")
    yield case("picture", "other_canvas.webp", riff(
        (b"VP8X", struct.pack("<I", 0) + (99).to_bytes(3, "little") * 2), (b"VP8 ", lossy[20:])), "webp")
    yield case("picture", "chunks.webp", b"RIFF" + struct.pack("<I", len(lossy) - 8 + 800000) + b"WEBP" +
               b"JUNK\0\0\0\0" * 100000 + lossy[12:], statuses=ANY)
    for name, code in (("run", b"\xff\1" * 9), ("jump", b"\0\2\xff\xff" * 40), ("rows", b"\0\0" * 999),
                       ("literal", b"\0\xff" + bytes(10)), ("nothing", b"\0")):
        # Rows without end lie behind the picture, which is whole by then.
        yield case("picture", f"code_{name}.bmp", pictures.bmp(
            4, 4, 8, 1, offset=54 + 1024, data=bytes(1024) + code), "bmp",
            statuses=ANY if name == "rows" else (3,))
    for top in (2**31 - 1, -2**31, -70000):
        yield case("picture", f"height_{top}.bmp", pictures.bmp(1, top, data=bytes(64)), "a side")
    for name, text in {"zeros": b"P6 " + b"0" * 5000000 + b"1 1 255\n", "blank": b"P5" + b" " * 3000000,
                       "no_levels": b"P5 1 1\n", "minus": b"P2 1 1 255\n-1\n", "end": b"P6 1 1 255",
                       "half": b"P5 1 1 65535\n\0", "comment": b"P5 1 1 255 #\n" + b"#" * 10}.items():
        yield case("picture", f"text_{name}.ppm", text, statuses=ANY if name == "comment" else (3,))


# ---- strangers, for every verb -----------------------------------------------------------------

STRANGERS = {
    "empty": (b"", ""), "page": (b"\n <!DOCTYPE HTML>\n<html><body>404</body></html>", "html"),
    "pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 +
                b"\nsize 102502400\n", "git lfs"),
    "gzip": (b"\x1f\x8b\x08\0" + bytes(60), ""), "elf": (b"\x7fELF\2\1\1" + bytes(90), ""),
    "zeros": (bytes(4096), ""), "ones": (b"\xff" * 4096, ""), "one": (b"\x80", "")}


def stranger_cases():
    for name, (data, word) in STRANGERS.items():
        named = (word,) if word else ()
        for verb, ending in (("picture", "jpg"), ("stdin", "png"), ("convert", "pth"),
                             ("convert", "pdparams"), ("convert", "safetensors"), ("convert", "r2n"),
                             ("weights", "bin")):
            yield case(verb, f"{name}_as_{verb}.{ending}", data, *named, statuses=REFUSED)
        for verb, ending in (("npy", "npy"), ("transforms", "yaml"), ("config", "yaml"),
                             ("list", "txt"), ("labels", "txt")):
            if verb == "labels" and name in ("page", "pointer"):
                continue  # text of a few lines: other cases have too few labels
            yield case(verb, f"{name}_as_{verb}.{ending}", data, statuses=REFUSED)


def cases(marker):
    yield from legacy_cases(marker)
    yield from archive_cases()
    yield from png_cases()
    yield from jpeg_cases()
    yield from small_format_cases()
    yield from stranger_cases()
