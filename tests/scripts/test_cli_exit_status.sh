#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The exit status of every verb, in a table; full disks, size limits, closed pipes and descriptors.
set -u
# shellcheck source=tests/scripts/cli_test.sh
. "$(dirname "$0")/cli_test.sh"
needs png yaml embedded_model

tiny_model "$work/net.safetensors" 10 1
tiny_model "$work/six.safetensors" 6 1
cd "$work" || exit 1
tiny_transforms transforms.yaml
"$res2net" convert net.safetensors net.r2n --transforms transforms.yaml 2>err || {
    fail "convert: $(cat err)"
    finish
}
mkdir -p set/ant set/bee empty_folder folder.r2n pair
ln -s /dev/null device.r2n
python3 "$here/make_png.py" 32 32 1 set/ant/1.png 2 set/bee/2.png 3 a.png 4 pair/x.png
head -c 100 a.png >cut.png
: >empty.png
cp cut.png pair/y.png
printf 'set/ant/1.png 0\nset/bee/2.png 1\n' >list.txt
printf 'set/ant/1.png 0\ncut.png 1\n' >bad_picture.txt
printf 'set/ant/1.png 0\nset/ant/1.png 0\n' >twice.txt
printf 'set/ant/1.png zero\n' >bad_list.txt
printf -- '- NormalizeImag:\n' >bad_transforms.yaml
printf 'Arch:\n  name: Res2Net50_26w_4s\n   class_num: 3\n' >bad.yaml
head -c 5000 net.r2n >cut.r2n
printf 'no weights' >nonsense.pth
cat >train.yaml <<'END'
Global: {epochs: 1, output_dir: trained, eval_during_train: False}
Arch: {name: 'cifar:planes=16,depths=1-1-1,width=26,scale=4', class_num: 2}
Loss: {Train: [CELoss: {weight: 1.0}]}
Optimizer: {name: Momentum, momentum: 0.9, lr: {name: Cosine, learning_rate: 0.01}}
DataLoader:
  Train:
    dataset:
      name: ImageNetDataset
      cls_label_path: list.txt
      image_root: .
      transform_ops: [CropImage: {size: 32}, NormalizeImage: {order: ''}]
    sampler: {name: DistributedBatchSampler, batch_size: 2, drop_last: False, shuffle: True}
END
tiny="cifar:planes=16,depths=1-1-1,width=26,scale=4"

