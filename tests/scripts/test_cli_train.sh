#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `res2net train`: a small network learns; what it leaves; the same bytes for any number of threads, and
# after an interruption, a kill or a resume as without; fine-tuning; wrong configurations.
set -u
# shellcheck source=tests/scripts/cli_test.sh
. "$(dirname "$0")/cli_test.sh"
needs yaml
cd "$work" || exit 1
python3 "$here/make_cifar10.py" train.bin 70 1 || fail "make_cifar10.py"
python3 "$here/make_cifar10.py" test.bin 30 2 || fail "make_cifar10.py"

cat >net.yaml <<'END'
Global:
  output_dir: made
  epochs: 6
  save_interval: 0
  eval_interval: 2
  print_batch_step: 1
  seed: 3
Arch:
  name: 'cifar:planes=8,depths=1-1-1,width=32,scale=2,stem=8'
  class_num: 10
Loss:
  Train:
    - CELoss: {weight: 1.0, epsilon: 0.1}
  Eval:
    - CELoss: {weight: 1.0}
Optimizer:
  name: Momentum
  momentum: 0.9
  lr: {name: Cosine, learning_rate: 0.1}
  regularizer: {name: L2, coeff: 0.0001}
DataLoader:
  Train:
    dataset:
      name: ImageNetDataset
      cls_label_path: train.bin
      transform_ops:
        - RandomCropImage: {size: 32, padding: 4}
        - RandFlipImage: {flip_code: 1}
        - NormalizeImage: &normalise
            {scale: 1.0/255.0, mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25], order: ''}
    sampler: {name: DistributedBatchSampler, batch_size: 23, drop_last: False, shuffle: True}
  Eval:
    dataset:
      name: ImageNetDataset
      cls_label_path: test.bin
      transform_ops:
        - NormalizeImage: *normalise
    sampler: {name: DistributedBatchSampler, batch_size: 16, drop_last: False, shuffle: False}
END
# ---- told before a run
expect 0 "$res2net" train -c net.yaml --print-config -o Global.epochs=3
prints "Global.epochs: 3"
prints "Global.seed: 3  # net.yaml:7"
expect 0 "$res2net" train -c net.yaml --dry-run
prints "70 pictures to train, 30 to evaluate"
prints "6 epochs of 3 batches"
checks=$((checks + 1))
[ ! -e made ] || fail "a dry run wrote something"

# ---- a run; 70 pictures in batches of 23 leave one over, which joins the batch before it
train() { # train FOLDER ARGUMENT...
    output=$1
    shift
    "$res2net" train -c net.yaml -o Global.output_dir="$output" "$@"
}
expect 0 train whole --threads 2
prints "best top-1"
says "[Train][Epoch 6/6][Iter: 2/3]"
whole=$(find whole -name latest.r2n | head -n 1 | xargs dirname)
for file in latest.pdparams latest.pdopt latest.pdstates latest.r2n best_model.pdparams best_model.r2n \
    train.log results.csv report.html; do
    checks=$((checks + 1))
    [ -s "$whole/$file" ] || fail "there is no $file"
done
checks=$((checks + 1))
python3 - "$whole/results.csv" <<'END' || fail "results.csv: $(cat "$whole/results.csv")"
import csv, sys
rows = list(csv.DictReader(open(sys.argv[1])))
assert list(rows[0]) == ["epoch", "step", "lr", "train_loss", "eval_loss", "eval_top1", "eval_top5",
                         "images_per_second", "seconds"]
assert [row["epoch"] for row in rows] == list("123456"), rows
assert [row["eval_top1"] != "" for row in rows] == [False, True] * 3, rows
assert float(rows[-1]["train_loss"]) < 0.7 * float(rows[0]["train_loss"]), rows
assert float(rows[-1]["eval_top1"]) >= 0.5, rows
END
"$res2net" eval -m "$whole/latest.r2n" --list test.bin --format json >eval.json 2>err || fail "eval: $(cat err)"
checks=$((checks + 1))
python3 - "$whole/results.csv" <<'END' || fail "eval does not give what the run said"
import csv, json, sys
said = float(list(csv.DictReader(open(sys.argv[1])))[-1]["eval_top1"])
assert abs(json.load(open("eval.json"))["top1"] - said) < 1e-4
END

