#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A folder of good and bad pictures of several sizes: predict's results, messages and exit status are
# those of one picture at a time, whatever --batch and --threads are; eval's counts likewise.
set -u
# shellcheck source=tests/scripts/cli_test.sh
. "$(dirname "$0")/cli_test.sh"
needs png yaml

tiny_model "$work/net.safetensors" 10 4
tiny_transforms "$work/transforms.yaml"
mkdir "$work/photos" "$work/empty"
cd "$work" || exit 1
for i in 10 11 12 13 14 15 16 17 18 19 20 21 22 23; do
    python3 "$here/make_png.py" 32 32 "$i" "photos/$i.png"
    echo "photos/$i.png $((i % 10))" >>list.txt
done
python3 "$here/make_png.py" 48 40 1 photos/13.png 2 photos/14.png 3 photos/19.png
head -c 90 photos/10.png >photos/16.png
echo "no picture" >photos/17.png
: >photos/23.png
echo "photos/absent.png 3" >>list.txt

run() { # run NAME WORDS...: results, messages and exit status together
    name=$1
    shift
    status=0
    "$res2net" "$@" -m net.safetensors --transforms transforms.yaml >"$name.out" 2>"$name.err" \
        </dev/null || status=$?
    echo "$status" >>"$name.out"
}

inputs="photos/12.png empty photos nothing-*.png photos/11.png photos/10.png"
for bad in skip stop; do
    # shellcheck disable=SC2086
    run "one.$bad" predict $inputs --on-bad-image $bad --format jsonl --batch 1 --threads 1
    for batch in 1 2 3 8 64; do
        for threads in 1 2 5; do
            # shellcheck disable=SC2086
            run many predict $inputs --on-bad-image $bad --format jsonl --batch $batch \
                --threads $threads
            grep -v 'so many threads' many.err >told.err
            is_same "one.$bad.out" many.out "batch $batch, $threads threads, $bad"
            is_same "one.$bad.err" told.err "messages of batch $batch, $threads threads, $bad"
        done
    done
done
[ "$(tail -n 1 one.skip.out)" -eq 1 ] || fail "skipped pictures: exit status is not 1"
[ "$(tail -n 1 one.stop.out)" -eq 3 ] || fail "a bad picture: exit status is not 3"
[ "$(grep -c '"top"' one.skip.out)" -eq 14 ] || fail "not 14 of 19 inputs are answered"

run one predict --list list.txt --format csv --batch 1 --threads 1
run one.eval eval --list list.txt --on-bad-image wrong --format json --batch 1 --threads 1
grep -v seconds one.eval.out >one.counts
for threads in 1 2 5; do
    run many predict --list list.txt --format csv --batch 4 --threads $threads
    grep -v 'so many threads' many.err >told.err
    is_same one.out many.out "a list with $threads threads"
    is_same one.err told.err "messages of a list with $threads threads"
    run many eval --list list.txt --on-bad-image wrong --format json --batch 6 --threads $threads
    grep -v seconds many.out >many.counts
    grep -v 'so many threads' many.err >told.err
    is_same one.counts many.counts "eval with $threads threads"
    is_same one.eval.err told.err "messages of eval with $threads threads"
done

finish
