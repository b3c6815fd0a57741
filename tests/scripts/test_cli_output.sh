#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What is printed: names and labels that would harm a terminal or a parser, every format, narrow
# terminals, the clipped top-k, numbers that are none, progress.
set -u
# shellcheck source=tests/scripts/cli_test.sh
. "$(dirname "$0")/cli_test.sh"
needs png yaml

tiny_model "$work/net.safetensors" 10 1
tiny_transforms "$work/transforms.yaml"
python3 "$here/make_png.py" 32 32 7 "$work/a.png"
cd "$work" || exit 1
model="-m net.safetensors --transforms transforms.yaml --labels labels.txt"

# ---- hostile names, hostile labels
cat >names.py <<'END_OF_FILE'
import os, shutil
names = [
    b"plain.png",
    b"new\nline.png",
    b"tab\tand\rreturn.png",
    b"quote'd \"twice\", with, commas.png",
    b"back\\slash.png",
    b" blank first.png",
    b"escape\x1b[31mred\x1b]0;title\x07.png",
    b"del\x7f.png",
    "c1\u009b31m\u0085next.png".encode(),
    b"not utf-8 \xff\xfe \xc3 \x9b31m \xed\xa0\x80 \xf5\x80\x80\x80 \xc0\xaf.png",
    "turned \u202egnp.exe\u202c \u2066inner\u2069 \u200fmark.png".encode(),
    "lines\u2028and\u2029paragraphs.png".encode(),
    "invisible\u200b\ufeff\u00ad\u2060.png".encode(),
    "tags\U000e0041\U000e007f.png".encode(),
    "\u732b/\u00e9t\u00e9 \U0001f600 \U0001f469\u200d\U0001f692.png".replace("/", "-").encode(),
]
os.mkdir("odd")
for name in names:
    shutil.copy("a.png", os.path.join(b"odd", name))
labels = ["plain", "back\\slash", "comma, quote \" and '", "tab\there", "nothing\u200b\u00ad to see",
          "bidi \u202etxt\u202c", "\u732b" * 60, "\U0001f600" * 60,
          "tench, Tinca tinca, a very long name that no terminal of eighty columns can hold at all",
          "e\u0301" * 60]
with open("labels.txt", "w", encoding="utf-8", newline="") as file:
    for i, label in enumerate(labels):
        file.write(f"{i} {label}\n")
END_OF_FILE
python3 names.py || fail "the names could not be made"

cat >check_names.py <<'END_OF_FILE'
"""check_names.py FORMAT: standard input holds what predict printed for every name in odd/."""
import ast, csv, io, json, os, sys
data = sys.stdin.buffer.read()
names = sorted(b"odd/" + name for name in os.listdir(b"odd"))
# The rule for JSON: every byte that belongs to no character becomes U+FFFD.
def as_json(name):
    return "".join("\ufffd" if 0xdc80 <= ord(c) <= 0xdcff else c
                   for c in name.decode("utf-8", "surrogateescape"))
labels = [line.split(" ", 1)[1] for line in
          open("labels.txt", encoding="utf-8", newline="").read().split("\n")[:-1]]
text = data.decode("utf-8", "surrogateescape")
kind = sys.argv[1]
if kind in ("json", "jsonl"):
    rows = json.loads(data) if kind == "json" else \
        [json.loads(line) for line in data.decode().split("\n")[:-1]]
    assert [row["file"] for row in rows] == [as_json(name) for name in names], rows
    for row in rows:
        assert len(row["top"]) == 10, row
        assert all(one["label"] == labels[one["class_id"]] for one in row["top"]), row
elif kind == "csv":
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert len(rows) == 1 + 10 * len(names) and all(len(row) == 6 for row in rows), len(rows)
    for i, row in enumerate(rows[1:]):
        assert os.fsencode(row[0]) == names[i // 10] and row[1] == str(i % 10 + 1), row
        assert row[3] == labels[int(row[2])], row
elif kind == "paddleclas":
    rows = [row for line in text.split("\n")[:-1] for row in ast.literal_eval(line)]
    assert [os.fsencode(row["file_name"]) for row in rows] == names, rows
    assert all(row["label_names"] == [labels[i] for i in row["class_ids"]] for row in rows), rows
elif kind == "paddleclas-whl":
    assert text.endswith("\nPredict complete!\n"), text[-100:]
    for name in names:
        assert b"filename: " + name + b"\n" in data, name
elif kind == "text":
    assert len(text.split("\n")) == 11 * len(names) + 1, text
END_OF_FILE

cat >check_safe.py <<'END_OF_FILE'
"""Standard input must be UTF-8 without anything that a terminal takes for an order or that turns
the direction of writing."""
import sys, unicodedata
text = sys.stdin.buffer.read().decode("utf-8")
for c in text:
    joins = c in "\u200c\u200d"
    assert c == "\n" or joins or unicodedata.category(c) not in ("Cc", "Cf", "Zl", "Zp"), \
        (hex(ord(c)), text)
END_OF_FILE

terminals=yes
python3 "$here/on_terminal.py" out 80 true >out 2>err || terminals=no
[ "$terminals" = yes ] || echo "SKIPPED: output on a terminal, this system gives none: $(cat err)"

for format in text json jsonl csv paddleclas paddleclas-whl; do
    for locale in C.UTF-8 C; do
        # shellcheck disable=SC2086
        expect 0 env LC_ALL=$locale "$res2net" predict $model odd --topk 1000 --format $format
        is_empty err
        checks=$((checks + 1))
        python3 check_names.py $format <out >log 2>&1 || fail "$format, $locale: $(tail -n 3 log)"
    done
    case $format in text | json | jsonl)
        checks=$((checks + 1))
        python3 check_safe.py <out >log 2>&1 || fail "$format is not safe: $(tail -n 3 log)"
        ;;
    esac
    [ $terminals = yes ] || continue
    # shellcheck disable=SC2086
    expect 0 python3 "$here/on_terminal.py" out 100 env LC_ALL=C.UTF-8 "$res2net" predict $model odd \
        --topk 1000 --format $format
    checks=$((checks + 1))
    python3 check_safe.py <out >log 2>&1 || fail "$format on a terminal: $(tail -n 3 log)"
