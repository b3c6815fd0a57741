#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Configurations and transforms in YAML that cannot be used: status 2 with file:line:column. Where a
# setting comes from: flag, environment, configuration, default, in this order. Ceilings.
set -u
# shellcheck source=tests/scripts/cli_test.sh
. "$(dirname "$0")/cli_test.sh"
cd "$work" || exit 1

if "$res2net" doctor --format json | grep -q '"yaml": false'; then
    echo "SKIPPED: this build reads no YAML"
    exit 77
fi

# ---- bad files, and where the fault stands in them
python3 - <<'END_OF_FILE'
def put(name, text):
    open(name, "wb").write(text if isinstance(text, bytes) else text.encode())
put("brackets.yaml", "a:\n  b: " + "[" * 2000)
put("braces.yaml", "a:\n" + "  {" * 2000)
put("anchors.yaml", "\n".join(f"k{i}: &a{i} 1" for i in range(2000)))
put("large.yaml", "".join(f"key{i:05d}: 1\n" for i in range(30000)))  # 12 bytes a line
put("latin1.yaml", b"a: 1\nb: {name: caf\xe9 au lait}\n")
put("nul.yaml", b"a:\n  name: \x00\n")
put("tab.yaml", "a:\n\tb: 1\n")
put("empty.yaml", "")
put("comment.yaml", "# nothing\n")
put("two.yaml", "a: 1\n---\nb: 2\n")
put("unclosed.yaml", "a: {b: c\n")
put("quote.yaml", "a: 'b\n")
put("alias.yaml", "a: *b\n")
put("indent.yaml", "a:\n  b: 1\n c: 2\n")
put("picture.yaml", bytes(range(256)) * 8)
END_OF_FILE
while read -r name place text; do
    for words in "eval --list x -c" "predict x.png --transforms" "convert a.pth b.r2n --transforms"; do
        case $words in
        convert*) [ "$name" = none ] || continue ;; # the weights are read before the transforms
        esac
        # shellcheck disable=SC2086
        expect 2 "$res2net" $words $name.yaml
        says "$name.yaml:$place: "
        says "$text"
    done
done <<'END_OF_FILE'
brackets 2:1006 more than 1000 brackets or anchors
braces 2:3003 more than 1000 brackets or anchors
anchors 1001:8 more than 1000 brackets or anchors
large 21846:5 360000 bytes are too many
latin1 2:15 save it as UTF-8
nul 2:9 save it as UTF-8
tab 2:1 YAML error
empty 1:1 there is nothing here
comment 1:1 there is nothing here
two 2:1 a second YAML document begins here
unclosed 2:1 YAML error
quote 2:1 YAML error
alias 1:4 undefined alias
indent 3:2 YAML error
picture 1:1 save it as UTF-8
END_OF_FILE
expect 3 "$res2net" eval -c absent.yaml
says "absent.yaml: cannot open"
mkdir folder.yaml
expect 3 "$res2net" eval -c folder.yaml
says "folder.yaml: is a directory"

# ---- flag, environment, configuration, default
tiny_model net.safetensors 6 1
tiny_model seven.safetensors 7 1
python3 "$here/make_png.py" 32 32 7 a.png
echo "a.png 0" >list.txt
cat >transforms.yaml <<'END_OF_FILE'
- NormalizeImage:
    order: ''
- ToCHWImage:
END_OF_FILE
plan_says() { # plan_says KEY VALUE [NAME=VALUE...] -- WORDS...
    key=$1 expected=$2
    shift 2
    variables=""
    while [ "$1" != -- ]; do
        variables="$variables $1"
        shift
    done
    shift
    # shellcheck disable=SC2086
    expect 0 env $variables "$res2net" plan -m net.safetensors --format json "$@"
    python_check "$key with $variables $*" <<END_OF_FILE
assert value["$key"] == json.loads('$expected'), value["$key"]
END_OF_FILE
}
usable=$("$res2net" doctor --format json | python3 -c 'import json, sys; print(json.load(sys.stdin)["threads"])')
best=$("$res2net" doctor --format json | python3 -c 'import json, sys; print(json.load(sys.stdin)["isa"])')
plan_says threads "$usable" --
plan_says threads 1 RES2NET_THREADS=1 --
plan_says threads 2 RES2NET_THREADS=1 -- --threads 2
plan_says threads "$usable" RES2NET_THREADS= --
plan_says isa "\"$best\"" --
plan_says isa '"reference"' RES2NET_ISA=reference --
plan_says isa "\"$best\"" RES2NET_ISA=reference -- --isa "$best"
plan_says isa '"reference"' RES2NET_ISA="$best" -- --isa reference
# A bad value counts only where it would be used.
plan_says threads 1 RES2NET_THREADS=many -- --threads 1
expect 2 env RES2NET_THREADS=many "$res2net" plan -m net.safetensors
says "RES2NET_THREADS=many"

cat >config.yaml <<'END_OF_FILE'
Global:
  pretrained_model: seven.safetensors
