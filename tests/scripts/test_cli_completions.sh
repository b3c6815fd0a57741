#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# --help, manual pages and completions say the same: every option of every verb is in all of them.
set -u
# shellcheck source=tests/scripts/cli_test.sh
. "$(dirname "$0")/cli_test.sh"
cd "$work" || exit 1

for shell in bash zsh fish; do
    expect 0 "$res2net" completions $shell
    cp out $shell.txt
    if command -v $shell >/dev/null 2>&1; then
        checks=$((checks + 1))
        $shell -n $shell.txt 2>log || fail "$shell does not take its completions: $(cat log)"
    else
        echo "SKIPPED: there is no $shell here, its completions are not parsed"
    fi
done

# ---- what the overview and --help say is the measure
"$res2net" help | sed -n '/^verbs:/,/^$/s/^  \([a-z][a-z ]*[a-z]\)  .*/\1/p' >verbs.txt
checks=$((checks + 1))
[ "$(wc -l <verbs.txt)" -ge 10 ] || fail "the overview has too few verbs: $(cat verbs.txt)"
while read -r verb; do
    # shellcheck disable=SC2086
    "$res2net" $verb --help | sed -n 's/^  \(-[a-z], \)\{0,1\}--\([a-z-]*\).*/\2/p' | sort >"$verb.options"
    checks=$((checks + 1))
    [ -s "$verb.options" ] || [ "$verb" = models ] || fail "no options in $verb --help"
done <verbs.txt

# ---- manual pages
has_groff=$(command -v groff || true)
[ -n "$has_groff" ] || echo "SKIPPED: there is no groff here, manual pages are not rendered"
page() { # page WORDS: the page is right for troff, and has what it must
    # shellcheck disable=SC2086
    expect 0 "$res2net" man $1
    cp out page.1
    if [ -n "$has_groff" ]; then
        checks=$((checks + 1))
        groff -man -Tutf8 -ww page.1 >/dev/null 2>log || fail "groff: man $1"
        [ ! -s log ] || fail "groff warns about man $1: $(head -n 3 log)"
    fi
    if command -v mandoc >/dev/null 2>&1; then
        checks=$((checks + 1))
        mandoc -T lint -W error page.1 >log 2>&1 || fail "mandoc: man $1: $(head -n 3 log)"
    fi
}
page ""
while read -r verb; do
    prints "res2net\\-$(echo "$verb" | sed 's/[ -]/\\-/g')"
done <verbs.txt
while read -r verb; do
    page "$verb"
    for section in NAME SYNOPSIS DESCRIPTION EXAMPLES "EXIT STATUS" "SEE ALSO"; do
        prints ".SH $section"
    done
    while read -r option; do
        prints "\\-\\-$(echo "$option" | sed 's/-/\\-/g')"
    done <"$verb.options"
    # as a reader sees it
    if [ -n "$has_groff" ]; then
        groff -man -Tascii -P-cbou page.1 >page.txt 2>log
        while read -r option; do
            checks=$((checks + 1))
            grep -q -e "--$option" page.txt || fail "man $verb does not show --$option"
        done <"$verb.options"
    fi
done <verbs.txt

