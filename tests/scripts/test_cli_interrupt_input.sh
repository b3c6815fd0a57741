#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Ctrl-C while a verb waits for standard input that does not come.
set -u
# shellcheck source=tests/scripts/cli_test.sh
. "$(dirname "$0")/cli_test.sh"
needs png yaml

tiny_model "$work/net.safetensors" 6 3
printf -- '- NormalizeImage:\n    order: ""\n- ToCHWImage:\n' >"$work/transforms.yaml"
python3 "$here/make_png.py" 32 32 7 "$work/a.png"
cd "$work" || exit 1

model="-m net.safetensors --transforms transforms.yaml"
for words in "predict - $model" "predict --on-bad-image skip - a.png $model" \
    "predict --list - $model" "eval --list - $model" \
    "quantize --calibrate - -o net.r2n $model" "data check -" "data split - -o split"; do
    checks=$((checks + 1))
    status=0
    # shellcheck disable=SC2086
    python3 "$here/interrupt.py" "$res2net" $words \
        >out 2>err || status=$?
    if [ "$status" -eq 77 ]; then
        echo "SKIPPED: $(cat err)"
        [ "$failures" -eq 0 ] || finish
        exit 77
    fi
    [ "$status" -eq 0 ] || fail "Ctrl-C: $words: $(cat err)"
    says "interrupted by a signal while it was read"
done

finish
