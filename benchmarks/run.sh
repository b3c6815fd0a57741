#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Our speed beside other engines', interleaved in one run; some minutes a network.
#   run.sh [--record] [OPTION...]          networks: the options of benchmarks/peers.py (--help)
#   run.sh [--record] folder [OPTION...]   a folder of pictures, from files to answers (folder.py)
#   run.sh [--record] start [OPTION...]    from process start to answer, and peak memory (start.py)
#   run.sh all [OPTION...]                 all that the targets ask for, recorded (record.sh)
#   run.sh targets                         what the recorded results say of the project's targets
# --record adds the rows to benchmarks/results.csv, draws benchmarks/results.svg anew and writes the
# tables of docs/performance.md.
set -eu
cd "$(dirname "$0")/.."
res2net=${RES2NET:-build/res2net}
unset RES2NET_ISA RES2NET_THREADS

table=.oracle/results.csv
record=no
if [ "${1:-}" = --record ]; then
    shift
    table=benchmarks/results.csv
    record=yes
fi
[ -x "$res2net" ] || {
    printf '%s\n' "bench: there is no $res2net; run ./run build first" >&2
    exit 3
}
case "${1:-}" in
all)
    shift
    exec sh benchmarks/record.sh "$@"
    ;;
targets)
    exec python3 benchmarks/targets.py benchmarks/results.csv
    ;;
folder)
    shift
    sh tests/oracle/environments.sh torch onnx openvino >&2
    .oracle/onnx/bin/python benchmarks/folder.py --res2net "$res2net" --csv "$table" "$@"
    ;;
start)
    shift
    sh tests/oracle/environments.sh torch onnx >&2
    .oracle/onnx/bin/python benchmarks/start.py --res2net "$res2net" --csv "$table" "$@"
    ;;
*)
    sh tests/oracle/environments.sh torch onnx openvino paddle ncnn >&2
    .oracle/onnx/bin/python benchmarks/peers.py --res2net "$res2net" --csv "$table" "$@"
    ;;
esac
if [ "$record" = yes ]; then
    python3 benchmarks/draw_results.py benchmarks/results.csv benchmarks/results.svg
    python3 benchmarks/tables.py benchmarks/results.csv docs/performance.md
fi