# ---- the same bytes: threads, resumes, interruptions, kills
expect 0 train one --threads 1
is_same "$whole/latest.r2n" "one/${whole#*/}/latest.r2n" "1 and 2 threads"

# An epoch's end: as PaddleClas' users resume.
expect 0 train parts -o Global.save_interval=2
expect 0 train parts -o Global.checkpoints="parts/${whole#*/}/epoch_2"
is_same "$whole/latest.r2n" "parts/${whole#*/}/latest.r2n" "a resume from epoch 2"
is_same "$whole/latest.pdopt" "parts/${whole#*/}/latest.pdopt" "the optimiser after a resume"

# Told to stop after an epoch: its end, and status 0.
expect 0 train told -o Global.stop_after_epoch=4
says "stopped after epoch 4 of 6"
expect 0 train told -o Global.checkpoints="told/${whole#*/}/latest"
is_same "$whole/latest.r2n" "told/${whole#*/}/latest.r2n" "a stop after epoch 4"

# In the middle of one: SIGINT and SIGTERM save; SIGKILL leaves the save before it.
stopped() { # stopped SIGNAL STATUS LINES
    rm -rf stopped
    checks=$((checks + 1))
    status=0
    python3 "$here/stop_after.py" "$1" "$3" "[Iter:" "$res2net" train -c net.yaml \
        -o Global.output_dir=stopped -o Global.save_iterations=1 >out 2>err || status=$?
    [ "$status" -eq "$2" ] || fail "$1 after $3 lines: status $status, not $2: $(tail -n 2 err)"
    if [ -e "stopped/${whole#*/}/latest.pdstates" ]; then
        expect 0 train stopped -o Global.save_iterations=1 \
            -o Global.checkpoints="stopped/${whole#*/}/latest"
    else
        expect 0 train stopped
    fi
    is_same "$whole/latest.r2n" "stopped/${whole#*/}/latest.r2n" "$1 after $3 lines"
}
stopped SIGINT 130 2
stopped SIGTERM 130 5
# The save that follows a line is under way when the signal comes.
moments="1 4 7"
[ -z "${RES2NET_SOAK:-}" ] || moments="1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 1 5 9 13" # ./run soak
for lines in $moments; do
    stopped SIGKILL 137 "$lines"
done

# A step of three batches is ended before the save.
thirds="-o Global.update_freq=3 -o DataLoader.Train.sampler.batch_size=12"
# shellcheck disable=SC2086
expect 0 train three $thirds
checks=$((checks + 1))
status=0
# shellcheck disable=SC2086
python3 "$here/stop_after.py" SIGINT 4 "[Iter:" "$res2net" train -c net.yaml $thirds \
    -o Global.output_dir=stopped_three >out 2>err || status=$?
[ $status -eq 130 ] || fail "SIGINT in a step of three: status $status"
# shellcheck disable=SC2086
expect 0 train stopped_three $thirds -o Global.checkpoints="stopped_three/${whole#*/}/latest"
is_same "three/${whole#*/}/latest.r2n" "stopped_three/${whole#*/}/latest.r2n" "SIGINT in a step of three"

# ---- the learning rate of a resume
expect 0 train parts -o Global.checkpoints="parts/${whole#*/}/epoch_2" -o Optimizer.lr.learning_rate=0.05
says "goes on from the saved"
expect 0 train parts -o Global.checkpoints="parts/${whole#*/}/epoch_2" \
    -o Optimizer.lr.learning_rate=0.05 --override-lr
says "the configuration's, "

# ---- numbers that are none: steps are left out, a row of them ends the run, saves have none
expect 3 train wild -o Optimizer.lr.learning_rate=1000000 -o Optimizer.regularizer.coeff=1.0 \
    -o Global.stop_after_bad_steps=3 -o Global.epochs=20 -o Global.eval_during_train=False
says "the loss, a statistic or a gradient is not finite"
says "3 steps one after the other gave no finite numbers"
expect 0 "$res2net" convert "wild/${whole#*/}/latest.r2n" wild.safetensors # refuses what is not finite

