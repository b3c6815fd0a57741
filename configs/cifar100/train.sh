#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# CIFAR-100 in 21 epochs of which the first 16 see smaller pictures, which cost less: 11 of 20x20, 5 of
# 26x26. Run it where dataset/cifar100 has train.bin and test.bin.
#   train.sh SEED OUTPUT [RES2NET] [more arguments for res2net train]
set -eu
seed=$1 output=$2 res2net=${3:-res2net}
shift 2
[ $# -eq 0 ] || shift
config=$(dirname "$0")/Res2Net20_26w_4s.yaml
saved=$output/res2net20_26w_4s_cifar/latest

# phase SIDE LAST_EPOCH: goes on from what is saved
phase() {
    side=$1 last=$2
    shift 2
    [ -f "$saved.pdstates" ] && set -- "$@" -o Global.checkpoints="$saved"
    "$res2net" train -c "$config" -o Global.seed="$seed" -o Global.output_dir="$output" \
        -o Global.image_shape="[3, $side, $side]" -o Global.stop_after_epoch="$last" \
        -o DataLoader.Train.dataset.transform_ops.1.ResizeImage.size="$side" "$@"
}
phase 20 11 "$@"
phase 26 16 "$@"
phase 32 21 "$@"
