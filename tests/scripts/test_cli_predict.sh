#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `predict` with a small network: formats, inputs, bad pictures, dumps, what must not change answers.
set -u
# shellcheck source=tests/scripts/cli_test.sh
. "$(dirname "$0")/cli_test.sh"
needs png yaml

tiny_model "$work/net.safetensors" 10 1
seq 0 9 | sed 's/.*/& thing &/' >"$work/labels.txt"
tiny_transforms "$work/transforms.yaml"
"$res2net" convert "$work/net.safetensors" "$work/net.r2n" --labels "$work/labels.txt" \
    --transforms "$work/transforms.yaml" 2>"$work/err" || {
    fail "convert: $(cat "$work/err")"
    finish
}
mkdir "$work/photos"
python3 "$here/make_png.py" 32 32 1 "$work/photos/a.png" 2 "$work/photos/b.PNG" \
    3 "$work/photos/c.png" 4 "$work/photos/d.png" 5 "$work/photos/e.png"
python3 "$here/make_png.py" 48 40 6 "$work/large.png" 7 "$work/large2.png"
echo "no picture" >"$work/photos/notes.txt"
head -c 100 "$work/photos/a.png" >"$work/cut.png"
: >"$work/empty.png"
odd="$work/o'dd \"name\", \\ $(printf '\303\244\377').png"
cp "$work/photos/a.png" "$odd"
cd "$work" || exit 1

predict() { # predict STATUS ARGUMENT...
    wanted=$1
    shift
    expect "$wanted" "$res2net" predict -m net.r2n "$@"
}

# ---- formats
predict 0 photos/a.png
prints "photos/a.png"
prints "thing"
is_empty err
[ "$(wc -l <out)" -eq 6 ] || fail "text has $(wc -l <out) lines, not 6"
predict 0 photos/a.png --format json --topk 3
python_check "json" <<'END'
assert [list(one) for one in value] == [["file", "top"]], value
top = value[0]["top"]
assert value[0]["file"] == "photos/a.png" and len(top) == 3, value
assert [list(one) for one in top] == [["class_id", "label", "score"]] * 3, top
assert all(one["label"] == f"thing {one['class_id']}" for one in top), top
assert top[0]["score"] >= top[1]["score"] >= top[2]["score"] > 0, top
END
predict 0 photos --format jsonl
python_check "jsonl" <<'END'
rows = [json.loads(line) for line in out.splitlines()]
assert [row["file"] for row in rows] == ["photos/" + name for name in
                                         ("a.png", "b.PNG", "c.png", "d.png", "e.png")], rows
assert all(len(row["top"]) == 5 for row in rows)
END
predict 0 photos --format json --topk 1000
cp out all.json
python_check "all ten classes" <<'END'
import struct
assert len(value) == 5
for row in value:
    scores = [one["score"] for one in row["top"]]
    assert len(scores) == 10 and abs(sum(scores) - 1) < 1e-5, scores
    for score in scores:  # the shortest text that reads back as the same float32
        single = struct.unpack("f", struct.pack("f", score))[0]
        shortest = next(f"{single:.{n}g}" for n in range(1, 10)
                        if struct.pack("f", float(f"{single:.{n}g}")) == struct.pack("f", single))
        assert float(shortest) == score, (shortest, score)
END
predict 0 photos/a.png "$odd" --format csv --topk 2
cat >check_csv.py <<'END'
import csv, os, sys
rows = list(csv.reader(open(sys.argv[1], newline="", encoding="utf-8", errors="surrogateescape")))
assert rows[0] == ["file", "rank", "class_id", "label", "score", "error"], rows[0]
assert len(rows) == 5 and all(len(row) == 6 for row in rows), rows
assert rows[1][:2] == ["photos/a.png", "1"] and rows[2][:2] == ["photos/a.png", "2"], rows
assert os.path.exists(rows[3][0]) and rows[3][2:] == rows[1][2:], rows
END
checks=$((checks + 1))
python3 check_csv.py out || fail "csv"
predict 0 "$odd" --format json
python_check "a name that is no UTF-8" <<'END'
assert "\ufffd" in value[0]["file"] and "\u00e4" in value[0]["file"], value
END

