#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Pictures that end too early, and limits on their size, in predict, eval and data check; the new
# formats by path and from standard input.
set -u
# shellcheck source=tests/scripts/cli_test.sh
. "$(dirname "$0")/cli_test.sh"

golden=$(cd "$here/../golden/pictures" && pwd)
tiny_model "$work/net.safetensors" 3 1
cd "$work" || exit 1
"$res2net" convert net.safetensors net.r2n 2>err || fail "convert: $(cat err)"
mkdir set
cp "$golden/rgb24_40.bmp" set/a.bmp
head -c 900 set/a.bmp >set/cut.bmp
cp "$golden/level255.ppm" set/b.ppm
printf 'a.bmp 0\ncut.bmp 1\nb.ppm 2\n' >list.txt
small="--resize-short 40 --crop 32 --preset torch"

# shellcheck disable=SC2086 # words of $small
cut_off() {
    expect 3 "$res2net" predict -m net.r2n $small set/cut.bmp
    says "set/cut.bmp: byte 900: the header says 23 x 19 pixels"
    expect 0 "$res2net" predict -m net.r2n $small --truncated tolerate set/cut.bmp
    says "set/cut.bmp: byte 900: the BMP is cut off: it ends after 900 bytes; what is missing is taken as black"
    prints "set/cut.bmp"
    expect 1 "$res2net" eval -m net.r2n $small --root set --on-bad-image skip --list list.txt
    says "cut.bmp: byte"
    expect 0 "$res2net" eval -m net.r2n $small --root set --truncated tolerate --list list.txt
    says "what is missing is taken as black"
    expect 1 "$res2net" data check --root set list.txt
    prints "3, of which 2 readable"
    expect 0 "$res2net" data check --root set --truncated tolerate list.txt
    says "what is missing is taken as black"
    prints "3, of which 3 readable"
    expect 2 "$res2net" predict -m net.r2n --truncated maybe set/a.bmp
    says "refuse"
}

# shellcheck disable=SC2086
limits() {
    expect 3 "$res2net" predict -m net.r2n $small --max-pixels 436 set/a.bmp
    says "23 x 19 pixels; the limit is 436 pixels: shrink the picture, or raise the limit (--max-pixels, maximum_pixels)"
    expect 0 "$res2net" predict -m net.r2n $small --max-pixels 437 set/a.bmp
    expect 1 "$res2net" eval -m net.r2n $small --root set --on-bad-image skip --max-pixels 9 \
        --truncated tolerate --list list.txt
    says "the limit is 9 pixels"
    expect 1 "$res2net" data check --root set --max-pixels 436 list.txt
    prints "3, of which 0 readable"
    expect 2 "$res2net" predict -m net.r2n --max-pixels 0 set/a.bmp
}

# shellcheck disable=SC2086
formats() {
    expect 0 "$res2net" predict -m net.r2n $small --format jsonl --on-bad-image skip set/a.bmp set/b.ppm
    expect 1 "$res2net" predict -m net.r2n $small --format jsonl set
    python_check "a folder takes the new extensions" <<'END'
rows = [json.loads(line) for line in out.splitlines()]
assert [row["file"] for row in rows] == ["set/a.bmp", "set/b.ppm", "set/cut.bmp"], rows
assert [("error" in row) for row in rows] == [False, False, True], rows
END
    "$res2net" predict -m net.r2n $small --dump-input path.npy set/a.bmp >out 2>err ||
        fail "predict: $(cat err)"
    "$res2net" predict -m net.r2n $small --dump-input stdin.npy - <set/a.bmp >out 2>err ||
        fail "predict -: $(cat err)"
    is_same path.npy stdin.npy "a path and standard input"
    printf 'GIF89a' >set/a.jpg
    expect 3 "$res2net" predict -m net.r2n $small set/a.jpg
    says "set/a.jpg: byte 0: this is a GIF picture: JPEG, PNG, WebP, BMP and PNM are read; convert it to PNG first"
}

cut_off
limits
formats
finish
