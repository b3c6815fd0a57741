#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Images a second of training steps (forward, backward, optimiser's step left out on both sides'
smallest times alike: forward and backward) beside PyTorch, in turns. Environment `torch`.

train.py [--driver build/train_driver] [--rounds 3] [--seconds 10] [--threads 2] [--case NAME]
train.py --torch CASE f32|bf16 SECONDS THREADS        (the peer's half: prints seconds of a step)
"""
import argparse
import os
import re
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "tests", "oracle"))
sys.path.insert(0, os.path.join(HERE, "..", "tests", "golden"))

# name: ours, family, theirs, batch, side, classes
CASES = {
    "res2net50": ("Res2Net50_26w_4s", "torch", "res2net50_26w_4s", 32, 224, 1000),
    "cifar": ("cifar:planes=32,depths=2-2-2,width=26,scale=4,classes=100", "torch", None, 256, 32, 100),
}


def torch_half(case, precision, seconds, threads):
    import torch
    import torch_reference
    ours, family, theirs, batch, side, classes = CASES[case]
    torch.set_num_threads(threads)
    net = torch_reference.network(theirs or ours, 1, family).train()
    net = net.to(memory_format=torch.channels_last)
    data = torch.randn(batch, 3, side, side).to(memory_format=torch.channels_last)
    labels = torch.zeros(batch, dtype=torch.long)
    least, end, turns = 1e9, time.time() + seconds, 0
    while turns < 3 or time.time() < end:
        net.zero_grad()
        start = time.time()
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
            loss = torch.nn.functional.cross_entropy(net(data).float(), labels)
        loss.backward()
        least = min(least, time.time() - start)
        turns += 1
    print(f"both {least:.4f}")


def seconds_of(command):
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return float(re.search(r"both ([0-9.]+)", said).group(1))


def main():
    if sys.argv[1:2] == ["--torch"]:
        torch_half(sys.argv[2], sys.argv[3], float(sys.argv[4]), int(sys.argv[5]))
        return
    parser = argparse.ArgumentParser()
    parser.add_argument("--driver", default="build/train_driver")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--case", choices=list(CASES), action="append")
    options = parser.parse_args()
    for case in options.case or CASES:
        ours, family, _, batch, side, classes = CASES[case]
        commands = {}
        for precision, isa in (("f32", "amx"), ("bf16", "amx/bf16")):  # ceilings: what the CPU has
            commands[f"res2net {precision}"] = [
                options.driver, "speed", ours, family, str(batch), str(side), str(classes), isa,
                str(options.threads), str(options.seconds)]
            commands[f"PyTorch {precision}"] = [
                sys.executable, os.path.abspath(__file__), "--torch", case, precision,
                str(options.seconds), str(options.threads)]
        least = {name: 1e9 for name in commands}
        for _ in range(options.rounds):
            for name, command in commands.items():
                least[name] = min(least[name], seconds_of(command))
        for name, value in least.items():
            print(f"{case}, batch {batch}, {side} px, {options.threads} threads: {name}: "
                  f"{batch / value:.2f} images/s", flush=True)
        for precision in ("f32", "bf16"):
            ratio = least[f"PyTorch {precision}"] / least[f"res2net {precision}"]
            print(f"{case}: {precision}: {ratio:.2f} times PyTorch's speed", flush=True)


if __name__ == "__main__":
    main()
