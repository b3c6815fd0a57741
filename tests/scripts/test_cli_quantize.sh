#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `res2net quantize` of the embedded model: the report in both forms, the file it leaves, int8 runs
# of it on every ISA, lists without labels, bad pictures, an interrupted run.
set -u
# shellcheck source=tests/scripts/cli_test.sh
. "$(dirname "$0")/cli_test.sh"
needs embedded_model png
cd "$work" || exit 1

# ---- twelve pictures, labelled or not
mkdir set
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
    python3 "$here/make_png.py" 32 32 "$i" "set/$i.png" || fail "make_png.py"
    printf 'set/%s.png %s\n' "$i" $((i * 8)) >>list.txt
    printf 'set/%s.png\n' "$i" >>paths.txt
done

expect 0 "$res2net" quantize --calibrate list.txt --root . -o net.r2n --format json --eval list.txt
says "wrote net.r2n"
python_check "the report" <<'END'
assert list(value) == ["calibration", "evaluation", "seconds", "steps"], list(value)
for key in ("calibration", "evaluation"):
    one = value[key]
    assert list(one) == ["list", "images", "skipped", "labelled", "f32", "int8", "same_answer",
                         "signal_to_noise_db", "largest_difference"], list(one)
    assert one["list"] == "list.txt" and one["images"] == one["labelled"] == 12, one
    assert one["skipped"] == 0 and one["same_answer"] >= 9, one
    assert one["signal_to_noise_db"] > 15 and 0 < one["largest_difference"] < 0.3, one
    for side in ("f32", "int8"):
        assert one[side]["top1"] == one[side]["top1_correct"] / 12, one
        assert one[side]["top5"] == one[side]["top5_correct"] / 12, one
        assert one[side]["loss"] > 0, one
assert value["calibration"] == value["evaluation"], value
assert len(value["steps"]) > 30 and value["steps"][-1]["name"] == "fc", value["steps"]
assert all(row["signal_to_noise_db"] > 5 for row in value["steps"]), value["steps"]
END
cp out report.json

# ---- what eval says of either precision is what the report says
for precision in f32 int8; do
    expect 0 "$res2net" eval -m net.r2n --list list.txt --root . --precision $precision --format json
    cp out $precision.json
done
checks=$((checks + 1))
python3 - <<'END' || fail "eval and the report differ"
import json
report = json.load(open("report.json"))["evaluation"]
for side in ("f32", "int8"):
    one = json.load(open(side + ".json"))
    for key in ("top1_correct", "top5_correct"):
        assert one[key] == report[side][key], (side, key, one, report)
    assert abs(one["loss"] - report[side]["loss"]) < 1e-9, (side, one["loss"], report)
END

# ---- f32 is what it was; int8 needs the calibration, and gives the same scores everywhere
"$res2net" predict --list list.txt --root . --dump-logits before.npy >before 2>err || fail "predict"
"$res2net" predict -m net.r2n --list list.txt --root . --dump-logits after.npy >after 2>err || fail "predict"
is_same before.npy after.npy "f32 before and after"
is_same before after "f32 before and after"
expect 2 "$res2net" predict --precision int8 set/1.png
says "not calibrated"
"$res2net" predict -m net.r2n --precision int8 --list list.txt --root . --isa reference --threads 1 \
    --dump-logits int8.npy >int8 2>err || fail "predict in int8: $(cat err)"
cmp -s int8.npy after.npy && fail "int8 gives f32's scores"
for isa in avx2 avx512; do
    for run in "--threads 1 --batch 1" "--threads 2 --batch 5"; do
        # shellcheck disable=SC2086 # two options
        expect 0 "$res2net" predict -m net.r2n --precision int8 --list list.txt --root . \
            --isa $isa $run --dump-logits other.npy
        is_same int8.npy other.npy "--isa $isa $run"
        is_same int8 out "--isa $isa $run"
    done
done

