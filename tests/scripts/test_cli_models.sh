#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `convert`, `summary`, `models`, `plan`, `bench`, `doctor`.
set -u
# shellcheck source=tests/scripts/cli_test.sh
. "$(dirname "$0")/cli_test.sh"

tiny_model "$work/net.safetensors" 7 5
cd "$work" || exit 1
python3 - <<'END'
import array, struct
values = array.array("f", ((i * 7919 % 1000) / 250 - 2 for i in range(2 * 3 * 32 * 32)))
header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3, 32, 32), }"
header += b" " * (118 - 1 - len(header)) + b"\n"
open("input.npy", "wb").write(b"\x93NUMPY\x01\x00" + struct.pack("<H", 118) + header +
                              values.tobytes())
END
logits() { # logits MODEL OUT ARGUMENT...
    model=$1
    dump=$2
    shift 2
    expect 0 "$res2net" predict -m "$model" --input-npy input.npy --dump-logits "$dump" "$@"
}

# ---- convert: the same logits from every format
logits net.safetensors st.npy
expect 0 "$res2net" convert net.safetensors net.r2n
says "7 classes, no labels"
says "wrote net.r2n ("
is_empty out
logits net.r2n r2n.npy
is_same st.npy r2n.npy "logits of .safetensors and .r2n"
expect 0 "$res2net" convert net.r2n back.safetensors
logits back.safetensors back.npy
is_same st.npy back.npy "logits after the way there and back"
expect 3 "$res2net" convert net.r2n net.pdparams
says "keep-family"
checks=$((checks + 1))
[ ! -e net.pdparams ] || fail "a refused conversion left a file"
expect 0 "$res2net" convert net.r2n net.pdparams --keep-family
logits net.pdparams pd.npy
is_same st.npy pd.npy "logits of .pdparams with its family kept"
logits net.safetensors paddle.npy --family paddle
cmp -s st.npy paddle.npy && fail "the two families gave the same logits"
checks=$((checks + 1))
expect 0 "$res2net" convert net.r2n told.r2n --licence Apache-2.0 --source "a test"
checks=$((checks + 1))
grep -q "a test" told.r2n || fail "the source is not in the file"
expect 0 "$res2net" convert told.r2n told_again.r2n
is_same told.r2n told_again.r2n "licence and source on the second way"
cp net.r2n same.r2n
expect 0 "$res2net" convert same.r2n same.r2n --verify
says "read back"
is_same net.r2n same.r2n "a file converted to itself"
expect 2 "$res2net" convert net.r2n net.onnx
says ".safetensors"
expect 3 "$res2net" convert net.r2n absent/net.r2n
says "absent/net.r2n"
head -c 5000 net.r2n >cut.r2n
expect 3 "$res2net" convert cut.r2n whole.r2n
says "cut.r2n"
checks=$((checks + 1))
[ ! -e whole.r2n ] || fail "a damaged file was converted"
python3 - <<'END'
data = bytearray(open("net.r2n", "rb").read())
data[len(data) // 2] ^= 1
open("flipped.r2n", "wb").write(data)
END
expect 3 "$res2net" convert flipped.r2n flipped2.r2n
says "flipped.r2n: byte "
expect 3 "$res2net" predict -m flipped.r2n --verify --input-npy input.npy
says "flipped.r2n: byte "

# ---- summary
expect 0 "$res2net" summary Res2Net50_26w_4s --format json
python_check "summary of an architecture" <<'END'
assert value["arch"] == "Res2Net50_26w_4s" and value["parameters"] == 25699120, value["parameters"]
assert value["statistics"] == 59492 and value["size"] == [224, 224] and value["classes"] == 1000
assert sum(layer["parameters"] for layer in value["layers"]) == value["parameters"]
assert sum(layer["macs"] for layer in value["layers"]) == value["macs"]
assert value["weights_bytes"] == 4 * (25699120 + 59492)
END
cp out by_name.json
expect 0 "$res2net" summary --arch RES2NET50-26W-4S --format json
is_same out by_name.json "summary by --arch in another spelling"
expect 0 "$res2net" summary Res2Net50_26w_4s --size 256x320 --format json
python_check "another size" <<'END'
assert value["size"] == [256, 320] and value["layers"][0]["shape"] == [3, 256, 320]
END
expect 0 "$res2net" summary -m net.r2n --format json
python_check "summary of a model" <<'END'
assert value["classes"] == 7 and value["family"] == "torch" and value["size"] == [32, 32], value
END
expect 0 "$res2net" summary -m net.r2n
prints "layer1.0.convs.0"
expect 0 "$res2net" summary Res2Net50_26w_4s --svg drawn.svg --format json
says "wrote drawn.svg"
is_same out by_name.json "the summary beside a drawing"
is_same drawn.svg "$here/../../docs/res2net50_26w_4s.svg" \
    "the drawing and the one in docs (\`res2net summary Res2Net50_26w_4s --svg\` writes it anew)"
expect 0 "$res2net" summary -m net.r2n --size 40x48 --svg model.svg
python_check "drawing of a model" <<'END'
import xml.etree.ElementTree
root = xml.etree.ElementTree.parse("model.svg").getroot()
text = "".join(root.itertext())
total = out.split("\nparameters  ")[1].split(", and ")[0]
assert total + " parameters · " in text and "picture 3 × 40 × 48, 7 classes" in text, total
END
if command -v xmllint >/dev/null; then
    expect 0 xmllint --noout drawn.svg model.svg
else
    echo "not tried: xmllint is not installed"
fi
expect 2 "$res2net" summary --svg
expect 3 "$res2net" summary Res2Net50_26w_4s --svg absent/net.svg
says "absent/net.svg"
is_empty out
expect 2 "$res2net" summary Res2Net50_26w_4s --size 16 --svg small.svg
checks=$((checks + 1))
[ ! -e small.svg ] || fail "a drawing that failed left a file"
expect 2 "$res2net" summary net.r2n
says "a model is given with -m FILE"
expect 2 "$res2net" summary Res2Net50_26w_4s -m net.r2n

# ---- models
expect 0 "$res2net" models --format json
python_check "models" <<'END'
names = {row["name"]: row for row in value}
assert names["Res2Net50_26w_4s"]["parameters"] == 25699120
assert names["Res2Net50_26w_4s"]["page_top1"] == 79.3
assert names["Res2Net50_14w_8s"]["note"] and names["Res2Net50_vd_26w_4s"]["note"]
assert names["ResNet50"]["page_top1"] is None
END
expect 0 "$res2net" models
prints "Res2Net200_vd_26w_4s"
prints "swapped"

# ---- plan
expect 0 "$res2net" plan -m net.r2n --format json --batch 3 --size 40x48
python_check "plan" <<'END'
assert value["batch"] == 3 and value["size"] == [40, 48] and value["precision"] == "f32", value
assert value["microseconds"] is None and value["ceiling_gmacs"] is None
assert value["memory_bytes"] > 0 and value["weights_bytes"] > 0 and value["threads"] >= 1
assert value["macs"] == sum(step["macs"] for step in value["steps"]) > 0
assert all(step["kernel"] and step["microseconds"] is None for step in value["steps"])
END
expect 0 "$res2net" plan -m net.r2n --time --isa reference --threads 1 --format json
python_check "plan --time" <<'END'
assert value["isa"] == "reference" and value["threads"] == 1, value
assert all(step["microseconds"] > 0 for step in value["steps"])
assert all("reference" in step["kernel"] for step in value["steps"]), value
END
expect 0 "$res2net" plan -m net.r2n --time
prints "GMAC/s"
expect 0 "$res2net" plan --arch "cifar:planes=16,depths=1-1-1,width=26,scale=4"
says "weights from a formula"
expect 2 "$res2net" plan -m net.r2n --size 1
expect 2 "$res2net" plan --arch resnet50 --labels x.txt
says "give -m FILE"

# ---- bench
expect 0 "$res2net" bench -m net.r2n --batch 1,3 --size 32 --threads 1 --format json
python_check "bench" <<'END'
assert list(value) == ["cpu", "isa", "threads", "results"], list(value)
assert value["threads"] == 1 and len(value["results"]) == 2
for row, batch in zip(value["results"], (1, 3)):
    assert list(row) == ["arch", "precision", "batch", "size", "min_ms", "median_ms",
                         "images_per_second", "peak_memory_bytes"], row
    assert row["batch"] == batch and row["size"] == [32, 32] and row["precision"] == "f32", row
    assert 0 < row["min_ms"] <= row["median_ms"], row
    assert abs(row["images_per_second"] * row["median_ms"] / 1000 - batch) < 1e-6, row
    assert row["peak_memory_bytes"] > 1 << 20, row
END
expect 0 "$res2net" bench --arch "cifar:planes=16,depths=1-1-1,width=26,scale=4" --batch 2
says "weights from a formula"
prints "images/s"
expect 2 "$res2net" bench -m net.r2n --isa neon
expect 0 env RES2NET_THREADS=1 RES2NET_ISA=reference "$res2net" bench -m net.r2n --batch 1 --format json
python_check "environment" <<'END'
assert value["threads"] == 1 and value["isa"] == "reference", value
END

# ---- doctor
expect 0 "$res2net" doctor
prints "self-test   passed"
expect 0 "$res2net" doctor --format json
python_check "doctor" <<'END'
assert value["self_test"] == "passed" and value["problems"] == [], value
assert [row["name"] for row in value["precisions"]] == ["f32", "bf16", "bf16x3", "int8"], value
assert value["precisions"][0] == {"name": "f32", "available": True, "missing": None}, value
assert value["isa_levels"][0] == {"name": "reference", "available": True, "missing": None}, value
assert value["threads"] >= 1 and set(value["libraries"]) == {"jpeg", "png", "webp", "yaml"}, value
END

finish
