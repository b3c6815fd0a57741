#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Ten classes of Imagenette in 32 epochs: 22 of 96x96 pictures, which cost less, then 10 of 128x128,
# each a run of its own. Run it where dataset/imagenette has train_list.txt, val_list.txt and the pictures. Stopped at any
# moment, it goes on where it was.
#   train.sh SEED OUTPUT [RES2NET] [more arguments for res2net train]
set -eu
seed=$1 output=$2 res2net=${3:-res2net}
shift 2
[ $# -eq 0 ] || shift
config=$(dirname "$0")/Res2Net50_26w_4s.yaml
saved=$output/Res2Net50_26w_4s/latest

# phase SIDE LAST_EPOCH: goes on from what is saved
phase() {
    side=$1 last=$2
    shift 2
    [ -f "$saved.pdstates" ] && set -- "$@" -o Global.checkpoints="$saved"
    "$res2net" train -c "$config" -o Global.seed="$seed" -o Global.output_dir="$output" \
        -o Global.image_shape="[3, $side, $side]" -o Global.stop_after_epoch="$last" \
        -o DataLoader.Train.dataset.transform_ops.1.RandCropImage.size="$side" "$@"
}
phase 96 22 "$@"
phase 128 32 "$@"
