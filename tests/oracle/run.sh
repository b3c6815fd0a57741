#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Compares us with the software that others wrote: real Paddle, timm, PyTorch, OpenCV, Pillow.
# Takes tens of minutes. Logs are kept in .oracle/. The last line is the sum of all.
#   run.sh [PART...]    parts: logits formats import gradients gradients_bf16 steps train saves resume config cifar quantize onnx quantized paddle ncnn lite evaluate pictures zoo hostile   (all without any)
# RES2NET is the command to test (build/res2net); RES2NET_SHARED the folder that holds data/ and
# bootstrap/ (../shared).
set -eu
cd "$(dirname "$0")/../.."
res2net=${RES2NET:-build/res2net}
shared=${RES2NET_SHARED:-../shared}
unset RES2NET_ISA RES2NET_THREADS

[ -x "$res2net" ] || {
    printf '%s\n' "oracle: there is no $res2net; run ./run build first" >&2
    exit 3
}
sh tests/oracle/environments.sh

passed=0
failed=0
summary=""

# part NAME ENVIRONMENT SCRIPT ARGUMENT...: one script, whose last line is "N passed, N failed".
part() {
    name=$1
    python=.oracle/$2/bin/python
    shift 2
    printf '\n== %s ==\n' "$name"
    output=.oracle/$name.out
    "$python" "$@" 2>&1 | tee "$output"
    last=$(tail -n 1 "$output")
    case "$last" in
    [0-9]*" passed, "[0-9]*" failed"*) ;;
    *) last="0 passed, 1 failed (it ended early)" ;;
    esac
    summary="$summary$(printf '%-10s %s' "$name" "$last")
"
    passed=$((passed + ${last%% *}))
    rest=${last#*passed, }
    failed=$((failed + ${rest%% *}))
}

[ $# -gt 0 ] || set -- logits formats import gradients gradients_bf16 steps train saves resume config cifar quantize onnx quantized paddle ncnn lite evaluate pictures zoo hostile
for chosen in "$@"; do
    case "$chosen" in
    logits) part logits torch tests/oracle/logits.py --res2net "$res2net" ;;
    formats) part formats torch tests/oracle/formats.py --res2net "$res2net" ;;
    import) part import torch tests/oracle/import.py --res2net "$res2net" ;;
    gradients) part gradients torch tests/oracle/train_gradients.py --driver "$(dirname "$res2net")/train_driver" ;;
    gradients_bf16) part gradients_bf16 torch tests/oracle/train_gradients_bf16.py --driver "$(dirname "$res2net")/train_driver" ;;
    steps) part steps torch tests/oracle/train_steps.py --driver "$(dirname "$res2net")/train_driver" ;;
    train) part train paddle tests/oracle/train_parts.py --driver "$(dirname "$res2net")/train_parts_driver" ;;
    config) part config paddle tests/oracle/train_config.py --program "$res2net train --print-config" ;;
    saves) part saves paddle tests/oracle/train_saves.py --driver "$(dirname "$res2net")/train_parts_driver" ;;
    resume) part resume paddle tests/oracle/train_resume.py --res2net "$res2net" ;;
    cifar) part cifar pictures tests/oracle/cifar.py --res2net "$res2net" --shared "$shared" ;;
    quantize) part quantize pictures tests/oracle/quantize.py --res2net "$res2net" --shared "$shared" ;;
    onnx) part onnx onnx tests/oracle/onnx_export.py --res2net "$res2net" ;;
    quantized)
        part quantized onnx tests/oracle/onnx_quantized.py --res2net "$res2net" --shared "$shared"
        ;;
    paddle)
        part paddle paddle tests/oracle/paddle_export.py --res2net "$res2net" --shared "$shared"
        ;;
    ncnn) part ncnn ncnn tests/oracle/ncnn_mnn.py --res2net "$res2net" ;;
    lite) part lite lite tests/oracle/lite.py --res2net "$res2net" --shared "$shared" ;;
    evaluate) part evaluate sklearn tests/oracle/evaluate.py --res2net "$res2net" --shared "$shared" ;;
    pictures)
        part pictures pictures tests/oracle/pictures.py --res2net "$res2net" --data "$shared/data"
        ;;
    zoo) part zoo pictures tests/oracle/picture_zoo.py --program "$res2net" --data "$shared/data" ;;
    hostile) part hostile pictures tests/oracle/hostile_zoo.py --program "$res2net" ;;
    *)
        printf '%s\n' "oracle: no part is called '$chosen': logits formats import gradients gradients_bf16 steps train saves resume config cifar quantize onnx quantized paddle ncnn lite evaluate pictures zoo hostile" >&2
        exit 2
        ;;
    esac
done

printf '\n== all ==\n%s' "$summary"
printf '%s\n' "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
