#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Help, usage errors with their did-you-mean, environment, completions, manual pages, lost output.
set -u
# shellcheck source=tests/scripts/cli_test.sh
. "$(dirname "$0")/cli_test.sh"

# ---- help and version
expect 0 "$res2net" --version
prints "res2net 0."
expect 0 "$res2net" --help
prints "usage: res2net VERB"
expect 0 "$res2net" help
expect 2 "$res2net"
says "usage: res2net VERB"
is_empty "$work/out"
"$res2net" help >"$work/overview"
for later in cam features; do
    grep -q "^  $later" "$work/overview" && fail "the overview lists $later"
done
for verb in predict eval train quantize convert export summary models plan bench doctor "data check"; do
    grep -q "^  $verb " "$work/overview" || fail "the overview lacks $verb"
    # shellcheck disable=SC2086 # "data check" is two words
    expect 0 "$res2net" $verb --help
    prints "usage: res2net $verb"
    cp "$work/out" "$work/help"
    # shellcheck disable=SC2086
    expect 0 "$res2net" help $verb
    is_same "$work/out" "$work/help" "help $verb"
    awk 'length > 90 { exit 1 }' "$work/help" || fail "$verb --help has long lines"
done
expect 0 "$res2net" predict --topk nonsense --help
expect 2 "$res2net" help nonsense

# ---- unknown and later verbs
expect 2 "$res2net" preditc
says "did you mean \`res2net predict\`"
expect 2 "$res2net" frobnicate
says "unknown verb frobnicate"
expect 2 "$res2net" data
says "did you mean \`res2net data check\`"
expect 2 "$res2net" data chek list.txt
says "did you mean \`res2net data check\`"
expect 2 "$res2net" --foo
for later in cam features "models pull"; do
    # shellcheck disable=SC2086
    expect 2 "$res2net" $later -c x.yaml
    says "$later: this version does not have it yet"
done

# ---- options
expect 2 "$res2net" predict --topkk 3 x.jpg
says "unknown option --topkk; did you mean --topk?"
expect 2 "$res2net" predict --top x.jpg
says "did you mean --topk?"
expect 2 "$res2net" predict -x x.jpg
says "unknown option -x"
for bad in 0 -1 abc 1.5 "" 99999999999999999999; do
    expect 2 "$res2net" predict "--topk=$bad" x.jpg
    says "--topk $bad: expected a whole number from 1 to"
done
expect 2 "$res2net" predict --topk
says "--topk: expected N after it, found the end"
expect 2 "$res2net" predict --labels --topk 3 x.jpg
says "--labels: expected FILE after it, found --topk"
expect 2 "$res2net" predict --format jsonn x.jpg
says "did you mean json?"
expect 2 "$res2net" predict --isa avx521 x.jpg
says "did you mean avx512?"
expect 2 "$res2net" predict --isa avx2 --precision bf16 x.jpg
says "the precision bf16 needs AMX or AVX-512 BF16"
expect 2 "$res2net" predict --isa avx512 --precision bf16x3 x.jpg
says "the precision bf16x3 needs AMX BF16"
expect 2 "$res2net" predict --precision int8 x.jpg
says "the model is not calibrated for int8: \`res2net quantize\`"
expect 2 "$res2net" predict --precision fp32 x.jpg
says "did you mean f32?"
expect 2 "$res2net" predict --fast-decode=1 x.jpg
says "--fast-decode takes no value"
expect 3 "$res2net" eval -c /nonexistent/config.yaml
says "cannot open"
expect 2 "$res2net" plan --time=3
says "--time takes no value"
expect 2 "$res2net" bench --batch 1,,4
says "such as 1,4,8"
expect 2 "$res2net" bench --batch 1,2000
expect 2 "$res2net" bench --size 224x
says "such as 224 or 256x320"
expect 2 "$res2net" eval
says "expected --list LIST"
expect 2 "$res2net" predict
says "expected a picture"
expect 2 "$res2net" predict - -
says "read only once"
expect 2 "$res2net" predict --input-npy a.npy b.jpg
says "give one of them"
expect 2 "$res2net" predict --root folder b.jpg
says "--root belongs to --list"
expect 2 "$res2net" predict -m a.r2n --weights b.pth c.jpg
says "name the same thing"
expect 2 "$res2net" predict --arch resnet50 c.jpg
says "needs its weights"
expect 2 "$res2net" convert only-one
says "expected two files"
expect 2 "$res2net" convert a b c
says "unexpected argument c"
expect 2 "$res2net" bench net.r2n
says "a model is given with -m FILE"

