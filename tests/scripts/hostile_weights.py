# SPDX-License-Identifier: Apache-2.0
"""Weights files that are damaged, lie about themselves, are none, or would run code elsewhere."""
import io
import json
import os
import pickle
import struct
import tarfile
import zipfile
import zlib

from hostile_case import case

DEFAULT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "models",
                       "default.r2n")


def weights(name, data, *words, **options):
    return case("weights", name, data, *words, **options)


# ---- pickles -----------------------------------------------------------------------------------

def call(module, name, argument):
    """A pickle that calls module.name(argument) in Python."""
    return (b"\x80\x02}X\1\0\0\0ac" + module + b"\n" + name + b"\nX" +
            struct.pack("<I", len(argument)) + argument + b"\x85Rs.")


class Runs:
    """What unpickles by running a command."""

    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


def pickles(marker):
    """(name, pickle, words) of what no allow-list lets through, and of what eats memory."""
    command = f"touch {marker}"
    encoded = command.encode()
    for protocol in (0, 1, 2, 3, 4, 5):
        yield f"system_{protocol}", pickle.dumps({"a": Runs(command)}, protocol), ()
    for module, name in ((b"os", b"system"), (b"posix", b"system"), (b"builtins", b"eval"),
                         (b"__builtin__", b"exec"), (b"subprocess", b"check_output"),
                         (b"numpy.core.multiarray", b"fromfile"), (b"torch", b"load"),
                         (b"collections", b"namedtuple"), (b"torch._utils", b"_import_dotted_name")):
        where = (module + b"." + name).decode()
        yield f"call_{where}", call(module, name, encoded), (where.rsplit(".", maxsplit=1)[-1],)
    yield "instance", b"(X" + struct.pack("<I", len(encoded)) + encoded + b"ios\nsystem\n.", ()
    yield "build", b"\x80\x02}X\1\0\0\0acos\nsystem\n}X\4\0\0\0argsK\1sbs.", ()
    yield "extension", b"\x80\x02\x82\x01.", ()
    yield "nesting", b"\x80\x02" + b"(" * 1000000 + b".", ()
    yield "lists", b"\x80\x02" + b"]" * 2000000 + b"a" * 1999999 + b".", ()
    yield "flood", b"\x80\x02" + b"N0" * 8000000 + b"N.", ()
    yield "laughs", b"\x80\x02]q\0" + b"".join(
        b"]q" + bytes([i]) + b"(" + b"h" + bytes([i - 1]) + (b"h" + bytes([i - 1])) * 9 + b"e"
        for i in range(1, 60)) + b".", ()
    yield "memo", b"\x80\x02Nr\xff\xff\xff\xff.", ()
    yield "long_text", b"\x80\x04\x8d" + struct.pack("<Q", 2**63) + b"abc.", ()
    yield "long_bytes", b"\x80\x04\x8e" + struct.pack("<Q", 2**40) + b"abc.", ()
    yield "long_number", b"\x80\x02\x8b" + struct.pack("<i", 2**31 - 1) + b"abc.", ()
    yield "long_frame", b"\x80\x04\x95" + struct.pack("<Q", 2**62) + b"}.", ()
    yield "protocol", b"\x80\xff}.", ()
    yield "no_stop", b"\x80\x02}", ()
    yield "empty_stack", b"\x80\x020.", ()
    yield "number", b"\x80\x02K\1.", ()
    yield "nothing", b"\x80\x02}.", ()


# ---- archives ----------------------------------------------------------------------------------

def pth(pickled, storage=b"\0\0\x80\x3f", method=zipfile.ZIP_STORED, name="archive/data/0"):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr("archive/data.pkl", pickled)
        archive.writestr(name, storage)
        archive.writestr("archive/version", b"3\n")
    return buffer.getvalue()


