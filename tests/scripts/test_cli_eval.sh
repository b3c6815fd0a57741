#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `eval` and `data check` with a small network: counts against predict's answers, reports, policies.
set -u
# shellcheck source=tests/scripts/cli_test.sh
. "$(dirname "$0")/cli_test.sh"
needs png yaml

tiny_model "$work/net.safetensors" 6 3
tiny_transforms "$work/transforms.yaml"
cd "$work" || exit 1
"$res2net" convert net.safetensors net.r2n --transforms transforms.yaml 2>err || {
    fail "$(cat err)"
    finish
}
# Three class folders with four pictures each.
for class in ant bee cat; do
    mkdir -p "set/$class"
    for i in 1 2 3 4; do
        python3 "$here/make_png.py" 32 32 "$(printf '%s%s' "$i" "$class" | cksum | cut -d' ' -f1)" \
            "set/$class/$i.png"
    done
done
find set -name '*.png' | sort | awk -F/ '{ print $0, $2 == "ant" ? 0 : $2 == "bee" ? 1 : 2 }' >list.txt

# ---- counts are those of predict's answers
"$res2net" predict -m net.r2n --list list.txt --root . --format json --topk 6 \
    --dump-logits logits.npy >answers.json 2>err || fail "predict: $(cat err)"
expect 0 "$res2net" eval -m net.r2n --list list.txt --root . --format json --report report --batch 5
python_check "counts, loss and classes" <<'END'
import math
keys = ["images", "skipped", "top1_correct", "top5_correct", "top1", "top5", "loss", "seconds",
        "macro_precision", "macro_recall", "macro_f1", "calibration_error", "classes",
        "calibration", "confused_pairs", "worst"]
assert list(value) == keys, list(value)
answers = json.load(open("answers.json"))
labels = [int(line.split()[1]) for line in open("list.txt")]
best = [row["top"][0]["class_id"] for row in answers]
five = [[one["class_id"] for one in row["top"][:5]] for row in answers]
score = [next(one["score"] for one in row["top"] if one["class_id"] == label)
         for row, label in zip(answers, labels)]
top1 = sum(a == b for a, b in zip(best, labels))
top5 = sum(b in a for a, b in zip(five, labels))
assert value["images"] == 12 and value["skipped"] == 0, value
assert value["top1_correct"] == top1 and value["top5_correct"] == top5, (value, top1, top5)
assert value["top1"] == top1 / 12 and value["top5"] == top5 / 12
loss = sum(-math.log(x) for x in score) / 12
assert abs(value["loss"] - loss) < 1e-5, (value["loss"], loss)
assert len(value["classes"]) == 6
for i, row in enumerate(value["classes"]):
    right = sum(a == b == i for a, b in zip(best, labels))
    images, predicted = labels.count(i), best.count(i)
    assert row["class_id"] == i and row["images"] == images and row["predicted"] == predicted, row
    assert row["top1_correct"] == right, row
    assert row["top1"] == (right / images if images else None), row
    assert row["precision"] == (right / predicted if predicted else None), row
    assert row["recall"] == row["top1"], row
    assert row["f1"] == (2 * right / (images + predicted) if images + predicted else None), row
END
cat >check_report.py <<'END'
import csv, json
summary = json.load(open("report/summary.json"))
shown = json.load(open("out"))
assert summary == shown, "summary.json is not what was printed"
rows = list(csv.DictReader(open("report/per_class.csv")))
assert [int(row["class_id"]) for row in rows] == list(range(6)), rows
assert sum(int(row["top1_correct"]) for row in rows) == summary["top1_correct"]
assert rows[5]["images"] == "0" and rows[5]["top1"] == "", rows[5]
matrix = [[int(x) for x in row[1:]] for row in csv.reader(open("report/confusion.csv"))]
header, matrix = matrix[0], matrix[1:]
assert header == list(range(6)) and len(matrix) == 6, header
assert sum(matrix[i][i] for i in range(6)) == summary["top1_correct"], matrix
assert [sum(row) for row in matrix] == [4, 4, 4, 0, 0, 0], matrix
assert [sum(row[i] for row in matrix) for i in range(6)] == \
    [one["predicted"] for one in summary["classes"]], matrix
END
checks=$((checks + 1))
python3 check_report.py || fail "the report"
checks=$((checks + 1))
[ "$(find report -type f | wc -l)" -eq 7 ] || fail "the report left other files: $(ls -A report)"
expect 0 "$res2net" eval -m net.r2n --list set
prints "images   12"
prints "top-1 "
prints "the most frequent confusions:"
expect 0 "$res2net" eval -m net.r2n --list set --format json --batch 1 --threads 1
python_check "a folder of class folders" <<'END'
assert value["images"] == 12
shown = json.load(open("report/summary.json"))
for one in (value, shown):
    del one["seconds"]
    for row in one["worst"]:
        row["file"] = row["file"].removeprefix("./")
