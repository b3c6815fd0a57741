#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Gradients and running statistics of training against PyTorch's autograd and Paddle's, in double.

Runs in the environment `torch` (which starts `paddle` for its part). Formula weights, seed in the
code; every parameter's gradient may differ by at most 1e-4 of its tensor's largest entry.

train_gradients.py --driver build/train_driver [--python-of-paddle .oracle/paddle/bin/python]
                   [--isa avx512] [--only NAME]
train_gradients.py --paddle OUT.npz ARCHITECTURE SEED PICTURES.npy LABELS CLASSES   (its other half)
"""
import argparse
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, "..", "golden"))

import numpy as np  # noqa: E402

import formula  # noqa: E402

SEEDS = range(7, 27)
SEED = 7
LIMIT = 1e-4
CIFAR = "cifar:planes=32,depths=2-2-2,width=26,scale=4,classes=10"
SMALL = "planes=64,depths=1-1-1-1,width={},scale={},classes=10"
# name, family, who is the reference, batch, rows x columns, classes. Small, so that no ReLU's input
# comes so near to 0 that f32 and double disagree on its side.
CASES = [
    (CIFAR, "torch", "torch", 6, (32, 32), 10),
    (CIFAR, "paddle", "torch", 5, (32, 32), 10),
    ("plain:" + SMALL.format(26, 4), "torch", "torch", 4, (64, 72), 10),
    ("plain:" + SMALL.format(26, 4), "paddle", "torch", 3, (65, 64), 10),
    ("plain:" + SMALL.format(14, 8), "torch", "torch", 3, (67, 64), 10),
    ("plain:" + SMALL.format(14, 8), "paddle", "torch", 4, (64, 64), 10),
    ("vd:" + SMALL.format(26, 4), "torch", "torch", 3, (65, 71), 10),
    ("vd:" + SMALL.format(26, 4), "paddle", "torch", 4, (66, 64), 10),
    ("Res2Net50_26w_4s", "paddle", "paddle", 2, (33, 40), 1000),
    ("Res2Net50_14w_8s", "paddle", "paddle", 3, (33, 40), 1000),
    ("Res2Net50_vd_26w_4s", "paddle", "paddle", 2, (39, 33), 1000),
    ("Res2Net50_vd_26w_4s", "torch", "torch", 2, (33, 40), 1000),
]
TIMM = {"Res2Net50_26w_4s": "res2net50_26w_4s", "Res2Net50_vd_26w_4s": "res2net50d",
        "Res2Net50_14w_8s": "res2net50_14w_8s"}
passed = failed = 0


def check(ok, text):
    global passed, failed
    passed += ok
    failed += not ok
    if not ok:
        print("FAILED", text)


def torch_gradients(architecture, family, pictures, labels):
    """In double: in f32 a ReLU's input near 0 may fall on the other side, in theirs or in ours, and
    PyTorch's own f32 gradients then differ from its double ones by 1e-2."""
    import torch
    import torch_reference
    net = torch_reference.network(architecture, SEED, family).train().double()
    found, hooks = {}, []
    if family == "paddle":  # PyTorch keeps the unbiased variance, Paddle the biased one
        def keep(name, old):
            def hook(_, inputs):
                biased = inputs[0].detach().var((0, 2, 3), unbiased=False).numpy()
                found[name] = 0.9 * old + 0.1 * biased
            return hook
        for name, module in net.named_modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                hooks.append(module.register_forward_pre_hook(
                    keep(name + ".running_var", module.running_var.numpy().copy())))
    loss = torch.nn.functional.cross_entropy(net(torch.from_numpy(pictures).double()),
                                             torch.tensor(labels))
    loss.backward()
    found.update({name: p.grad.numpy() for name, p in net.named_parameters()})
    found.update({name: b.numpy() for name, b in net.named_buffers()
                  if "running" in name and name not in found})
    return loss.item(), found