# ---- zsh and fish: each option in its verb's part
while read -r verb; do
    first=${verb%% *}
    second=${verb#"$first"}
    second=${second# }
    if [ -z "$second" ]; then
        sed -n "/^    $first)\$/,/^    [a-z]*)\$/p" zsh.txt >zsh.part
        grep -F "'__fish_seen_subcommand_from $first'" fish.txt >fish.part
    else
        sed -n "/^        $second)\$/,/;;/p" zsh.txt >zsh.part
        grep -F "'__fish_seen_subcommand_from $first; and __fish_seen_subcommand_from $second'" \
            fish.txt >fish.part
    fi
    while read -r option; do
        checks=$((checks + 2))
        grep -q -e "--$option[[}]" zsh.part || fail "zsh: $verb has no --$option"
        grep -q -e " -l $option " fish.part || fail "fish: $verb has no --$option"
    done <"$verb.options"
    checks=$((checks + 1))
    [ "$(grep -c . fish.part)" -eq "$(grep -c . "$verb.options")" ] ||
        fail "fish: $verb has other options: $(grep -c . fish.part)"
    grep -q -e "__fish_use_subcommand -f -a $first " fish.txt || fail "fish does not offer $first"
    [ "$(grep -c "^        '$first:" zsh.txt)" -eq 1 ] || fail "zsh does not offer $first once"
done <verbs.txt

# ---- bash: the function is called as bash calls it
if ! command -v bash >/dev/null 2>&1; then
    echo "SKIPPED: there is no bash here"
    finish
fi
cat >complete.bash <<'END_OF_FILE'
# complete.bash WORD...: the last word is completed; the answers come sorted, one a line.
compopt() { :; } # it works during a completion only
. ./bash.txt
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_res2net
printf '%s\n' "${COMPREPLY[@]}" | sort
END_OF_FILE
completes() { # completes WANTED WORD...
    wanted=$1
    shift
    checks=$((checks + 1))
    found=$(bash complete.bash res2net "$@" 2>log | tr '\n' ' ')
    [ "$found" = "$wanted " ] || fail "bash: $*: \"$found\", not \"$wanted \""
    [ ! -s log ] || fail "bash: $*: $(cat log)"
}
while read -r verb; do
    {
        sed 's/^/--/' "$verb.options"
        echo "--help"
    } | sort >wanted
    # shellcheck disable=SC2086
    bash complete.bash res2net $verb -- >found 2>log
    is_same found wanted "bash: what is offered to $verb: $(tr '\n' ' ' <found)"
    is_empty log
done <verbs.txt
{
    sed 's/ .*//' verbs.txt
    printf '%s\n' --help --version help
} | sort -u >wanted
bash complete.bash res2net "" >found
is_same found wanted "bash: the verbs"
completes "check split" data ""
completes "split" data s
completes "predict" pred
completes "json jsonl" predict --format js
completes "json jsonl" predict --format = js
completes "csv json jsonl paddleclas paddleclas-whl text" predict --format ""
completes "csv json jsonl paddleclas paddleclas-whl text" predict --format =
completes "skip stop wrong" eval --on-bad-image ""
completes "skip stop" predict --on-bad-image ""
completes "amx avx2 avx512 neon reference" bench --isa ""
completes "Res2Net50_26w_4s Res2Net50_26w_6s Res2Net50_26w_8s" convert --arch Res2Net50_26w
completes "--classes" data check --cl
completes "--seed" data split --se
mkdir files
: >files/net.r2n
: >"files/with blank.png"
mkdir files/folder
completes "files/folder files/net.r2n files/with blank.png" predict files/
completes "files/net.r2n" predict -m files/n
completes "files/folder" eval --report files/
completes "" predict --topk ""

# ---- misspelt words: verbs, options, values, architectures
for pair in "pedict:predict" "evla:eval" "covnert:convert" "sumary:summary" "modles:models" \
    "paln:plan" "bnech:bench" "docotr:doctor" "hepl:help"; do
    expect 2 "$res2net" "${pair%:*}"
    says "did you mean \`res2net ${pair#*:}\`?"
done
expect 2 "$res2net" data
says "did you mean \`res2net data check\` or \`res2net data split\`?"
expect 2 "$res2net" data spilt x
says "did you mean \`res2net data split\`?"
while read -r verb; do
    while read -r option; do
        # One letter too many at the end of the name: the nearest is the option itself.
        # shellcheck disable=SC2086
        expect 2 "$res2net" $verb "--${option}x"
        says "unknown option --${option}x; did you mean --$option?"
    done <"$verb.options"
done <verbs.txt
expect 2 "$res2net" predict --FORMAT json x.png
says "did you mean --format?"
expect 2 "$res2net" predict --format josn x.png
says "did you mean json?"
expect 2 "$res2net" predict --format=JSON x.png
says "did you mean json?"
expect 2 "$res2net" eval --preset padle --list x
says "did you mean paddle?"
for pair in "Res2Net50_26w_5s:Res2Net50_26w_4s" "res2net50_vd_26w4s:Res2Net50_vd_26w_4s" \
    "resnet5o:"; do
    expect 2 "$res2net" summary "${pair%:*}"
    says "did you mean \"${pair#*:}"
done

finish