assert value == shown
END

# ---- a PaddleClas configuration says the same
cat >config.yaml <<'END'
Global:
  device: cpu
  pretrained_model: null
Arch:
  name: ARCHITECTURE
  class_num: 6
DataLoader:
  Train:
    dataset:
      name: ImageNetDataset
  Eval:
    dataset:
      name: ImageNetDataset
      image_root: .
      cls_label_path: list.txt
      transform_ops:
        - DecodeImage:
            to_rgb: True
            channel_first: False
        - NormalizeImage:
            scale: 1.0/255.0
            mean: [0.5, 0.5, 0.5]
            std: [0.25, 0.25, 0.25]
            order: ''
    sampler:
      name: DistributedBatchSampler
      batch_size: 5
Infer:
  transforms:
    - NormalizeImage:
        mean: [0.1, 0.1, 0.1]
END
architecture=$("$res2net" summary -m net.r2n --format json 2>err |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["arch"])')
sed -i "s/ARCHITECTURE/\"$architecture\"/" config.yaml
expect 0 "$res2net" eval -m net.safetensors -c config.yaml --format json
cp out config.json
expect 0 "$res2net" eval -m net.r2n --list list.txt --root . --format json
python_check "-c gives what the options give" <<'END'
other = json.load(open("config.json"))
for one in (value, other):
    del one["seconds"]
assert value == other, (value, other)
END
expect 2 "$res2net" eval -c config.yaml
says "no Global.pretrained_model"
sed 's/class_num: 6/class_num: 7/' config.yaml >bad.yaml
expect 2 "$res2net" eval -m net.safetensors -c bad.yaml
says "bad.yaml:6:14: Arch.class_num is 7, but the weights have 6 classes"
sed 's/image_root/image_rot/' config.yaml >bad.yaml
expect 2 "$res2net" eval -m net.safetensors -c bad.yaml
says "bad.yaml:14:7: DataLoader.Eval.dataset has no key \"image_rot\"; did you mean \"image_root\"?"
sed '/dataset:/,$d' config.yaml >bad.yaml
expect 2 "$res2net" eval -m net.safetensors -c bad.yaml
says "DataLoader"

sed 's/^Arch:/Metric: {Eval: [{TopkAcc: {topk: [1, 3]}}]}\n&/' config.yaml >bad.yaml
expect 2 "$res2net" eval -m net.safetensors -c bad.yaml
says "bad.yaml:4:34: topk must be [1, 5]"

# -o changes the file, and options go before both
sed 's/ \([0-9]*\)$/,\1,rest/' list.txt >commas.txt
expect 0 "$res2net" eval -c config.yaml --format json -o Global.pretrained_model=net.safetensors \
    -o DataLoader.Eval.dataset.cls_label_path=commas.txt \
    -o DataLoader.Eval.dataset.delimiter=, -o DataLoader.Eval.sampler.batch_size=1
python_check "overrides" <<'END'
other = json.load(open("config.json"))
for one in (value, other):
    del one["seconds"]
assert value == other, (value, other)
END
expect 0 "$res2net" eval -m net.safetensors -c config.yaml --format json \
    -o DataLoader.Eval.dataset.cls_label_path=absent.txt \
    -o DataLoader.Eval.dataset.image_root=absent \
    -o "DataLoader.Eval.dataset.transform_ops.1.NormalizeImage.mean=[0.9,0.1,0.1]" \
    --list list.txt --root . --transforms transforms.yaml --batch 2
python_check "options go before the configuration" <<'END'
other = json.load(open("config.json"))
for one in (value, other):
    del one["seconds"]
assert value == other, (value, other)
END
expect 0 "$res2net" eval -m net.safetensors -c config.yaml --format json \
    -o "DataLoader.Eval.dataset.transform_ops.1.NormalizeImage.mean=[0.9,0.1,0.1]"