# Bars on a terminal: blocks where the locale is UTF-8, # elsewhere, never an escape sequence.
cat >terminal.py <<'END'
import os, pty, sys
def run(locale):
    try:
        pid, terminal = pty.fork()
    except OSError as error:  # a container without /dev/pts
        print(error)
        sys.exit(77)
    if pid == 0:
        os.environ["LC_ALL"] = locale
        os.execv(sys.argv[1], sys.argv[1:])
    data = b""
    try:
        while True:
            part = os.read(terminal, 65536)
            if not part:
                break
            data += part
    except OSError:  # how Linux tells the end
        pass
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0, data
    return data.decode("utf-8")
blocks, hashes = run("C.UTF-8"), run("C")
assert any(c in blocks for c in "\u2588\u2589\u258a\u258b\u258c\u258d\u258e\u258f"), blocks
assert "#" in hashes and hashes.isascii(), hashes
assert "\033" not in blocks + hashes
END
checks=$((checks + 1))
status=0
python3 terminal.py "$res2net" predict -m net.r2n photos/a.png >out 2>&1 || status=$?
case $status in
0) ;;
77) echo "SKIPPED: bars on a terminal, this system gives none: $(cat out)" ;;
*) fail "bars: $(cat out)" ;;
esac
predict 0 photos/a.png
grep -q "#" out && fail "bars in a pipe"

# PaddleClas: a Python list a batch, with its key order and Python's floats.
predict 0 photos "$odd" --format paddleclas --batch 4 --topk 3
cat >check_paddle.py <<'END'
import ast, json, os, sys
batches = [ast.literal_eval(line) for line in
           open(sys.argv[1], encoding="utf-8", errors="surrogateescape").read().splitlines()]
assert [len(batch) for batch in batches] == [4, 2], [len(batch) for batch in batches]
wanted = {row["file"]: row["top"] for row in json.load(open("all.json"))}
for batch in batches:
    for row in batch:
        assert list(row) == ["class_ids", "scores", "file_name", "label_names"], row
        assert os.path.exists(row["file_name"]), row
        top = wanted.get(row["file_name"], wanted["photos/a.png"])[:3]
        assert row["class_ids"] == [one["class_id"] for one in top], (row, top)
        assert row["label_names"] == [one["label"] for one in top], (row, top)
        for score, one in zip(row["scores"], top):
            assert score == round(score, 5) and abs(score - one["score"]) <= 5.1e-6, (row, top)
text = open(sys.argv[1], encoding="utf-8", errors="surrogateescape").read().splitlines()
# Python would print the very same line.
assert repr(batches[0]) == text[0], (repr(batches[0]), text[0])
assert repr(batches[1]) == text[1], (repr(batches[1]), text[1])
END
checks=$((checks + 1))
python3 check_paddle.py out || fail "paddleclas"
expect 0 "$res2net" predict -m net.safetensors --transforms transforms.yaml photos/a.png --format paddleclas
prints "'label_names': []}]"
predict 0 photos/a.png photos/c.png --format paddleclas-whl --topk 2
python_check "paddleclas-whl" <<'END'
import re
lines = out.splitlines()
assert len(lines) == 3 and lines[2] == "Predict complete!", lines
for line, name in zip(lines, ("a", "c")):
    assert re.fullmatch(r"class_ids: \[\d, \d\], scores: \[[0-9.e-]+, [0-9.e-]+\], label_names: "
                        r"\['thing \d', 'thing \d'\], filename: photos/" + name + r"\.png", line), line
END
# Weights without an effect on the answer: every class is equal, PaddleClas puts the last one first.
python3 - net.safetensors flat.safetensors <<'END'
import json, struct, sys
data = bytearray(open(sys.argv[1], "rb").read())
size, = struct.unpack_from("<Q", data)
for name, row in json.loads(data[8:8 + size]).items():
    if name.startswith("fc."):
        first, last = row["data_offsets"]
        data[8 + size + first:8 + size + last] = bytes(last - first)
