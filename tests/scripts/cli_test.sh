# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# What the tests of the command share; sourced with the build folder as $1. Leaves: $res2net, $work
# (a folder that is removed at the end), $here. A failed check is told and counted; `finish` ends.
build=$(cd "${1:?expected the build folder}" && pwd)
res2net=$build/res2net
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0
checks=0
unset RES2NET_THREADS RES2NET_ISA RES2NET_MODEL
[ -x "$res2net" ] || {
    echo "$res2net is not there"
    exit 1
}

# needs PART...: of the build, as doctor names them (jpeg, png, webp, yaml, embedded_model); without
# one of them the test is skipped.
needs() {
    "$res2net" doctor --format json >"$work/doctor.json"
    for part in "$@"; do
        grep -q "\"$part\": true" "$work/doctor.json" || {
            echo "SKIPPED: this build lacks $part"
            exit 77
        }
    done
}

fail() {
    failures=$((failures + 1))
    echo "FAILED: $*"
}

# expect STATUS COMMAND...: runs it; output goes to $work/out and $work/err.
expect() {
    wanted=$1
    shift
    checks=$((checks + 1))
    status=0
    "$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
    if [ "$status" -ne "$wanted" ]; then
        fail "exit status $status, not $wanted: $*"
        head -n 20 "$work/err" | sed 's/^/    /'
    fi
}

# says TEXT, prints TEXT: the last command's standard error, or output, holds it.
says() {
    checks=$((checks + 1))
    grep -qF -e "$1" "$work/err" || {
        fail "no \"$1\" on standard error, but:"
        head -n 20 "$work/err" | sed 's/^/    /'
    }
}
prints() {
    checks=$((checks + 1))
    grep -qF -e "$1" "$work/out" || {
        fail "no \"$1\" on standard output, but:"
        head -n 20 "$work/out" | sed 's/^/    /'
    }
}
is_empty() {
    checks=$((checks + 1))
    [ ! -s "$1" ] || {
        fail "$1 is not empty:"
        head -n 5 "$1" | sed 's/^/    /'
    }
}
is_same() {
    checks=$((checks + 1))
    cmp -s "$1" "$2" || fail "$1 and $2 differ${3:+: $3}"
}

# python_check NAME: the Python program on standard input sees `out` (the last output as text) and
# `value` (the same as strictly read JSON, where it is JSON); an assertion that fails is a failure.
python_check() {
    checks=$((checks + 1))
    {
        cat <<'END'
import json, sys
def refuse(word):
    raise ValueError(f"{word} in JSON")
out = open(sys.argv[1], encoding="utf-8").read()
try:
    value = json.loads(out, parse_constant=refuse)
except ValueError as error:
    value = None
    why = error
END
        cat
    } >"$work/check.py"
    python3 "$work/check.py" "$work/out" >"$work/check.log" 2>&1 || {
        fail "$1:"
        tail -n 4 "$work/check.log" | sed 's/^/    /'
    }
}

# tiny_model FILE CLASSES SEED: weights of a small network that reads 32x32 pictures.
tiny_model() {
    "$res2net" summary "cifar:planes=16,depths=1-1-1,width=26,scale=4,classes=$2" --format json |
        python3 "$here/make_model.py" "$1" "$3"
}

# tiny_transforms FILE: how its pictures are prepared.
tiny_transforms() {
    cat >"$1" <<'END'
- NormalizeImage:
    scale: 1.0/255.0
    mean: [0.5, 0.5, 0.5]
    std: [0.25, 0.25, 0.25]
    order: ''
- ToCHWImage:
END
}

finish() {
    echo "$checks checks, $failures failures"
    [ "$failures" -eq 0 ] || exit 1
    exit 0
}
