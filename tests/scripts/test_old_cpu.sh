#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A CPU of 2008 (SSE4.2, no AVX), emulated: the same program runs there, takes the portable kernels
# and gives their answer bit for bit. RES2NET_SOAK=1 also runs every case of kernelcheck there.
. "$(dirname "$0")/cli_test.sh"
skip() {
    echo "SKIPPED: $*"
    exit 77
}
[ "$(uname -m)" = x86_64 ] || skip "this is no x86-64 machine"
command -v qemu-x86_64 >/dev/null || skip "qemu-x86_64 is not installed (Debian: qemu-user)"
grep -q '^RES2NET_SANITIZE:STRING=.' "$build/CMakeCache.txt" && skip "sanitizers do not run in qemu"
old() {
    qemu-x86_64 -cpu Nehalem "$@"
}

expect 0 old "$res2net" doctor --format json
python_check "doctor" <<'END'
levels = {row["name"]: row for row in value["isa_levels"]}
assert value["isa"] == "reference" and value["self_test"] == "passed", value
assert levels["reference"]["available"], levels
assert not levels["avx2"]["available"] and not levels["avx512"]["available"], levels
END
cp "$work/out" "$work/doctor.json"

# Pictures as ready tensors: one 32x32 network, no library in between.
tiny_model "$work/net.safetensors" 10 1
python3 - "$work/input.npy" <<'END'
import array, sys
values = array.array("f", (((i * 2654435761 & 0xffffffff) >> 16) / 16384 - 2 for i in range(2 * 3 * 33 * 40)))
header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3, 33, 40), }"
header += " " * (117 - len(header)) + "\n"
with open(sys.argv[1], "wb") as file:
    file.write(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode())
    values.tofile(file)
END
same_as_here() { # same_as_here NAME ARGUMENT...
    name=$1
    shift
    expect 0 "$res2net" predict --isa reference --format json "$@" --dump-logits "$work/here.npy"
    cp "$work/out" "$work/here.json"
    expect 0 old "$res2net" predict --format json "$@" --dump-logits "$work/there.npy"
    is_same "$work/out" "$work/here.json" "$name: answers"
    is_same "$work/there.npy" "$work/here.npy" "$name: logits"
}
same_as_here "a ready tensor" -m "$work/net.safetensors" --input-npy "$work/input.npy"
expect 0 old "$res2net" predict --isa avx2 --format json -m "$work/net.safetensors" \
    --input-npy "$work/input.npy" # told, and not followed
says "avx2"
is_same "$work/out" "$work/here.json" "an ISA that is not there"
if grep -q '"png": true' "$work/doctor.json" && grep -q '"embedded_model": true' "$work/doctor.json"; then
    same_as_here "the sample picture" "$here/../../models/sample.png"
    prints '"sunflower"'
else
    echo "not tried: the sample picture; this build lacks PNG or the embedded model"
fi

kernels() {
    expect 0 old "$build/kernelcheck" check "$@"
    checks=$((checks + 1))
    tail -n 1 "$work/out" | grep -q '^[1-9][0-9]* passed, 0 failed$' ||
        fail "kernelcheck $*: $(tail -n 1 "$work/out")"
    prints "checked "
}
if [ -n "${RES2NET_SOAK:-}" ]; then
    kernels
else
    kernels --filter elementwise
fi
finish