open(sys.argv[2], "wb").write(data)
END
flat="-m flat.safetensors --transforms transforms.yaml photos/a.png --topk 3"
# shellcheck disable=SC2086
expect 0 "$res2net" predict $flat --format paddleclas
prints "[{'class_ids': [9, 8, 7], 'scores': [0.1, 0.1, 0.1],"
# shellcheck disable=SC2086
expect 0 "$res2net" predict $flat --format json
prints '{"class_id": 0, "label": null, "score": 0.1}, {"class_id": 1,'

# ---- inputs
predict 0 photos/a.png --format json
cp out file.json
expect 0 sh -c "\"$res2net\" predict -m net.r2n - --format json <photos/a.png"
sed 's|"photos/a.png"|"-"|' file.json >wanted.json
is_same out wanted.json "standard input and the file"
predict 0 'photos/[ab].*' --format jsonl
python_check "a pattern" <<'END'
assert [json.loads(line)["file"] for line in out.splitlines()] == ["photos/a.png", "photos/b.PNG"]
END
printf '# comment\r\nphotos/a.png 3\r\nphotos/c.png\t4\n' >list.txt
predict 0 --list list.txt --format jsonl
python_check "a list" <<'END'
assert [json.loads(line)["file"] for line in out.splitlines()] == ["./photos/a.png", "./photos/c.png"] \
    or [json.loads(line)["file"] for line in out.splitlines()] == ["photos/a.png", "photos/c.png"], out
END
printf 'a.png 3\n' >list2.txt
predict 0 --list list2.txt --root photos --format jsonl
prints '"photos/a.png"'
printf 'a.png three\n' >list3.txt
predict 3 --list list3.txt
says "list3.txt:1: "
is_empty out
predict 0 -- photos/a.png
expect 0 env RES2NET_MODEL=net.r2n "$res2net" predict photos/a.png

# ---- what must not change an answer: neighbours, batch, threads
predict 0 photos large.png large2.png photos/a.png --format json --topk 10 --batch 1 --threads 1
cp out alone.json
for batch in 2 3 8 64; do
    predict 0 photos large.png large2.png photos/a.png --format json --topk 10 --batch "$batch" \
        --threads 2
    is_same out alone.json "batch $batch"
done

# ---- bad pictures
for bad in cut.png empty.png photos/notes.txt absent.png 'absent*.png'; do
    predict 3 "$bad"
    says "$bad: "
    is_empty out
    predict 1 "$bad" --on-bad-image skip --format json
    python_check "skipping $bad" <<END
assert len(value) == 1 and list(value[0]) == ["file", "error"], value
assert value[0]["file"] == "$bad" and value[0]["error"], value
END
    predict 1 photos/a.png "$bad" photos/c.png --format jsonl
    says "1 of 3 inputs skipped"
    python_check "$bad among others" <<END
rows = [json.loads(line) for line in out.splitlines()]
assert [row["file"] for row in rows] == ["photos/a.png", "$bad", "photos/c.png"], rows
assert ["error" in row for row in rows] == [False, True, False], rows
END
    predict 3 photos/a.png "$bad" photos/c.png --on-bad-image stop --format json
    python_check "stopping at $bad" <<'END'
assert [row["file"] for row in value] == ["photos/a.png"], value
END
done
mkdir nothing
predict 3 nothing
says "nothing: "
predict 1 photos/a.png cut.png --format csv --topk 1
prints "cut.png,,,,,"
predict 1 photos/a.png cut.png --format text --topk 1
prints "cut.png: skipped"
predict 1 photos/a.png cut.png --format paddleclas
prints "'file_name': 'photos/a.png'"
grep -q cut.png out && fail "paddleclas prints a skipped picture"
predict 3 cut.png --format paddleclas-whl
is_empty out

# ---- dumps, and back in
predict 0 photos --format json --topk 10 --dump-input input.npy --dump-logits logits.npy
cp out from_pictures.json
python_check "dumps" <<'END'
import array, ast, math, struct
def load(path):
    data = open(path, "rb").read()
    assert data[:6] == b"\x93NUMPY", data[:6]
    size, = struct.unpack_from("<H", data, 8)
    header = ast.literal_eval(data[10:10 + size].decode())
    assert header["descr"] == "<f4" and not header["fortran_order"], header
    return header["shape"], array.array("f", data[10 + size:])