python_check "an override reaches the pictures" <<'END'
assert value["loss"] != json.load(open("config.json"))["loss"], value
END
expect 2 "$res2net" eval -m net.safetensors -c config.yaml -o Arch.clas_num=6
says "config.yaml: -o Arch.clas_num=6: Arch has no key \"clas_num\"; did you mean \"class_num\"?"
expect 2 "$res2net" eval -m net.safetensors -c config.yaml -o Global.pretrained_model=a=b
says "more than one '='"
expect 2 "$res2net" eval -m net.safetensors -c config.yaml -o Arch.class_num=8
says "Arch.class_num is 8"
expect 2 "$res2net" eval -m net.safetensors -c config.yaml -o Arch.name=Res2Net50_26w_5s
says "did you mean \"Res2Net50_26w_4s\"?"
expect 2 "$res2net" eval -c config.yaml -o Global.pretrained_model=https://example.org/net.pdparams
says "nothing is downloaded here"
expect 3 "$res2net" eval -c config.yaml -o Global.pretrained_model=absent
says "absent.pdparams"
expect 2 "$res2net" eval -m net.safetensors --list list.txt -o Arch.class_num=6
says "give one with -c CONFIG"

# ---- a CIFAR-10 binary: 12 records
python3 - <<'END'
import random
rng = random.Random(5)
with open("cifar.bin", "wb") as file:
    for i in range(12):
        file.write(bytes([i % 3]) + bytes(rng.randrange(256) for _ in range(3072)))
END
expect 0 "$res2net" eval -m net.r2n --list cifar.bin --format json
python_check "a CIFAR binary" <<'END'
assert value["images"] == 12 and [row["images"] for row in value["classes"]] == [4, 4, 4, 0, 0, 0]
END

"$res2net" predict -m net.r2n --list cifar.bin --format json --topk 1 >answers.json 2>err ||
    fail "predict of a CIFAR binary: $(cat err)"
python_check "predict takes a CIFAR binary, as eval does" <<'END'
answers = json.load(open("answers.json"))
assert [row["file"] for row in answers] == [f"cifar.bin[{i}]" for i in range(12)], answers
right = sum(row["top"][0]["class_id"] == i % 3 for i, row in enumerate(answers))
assert right == value["top1_correct"], (right, value)
END

# ---- bad pictures
cp list.txt bad_list.txt
head -c 60 set/ant/1.png >cut.png
printf 'cut.png 1\nabsent.png 2\n' >>bad_list.txt
expect 3 "$res2net" eval -m net.r2n --list bad_list.txt --root . --format json
says "bad_list.txt:14: \"./absent.png\" does not exist"
is_empty out
expect 1 "$res2net" eval -m net.r2n --list bad_list.txt --root . --format json --on-bad-image skip
says "cut.png"
says "absent.png"
python_check "skip" <<'END'
assert value["images"] == 12 and value["skipped"] == 2, value
END
expect 1 "$res2net" eval -m net.r2n --list bad_list.txt --root . --format json --on-bad-image wrong
python_check "wrong" <<'END'
shown = json.load(open("report/summary.json"))
assert value["images"] == 14 and value["skipped"] == 2, value
assert value["top1_correct"] == shown["top1_correct"] and value["loss"] == shown["loss"], value
END
printf 'cut.png 0\n' >only_bad.txt
expect 1 "$res2net" eval -m net.r2n --list only_bad.txt --root . --format json --on-bad-image skip
python_check "nothing left is null, not NaN" <<'END'
assert value["images"] == 0 and value["top1"] is None and value["loss"] is None, value
END
expect 1 "$res2net" eval -m net.r2n --list only_bad.txt --root . --on-bad-image skip
prints "images   0 (1 unreadable)"
printf 'set/ant/1.png 6\nset/ant/2.png x\n' >labels.txt
expect 3 "$res2net" eval -m net.r2n --list labels.txt --root .
says "labels.txt:1: "
says "labels.txt:2: "
expect 3 "$res2net" eval -m net.r2n --list absent.txt
says "absent.txt"

# ---- data check
expect 0 "$res2net" data check list.txt --root . --format json
python_check "data check" <<'END'
assert value["items"] == value["readable"] == 12 and value["unreadable"] == 0, value
assert value["smallest_label"] == 0 and value["largest_label"] == 2, value
assert value["labels_used"] == 3 and value["smallest_class"] == value["largest_class"] == 4, value
assert value["problems"] == [], value
END
expect 1 "$res2net" data check bad_list.txt --root . --format json
says "cut.png"
python_check "data check of a bad list" <<'END'
assert value["items"] == 14 and value["readable"] == 12 and value["unreadable"] == 2, value
places = [(row["file"], row.get("line")) for row in value["problems"]]
assert places == [("bad_list.txt", None), ("bad_list.txt", 14), ("./cut.png", None)], places
assert value["absent"] == 1 and all(row["error"] for row in value["problems"]), value
END
{
    cat list.txt
    head -n 1 list.txt
} >twice.txt
expect 1 "$res2net" data check twice.txt --root .
prints "duplicates   1"
expect 0 "$res2net" data check set
prints "pictures     12, of which 12 readable"
expect 3 "$res2net" data check labels.txt --root .
says "labels.txt:2: "

finish