# Status, then the words. What begins with # is a heading.
cat >table.txt <<END_OF_FILE
# predict
0 predict -m net.r2n a.png
0 predict -m net.r2n a.png set/ant
0 predict -m net.r2n pair/x.png --on-bad-image skip
1 predict -m net.r2n pair
1 predict -m net.r2n a.png absent.png
1 predict -m net.r2n a.png cut.png --on-bad-image skip
1 predict -m net.r2n cut.png --on-bad-image skip
1 predict -m net.r2n cut.png empty.png
1 predict -m net.r2n a.png empty_folder
2 predict
2 predict -m net.r2n --topk 0 a.png
2 predict -m net.r2n --nonsense a.png
2 predict -m net.r2n --format xml a.png
2 predict -m net.r2n --isa avx2 --precision bf16 a.png
2 predict -m net.safetensors a.png
2 predict -m net.safetensors --transforms bad_transforms.yaml a.png
2 predict -m net.r2n --arch Res2Net50_26w_5s a.png
2 predict -m net.r2n --root set a.png
3 predict -m net.r2n cut.png
3 predict -m net.r2n absent.png
3 predict -m net.r2n empty_folder
3 predict -m net.r2n a.png cut.png --on-bad-image stop
3 predict -m absent.r2n a.png
3 predict -m cut.r2n a.png
3 predict -m nonsense.pth a.png
3 predict -m empty_folder a.png
3 predict -m net.r2n --list bad_list.txt
3 predict -m net.r2n --list absent.txt
3 predict -m net.r2n --labels absent.txt a.png
3 predict -m net.r2n --transforms absent.yaml a.png
3 predict -m net.r2n --dump-logits absent/x.npy a.png
3 predict -m net.r2n --dump-logits empty_folder a.png
3 predict -m net.r2n --dump-logits /dev/null a.png
3 predict -m net.r2n --input-npy a.png
# eval
0 eval -m net.r2n --list list.txt --root .
0 eval -m net.r2n --list set
0 eval -m net.r2n --list list.txt --report report
1 eval -m net.r2n --list bad_picture.txt --on-bad-image skip
1 eval -m net.r2n --list bad_picture.txt --on-bad-image wrong
2 eval -m net.r2n
2 eval -m net.r2n --list list.txt --on-bad-image replace
2 eval -m net.r2n --list list.txt -o Arch.class_num=10
2 eval -m net.r2n -c bad.yaml
3 eval -m net.r2n --list bad_picture.txt
3 eval -m net.r2n --list bad_list.txt
3 eval -m net.r2n --list absent.txt
3 eval -m absent.r2n --list list.txt
3 eval -m net.r2n --list list.txt --report list.txt
3 eval -m net.r2n -c absent.yaml
# convert
0 convert net.r2n out.safetensors
0 convert net.r2n out.r2n --verify
2 convert net.r2n
2 convert net.r2n a b
2 convert --arch Res2Net50_26w_5s net.r2n out.r2n
2 convert net.r2n out.onnx
3 convert net.r2n out.pdparams
3 convert absent.pth out.r2n
3 convert nonsense.pth out.r2n
3 convert cut.r2n out.r2n
3 convert net.r2n absent/out.r2n
3 convert net.r2n device.r2n
3 convert net.r2n folder.r2n
# summary
0 summary Res2Net50_26w_4s
0 summary -m net.r2n --format json
2 summary Res2Net50_26w_5s
2 summary net.r2n
2 summary Res2Net50_26w_4s --format xml
3 summary -m absent.r2n
# models
0 models
0 models --format json
2 models extra
2 models --format xml
# plan
0 plan -m net.r2n
0 plan --arch $tiny
2 plan -m net.r2n --size 0
2 plan --arch Res2Net50_26w_5s
3 plan -m absent.r2n
# bench
0 bench -m net.r2n --batch 1 --size 32 --threads 1
2 bench -m net.r2n --batch 0
2 bench net.r2n
3 bench -m absent.r2n
# data check
0 data check list.txt --root .
0 data check set
1 data check bad_picture.txt --root .
1 data check twice.txt --root .
2 data check
2 data check a b
2 data chek list.txt
3 data check bad_list.txt
3 data check absent.txt
# data split
0 data split set -o split
2 data split
2 data split set
2 data split set -o split --train 2
3 data split absent -o split2
3 data split set -o list.txt
3 data split set -o split
# doctor
0 doctor
0 doctor --format json
2 doctor extra
2 doctor --format xml
# completions, man
0 completions bash
0 completions zsh
0 completions fish
2 completions
2 completions csh
0 man
0 man predict
2 man nonsense
# quantize
0 quantize -m net.r2n --calibrate list.txt -o out.r2n
0 quantize -m net.r2n --calibrate set -o out.r2n --samples 2 --eval list.txt
1 quantize -m net.r2n --calibrate bad_picture.txt -o out.r2n --on-bad-image skip
2 quantize
2 quantize --calibrate x.txt
2 quantize -o out.r2n
2 quantize --calibrate x.txt -o out.pth
2 quantize --calibrate x.txt -o .r2n
2 quantize --calibrate x.txt -o out.r2n --precision int8
2 quantize --calibrate x.txt -o out.r2n --samples 0
3 quantize --calibrate absent.txt -o out.r2n
3 quantize -m absent.r2n --calibrate absent.txt -o out.r2n
3 quantize -m net.r2n --calibrate bad_picture.txt -o out.r2n
3 quantize -m net.r2n --calibrate list.txt -o absent/out.r2n
3 quantize -m net.r2n --calibrate list.txt -o out.r2n --eval bad_list.txt
# export
0 export -m net.r2n --to onnx -o written.onnx
0 export -m net.r2n --to onnx -o written.onnx --batch 1 --size 32x32 --softmax off
2 export
2 export -m net.r2n -o out.onnx
2 export -m net.r2n --to onnx
2 export -m net.r2n --to onnx -o out.onnx --opset 10
2 export -m net.r2n --to onnx -o out.onnx --size 4
2 export -m net.r2n --to onnx -o out.onnx --batch none
3 export -m absent.r2n --to onnx -o out.onnx
3 export -m cut.r2n --to onnx -o out.onnx
3 export -m net.r2n --to onnx -o absent/out.onnx
# train
0 train -c train.yaml
0 train -c train.yaml --dry-run
0 train -c train.yaml --print-config
1 train -c train.yaml -o DataLoader.Train.dataset.cls_label_path=bad_picture.txt -o DataLoader.Train.dataset.on_bad_image=skip
2 train
2 train -c bad.yaml
2 train -c train.yaml -o Global.epoch=1
2 train -c train.yaml --precision int8
3 train -c absent.yaml
3 train -c train.yaml -o DataLoader.Train.dataset.cls_label_path=bad_list.txt
3 train -c train.yaml -o DataLoader.Train.dataset.cls_label_path=bad_picture.txt
3 train -c train.yaml -o Global.checkpoints=nowhere/latest
# help
0 --help
0 -h
0 help
0 help eval
0 --version
2 help nonsense
2 nonsense
2 --nonsense
2 cam
END_OF_FILE
while read -r wanted words; do
    [ "$wanted" != "#" ] || continue
    # shellcheck disable=SC2086
    expect "$wanted" "$res2net" $words
    # What went wrong is told, on standard error only; what went well leaves none of it.
    checks=$((checks + 1))
    case $wanted in
    0) ;;
    1) [ -s err ] || fail "nothing is said: $words" ;;
    *) [ -s err ] && grep -qE '^(res2net: |[^ ]+:[0-9]+)' err || fail "nothing is said: $words" ;;
    esac
    [ ! -e out.onnx ] || fail "$words left out.onnx"