shape, values = load("input.npy")
assert shape == (5, 3, 32, 32) and len(values) == 5 * 3 * 32 * 32, shape
assert min(values) >= -2.0 and max(values) <= 2.0
shape, logits = load("logits.npy")
assert shape == (5, 10), shape
for row, picture in enumerate(value):
    mine = logits[10 * row:10 * row + 10]
    total = sum(math.exp(x - max(mine)) for x in mine)
    for one in picture["top"]:
        score = math.exp(mine[one["class_id"]] - max(mine)) / total
        assert abs(score - one["score"]) < 1e-7, (score, one)
END
predict 0 --input-npy input.npy --format json --topk 10 --dump-logits logits2.npy --batch 2
is_same logits.npy logits2.npy "logits of pictures and of their dump"
python_check "names of a tensor's pictures" <<'END'
assert [row["file"] for row in value] == [f"input.npy[{i}]" for i in range(5)], value
END
predict 1 photos/a.png cut.png --dump-logits skipped.npy
checks=$((checks + 1))
[ "$(wc -c <skipped.npy)" -eq $((128 + 40)) ] || fail "skipped.npy has $(wc -c <skipped.npy) bytes"
predict 3 photos/a.png large.png --dump-input sizes.npy
says "needs one size"
[ -e sizes.npy ] && fail "a dump of two sizes was written"
predict 3 photos/a.png --dump-logits absent/logits.npy
says "absent/logits.npy"
predict 3 --input-npy list.txt
says "list.txt"

# ---- the example program gives the same answers
expect 0 "$build/examples/classify" net.r2n photos/a.png
cut -d' ' -f1 out >example.ids
predict 0 photos/a.png --format csv
sed 1d out | cut -d, -f3 >predict.ids
is_same example.ids predict.ids "the example's and predict's classes"
expect 3 "$build/examples/classify" net.r2n cut.png
sed -n '/^#include/,$p' "$here/../../examples/classify.c" | tr -d ' \n' >example.c
sed -n '/^ \*     #include/,/^ \*     }$/p' "$here/../../include/res2net/res2net.h" |
    sed 's/^ \*//' | tr -d ' \n' >header.c
is_same example.c header.c "the example and the program in res2net.h"

# ---- wrong settings are not blamed on the picture
expect 2 "$res2net" predict -m net.safetensors photos/a.png photos/c.png
says "--transforms"
predict 2 photos/a.png --isa neon
says "neon"
printf -- '- NormalizeImag:\n' >bad.yaml
expect 2 "$res2net" predict -m net.safetensors --transforms bad.yaml photos/a.png
says "bad.yaml"
expect 3 "$res2net" predict -m net.safetensors --transforms absent.yaml photos/a.png
says "absent.yaml"
expect 3 "$res2net" predict -m net.safetensors --labels absent.txt photos/a.png
says "absent.txt"
expect 3 "$res2net" predict -m photos/a.png photos/a.png
says "photos/a.png"
expect 3 "$res2net" predict -m net.safetensors --arch Res2Net50_26w_4s photos/a.png

# ---- a reader that leaves, and results that are lost
i=0
mkdir many
while [ "$i" -lt 300 ]; do
    ln -s ../photos/a.png "many/$i.png"
    i=$((i + 1))
done
{
    "$res2net" predict -m net.r2n many --format jsonl --topk 10 --batch 1 2>err
    echo $? >status
} | head -n 1 >out
prints '"file": "many/0.png"'
is_empty err
checks=$((checks + 1))
[ "$(cat status)" -eq 0 ] || fail "exit status $(cat status) after \`| head\`"
{
    "$res2net" predict -m net.r2n many --format jsonl --batch 1 --dump-logits many.npy 2>err
    echo $? >status
} | head -n 1 >out
checks=$((checks + 1))
[ "$(wc -c <many.npy)" -eq $((128 + 300 * 40)) ] || fail "the dump stopped with the reader"
if [ -w /dev/full ]; then
    status=0
    "$res2net" predict -m net.r2n photos/a.png >/dev/full 2>err || status=$?
    checks=$((checks + 1))
    [ "$status" -eq 3 ] || fail "exit status $status, not 3, on a full disk"
    says "standard output"
fi

finish