# ---- the same list, the same file; what it holds packed changes no answer
expect 0 "$res2net" quantize --calibrate list.txt -o again.r2n --threads 1 --batch 1
prints "calibrated with list.txt, 12 pictures"
prints "these are the pictures of the calibration itself"
prints "signal to noise, the 10 weakest of"
is_same net.r2n again.r2n "threads and batch"
expect 0 "$res2net" quantize -m net.r2n --calibrate list.txt -o again.r2n
is_same net.r2n again.r2n "a calibrated model calibrated again"
expect 0 "$res2net" quantize --calibrate list.txt -o plain.r2n --packed none
checks=$((checks + 1))
[ "$(wc -c <plain.r2n)" -lt "$(wc -c <net.r2n)" ] || fail "--packed none makes no smaller file"
expect 0 "$res2net" predict -m plain.r2n --precision int8 --list list.txt --root . --dump-logits other.npy
is_same int8.npy other.npy "--packed none"
expect 0 "$res2net" convert net.r2n converted.r2n --packed f32,int8 --verify
expect 0 "$res2net" predict -m converted.r2n --precision int8 --list list.txt --root . --dump-logits other.npy
is_same int8.npy other.npy "converted"

# ---- to another runtime's file and back: it stays calibrated
expect 0 "$res2net" export -m net.r2n --to onnx --precision int8 -o net.onnx
expect 0 "$res2net" convert net.onnx back.r2n
expect 0 "$res2net" export -m back.r2n --to onnx --precision int8 -o back.onnx
for file in net.onnx back.r2n back.onnx; do
    expect 0 "$res2net" predict -m $file --precision int8 --list list.txt --root . --dump-logits other.npy
    checks=$((checks + 1))
    python3 - <<'END' || fail "$file has other answers in int8"
import struct

def logits(name):
    data = open(name, "rb").read()
    start = 10 + struct.unpack_from("<H", data, 8)[0]
    return struct.unpack_from(f"<{(len(data) - start) // 4}f", data, start)

ours, theirs = logits("int8.npy"), logits("other.npy")
assert len(ours) == len(theirs)
largest = max(map(abs, ours))
off = [abs(a - b) / largest for a, b in zip(ours, theirs)]
assert max(off) < 0.1 and sum(off) / len(off) < 0.01, (max(off), sum(off) / len(off))
END
done

# ---- without labels, fewer samples
expect 0 "$res2net" quantize --calibrate paths.txt -o paths.r2n --packed int8 --format json
is_same net.r2n paths.r2n "labels change nothing"
python_check "no labels" <<'END'
one = value["calibration"]
assert one["images"] == 12 and one["labelled"] == 0, one
assert one["f32"]["top1"] is None and one["int8"]["loss"] is None, one
assert value["evaluation"] is None, value
END
expect 0 "$res2net" quantize --calibrate paths.txt -o paths.r2n
prints "no labels: top-1 is not known"
expect 0 "$res2net" quantize --calibrate list.txt -o few.r2n --samples 5
prints "calibrated with list.txt, 5 pictures"
cmp -s net.r2n few.r2n && fail "--samples 5 chooses the same scales"

# ---- bad pictures and lists
cp list.txt bad.txt
head -c 60 set/1.png >set/cut.png
printf 'set/cut.png 1\nset/absent.png 2\n' >>bad.txt
rm -f bad.r2n
expect 3 "$res2net" quantize --calibrate bad.txt -o bad.r2n
says "does not exist"
checks=$((checks + 1))
[ ! -e bad.r2n ] || fail "a failed run left a file"
expect 1 "$res2net" quantize --calibrate bad.txt -o bad.r2n --on-bad-image skip
says "set/cut.png"
prints "and 2 unreadable"
is_same net.r2n bad.r2n "bad pictures change nothing"
printf 'set/cut.png 1\n' >only_bad.txt
rm -f bad.r2n
expect 3 "$res2net" quantize --calibrate only_bad.txt -o bad.r2n --on-bad-image skip
says "none of its pictures could be read"
checks=$((checks + 1))
[ ! -e bad.r2n ] || fail "a failed run left a file"
expect 3 "$res2net" quantize --calibrate list.txt -o absent/net.r2n
says "absent"
expect 3 "$res2net" quantize --calibrate list.txt -o kept.r2n --eval absent.txt
says "absent.txt"
is_same net.r2n kept.r2n "the model is written before the evaluation"

finish