done <table.txt
checks=$((checks + 1))
"$res2net" help | sed -n '/^verbs:/,/^$/s/^  \([a-z][a-z ]*[a-z]\)  .*/\1/p' >verbs.txt
[ "$(wc -l <verbs.txt)" -ge 9 ] || fail "the overview has too few verbs: $(cat verbs.txt)"
while read -r verb; do
    for wanted in 0 2 3; do
        case $verb$wanted in models3 | doctor3) continue ;; esac
        grep -q "^$wanted $verb" table.txt || fail "the table has no $wanted of $verb"
    done
done <verbs.txt
ls -A | grep -E 'res2net-|\.tmp|XXXX' && fail "temporary files are left"

# ---- `predict -`
status=0
"$res2net" predict -m net.r2n - <a.png >out 2>err || status=$?
checks=$((checks + 1))
[ $status -eq 0 ] || fail "predict -: $status"
status=0
"$res2net" predict -m net.r2n - <cut.png >out 2>err || status=$?
checks=$((checks + 1))
[ $status -eq 3 ] || fail "predict - of a cut picture: $status"

# ---- a full disk: the results of every verb that prints some
results="predict -m net.r2n a.png
predict -m net.r2n a.png --format json
predict -m net.r2n a.png --format csv
predict -m net.r2n a.png cut.png --format jsonl
eval -m net.r2n --list list.txt
eval -m net.r2n --list list.txt --format json
quantize -m net.r2n --calibrate list.txt -o out.r2n
summary Res2Net50_26w_4s
models
plan -m net.r2n
bench -m net.r2n --batch 1 --size 32
data check set
doctor
completions bash
man
--help
--version"
if [ -w /dev/full ]; then
    echo "$results" | while read -r words; do
        status=0
        # shellcheck disable=SC2086
        "$res2net" $words >/dev/full 2>err </dev/null || status=$?
        [ $status -eq 3 ] || echo "status $status, not 3, on a full disk: $words"
        grep -q "standard output: the results could not be written: No space left on device" err ||
            echo "no reason: $words: $(cat err)"
    done >log
    checks=$((checks + 1))
    [ ! -s log ] || fail "$(cat log)"
else
    echo "SKIPPED: full disks, there is no /dev/full"
fi

# ---- a file size limit, which every system has: the old file stays, nothing else is left
limited() { # limited BLOCKS COMMAND...: blocks of 512 bytes
    (
        ulimit -f "$1"
        shift
        "$@"
    )
}
expect 3 limited 1 "$res2net" summary Res2Net50_26w_4s --format json
says "File too large"
mkdir limit
echo old >limit/out.r2n
echo old >limit/out.safetensors
echo old >limit/logits.npy
echo old >limit/input.npy
for words in "convert net.r2n limit/out.r2n" "convert net.r2n limit/out.safetensors" \
    "predict -m net.r2n a.png --dump-input limit/input.npy"; do
    # shellcheck disable=SC2086
    expect 3 limited 4 "$res2net" $words
    says "cannot write: File too large; the old file, if there was one, is untouched"
