#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# benchmarks/targets.py, draw_results.py and tables.py: the right cells of results.csv, and what is
# committed is what results.csv gives.
set -u
benchmarks=$(cd "$(dirname "$0")/../../benchmarks" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export PYTHONDONTWRITEBYTECODE=1
failures=0

fail() {
    printf 'FAIL: %s\n' "$*"
    failures=$((failures + 1))
}
says() { # says WORDS: in the last output
    grep -qF -- "$1" "$work/out" || {
        fail "'$1' is absent from:"
        cat "$work/out"
    }
}

head -1 "$benchmarks/results.csv" >"$work/table.csv"
others=0.02
row() { # row DATE CPU WHAT ARCH PRECISION BATCH ENGINE HELD MIN PEAK NOTE; the median is the least
    printf '%s,c0ffee,%s,%s,%s,%s,%s,2,%s,1,,%s,%s,%s,5,%s,%s,,%s\n' \
        "$1" "$2" "$3" "$4" "$5" "$6" "$7" "$8" "$9" "$9" "$others" "${10}" "${11}" >>"$work/table.csv"
}
net=Res2Net50_26w_4s
row 2026-01-01 "old AMX" batch $net f32 1 openvino "" 99 "" ""
row 2026-01-01 "old AMX" batch $net f32 1 res2net "" 10 "" ""
row 2026-01-02 "this" batch $net f32 1 openvino "" 50 "" ""
row 2026-01-02 "this" batch $net f32 1 res2net "" 10 "" ""
row 2026-01-03 "this" batch $net f32 1 openvino "" 24 "" ""
row 2026-01-03 "this" batch $net f32 1 res2net "" 20 "" ""
row 2026-01-03 "this" batch resnet50 f32 1 res2net "" 16 "" ""
row 2026-01-03 "this" batch $net int8 1 res2net "" "" "" "no int8 today"
row 2026-01-03 "this" batch $net f32 1 openvino avx2 30 "" ""
row 2026-01-03 "this" batch $net f32 1 res2net avx2 30 "" ""
row 2026-01-04 "this" batch $net f32 1 openvino "" 1 "" ""
others=0.40
row 2026-01-05 "this" batch $net f32 1 openvino "" 99 "" ""
row 2026-01-05 "this" batch $net f32 1 res2net "" 10 "" ""
others=
row 2026-01-05 "this" start $net f32 1 res2net "" 39.5 100.0 ""

python3 "$benchmarks/targets.py" "$work/table.csv" >"$work/out" || fail "targets.py ends with $?"
# Of one run, the last that has both; never of another CPU, nor of one that others disturbed.
says "| f32, batch 1, vs OpenVINO f32 | >= 1.15 | >= 1.35 | 1.2 | reached |"
says "| our Res2Net50 / our ResNet-50, f32 | <= 1.12 | <= 1.08 | 1.25 | not reached |"
says "| bf16, batch 1, vs OpenVINO bf16 | >= 1.9 | >= 2.45 | | not measurable here (no AMX) |"
says "| int8, batch 1, vs OpenVINO NNCF int8 | >= 1.8 | >= 2.5 | | not measured: no int8 today |"
says "| held to AVX2: f32, batch 1, vs OpenVINO f32 | > 1 | > 1.15 | 1 | not reached |"
says "| process start to answer, f32, ms | <= 60 | <= 40 | 39.5 | aim reached |"
says "| peak memory, f32, MB | <= 150 | <= 117.8 | 104.9 | aim reached |"

python3 "$benchmarks/draw_results.py" "$work/table.csv" "$work/out" || fail "draw_results.py: $?"
says "OpenVINO: 1.20 times ours"
says "held to AVX2"
! grep -q "5.00 times ours" "$work/out" || fail "an older run of the cell is drawn"

head -1 "$work/table.csv" >"$work/empty.csv"
! python3 "$benchmarks/targets.py" "$work/empty.csv" >"$work/out" 2>&1 || fail "no rows: no error"
says "no rows"

python3 "$benchmarks/targets.py" "$benchmarks/results.csv" >"$work/out" || fail "the committed table"
python3 "$benchmarks/draw_results.py" "$benchmarks/results.csv" "$work/drawn.svg" ||
    fail "the committed table is not drawn"
cmp "$work/drawn.svg" "$benchmarks/results.svg" || fail "results.svg is not what results.csv draws"

page=$benchmarks/../docs/performance.md
cp "$page" "$work/page.md"
python3 "$benchmarks/tables.py" "$benchmarks/results.csv" "$work/page.md" || fail "tables.py: $?"
cmp "$work/page.md" "$page" || fail "the tables of docs/performance.md are not results.csv's"
printf 'before\n%s\nold\n%s\nafter\n' '<!-- benchmarks/tables.py writes from here -->' \
    '<!-- to here -->' >"$work/out"
python3 "$benchmarks/tables.py" "$work/table.csv" "$work/out" || fail "tables.py: $?"
says "| Res2Net50_26w_4s | 1 | 20.0 | 24.0 (1.20) |"
says "| f32, batch 1, vs OpenVINO f32 | >= 1.15 | >= 1.35 | 1.2 | reached |"
says "before"
says "after"
! grep -qx old "$work/out" || fail "the old table is still there"
echo "no marks" >"$work/out"
! python3 "$benchmarks/tables.py" "$work/table.csv" "$work/out" 2>/dev/null || fail "no marks: no error"

[ "$failures" -eq 0 ] || exit 1
echo "all of the benchmark's tables are as they must be"
