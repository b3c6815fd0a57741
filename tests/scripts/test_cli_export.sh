#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `res2net export`: the file it leaves, its options, refusals.
set -u
# shellcheck source=tests/scripts/cli_test.sh
. "$(dirname "$0")/cli_test.sh"

tiny_model "$work/net.safetensors" 10 1
cd "$work" || exit 1

expect 0 "$res2net" export -m net.safetensors --to onnx -o net.onnx
is_empty out
says "wrote net.onnx ("
says "torch family, 10 classes, opset 17, ends in a softmax"
cp net.onnx first.onnx
expect 0 "$res2net" export -m net.safetensors --to onnx -o net.onnx --batch dynamic --size dynamic \
    --softmax on --opset 17 --batch-norm fold --store f32
is_same net.onnx first.onnx "the defaults, told"
for flags in "--softmax off" "--batch 2" "--size 32x48" "--opset 11" "--batch-norm keep" \
    "--store f16" "--store bf16" "--family paddle"; do
    # shellcheck disable=SC2086
    expect 0 "$res2net" export -m net.safetensors --to onnx -o other.onnx $flags
    cmp -s other.onnx first.onnx && fail "$flags changes nothing"
done
expect 0 "$res2net" export -m net.safetensors --to onnx -o square.onnx --size 32
expect 0 "$res2net" export -m net.safetensors --to onnx -o both.onnx --size 32x32
is_same square.onnx both.onnx "one side"

# ---- class names go along
for i in 0 1 2 3 4 5 6 7 8 9; do printf 'name %s\n' "$i"; done >names.txt
expect 0 "$res2net" export -m net.safetensors --labels names.txt --to onnx -o net.onnx
grep -qa "name 7" net.onnx || fail "the labels are not in the file"
grep -qa "res2net.architecture" net.onnx || fail "the architecture is not in the file"

# ---- refusals leave nothing
rm -f out.onnx
refuse() { # refuse STATUS TEXT FLAG...
    wanted=$1
    text=$2
    shift 2
    expect "$wanted" "$res2net" export -m net.safetensors "$@"
    says "$text"
    [ ! -e out.onnx ] || fail "$* left a file"
}
refuse 2 "--to onnx or --to paddle is missing" -o out.onnx
refuse 2 "-o PATH is missing" --to onnx
refuse 2 "onnx|paddle" --to caffe -o out.onnx
for bad in 0 -1 x 2x 70000; do
    refuse 2 "--batch $bad: expected dynamic or a whole number" --to onnx -o out.onnx "--batch=$bad"
done
for bad in 0 32x 32x0 x32 32x32x32 99999 dynamicx32; do
    refuse 2 "--size $bad: expected dynamic" --to onnx -o out.onnx "--size=$bad"
done
refuse 2 "at least 8 a side" --to onnx -o out.onnx --size 7
refuse 2 "13 and later" --to onnx -o out.onnx --opset 12 --store bf16
refuse 2 "from 11 to 28" --to onnx -o out.onnx --opset 10
refuse 2 "\`res2net quantize\` makes a .r2n" --to onnx -o out.onnx --precision int8
refuse 2 "--store and --precision int8 exclude" --to onnx -o out.onnx --precision int8 --store f16
refuse 2 "13 to 27" --to onnx -o out.onnx --precision int8 --opset 12
refuse 2 "they cannot be kept" --to onnx -o out.onnx --precision int8 --batch-norm keep
refuse 2 "--precision is for --to onnx only" --to paddle -o out --precision int8
refuse 2 "--opset is for --to onnx only" --to paddle -o out --opset 13
refuse 3 "absent" --to onnx -o absent/out.onnx
expect 3 "$res2net" export -m absent.r2n --to onnx -o out.onnx

# ---- a Paddle inference model is a folder
expect 0 "$res2net" export -m net.safetensors --labels names.txt --to paddle -o model
is_empty out
says "wrote model: "
says "torch family, 10 classes, ends in a softmax"
for file in pdmodel json pdiparams pdiparams.info yml; do
    [ -s "model/inference.$file" ] || fail "there is no inference.$file"
done
grep -q 'is_lod_tensor' model/serving_client/serving_client_conf.prototxt || fail "no client"
grep -q '    - "name 7"' model/inference.yml || fail "the labels are not in inference.yml"
cp model/inference.pdmodel first.pdmodel
for flags in "--softmax off" "--batch 2" "--size 32x48" "--family paddle"; do
    # shellcheck disable=SC2086
    expect 0 "$res2net" export -m net.safetensors --to paddle -o model $flags
    cmp -s model/inference.pdmodel first.pdmodel && fail "$flags changes nothing"
done
printf 'x' >file
expect 3 "$res2net" export -m net.safetensors --to paddle -o file
says "is there and is no folder"
expect 3 "$res2net" export -m net.safetensors --to paddle -o absent/model
expect 2 "$res2net" export -m net.safetensors --to paddle -o new --size 0
[ ! -e new ] || fail "a refusal left a folder"

finish