def legacy_pth(pickled):
    """As torch.save wrote before 1.6: a magic number, a version, the machine, then the pickle."""
    machine = {"protocol_version": 1001, "little_endian": True,
               "type_sizes": {"short": 2, "int": 4, "long": 4}}
    return b"".join(pickle.dumps(value, 2) for value in
                    (0x1950a86a20f9469cfc6c, 1001, machine)) + pickled


def state_dict(count, shape, storage="0", kind="FloatStorage", view=b""):
    """As torch.save writes {"a": tensor}, without torch."""
    def text(value):
        return b"X" + struct.pack("<I", len(value)) + value.encode()

    def number(value):
        return b"\x8a\x08" + value.to_bytes(8, "little", signed=True)

    stride, strides = 1, []
    for side in reversed(shape):
        strides.insert(0, stride)
        stride = stride * side % 2**63
    return (b"\x80\x02}" + text("a") + b"ctorch._utils\n_rebuild_tensor_v2\n((" + text("storage") +
            b"ctorch\n" + kind.encode() + b"\n" + text(storage) + text("cpu") + number(count) +
            view + b"tQK\0(" + b"".join(map(number, shape)) + b"t(" + b"".join(map(number, strides)) +
            b"t\x89ccollections\nOrderedDict\n)RtRs.")


def edit(data, at, new):
    changed = bytearray(data)
    changed[at:at + len(new)] = new
    return bytes(changed)