DataLoader:
  Eval:
    dataset:
      name: ImageNetDataset
      image_root: .
      cls_label_path: list.txt
      transform_ops:
        - NormalizeImage:
            order: ''
        - ToCHWImage:
    sampler:
      batch_size: 4
END_OF_FILE
classes_of_eval() {
    "$@" -c config.yaml --format json 2>err |
        python3 -c 'import json, sys; print(len(json.load(sys.stdin)["classes"]))'
}
checks=$((checks + 3))
[ "$(classes_of_eval "$res2net" eval)" = 7 ] || fail "the configuration's weights: $(cat err)"
[ "$(classes_of_eval env RES2NET_MODEL=net.safetensors "$res2net" eval)" = 6 ] ||
    fail "the environment goes before the configuration: $(cat err)"
[ "$(classes_of_eval env RES2NET_MODEL=net.safetensors "$res2net" eval -m seven.safetensors)" = 7 ] ||
    fail "the flag goes before both: $(cat err)"

# ---- ceilings that are no fault, told once
case $(uname -m) in
x86_64) level=amx foreign=neon ;;
aarch64) level=neon foreign=avx2 ;;
*) level=reference foreign=avx2 ;;
esac
model="-m net.safetensors --transforms transforms.yaml"
# shellcheck disable=SC2086
"$res2net" predict $model a.png --format json >wanted 2>err
for way in "env RES2NET_ISA=$level $res2net predict" "$res2net predict --isa $level"; do
    # shellcheck disable=SC2086
    expect 0 $way $model a.png --format json
    is_same out wanted "$way"
    if [ "$best" = "$level" ]; then
        is_empty err
    else
        says "$best is used"
        checks=$((checks + 1))
        [ "$(wc -l <err)" -eq 1 ] || fail "not once: $(cat err)"
    fi
done
for way in "env RES2NET_ISA=$foreign $res2net predict" "$res2net predict --isa $foreign"; do
    # shellcheck disable=SC2086
    expect 2 $way $model a.png
    says "another architecture's"
done
# shellcheck disable=SC2086
expect 0 "$res2net" predict $model a.png --threads $((usable * 2))
is_empty err
if [ $((usable * 2)) -lt 256 ]; then
    for way in "env RES2NET_THREADS=256 $res2net predict" "$res2net predict --threads 256"; do
        # shellcheck disable=SC2086
        expect 0 $way $model a.png --format json
        is_same out wanted "$way"
        says "this process may use $usable processor"
        checks=$((checks + 1))
        [ "$(wc -l <err)" -eq 1 ] || fail "not once: $(cat err)"
    done
fi
# One setting rules decoding, preparation and the network: the process has no other threads.
cat >count_threads.py <<'END_OF_FILE'
"""count_threads.py WANTED COMMAND...: what the process has while it runs: never more threads, and
once as many. It is stopped then."""
import signal, subprocess, sys
wanted = int(sys.argv[1])
process = subprocess.Popen(sys.argv[2:], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE)
most = looks = 0
while process.poll() is None and looks < 20000 and (most < wanted or looks < 2000):
    try:
        for line in open(f"/proc/{process.pid}/status", encoding="ascii"):
            if line.startswith("Threads:"):
                most = max(most, int(line.split()[1]))
    except OSError:  # it has just ended
        break
    looks += 1
process.send_signal(signal.SIGKILL)
process.communicate()
assert most == wanted, (most, wanted)
END_OF_FILE
i=0
while [ $i -lt 20000 ]; do
    echo "a.png 0"
    i=$((i + 1))
done >long.txt
for threads in 1 2; do
    for words in "eval --list long.txt" "predict --list long.txt" "bench --batch 1,2,4,8,16,32"; do
        case $words in bench*) words="$words -m net.safetensors" ;; *) words="$words $model" ;; esac
        checks=$((checks + 2))
        # shellcheck disable=SC2086
        python3 count_threads.py $threads "$res2net" $words --threads $threads >log 2>&1 ||
            fail "$words --threads $threads: $(tail -n 1 log)"
        # shellcheck disable=SC2086
        RES2NET_THREADS=$threads python3 count_threads.py $threads "$res2net" $words >log 2>&1 ||
            fail "RES2NET_THREADS=$threads $words: $(tail -n 1 log)"
    done
done

# Affinity is what a process may use; more threads than that do no harm, nothing is pinned.
if command -v taskset >/dev/null 2>&1 && taskset -c 0 true 2>/dev/null; then
    # shellcheck disable=SC2086
    expect 0 taskset -c 0 "$res2net" predict $model a.png --format json --threads 2
    is_same out wanted "two threads on one processor"
    expect 0 taskset -c 0 "$res2net" doctor --format json
    python_check "one processor allowed" <<'END_OF_FILE'
assert value["processors_affinity"] == 1 and value["threads"] == 1, value
END_OF_FILE
else
    echo "SKIPPED: no taskset for processor 0 here"
fi

finish
