#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Names: only res2net_ leaves the shared library, only res2net_ and r2n_ the static one, each public
# function is exported and none that the headers do not have. Instructions: none beyond SSE2 outside
# the rooms that are compiled for them, and those rooms share no code with the others.
. "$(dirname "$0")/cli_test.sh"
for tool in nm objdump; do
    command -v $tool >/dev/null || {
        echo "SKIPPED: $tool (binutils) is not installed"
        exit 77
    }
done
sanitized=$(sed -n 's/^RES2NET_SANITIZE:STRING=//p' "$build/CMakeCache.txt")

# ---- names
nm -g --defined-only "$build/libres2net.a" 2>/dev/null | awk 'NF == 3 { print $3 }' | sort -u >"$work/static"
[ -n "$sanitized" ] && sed -i '/^__\(odr_\)\{0,1\}asan/d' "$work/static"
checks=$((checks + 1))
grep -v '^res2net_\|^r2n_' "$work/static" >"$work/strange" &&
    fail "libres2net.a defines: $(tr '\n' ' ' <"$work/strange")"
cat "$here"/../../include/res2net/*.h | tr '\n' ' ' | grep -o 'RES2NET_API [a-z][^;(#]*(' |
    sed -n 's/.*[ *]\(res2net_[a-z0-9_]*\)($/\1/p' | sort -u >"$work/declared"
checks=$((checks + 1))
[ "$(wc -l <"$work/declared")" -gt 40 ] || fail "the headers declare: $(cat "$work/declared")"
checks=$((checks + 1))
grep '^res2net_' "$work/static" | diff "$work/declared" - >"$work/diff" ||
    fail "declared (<) and defined (>): $(grep '^[<>]' "$work/diff" | tr '\n' ' ')"
if [ -e "$build/libres2net.so" ]; then
    nm -D --defined-only "$build/libres2net.so" | awk '{ print $NF }' | sort -u >"$work/shared"
    [ -n "$sanitized" ] && sed -i '/^__\|^_\(init\|fini\)$/d' "$work/shared"
    is_same "$work/declared" "$work/shared" \
        "the headers' functions and the shared library's: $(diff "$work/declared" "$work/shared" | grep '^[<>]' | tr '\n' ' ')"
else
    echo "not tried: this build has no shared library"
fi

# ---- instructions
case $(uname -m) in
x86_64) ;;
*)
    echo "not tried: instructions of $(uname -m)"
    finish
    ;;
esac
objects=$build/CMakeFiles/res2net_objects.dir/src
wide='%[yz]mm|%xmm(1[6-9]|2[0-9]|3[01])|\{%k[0-7]\}|[[:space:]]v[a-z0-9]+[[:space:]]|[[:space:]]andn[lq]?[[:space:]]|tile(load|store|zero|cfg)|tdp[bf]|[[:space:]](bextr|pdep|pext|mulx|rorx|sarx|shlx|shrx|lzcnt|popcnt|crc32|pshufb|pmulld|pmaddubsw|roundps|blendvps|dpps)[a-z]*[[:space:]]'
find "$objects" -name '*.o' >"$work/objects"
checks=$((checks + 1))
[ "$(wc -l <"$work/objects")" -gt 60 ] || fail "found $(wc -l <"$work/objects") objects in $objects"
with_wide=0
while read -r object; do
    checks=$((checks + 1))
    name=${object#"$objects/"}
    objdump -d --no-show-raw-insn "$object" | grep -Em 3 "$wide" >"$work/found"
    case $name in
    kernels/x86_*)
        [ -s "$work/found" ] && with_wide=$((with_wide + 1))
        # A weak or common symbol could be taken for the portable rooms' one by the linker.
        nm --defined-only "$object" | grep ' [WwVvCu] ' >"$work/weak" &&
            fail "$name shares code: $(cat "$work/weak")"
        ;;
    *) [ -s "$work/found" ] && fail "$name: $(cat "$work/found")" ;;
    esac
done <"$work/objects"
checks=$((checks + 1))
[ "$with_wide" -ge 4 ] || fail "only $with_wide kernels with wide instructions: is the pattern right?"
finish
