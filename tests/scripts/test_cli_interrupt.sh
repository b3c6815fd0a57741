#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SIGINT, SIGTERM and SIGHUP: exit status 130, complete results so far, no temporary file. Nothing
# here waits for a clock: the runs wait for pipes and terminals that the test holds.
set -u
# shellcheck source=tests/scripts/cli_test.sh
. "$(dirname "$0")/cli_test.sh"
needs png yaml

tiny_model "$work/net.safetensors" 10 1
tiny_transforms "$work/transforms.yaml"
cd "$work" || exit 1
"$res2net" convert net.safetensors net.r2n --transforms transforms.yaml 2>err || {
    fail "convert: $(cat err)"
    finish
}
python3 "$here/make_png.py" 32 32 1 a.png 2 b.png 3 c.png

no_leftovers() {
    checks=$((checks + 1))
    left=$(find . -name '*res2net-*' -o -name '.*.[0-9]*' -type f)
    [ -z "$left" ] || fail "$*: left over: $left"
}

interrupted() { # interrupted SIGNAL PIPE CONTENT [--after TEXT] WORDS...
    checks=$((checks + 1))
    rm -f pipe.png
    status=0
    python3 "$here/interrupt_at.py" "$@" >out 2>err || status=$?
    [ $status -eq 0 ] || fail "$*: $(tail -n 3 err)"
    no_leftovers "$@"
}

# ---- predict: the third picture does not come; what was answered before it is whole
for signal in SIGINT SIGTERM SIGHUP; do
    for format in jsonl json csv text paddleclas; do
        case $format in json) after='"b.png"' ;; *) after=b.png ;; esac
        interrupted $signal pipe.png c.png --after "$after" "$res2net" predict -m net.r2n a.png b.png \
            pipe.png c.png --format $format --batch 1 --topk 2 --dump-logits dump.npy
        says "predict: interrupted; answers of 2 inputs are complete"
        cp out $format
        [ ! -e dump.npy ] || fail "an interrupted run wrote its dump"
    done
    "$res2net" predict -m net.r2n a.png b.png --format jsonl --topk 2 >wanted
    is_same jsonl wanted "$signal: jsonl"
    "$res2net" predict -m net.r2n a.png b.png --format json --topk 2 >wanted
    is_same json wanted "$signal: the array is closed"
    "$res2net" predict -m net.r2n a.png b.png --format csv --topk 2 >wanted
    is_same csv wanted "$signal: csv"
    "$res2net" predict -m net.r2n a.png b.png --format text --topk 2 >wanted
    is_same text wanted "$signal: text"
    "$res2net" predict -m net.r2n a.png b.png --format paddleclas --batch 1 --topk 2 >wanted
    is_same paddleclas wanted "$signal: paddleclas"
done
# Pictures that were read and wait for their batch are answered too.
interrupted SIGTERM pipe.png c.png --after '"a.png"' "$res2net" predict -m net.r2n a.png a.png b.png \
    pipe.png --format jsonl --batch 2 --topk 2
"$res2net" predict -m net.r2n a.png a.png b.png --format jsonl --topk 2 >wanted
checks=$((checks + 1))
lines=$(wc -l <out) # 2, or 3 where the signal came after the third was read
[ "$lines" -ge 2 ] || fail "what waited for its batch: $(cat out)"
head -n "$lines" wanted >wanted_lines
is_same out wanted_lines "what waited for its batch"
# Skipped ones as well.
interrupted SIGINT pipe.png c.png --after '"b.png"' "$res2net" predict -m net.r2n a.png absent.png \
    b.png pipe.png --format json --batch 1
python_check "a skipped one in an interrupted run" <<'END_OF_FILE'
assert [list(row)[1] for row in value] == ["top", "error", "top"], value
END_OF_FILE
says "predict: 1 of 4 inputs skipped"

# ---- eval: no result that covers only a part; no report
for signal in SIGINT SIGTERM; do
    printf 'a.png 0\npipe.png 1\nb.png 2\n' >list.txt
    # The pipe delivers a picture larger than a pipe, so that half of it being gone shows the run.
    python3 "$here/make_png.py" 500 500 9 large.png
    interrupted $signal pipe.png large.png "$res2net" eval -m net.r2n --list list.txt --root . \
        --format json --batch 1 --report report
    is_empty out
    checks=$((checks + 1))
    [ -z "$(ls -A report)" ] || fail "an interrupted eval left $(ls -A report)"
done

# ---- quantize: nothing is written, the old file stays
for signal in SIGINT SIGTERM; do
    echo old >out.r2n
    interrupted $signal pipe.png large.png "$res2net" quantize -m net.r2n --calibrate list.txt \
        --root . --batch 1 -o out.r2n
    is_empty out
    checks=$((checks + 1))
    [ "$(cat out.r2n)" = old ] || fail "an interrupted quantize changed out.r2n"
done

# ---- convert: nothing is written, the old file stays
"$res2net" summary "cifar:planes=64,depths=1-1-1,width=26,scale=4,classes=10" --format json |
    python3 "$here/make_model.py" large.safetensors 1
echo old >out.r2n
for signal in SIGINT SIGTERM SIGHUP; do
    interrupted $signal pipe.png large.safetensors "$res2net" convert pipe.png out.r2n
    is_empty out
    checks=$((checks + 1))
    [ "$(cat out.r2n)" = old ] || fail "an interrupted convert changed its output"
done

# ---- long runs, stopped as soon as they can be
cat >at_once.py <<'END_OF_FILE'
"""at_once.py SIGNAL COMMAND...: the signal comes as soon as the command is ready for it."""
import signal, subprocess, sys
number = getattr(signal, sys.argv[1])
process = subprocess.Popen(sys.argv[2:], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE)
def is_ready():
    for line in open(f"/proc/{process.pid}/status", encoding="ascii"):
        if line.startswith("SigCgt:"):
            return int(line.split()[1], 16) >> (number - 1) & 1
while process.poll() is None and not is_ready():
    pass
process.send_signal(number)
out, err = process.communicate()
assert process.returncode == 130, (process.returncode, out[:200], err)
assert b"standard output" not in err, err
END_OF_FILE
i=0
while [ $i -lt 20000 ]; do
    echo "a.png 0"
    i=$((i + 1))
done >long.txt
for signal in SIGINT SIGTERM; do
    for words in "eval -m net.r2n --list long.txt --root . --format json --report stopped" \
        "quantize -m net.r2n --calibrate long.txt --root . --samples 1000000 -o stopped.r2n" \
        "data check long.txt --root . --format json" \
        "predict -m net.r2n --list long.txt --root . --format json" \
        "bench -m net.r2n --batch 1,2,3,4,5,6,7,8,9,10"; do
        checks=$((checks + 1))
        # shellcheck disable=SC2086
        python3 at_once.py $signal "$res2net" $words >log 2>&1 || fail "$signal: $words: $(tail -n 1 log)"
        no_leftovers "$words"
    done
done
[ ! -e stopped.r2n ] || fail "an interrupted quantize left stopped.r2n"
[ -z "$(ls -A stopped 2>/dev/null)" ] || fail "an interrupted eval left $(ls -A stopped)"

# ---- what the parent ignores stays ignored: nohup, jobs in the background
for signal in HUP INT TERM; do
    checks=$((checks + 1))
    status=0
    (
        trap '' $signal
        exec "$res2net" predict -m net.r2n a.png --format csv
    ) >out 2>err || status=$?
    [ $status -eq 0 ] || fail "with SIG$signal ignored: $status"
done

finish