done
# shellcheck disable=SC2046
expect 3 limited 1 "$res2net" predict -m net.r2n $(yes a.png | head -n 40) --format json --topk 1 \
    --dump-logits limit/logits.npy
says "File too large"
for file in limit/*; do
    checks=$((checks + 1))
    [ "$(cat "$file")" = old ] || fail "$file was changed"
done
checks=$((checks + 1))
[ "$(ls -A limit | wc -l)" -eq 4 ] || fail "left over: $(ls -A limit)"
rm -rf report
expect 3 limited 0 "$res2net" eval -m net.r2n --list list.txt --report report
expect 3 limited 1 "$res2net" eval -m net.r2n --list list.txt --format json --report report
checks=$((checks + 1))
[ -z "$(find report -name '.*' -type f)" ] || fail "eval --report left $(ls -A report)"

# ---- closed descriptors: no results is a failure, no messages is none
status=0
"$res2net" predict -m net.r2n a.png >&- 2>err || status=$?
checks=$((checks + 1))
[ $status -eq 3 ] || fail "status $status, not 3, on a closed standard output"
says "standard output: the results could not be written"
for words in "0 predict -m net.r2n a.png" "1 predict -m net.r2n a.png cut.png" \
    "2 predict --nonsense" "3 predict -m absent.r2n a.png"; do
    status=0
    # shellcheck disable=SC2086
    "$res2net" ${words#* } >out 2>&- || status=$?
    checks=$((checks + 1))
    [ $status -eq "${words%% *}" ] || fail "status $status on a closed standard error: $words"
    grep -q "res2net:" out && fail "messages among the results"
done
status=0
"$res2net" predict -m net.r2n a.png >out 2>err <&- || status=$?
checks=$((checks + 1))
[ $status -eq 0 ] || fail "status $status on a closed standard input"
expect 3 sh -c "\"$res2net\" predict -m net.r2n - <&-"
status=0
"$res2net" convert net.r2n closed.r2n <&- >&- 2>&- || status=$?
checks=$((checks + 1))
[ $status -eq 0 ] || fail "convert needs open descriptors: $status"
expect 0 "$res2net" predict -m closed.r2n a.png

# ---- a reader that leaves: quiet, and no failure. The run is stopped where nothing else is wanted.
cat >closed_pipe.py <<'END_OF_FILE'
"""closed_pipe.py COMMAND...: its standard output is a pipe that nobody reads any more."""
import os, subprocess, sys
for pipes_ignored in (False, True):
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(sys.argv[1:], stdout=writer, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
                          restore_signals=not pipes_ignored)
    os.close(writer)
    assert done.returncode == 0 and done.stderr == b"", (done.returncode, done.stderr)
END_OF_FILE
i=0
while [ $i -lt 50 ]; do
    echo "set/ant/1.png 0"
    i=$((i + 1))
done >fifty.txt
for words in "predict -m net.r2n a.png" "predict -m net.r2n --list fifty.txt --format json" \
    "predict -m net.r2n --list fifty.txt --format csv --batch 1" "eval -m net.r2n --list list.txt" \
    "summary Res2Net200_vd_26w_4s" "models" "plan -m net.r2n" "data check set" "completions bash"; do
    checks=$((checks + 1))
    # shellcheck disable=SC2086
    python3 closed_pipe.py "$res2net" $words >log 2>&1 || fail "closed pipe: $words: $(tail -n 1 log)"
done

# ---- a bad picture is told once, with its reason; what is skipped is counted
expect 1 "$res2net" predict -m net.r2n a.png cut.png absent.png empty.png --format json
[ "$(wc -l <err)" -eq 4 ] || fail "not a message a bad picture and the count: $(cat err)"
says "cut.png: "
says "absent.png: cannot open: No such file or directory"
says "empty.png: byte 0: the picture is empty"
says "predict: 3 of 4 inputs skipped"
python_check "the count in the JSON" <<'END_OF_FILE'
assert ["error" in row for row in value] == [False, True, True, True], value
END_OF_FILE

finish
