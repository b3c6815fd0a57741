#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every so-many-th allocation of the whole command fails, once or with all after it: it ends with
# its usual answer, or with status 3, a message and no file; never by a signal.
set -u
# shellcheck source=tests/scripts/cli_test.sh
. "$(dirname "$0")/cli_test.sh"
needs png yaml

preload=$build/libfailing_malloc.so
[ -e "$preload" ] || {
    echo "SKIPPED: no $preload: built with a sanitizer or without glibc"
    exit 77
}
tiny_model "$work/net.safetensors" 6 3
cd "$work" || exit 1
"$res2net" convert net.safetensors net.r2n 2>err || {
    fail "$(cat err)"
    finish
}
for i in 1 2; do
    python3 "$here/make_png.py" 32 32 "$i" "$i.png"
done
printf '1.png 0\n2.png 1\n' >list.txt

# Leaves out what is different each time: the line of `eval` with seconds.
without_times() {
    sed '/seconds/d; / s,/d' "$1" >"$1.plain"
    mv "$1.plain" "$1"
}

# every NAME COMMAND...: COMMAND may write into the folder out/, where a failure leaves no weights
# and no file under a temporary name (the tables of `eval --report` are whole, each for itself).
every() {
    name=$1
    shift
    mkdir -p out
    LD_PRELOAD=$preload FAILING_MALLOC_COUNT=$work/count "$@" >usual 2>err </dev/null ||
        fail "$name without a failure: $(cat err)"
    total=$(cat count)
    without_times usual
    step=$((total / 60 + 1))
    harmless=0
    tries=0
    for mode in once on; do
        n=1
        while [ "$n" -le "$total" ]; do
            rm -rf out && mkdir out
            checks=$((checks + 1))
            tries=$((tries + 1))
            status=0
            if [ $mode = once ]; then
                LD_PRELOAD=$preload FAILING_MALLOC=$n "$@" >now 2>err </dev/null || status=$?
            else
                LD_PRELOAD=$preload FAILING_MALLOC=$n FAILING_MALLOC_ON=1 \
                    "$@" >now 2>err </dev/null || status=$?
            fi
            without_times now
            if [ $status -eq 0 ]; then
                harmless=$((harmless + 1))
                cmp -s usual now || fail "$name: allocation $n failed ($mode): another answer"
            elif [ $status -ne 3 ]; then
                fail "$name: allocation $n failed ($mode): status $status: $(head -n 3 err)"
            elif [ ! -s err ]; then
                fail "$name: allocation $n failed ($mode): no message"
            elif find out -name '*r2n*' -o -name '*res2net-*' | grep . >left; then
                fail "$name: allocation $n failed ($mode): left $(cat left)"
            fi
            n=$((n + step))
        done
    done
    echo "$name: $tries failures, every $step. of $total allocations; $harmless without harm"
}

every predict "$res2net" predict -m net.r2n --preset torch --resize-short 32 --crop 32 --threads 1 \
    --format json 1.png 2.png
every list "$res2net" predict -m net.safetensors --preset torch --resize-short 32 --crop 32 \
    --threads 1 --list list.txt
every eval "$res2net" eval -m net.r2n --preset torch --resize-short 32 --crop 32 --threads 1 \
    --list list.txt --report out
every convert "$res2net" convert net.safetensors out/net.r2n
every summary "$res2net" summary -m net.r2n
every models "$res2net" models
every "data check" "$res2net" data check list.txt
finish
