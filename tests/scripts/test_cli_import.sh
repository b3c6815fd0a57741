#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A MODEL that is a graph of another program: ONNX files and tar archives, whole and broken.
set -u
# shellcheck source=tests/scripts/cli_test.sh
. "$(dirname "$0")/cli_test.sh"

seeds=$here/../fuzz/corpus
cd "$work" || exit 1
cp "$seeds/onnx/slices.onnx" net.onnx
python3 -c 'import tarfile; t = tarfile.open("net.tar", "w"); t.add("net.onnx", "net/inference.onnx"); t.close()'

for model in net.onnx net.tar; do
    expect 0 "$res2net" summary -m "$model"
    prints "cifar:planes=1,depths=1,width=64,scale=2"
    prints "paddle family"
done
expect 0 "$res2net" convert net.onnx net.r2n
says "paddle family"
expect 0 "$res2net" summary -m net.r2n
prints "paddle family"
expect 0 "$res2net" bench -m net.onnx --batch 1 --size 32

# ---- names mean nothing: the content decides
for name in net.bin net.pth net.pdmodel net; do
    cp net.onnx "$name"
    expect 0 "$res2net" summary -m "$name"
    prints "paddle family"
    rm "$name"
done
cp net.tar net.onnx.tar.bin
expect 0 "$res2net" summary -m net.onnx.tar.bin

# ---- Paddle's parameters: with the program beside them, alone, and in a file each
tiny_model small.safetensors 7 3
expect 0 "$res2net" export -m small.safetensors --family paddle --to paddle -o small --softmax off
small=cifar:planes=16,depths=1-1-1,width=26,scale=4
python3 - <<'END'
import array, struct
values = array.array("f", ((i * 7919 % 1000) / 250 - 2 for i in range(2 * 3 * 32 * 32)))
header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3, 32, 32), }"
header += b" " * (118 - 1 - len(header)) + b"\n"
open("input.npy", "wb").write(b"\x93NUMPY\x01\x00" + struct.pack("<H", 118) + header +
                              values.tobytes())

# One record a tensor: 4 + 8 + 4 bytes of zeros, a size, a descriptor of that size, the numbers.
import os, pickle
names = sorted(pickle.load(open("small/inference.pdiparams.info", "rb")))
data, at = open("small/inference.pdiparams", "rb").read(), 0
os.mkdir("apart")
for name in names:
    start, size = at, struct.unpack_from("<I", data, at + 16)[0]
    descriptor = data[at + 20:at + 20 + size]
    count, i = 1, 0
    while i < size:
        field, value, shift, i = descriptor[i], 0, 0, i + 1
        while True:
            value |= (descriptor[i] & 127) << shift
            shift, i = shift + 7, i + 1
            if descriptor[i - 1] < 128:
                break
        count *= value if field >> 3 == 2 else 1
    at += 20 + size + 4 * count
    open("apart/" + name, "wb").write(data[start:at])
assert at == len(data)
END
logits() { # logits OUT ARGUMENT...
    dump=$1
    shift
    expect 0 "$res2net" predict --input-npy input.npy --dump-logits "$dump" "$@"
}
logits weights.npy -m small.safetensors --family paddle
cp small/inference.pdiparams alone.pdiparams
cp small/inference.pdmodel apart/__model__
for model in small small/inference.pdmodel small/inference.json small/inference.pdiparams apart apart/__model__; do
    logits graph.npy -m "$model"
    is_same weights.npy graph.npy "logits of $model"
done
logits graph.npy -m alone.pdiparams --arch "$small"
is_same weights.npy graph.npy "logits of parameters alone"
logits graph.npy --weights alone.pdiparams --arch "$small,classes=7"
is_same weights.npy graph.npy "logits of parameters alone, classes stated"
expect 0 "$res2net" convert alone.pdiparams alone.r2n --arch "$small"
says "7 classes"
expect 3 "$res2net" summary -m alone.pdiparams
says "say which network it is (--arch NAME)"
expect 3 "$res2net" summary -m alone.pdiparams --arch Res2Net50_26w_4s
says "these are another network's"
says "alone.pdiparams: tensor "
expect 3 "$res2net" summary -m alone.pdiparams --arch "$small,classes=8"
says "these are another network's"
head -c 70000 alone.pdiparams >cut.pdiparams
expect 3 "$res2net" summary -m cut.pdiparams --arch "$small"
says "the file ends within its numbers"
expect 3 "$res2net" summary -m small --arch resnet50
says "small: "
rm apart/fc_weights
expect 3 "$res2net" summary -m apart
says "fc_weights"
says "there is no __params__ beside the program"
python3 -c 'import tarfile; t = tarfile.open("apart.tar", "w"); t.add("apart"); t.close()'
expect 3 "$res2net" summary -m apart.tar
says "unpack the archive"

# ---- parts of different exports, renamed
mkdir mixed
cp small/inference.pdmodel mixed
cp small/inference.json mixed/inference.pdiparams
expect 3 "$res2net" summary -m mixed
says "inference.pdiparams: byte 0: parameter"
cp small/inference.pdiparams mixed
cp small/inference.json mixed/inference.pdmodel
expect 0 "$res2net" summary -m mixed
cp small.safetensors mixed/inference.pdmodel
expect 3 "$res2net" summary -m mixed
says "no program of Paddle's"
for file in inference.pdmodel inference.json inference.pdiparams; do
    rm -rf mixed
    cp -r small mixed
    [ $file = inference.json ] && rm mixed/inference.pdmodel
    head -c 3000 small/$file >mixed/$file
    expect 3 "$res2net" summary -m mixed
    says "mixed/"
done

# ---- what is something else, under a model's name
expect_reason() { # expect_reason FILE TEXT
    expect 3 "$res2net" summary -m "$1"
    says "$2"
}
for name in net.onnx.png model.pdmodel model.json model.tar model.pdiparams; do
    printf '\211PNG\r\n\032\n' >"$name"
    expect_reason "$name" "PNG"
    rm "$name"
done
gzip -c net.tar >packed.tar
expect_reason packed.tar "gzip"
printf 'version https://git-lfs.github.com/spec/v1\n' >pointer.onnx
expect_reason pointer.onnx "Git LFS"
: >nothing.onnx
expect_reason nothing.onnx "empty"
printf '{"a": 1}' >other.json
expect_reason other.json "JSON"
python3 -c 'import tarfile; t = tarfile.open("other.tar", "w"); t.add("input.npy"); t.close()'
expect_reason other.tar "tar archive"
python3 -c 'import pickle; pickle.dump({"a": [1, 2]}, open("other.pdmodel", "wb"), protocol=4)'
expect_reason other.pdmodel "other.pdmodel"
head -c 2000 /dev/zero >zeros.onnx
expect_reason zeros.onnx "zeros.onnx"

# ---- what is no whole model
head -c 900 net.onnx >cut.onnx
expect 3 "$res2net" summary -m cut.onnx
says "breaks off"
head -c 1500 net.tar >cut.tar
expect 3 "$res2net" summary -m cut.tar
says "cut off"
mkdir empty
expect 3 "$res2net" summary -m empty
says "no model is in it"
printf '{"base_code": {"magic": "pir"}}' >net.json
expect 3 "$res2net" summary -m net.json
says "net.pdiparams"
printf '<!doctype html>' >page.onnx
expect 3 "$res2net" summary -m page.onnx
says "HTML"
expect 3 "$res2net" convert cut.onnx out.r2n
checks=$((checks + 1))
[ ! -e out.r2n ] || fail "a refused conversion left a file"
finish