done

# Messages about such names are as safe.
mkdir odd_bad
python3 - <<'END_OF_FILE'
import os
for name in os.listdir(b"odd"):
    open(os.path.join(b"odd_bad", name), "w").close()
END_OF_FILE
# shellcheck disable=SC2086
expect 1 "$res2net" predict $model odd_bad a.png
checks=$((checks + 1))
python3 check_safe.py <err >log 2>&1 || fail "messages are not safe: $(tail -n 3 log)"
[ "$(wc -l <err)" -eq $(($(find odd_bad -type f -print0 | tr -dc '\0' | wc -c) + 1)) ] ||
    fail "not one message a bad picture and one at the end"
says 'new\x0aline.png: byte 0: the picture is empty'
says 'c1\u{9b}31m\u{85}next.png'
says 'not utf-8 \xff\xfe \xc3 \x9b31m \xed\xa0\x80 \xf5\x80\x80\x80 \xc0\xaf.png'
says 'turned \u{202e}gnp.exe\u{202c}'
says "predict: 15 of 16 inputs skipped"

# ---- the layout on terminals of several widths
if [ $terminals = yes ]; then
    cat >check_layout.py <<'END_OF_FILE'
import re, sys, unicodedata
columns, utf8 = int(sys.argv[1]), sys.argv[2] == "C.UTF-8"
lines = sys.stdin.buffer.read().decode("utf-8").split("\n")
assert lines[0] == "a.png" and lines[-1] == "" and len(lines) == 12, lines
def width(text):
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
               for c in text)
bars = 20 if columns >= 72 else 10 if columns >= 48 else 0
for line in lines[1:-1]:
    assert width(line) <= max(columns, 27), (width(line), line)
    bar = "[\u2588-\u258f]* *" if utf8 else "#* *"
    match = re.fullmatch(r"  (\d\.\d{5})  (" + bar + r")(\d)  (.*)", line)
    assert match, line
    if bars:
        assert width(match[2]) == bars + 2 + 3, line  # two blanks, and the class id in four columns
        assert len(match[2].rstrip()) <= bars and \
            abs(len(match[2].rstrip()) - float(match[1]) * bars) <= 1, line
long = [line for line in lines if line.endswith("\u2026" if utf8 else "...")]
assert len(long) >= 2, lines
END_OF_FILE
    for columns in 20 30 47 48 60 71 72 80 132; do
        for locale in C.UTF-8 C; do
            # shellcheck disable=SC2086
            expect 0 python3 "$here/on_terminal.py" out $columns env LC_ALL=$locale NO_COLOR=1 \
                "$res2net" predict $model a.png --topk 10
            checks=$((checks + 1))
            python3 check_layout.py $columns $locale <out >log 2>&1 ||
                fail "layout in $columns columns, $locale: $(tail -n 3 log)"
        done
    done
fi
# shellcheck disable=SC2086
expect 0 "$res2net" predict $model a.png --topk 10
prints "tench, Tinca tinca, a very long name that no terminal of eighty columns can hold at all"

# ---- top-k is clipped to the class count
for format in text json jsonl csv paddleclas paddleclas-whl; do
    for topk in 10 11 1000000; do
        # shellcheck disable=SC2086
        expect 0 "$res2net" predict $model a.png --topk $topk --format $format
        [ $topk -ne 10 ] || cp out ten
        is_same out ten "--topk $topk --format $format"
    done
done

