#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `predict`, `eval` and `data check` on real photographs, with a small network. They are looked for
# in $RES2NET_DATA, else in shared/data beside the checkout; without them this test is skipped.
set -u
# shellcheck source=tests/scripts/cli_test.sh
. "$(dirname "$0")/cli_test.sh"
needs jpeg png yaml

data=${RES2NET_DATA:-$here/../../../shared/data}
if [ ! -e "$data/imagenet_samples/list.txt" ] || [ ! -e "$data/imagenette/val_list.txt" ]; then
    echo "SKIPPED: no imagenet_samples and imagenette in $data (set RES2NET_DATA)"
    exit 77
fi
tiny_model "$work/net.safetensors" 10 1
photo=$(find "$data/imagenet_samples" -name '*.JPEG' | sort | head -n 1)
cd "$work" || exit 1
net="-m net.safetensors --preset torch --resize-short 32 --crop 32"

# shellcheck disable=SC2086
expect 0 "$res2net" predict $net "$data/imagenet_samples" --format jsonl
python_check "every photograph has an answer" <<'END'
rows = [json.loads(line) for line in out.splitlines()]
assert len(rows) == 125 and all(len(row["top"]) == 5 for row in rows), len(rows)
assert [row["file"] for row in rows] == sorted(row["file"] for row in rows)
END
cp out folder.jsonl
find "$data/imagenet_samples" -name '*.JPEG' | sort | sed "s|.*/||; s/\$/ 0/" >list.txt
# shellcheck disable=SC2086
expect 0 "$res2net" predict $net --list list.txt --root "$data/imagenet_samples" --format jsonl \
    --batch 1 --threads 1
is_same out folder.jsonl "a folder and a list, another batch, one thread"
# shellcheck disable=SC2086
expect 0 "$res2net" predict $net "$photo" --format csv
cut -d, -f2- out >file.csv
# shellcheck disable=SC2086
"$res2net" predict $net - --format csv <"$photo" >out 2>err || fail "standard input: $(cat err)"
cut -d, -f2- out >stdin.csv
is_same file.csv stdin.csv "a JPEG from standard input"
# shellcheck disable=SC2086
expect 0 "$res2net" predict $net --preset paddle --dump-input paddle.npy "$photo"
# shellcheck disable=SC2086
expect 0 "$res2net" predict $net --dump-input torch.npy "$photo"
checks=$((checks + 1))
cmp -s paddle.npy torch.npy && fail "the two presets prepared a photograph alike"
head -c 3000 "$photo" >cut.jpg
# shellcheck disable=SC2086
expect 3 "$res2net" predict $net cut.jpg
says "cut.jpg: "

# shellcheck disable=SC2086
expect 0 "$res2net" eval $net --list "$data/imagenette/val_list.txt" --format json
python_check "imagenette's validation set" <<'END'
assert value["images"] == 1500 and value["skipped"] == 0, value
assert [row["images"] for row in value["classes"]] == [150] * 10
assert 0 <= value["top1_correct"] < value["top5_correct"] < 1500 and value["loss"] > 0
END
expect 0 "$res2net" data check "$data/imagenette/val_list.txt" --format json
python_check "data check" <<'END'
assert value["items"] == value["readable"] == 1500 and value["labels_used"] == 10, value
END

finish
