#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `res2net train` on a disk that fills up, after any number of bytes: status 3 and the reason; every
# save that there is is whole; once there is room, a resume ends in the bytes of the run without a stop.
set -u
# shellcheck source=tests/scripts/cli_test.sh
. "$(dirname "$0")/cli_test.sh"
needs yaml
preload=$build/libfull_disk.so
[ -e "$preload" ] || {
    echo "SKIPPED: no $preload: built with a sanitizer or not on Linux"
    exit 77
}
cd "$work" || exit 1
python3 "$here/make_cifar10.py" train.bin 36 1 || fail "make_cifar10.py"

cat >net.yaml <<'END'
Global: {output_dir: made, epochs: 3, save_interval: 1, save_iterations: 1, print_batch_step: 1, seed: 3}
Arch: {name: 'cifar:planes=8,depths=1-1-1,width=32,scale=2,stem=8', class_num: 10}
Optimizer:
  name: Momentum
  lr: {name: Cosine, learning_rate: 0.1}
DataLoader:
  Train:
    dataset:
      cls_label_path: train.bin
      transform_ops:
        - RandFlipImage: {flip_code: 1}
        - NormalizeImage: {scale: 1.0/255.0, mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25], order: ''}
    sampler: {batch_size: 12, shuffle: True}
  Eval:
    dataset:
      cls_label_path: train.bin
      transform_ops:
        - NormalizeImage: {scale: 1.0/255.0, mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25], order: ''}
    sampler: {batch_size: 12}
END
expect 0 env LD_PRELOAD="$preload" FULL_DISK_COUNT="$work/count" \
    "$res2net" train -c net.yaml -o Global.output_dir=whole
whole=$(find whole -name latest.r2n | head -n 1 | xargs dirname)
name=${whole#*/}
total=$(cat count)

# has_whole_saves FOLDER: each epoch_N of it has the bytes that it has in the run without a stop, and
# nothing half written is left.
has_whole_saves() {
    for states in "$1"/epoch_*.pdstates; do
        [ -e "$states" ] || continue
        for ending in pdparams pdopt pdstates r2n; do
            file=$(basename "$states" pdstates)$ending
            is_same "$1/$file" "$whole/$file" "room for $room bytes"
        done
    done
    checks=$((checks + 1))
    if find "$1" -name '*.new.*' -o -name '*res2net-*' 2>/dev/null | grep . >left; then
        fail "room for $room bytes: left $(cat left)"
    fi
}

resumed=0
afresh=0
part=0
while [ $part -lt 13 ]; do
    room=$((total * part / 13))
    part=$((part + 1))
    rm -rf stopped && mkdir stopped
    expect 3 env LD_PRELOAD="$preload" FULL_DISK="$room" \
        "$res2net" train -c net.yaml -o Global.output_dir=stopped
    says "No space left on device"
    has_whole_saves "stopped/$name"
    if [ -e "stopped/$name/latest.pdstates" ]; then
        resumed=$((resumed + 1))
        expect 0 "$res2net" train -c net.yaml -o Global.output_dir=stopped \
            -o Global.checkpoints="stopped/$name/latest"
    else
        afresh=$((afresh + 1))
        expect 0 "$res2net" train -c net.yaml -o Global.output_dir=stopped
    fi
    for file in latest.r2n latest.pdopt latest.pdstates best_model.pdparams; do
        is_same "$whole/$file" "stopped/$name/$file" "a resume after room for $room bytes"
    done
    checks=$((checks + 1))
    epochs=$(cut -d , -f 1 "stopped/$name/results.csv" | tr '\n' ' ')
    [ "$epochs" = "epoch 1 2 3 " ] || fail "room for $room bytes: results.csv has $epochs"
done
echo "$total bytes of a run: $resumed resumes, $afresh new starts"
checks=$((checks + 1))
[ $resumed -ge 8 ] || fail "only $resumed of 13 runs left a save"
finish