# ---- bf16: on any CPU with the reference kernels; elsewhere refused where the CPU lacks it
expect 2 "$res2net" train -c net.yaml --precision bf16 --isa avx2
says "training in bf16 needs"
sed -e 's/width=32/width=26/' -e 's/size: 32, padding: 4/size: 8, padding: 0/' net.yaml >half.yaml
expect 0 "$res2net" train -c half.yaml --precision bf16 --isa reference -o Global.output_dir=half \
    -o Global.epochs=1 -o Global.eval_during_train=False
says "seed 3, bf16"
says "[Train][Epoch 1/1][Iter: 2/3]"

# ---- another number of classes: the head is new, the rest is not
python3 - <<'END'
data = open("train.bin", "rb").read()
records = [data[i:i + 3073] for i in range(0, len(data), 3073)]
open("three.bin", "wb").write(b"".join(r for r in records if r[0] < 3))
END
expect 0 train fine -o Arch.class_num=3 -o DataLoader.Train.dataset.cls_label_path=three.bin \
    -o Global.eval_during_train=False -o Global.epochs=1 \
    -o Global.pretrained_model="$whole/latest.pdparams" -o DataLoader.Train.sampler.batch_size=7
says "its classifier is left out"
checks=$((checks + 1))
[ "$(grep -c "its classifier is left out" "$work/err")" -eq 1 ] || fail "said more than once"

# ---- from networks that other programs wrote: the same bytes as from weights
expect 0 "$res2net" export -m "$whole/latest.r2n" --to paddle -o graph --softmax off
expect 0 "$res2net" export -m "$whole/latest.r2n" --to onnx -o graph.onnx --batch-norm keep
cp graph/inference.pdiparams alone.pdiparams
python3 -c 'import tarfile; t = tarfile.open("graph.tar", "w"); t.add("graph"); t.close()'
once="-o Global.epochs=1 -o Global.eval_during_train=False"
# shellcheck disable=SC2086
expect 0 train from_weights $once -o Global.pretrained_model="$whole/latest.r2n"
for graph in graph graph.onnx graph.tar graph/inference.pdmodel graph/inference.json alone.pdiparams; do
    rm -rf from_graph
    # shellcheck disable=SC2086
    expect 0 train from_graph $once -o Global.pretrained_model="$graph"
    is_same "from_weights/${whole#*/}/latest.r2n" "from_graph/${whole#*/}/latest.r2n" "from $graph"
done
rm -rf from_graph
# shellcheck disable=SC2086
expect 0 train from_graph $once -o Arch.pretrained=graph.onnx
is_same "from_weights/${whole#*/}/latest.r2n" "from_graph/${whole#*/}/latest.r2n" "Arch.pretrained"
for graph in graph graph.onnx graph.tar; do
    # shellcheck disable=SC2086
    expect 0 train fine_graph $once -o Arch.class_num=3 -o Global.pretrained_model="$graph" \
        -o DataLoader.Train.dataset.cls_label_path=three.bin -o DataLoader.Train.sampler.batch_size=7
    says "its classifier is left out"
done
# shellcheck disable=SC2086
expect 0 train other_family $once -o Arch.family=paddle -o Global.pretrained_model=graph
says "the file's operations are those of the torch family, and the run trains the paddle family's"
head -c 2000 graph.onnx >cut.onnx
expect 3 train cut -o Global.pretrained_model=cut.onnx
says "cut.onnx"
sed 's/depths=1-1-1/depths=1-2-1/' net.yaml >deeper.yaml
expect 3 "$res2net" train -c deeper.yaml -o Global.output_dir=cut -o Global.pretrained_model=graph
says "graph: missing: layer2.1."

# ---- wrong configurations: status 2, with place
expect 2 "$res2net" train
says "expected -c CONFIG"
sed 's/epochs: 6/epoch: 6/' net.yaml >wrong.yaml
expect 2 "$res2net" train -c wrong.yaml
says "wrong.yaml:3:"
expect 2 "$res2net" train -c net.yaml -o Optimizer.name=Momentun
says "Momentum"
expect 3 "$res2net" train -c net.yaml -o DataLoader.Train.dataset.cls_label_path=absent.txt
says "absent.txt"
expect 3 "$res2net" train -c net.yaml -o Global.output_dir=bad -o Global.checkpoints=nowhere/latest
says "nowhere/latest"
finish