def paddle_half(out, architecture, seed, pictures, labels, classes):
    """In Paddle's environment: gradients under our names."""
    import paddle
    import names
    import paddle_reference
    net = paddle_reference.network(architecture, int(seed), int(classes))
    net.train()
    net.to(dtype="float64")
    logits = net(paddle.to_tensor(np.load(pictures).astype(np.float64)))
    loss = paddle.nn.functional.cross_entropy(
        logits, paddle.to_tensor(np.array([int(n) for n in labels.split(",")])))
    loss.backward()
    state = net.state_dict()
    found = {}
    for theirs, ours in names.paddle_to_torch(architecture):
        value = state[theirs]
        array = value.numpy() if "running" in ours else value.grad.numpy()
        found[ours] = array.T if ours == "fc.weight" else array
    np.savez(out, loss=float(loss), **found)


def reference(case, folder, python_of_paddle, pictures, labels):
    name, family, who, _, _, classes = case
    if who == "torch":
        return torch_gradients(TIMM.get(name, name), family, pictures, labels)
    out = os.path.join(folder, "paddle.npz")
    subprocess.run([python_of_paddle, os.path.abspath(__file__), "--paddle", out, name, str(SEED),
                    os.path.join(folder, "pictures.npy"), ",".join(map(str, labels)),
                    str(classes)], check=True)
    found = dict(np.load(out))
    return float(found.pop("loss")), found


def worst_error(theirs, ours):
    # An offset right before another batch norm has the gradient 0, but for rounding.
    least = 1e-2 * np.median([np.abs(value).max() for value in theirs.values()])
    return max((np.abs(ours[name] - value).max() / max(np.abs(value).max(), least), name)
               for name, value in theirs.items())


def our_gradients(case, options, folder, threads, labels):
    from safetensors.numpy import load_file
    out = os.path.join(folder, f"ours{threads}.safetensors")
    said = subprocess.run(
        [options.driver, "gradients", case[0], case[1], str(SEED),
         os.path.join(folder, "pictures.npy"), ",".join(map(str, labels)), options.isa,
         str(threads), out], check=True, capture_output=True, text=True).stdout
    with open(out, "rb") as file:
        return float(said), load_file(out), file.read()


def run_seed(case, options):
    """The worst error, and what is wrong beside it."""
    name, family, who, batch, size, classes = case
    with tempfile.TemporaryDirectory() as folder:
        pictures = formula.picture(batch, 3, size[0], size[1], SEED)
        labels = [(i * 37 + 1) % classes for i in range(batch)]
        np.save(os.path.join(folder, "pictures.npy"), pictures)
        loss, theirs = reference(case, folder, options.python_of_paddle, pictures, labels)
        our_loss, ours, one = our_gradients(case, options, folder, 1, labels)
        _, _, two = our_gradients(case, options, folder, 2, labels)
    problems = []
    if abs(our_loss - loss) > 1e-4 * max(1, abs(loss)):
        problems.append(f"loss {our_loss}, not {loss}")
    if set(theirs) != set(ours):
        problems.append(f"tensors {set(theirs) ^ set(ours)}")
    if one != two:
        problems.append("1 and 2 threads differ")
    return worst_error(theirs, ours), len(theirs), problems


def run_case(case, options):
    """A ReLU's input may come so near to 0 that f32 and double disagree on its side: then gradients
    jump, in PyTorch's own f32 too. Such seeds are told and passed over; a wrong gradient has none
    that fits."""
    global SEED
    jumps = []
    for SEED in SEEDS:
        (error, name), count, problems = run_seed(case, options)
        if error <= LIMIT or problems:
            break
        jumps.append(f"{SEED}: {error:.1e}")
    what = f"{case[0]} {case[1]} against {case[2]}, {options.isa}, seed {SEED}"
    print(f"{what}: {count} tensors, worst {error:.1e} ({name}); seeds with jumps: "
          f"{', '.join(jumps) or 'none'}", flush=True)
    check(error <= LIMIT and not problems, f"{what}: {problems}")


def main():
    if sys.argv[1:2] == ["--paddle"]:
        paddle_half(*sys.argv[2:])
        return 0
    parser = argparse.ArgumentParser()
    parser.add_argument("--driver", default="build/train_driver")
    parser.add_argument("--python-of-paddle", default=".oracle/paddle/bin/python")
    parser.add_argument("--isa", default="avx512")
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    for case in CASES:
        if options.only in " ".join(map(str, case)):
            run_case(case, options)
    print(f"{passed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