def archive_cases():
    plain = pth(state_dict(1, (1,)))
    yield weights("counts.pth", pth(state_dict(2**40, (2**40,))), "1099511627776 elements")
    yield weights("product.pth", pth(state_dict(1, (2**32, 2**32))), "shape")
    yield weights("outside.pth", pth(state_dict(1, (9,))), "9 elements")
    yield weights("no_storage.pth", pth(state_dict(1, (1,), "../../etc/passwd")), "no entry")
    yield weights("kind.pth", pth(state_dict(1, (1,), kind="SecretStorage")), "SecretStorage")
    yield weights("deflated.pth", pth(state_dict(1, (1,)), bytes(1 << 26), zipfile.ZIP_DEFLATED),
                  "compress")
    yield weights("no_pickle.pth", pth(b"").replace(b"data.pkl", b"date.pkl"), "data.pkl")
    yield weights("up.pth", pth(state_dict(1, (1,)), name="../../../etc/x"), "no entry")
    directory = plain.index(b"PK\1\2")
    yield weights("size_lies.pth", edit(plain, directory + 20, b"\xff\xff\xff\x7f" * 2),
                  "2147483647 bytes, but the file ends")
    yield weights("offset_lies.pth", edit(plain, directory + 42, b"\xff\xff\xff\x7f"),
                  "at 2147483647", "beyond the end")
    yield weights("encrypted.pth", edit(plain, directory + 8, b"\x01"), "encrypt")
    yield weights("zip64_lies.pth", edit(plain, directory + 20, b"\xff" * 8), "zip64")
    last = plain.rindex(b"PK\5\6")
    yield weights("directory_lies.pth", edit(plain, last + 16, b"\xff\xff\xff\x7f"),
                  "central directory", "not inside")
    yield weights("count_lies.pth", edit(plain, last + 8, b"\xff\xff" * 2), "zip64", "locator")
    second = plain.index(b"PK\1\2", directory + 4)
    yield weights("overlap.pth", edit(plain, second + 42, plain[directory + 42:directory + 46]),
                  "archive/data/0", "central directory")
    yield weights("checksum.pth", edit(plain, plain.index(b"\0\0\x80\x3f"), b"\1\1\1\1"),
                  "checksum")
    for part in (90, 50):
        yield weights(f"cut_{part}.pth", (plain[:last] + bytes(4000) + plain[last:])
                      [:(len(plain) + 4000) * part // 100], "cut off")
    many = io.BytesIO()
    with zipfile.ZipFile(many, "w") as archive:
        for i in range(20000):
            archive.writestr(f"a/{i}", b"")
    yield weights("entries.pth", many.getvalue(), "not a file of torch.save")
    for name, count, keys, storage, word in (
            ("count", 2**40, ["0"], struct.pack("<q", 2**40), "cut off"),
            ("negative", 1, ["0"], struct.pack("<q", -1), "-1 elements"),
            ("other_key", 1, ["1"], struct.pack("<qf", 1, 1), "no tensor names"),
            ("no_key", 1, [], b"", "holds no storage"),
            ("keys", 1, ["0"] * 100000, struct.pack("<qf", 1, 1), "same key twice"),
            ("cut", 1, ["0"], struct.pack("<q", 1) + b"\0\0", "cut off")):
        yield weights(f"{name}.legacy.pth", legacy_pth(state_dict(count, (count,), view=b"N")) +
                      pickle.dumps(keys, 2) + storage, word)


# ---- safetensors -------------------------------------------------------------------------------

def safetensors(header, data=bytes(8), size=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if size is None else size) + text + data


def entry(kind="F32", shape=(2,), offsets=(0, 8)):
    return {"dtype": kind, "shape": list(shape), "data_offsets": list(offsets)}


def safetensors_cases():
    one = b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}'
    for name, (word, data) in {
            "header_wraps": ("9223372036854775808 bytes", safetensors({"a": entry()}, size=2**63)),
            "header_all": ("18446744073709551615", safetensors({"a": entry()}, size=2**64 - 1)),
            "header_long": ("1000000000 bytes", safetensors({"a": entry()}, size=10**9)),
            "no_header": ("no float tensors", b"\x02\0\0\0\0\0\0\0{}"),
            "past_end": ("holds only 8", safetensors({"a": entry(offsets=(0, 16), shape=(4,))})),
            "reversed": ("ends before that", safetensors({"a": entry(offsets=(8, 0))})),
            "negative": ("before the data", safetensors({"a": entry(offsets=(-8, 8))})),
            "shape_differs": ("shape needs 12 bytes", safetensors({"a": entry(shape=(3,))})),
            "product": ("beyond 64 bits", safetensors({"a": entry(shape=(2**40, 2**40))})),
            "negative_shape": ("a size is not", safetensors({"a": entry(shape=(-1, -2))})),
            "rank": ("65 dimensions", safetensors({"a": entry(shape=[1] * 64 + [2])})),
            "kind": ("\"Q7\"", safetensors({"a": entry("Q7")})),
            "overlap": ("overlaps", safetensors({"a": entry(), "b": entry()})),
            "hole": ("hole of 4 bytes", safetensors({"a": entry(offsets=(4, 12))}, bytes(12))),
            "twice": ("there twice", safetensors(one + b"," + one[1:] + b"}")),
            "fraction": ("a size is not", safetensors({"a": entry(shape=(2.5,))})),
            "missing": ("data_offsets", safetensors({"a": {"dtype": "F32", "shape": [2]}})),
            "array": ("not a weights file", safetensors(b"[1, 2, 3]")),
            "deep": ("nested", safetensors(b"{\"a\":" * 200000)),
            "broken": ("expected a value", safetensors(b'{"a": nonsense}')),
            "utf8": ("utf-8", safetensors(b'{"\xff\xfe": 1}')),
            "cut": ("holds only 4", safetensors({"a": entry()})[:-4])}.items():
        yield weights(name + ".safetensors", data, word)
    yield weights("other.safetensors", safetensors({"a": entry()}), "not a res2net")


# ---- the rest ----------------------------------------------------------------------------------

def r2n_cases():
    with open(DEFAULT, "rb") as file:
        whole = file.read()
    for at in (0, 9, 13, 17, 25, 33, 41, 49, 53, 61, 70, 5000):
        yield weights(f"flipped_{at}.r2n", edit(whole, at, bytes([whole[at] ^ 0x41])))
    for cut in (10, 64, 3000, len(whole) // 2, len(whole) * 9 // 10, len(whole) - 4):
        yield weights(f"cut_{cut}.r2n", whole[:cut], "cut off")
    yield weights("longer.r2n", whole + bytes(64), "added")

    def sealed(metadata):
        head = bytearray(whole[:64])
        begin = (64 + len(metadata) + 63) // 64 * 64
        struct.pack_into("<QQQ", head, 24, len(metadata), begin, begin)
        struct.pack_into("<I", head, 48, zlib.crc32(metadata))
        struct.pack_into("<I", head, 60, zlib.crc32(bytes(head[:60])))
        return bytes(head) + metadata + bytes(begin - 64 - len(metadata))

    yield weights("nothing.r2n", sealed(b"{}"), "tensors")
    yield weights("deep.r2n", sealed(b'{"tensors":' + b"[" * 200000), "nested")
    yield weights("outside.r2n", sealed(
        b'{"tensors":[{"name":"a","shape":[4],"offset":6400,"crc32":0}]}'), "inside")
    yield weights("product.r2n", sealed(
        b'{"tensors":[{"name":"a","shape":[4294967296,4294967296],"offset":0,"crc32":0}]}'), "large")
    yield weights("packed.r2n", sealed(
        b'{"tensors":[],"packed":[{"precision":"f32","layout":1,"steps":1,"offset":64,'
        b'"bytes":9000000000,"crc32":0}]}'), "f32")


def foreign_cases():
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("inference.pdmodel"))
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
    for name, data, word in (
            ("empty.pth", b"", "empty"), ("page.pth", b"<!DOCTYPE html><html>404</html>", "html"),
            ("pointer.pdparams", pointer, "git lfs"), ("text.pth", b"hello\n", "weights"),
            ("picture.pth", b"\x89PNG\r\n\x1a\n" + bytes(20), "png"),
            ("photo.pdparams", b"\xff\xd8\xff\xe0" + bytes(20), "jpeg"),
            ("net.tar", archive.getvalue(), "parameters"), ("net.gz", b"\x1f\x8b\x08" + bytes(30), "gzip"),
            ("zeros.r2n", bytes(100000), "zeros")):
        yield weights(name, data, word)


def npy(header, data=bytes(48), version=b"\1\0"):
    text = header.encode() + b"\n"
    return b"\x93NUMPY" + version + struct.pack("<H", len(text)) + text + data


def npy_cases():
    form = "{{'descr': '{}', 'fortran_order': {}, 'shape': {}, }}"
    for name, data in {
            "object": npy(form.format("|O", False, "(1, 3, 32, 32)"), b"\x80\x02cos\nsystem\n."),
            "shape": npy(form.format("<f4", False, "(1, 3, 99999, 99999)")),
            "product": npy(form.format("<f4", False, "(4294967296, 3, 4294967296, 32)")),
            "negative": npy(form.format("<f4", False, "(1, 3, -32, -32)")),
            "scalar": npy(form.format("<f4", False, "()")),
            "kind": npy(form.format("<c16", False, "(1, 3, 32, 32)")),
            "code": npy("__import__('os').system('true')"),
            "version": npy(form.format("<f4", False, "(1, 3, 2, 2)"), version=b"\x09\0"),
            "header": b"\x93NUMPY\2\0\xff\xff\xff\x7f{}", "magic": b"NUMPY\1\0", "none": b""}.items():
        yield case("npy", name + ".npy", data)


def cases(marker):
    for name, pickled, words in pickles(marker):
        yield weights(name + ".pdparams", pickled, *words)
        yield weights(name + ".pth", pth(pickled), *words)
        yield weights(name + ".legacy.pth", legacy_pth(pickled), *words)
    yield from archive_cases()
    yield from safetensors_cases()
    yield from r2n_cases()
    yield from foreign_cases()
    yield from npy_cases()
