#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `eval` and `predict` at their limits: very many classes, pictures that the network cannot run.
set -u
# shellcheck source=tests/scripts/cli_test.sh
. "$(dirname "$0")/cli_test.sh"
needs png yaml

tiny_model "$work/net.safetensors" 6 3
tiny_model "$work/big.safetensors" 4097 3
tiny_transforms "$work/transforms.yaml"
cd "$work" || exit 1
"$res2net" convert net.safetensors net.r2n --transforms transforms.yaml 2>err || {
    fail "$(cat err)"
    finish
}
mkdir -p set/ant
python3 "$here/make_png.py" 32 32 7 set/ant/1.png
echo 'set/ant/1.png 0' >list.txt

# ---- more classes than a confusion matrix is made for
for format in text json; do
    expect 0 "$res2net" eval -m big.safetensors --transforms transforms.yaml --list list.txt --root . \
        --format $format --report big_report
    says "too many for confusion.csv"
    says "too many for confusion.svg"
    says "too many for confused_pairs.csv"
done
[ -f big_report/summary.json ] || fail "no summary.json beside a left out matrix"
[ -f big_report/worst.html ] || fail "no worst.html beside a left out matrix"
python_check "without a matrix the pairs are not known" <<'END'
assert value["confused_pairs"] is None and len(value["worst"]) == 1, value["confused_pairs"]
END
rm -rf big_report

# ---- a picture too small for the network is a bad picture, not the end of the run
mkdir small
python3 "$here/make_png.py" 3 2 1 small/a.png
cp set/ant/1.png small/b.png
printf 'small/a.png 0\nsmall/b.png 0\n' >small.txt
expect 1 "$res2net" eval -m net.r2n --list small.txt --root . --on-bad-image skip
says "small/a.png"
prints "images   1 (1 unreadable)"
expect 1 "$res2net" predict -m net.r2n small/a.png small/b.png --format json
says "small/a.png"
rm -rf small

finish
