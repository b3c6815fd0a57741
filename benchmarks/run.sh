#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Our speed beside onnxruntime and OpenVINO, interleaved in one run; some minutes a network.
#   run.sh [--record] [OPTION...]     the options are those of benchmarks/peers.py (--help)
# --record adds the rows to benchmarks/results.csv and draws benchmarks/results.svg anew.
set -eu
cd "$(dirname "$0")/.."
res2net=${RES2NET:-build/res2net}
unset RES2NET_ISA RES2NET_THREADS

if [ "${1:-}" = --record ]; then
    shift
    set -- --csv benchmarks/results.csv "$@"
    record=yes
else
    record=no
fi
[ -x "$res2net" ] || {
    printf '%s\n' "bench: there is no $res2net; run ./run build first" >&2
    exit 3
}
sh tests/oracle/environments.sh torch onnx
.oracle/onnx/bin/python benchmarks/peers.py --res2net "$res2net" "$@"
if [ "$record" = yes ]; then
    python3 benchmarks/draw_results.py benchmarks/results.csv benchmarks/results.svg
fi