# ---- architectures
expect 2 "$res2net" summary Res2Net50_26w_5s
says "did you mean \"Res2Net50_26w_4s\""
expect 2 "$res2net" bench --arch Res2Net50_26w_5s
says "did you mean \"Res2Net50_26w_4s\""
expect 2 "$res2net" predict -m net.r2n --arch Res2Net50_26w_5s c.jpg
says "did you mean \"Res2Net50_26w_4s\""
expect 2 "$res2net" convert --arch Res2Net50_26w_5s a.pth b.r2n
says "did you mean \"Res2Net50_26w_4s\""

# ---- files that are not there
expect 3 "$res2net" predict -m /nonexistent/net.r2n c.jpg
says "/nonexistent/net.r2n"
expect 3 "$res2net" convert /nonexistent/net.pth "$work/net.r2n"
[ ! -e "$work/net.r2n" ] || fail "convert left a file after a failure"
expect 3 "$res2net" eval --list l --report /dev/null/report
says "--report /dev/null/report"

# ---- environment: below a flag, above the default, checked like a flag
expect 2 env RES2NET_THREADS=many "$res2net" predict c.jpg
says "RES2NET_THREADS=many: expected a whole number"
expect 2 env RES2NET_ISA=avx521 "$res2net" bench
says "RES2NET_ISA=avx521: expected one of"
expect 3 env RES2NET_MODEL=/nonexistent/env.r2n "$res2net" predict c.jpg
says "/nonexistent/env.r2n"
expect 3 env RES2NET_MODEL=/nonexistent/env.r2n "$res2net" predict -m /nonexistent/flag.r2n c.jpg
says "/nonexistent/flag.r2n"
expect 3 env RES2NET_MODEL= "$res2net" predict -m /nonexistent/flag.r2n c.jpg

# ---- a name can neither break a line of a message nor talk to the terminal
newline=$(printf 'a\nb\033c')
expect 3 "$res2net" predict -m "$newline" c.jpg
says 'a\x0ab\x1bc'

# ---- completions and manual pages
for shell in bash zsh fish; do
    expect 0 "$res2net" completions "$shell"
    prints "topk"
    prints "fast-decode"
    if command -v "$shell" >/dev/null 2>&1; then
        "$shell" -n "$work/out" || fail "$shell does not take its completions"
    else
        echo "note: no $shell here, its completions were not parsed"
    fi
done
expect 2 "$res2net" completions csh
if command -v bash >/dev/null 2>&1; then
    "$res2net" completions bash >"$work/completions"
    cat >"$work/complete.bash" <<'END'
. "$1"
COMP_WORDS=(res2net predict --format js)
COMP_CWORD=3
_res2net
echo "${COMPREPLY[*]}"
COMP_WORDS=(res2net data ch)
COMP_CWORD=2
_res2net
echo "${COMPREPLY[*]}"
COMP_WORDS=(res2net bench --ba)
COMP_CWORD=2
_res2net
echo "${COMPREPLY[*]}"
END
    bash "$work/complete.bash" "$work/completions" >"$work/out" 2>"$work/err"
    printf 'json jsonl\ncheck\n--batch\n' >"$work/wanted"
    is_same "$work/out" "$work/wanted" "what bash completes"
fi
expect 0 "$res2net" man
prints ".TH RES2NET 1"
expect 0 "$res2net" man data check
prints ".TH RES2NET-DATA-CHECK 1"
expect 0 "$res2net" man predict
prints ".SH OPTIONS"
prints "dump\\-logits"
if command -v groff >/dev/null 2>&1; then
    groff -man -Tascii -ww "$work/out" >/dev/null 2>"$work/err"
    is_empty "$work/err"
fi

# ---- results that are lost are told; a reader that has seen enough is no failure
if [ -w /dev/full ]; then
    for words in "models" "models --format json" "--help" "summary Res2Net50_26w_4s"; do
        checks=$((checks + 1))
        status=0
        # shellcheck disable=SC2086
        "$res2net" $words >/dev/full 2>"$work/err" || status=$?
        [ "$status" -eq 3 ] || fail "exit status $status, not 3, on a full disk: $words"
        says "standard output"
    done
else
    echo "note: no /dev/full here, full disks were not tried"
fi
status=0
"$res2net" models >&- 2>"$work/err" || status=$?
[ "$status" -eq 3 ] || fail "exit status $status, not 3, on a closed standard output"
{
    "$res2net" summary Res2Net200_vd_26w_4s 2>"$work/err"
    echo $? >"$work/status"
} | head -n 1 >"$work/out"
prints "Res2Net200_vd_26w_4s"
is_empty "$work/err"
[ "$(cat "$work/status")" -eq 0 ] || fail "exit status $(cat "$work/status") after \`| head\`"

finish