# ---- a skipped input in every format
: >empty.png
for format in text json jsonl csv paddleclas paddleclas-whl; do
    # shellcheck disable=SC2086
    expect 1 "$res2net" predict $model a.png empty.png a.png --topk 1 --format $format
    cp out $format
    says "empty.png: byte 0: the picture is empty"
    says "predict: 1 of 3 inputs skipped"
    [ "$(grep -c empty.png err)" -eq 1 ] || fail "$format: more than one message of one picture"
done
[ "$(sed -n 3p text)" = "empty.png: skipped" ] || fail "text: $(cat text)"
[ "$(grep -c '"error": "byte 0: the picture is empty' json)" -eq 1 ] || fail "json: $(cat json)"
sed -n 2p jsonl | grep -q '^{"file": "empty.png", "error": "byte 0: the' || fail "jsonl: $(cat jsonl)"
sed -n 3p csv | grep -q '^empty.png,,,,,byte 0: the picture' || fail "csv: $(cat csv)"
[ "$(grep -o file_name paddleclas | wc -l)" -eq 2 ] || fail "paddleclas: $(cat paddleclas)"
[ "$(grep -c filename: paddleclas-whl)" -eq 2 ] || fail "paddleclas-whl: $(cat paddleclas-whl)"
checks=$((checks + 6))

# ---- a network whose answers are no numbers: an error, never NaN
python3 - <<'END_OF_FILE'
import json, struct
data = bytearray(open("net.safetensors", "rb").read())
size, = struct.unpack_from("<Q", data)
header = json.loads(data[8:8 + size])
first, last = header["fc.weight"]["data_offsets"]
struct.pack_into("<f", data, 8 + size + last - 4, float("nan"))
open("nan.safetensors", "wb").write(data)
struct.pack_into("<f", data, 8 + size + last - 4, 3e38)
struct.pack_into("<f", data, 8 + size + last - 8, 3e38)
open("large.safetensors", "wb").write(data)
END_OF_FILE
cp a.png b.png
for format in text json jsonl csv paddleclas paddleclas-whl; do
    for net in nan large; do
        status=0
        "$res2net" predict -m $net.safetensors --transforms transforms.yaml a.png b.png \
            --format $format >out 2>err || status=$?
        checks=$((checks + 1))
        [ $net = large ] || [ $status -eq 3 ] || fail "status $status of a network with NaN"
        grep -qiE 'nan|inf' out && fail "$format: $(cat out)"
    done
done
printf 'a.png 9\nb.png 1\n' >list.txt
expect 3 "$res2net" eval -m nan.safetensors --transforms transforms.yaml --list list.txt --format json
is_empty out

# ---- progress: on a terminal only, with rate and time left, and gone before anything else
i=0
while [ "$i" -lt 20000 ]; do
    echo "a.png 0"
    i=$((i + 1))
done >long.txt
if [ $terminals = yes ]; then
    cat >check_progress.py <<'END_OF_FILE'
import re, sys
columns, verb = int(sys.argv[1]), sys.argv[2]
text = sys.stdin.buffer.read().decode("utf-8")
lines = text.split("\r\033[K")
assert lines[0] == "", text  # nothing stood there before
shown = [line for line in lines if line.startswith(f"{verb}: ") and " of 20000 pictures" in line]
assert shown, text
for line in shown:
    assert "\n" not in line and len(line) < columns, line
    if columns > 100:
        assert re.fullmatch(verb + r": \d+ of 20000 pictures \(\d+%\), \d+\.\d a second, "
                            r"(\d+ h \d\d min|\d+ min \d\d s|\d+ s) left", line), line
# taken away before the message
assert re.match(r"res2net: |long\.txt:\d+: ", lines[-1]), lines[-1]
assert "\033" not in text.replace("\r\033[K", ""), text
END_OF_FILE
    for verb in predict eval "data check"; do
        words="$model --list long.txt"
        [ "$verb" != "data check" ] || words=long.txt
        for columns in 40 120; do
            # shellcheck disable=SC2086
            expect 130 python3 "$here/on_terminal.py" err $columns --interrupt-at "of 20000" \
                env TERM=xterm "$res2net" $verb $words --root . --format json
            checks=$((checks + 1))
            python3 check_progress.py $columns "$verb" <out >log 2>&1 ||
                fail "progress of $verb in $columns columns: $(tail -n 3 log)"
            grep -q "of 20000" err && fail "progress of $verb among the results"
        done
    done
    head -n 300 long.txt >some.txt
    for kind in dumb xterm; do
        # Results and messages on one terminal: nothing of progress among them.
        # shellcheck disable=SC2086
        expect 0 python3 "$here/on_terminal.py" all 80 env TERM=$kind "$res2net" predict $model \
            --list some.txt --root . --format jsonl --topk 1
        python_check "no progress among results on a terminal" <<'END_OF_FILE'
assert "\033" not in out and len(out.splitlines()) == 300, out[:200]
END_OF_FILE
    done
fi
head -n 300 long.txt >some.txt
# shellcheck disable=SC2086
expect 0 "$res2net" eval $model --list some.txt --root .
is_empty err

finish
