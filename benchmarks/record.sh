#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Everything that the targets ask for, recorded: the page's networks and ResNet-50 beside all engines,
# Res2Net50 held to older CPUs, a folder of pictures, starts. For a machine that does nothing else.
#   record.sh [OPTION...]    options of benchmarks/peers.py for the networks, such as --rounds 3
# A part that was measured stays when a later one fails or is stopped.
set -eu
cd "$(dirname "$0")/.."

record() { sh benchmarks/run.sh --record "$@"; }

record --arch Res2Net50_26w_4s,resnet50 --together "$@"
for hold in avx2 vnni; do
    record --arch Res2Net50_26w_4s --hold "$hold" --batch 1 --threads 2 "$@"
done
for precision in f32 bf16; do
    record start --precision "$precision"
    record folder --precision "$precision"
done
for arch in Res2Net50_vd_26w_4s Res2Net50_14w_8s Res2Net101_vd_26w_4s Res2Net200_vd_26w_4s; do
    record --arch "$arch" "$@"
done
sh benchmarks/run.sh targets
