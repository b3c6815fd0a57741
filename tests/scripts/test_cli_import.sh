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
