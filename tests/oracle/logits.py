# SPDX-License-Identifier: Apache-2.0
"""Our logits beside those of the real PaddleClas, timm and our torch networks: every architecture,
size, batch, ISA and thread count. Runs in the environment `torch`; Paddle runs in its own.

For each network: random weights with randomised batch norms (formula.py) are set in the real
library and written by it to a file of its own format; `res2net predict --weights` reads that file.
Our logits must be within 1e-4 of the largest logit of the picture, and their bits the same alone
and in any batch, and with 1 and 2 threads.
"""
import argparse
import os
import subprocess
import sys
import tempfile
import time

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "golden"))

import command  # noqa: E402
import formula  # noqa: E402
import names  # noqa: E402
import networks  # noqa: E402
import torch_reference  # noqa: E402

SIZES = ("224x224", "225x225", "320x256", "64x64")
SMALL_SIZES = ("32x32", "33x47", "64x64")
PICTURES = 8  # in a reference run; ours come one at a time, by threes and all at once
BATCHES = (1, 3, 8)
ALONE = 5  # the picture that is also given in a file of its own

# timm's name: what our torch definition calls it, (depths, width, scale, family, stem)
TIMM = {
    "res2net50_26w_4s": ((3, 4, 6, 3), 26, 4, "torch", "7x7"),
    "res2net50_14w_8s": ((3, 4, 6, 3), 14, 8, "torch", "7x7"),
    "res2net50_48w_2s": ((3, 4, 6, 3), 48, 2, "torch", "7x7"),
    "res2net50d": ((3, 4, 6, 3), 26, 4, "torch", "deep"),
    "res2net101d": ((3, 4, 23, 3), 26, 4, "torch", "deep"),
}
SMALL = ("cifar:planes=32,depths=2-2-2,width=26,scale=4,classes=100",
         "cifar:planes=64,depths=1-1-1,width=14,scale=8,classes=10",
         "cifar:planes=16,depths=1-2-2,width=32,scale=2,classes=100")


def make_reference(environment, folder, architecture, seed, sizes):
    """Files of weights, and logits by size."""
    script = os.path.join(HERE, f"{environment}_reference.py")
    subprocess.run([command.environment_python(environment), script, folder, architecture,
                    str(seed), str(PICTURES), *sizes], check=True)
    return {size: np.load(os.path.join(folder, f"logits_{size}.npy")) for size in sizes}


def check_definition(score, architecture, seed, size, theirs):
    """That networks.py, which stands for the libraries in the small nets and in the benchmarks,
    computes what they do."""
    if architecture in TIMM:
        net = networks.Res2Net(*TIMM[architecture])
        torch_reference.set_formula_weights(net, seed)
    elif architecture in names.PADDLE:
        net = torch_reference.network(architecture, seed, "paddle")
    else:
        return
    height, width = map(int, size.split("x"))
    logits = torch_reference.run(net, formula.picture(PICTURES, 3, height, width, seed))
    found = command.error(logits, theirs)
    score.checked(found <= command.TOLERANCE, f"networks.py is {architecture}: {found:.2e}")


def write_pictures(folder, size, seed):
    """The pictures all in one file, and one of them alone in another."""
    height, width = map(int, size.split("x"))
    pictures = formula.picture(PICTURES, 3, height, width, seed)
    together, alone = (os.path.join(folder, name) for name in ("all.npy", "alone.npy"))
    np.save(together, pictures)
    np.save(alone, pictures[ALONE:ALONE + 1])
    return together, alone


def compare_isa(score, res2net, weights, files, theirs, folder, isa):
    """Every batch and thread count on one ISA. Says the worst error and whether bits agree."""
    together, alone = files
    worst, first, equal = 0.0, None, True
    for threads in (1, 2):
        for batch in BATCHES:
            label = f"--isa {isa} --threads {threads} --batch {batch}"
            ours = command.predict_logits(res2net, weights, together, folder, *label.split())
            found = command.error(ours, theirs)
            worst = max(worst, found)
            score.check(found <= command.TOLERANCE, f"  {label}: {found:.2e} of the largest logit")
            first = ours if first is None else first
            equal &= score.check(command.same_bits(ours, first), f"  {label}: other bits")
        ours = command.predict_logits(res2net, weights, alone, folder, "--isa", isa,
                                      "--threads", threads)
        equal &= score.check(command.same_bits(ours, first[ALONE:ALONE + 1]),
                             f"  --isa {isa} --threads {threads}, one picture alone: other bits")
    return worst, equal


def compare_reference_isa(score, res2net, weights, files, theirs, folder):
    """The kernels that are the specification are slow: one picture, one batch."""
    ours = command.predict_logits(res2net, weights, files[1], folder, "--isa", "reference")
    found = command.error(ours, theirs[ALONE:ALONE + 1])
    score.check(found <= command.TOLERANCE, f"  --isa reference: {found:.2e} of the largest logit")
    return found, True


def compare_network(score, options, environment, architecture, seed, sizes, with_reference):
    with tempfile.TemporaryDirectory(prefix="res2net-logits-") as folder:
        reference = make_reference(environment, folder, architecture, seed, sizes)
        formats = ("weights.pdparams",) if environment == "paddle" else ("weights.pth",
                                                                         "weights.safetensors")
        check_definition(score, architecture, seed, sizes[-1], reference[sizes[-1]])
        for size, theirs in reference.items():
            files = write_pictures(folder, size, seed)
            for form in formats:
                if form != formats[0] and size != sizes[-1]:
                    continue  # a second format of the same tensors: one size will do
                weights = os.path.join(folder, form)
                isas = options.isas + (["reference"] if size in with_reference else [])
                for isa in isas:
                    compare = compare_reference_isa if isa == "reference" else compare_isa
                    arguments = [weights, files, theirs, folder]
                    if isa != "reference":
                        arguments.append(isa)
                    started = time.monotonic()
                    try:
                        worst, equal = compare(score, options.res2net, *arguments)
                    except (command.CommandFailed, OSError) as reason:
                        score.check(False, f"  {architecture} {size} {isa}: {reason}")
                        continue
                    short = architecture.replace("cifar:", "").split(",classes")[0]
                    score.say(f"{short:<44} {form[8:]:<12} {size:<8} {isa:<9} "
                              f"{worst:9.2e}  {'equal' if equal else 'OTHER':<6} "
                              f"{time.monotonic() - started:6.1f} s")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--res2net", default=os.path.join(command.ROOT, "build", "res2net"))
    parser.add_argument("--log", default=os.path.join(command.ROOT, ".oracle", "logits.log"))
    parser.add_argument("--only", default="", help="only architectures with this in their name")
    parser.add_argument("--size", action="append", help="only this size (again for more)")
    options = parser.parse_args()
    options.isas = command.fast_isas()
    score = command.Score(options.log)
    score.say(f"ISAs of this CPU: {' '.join(options.isas) or 'none'}; {PICTURES} pictures, batches "
              f"{BATCHES}, threads 1 and 2; error as a part of the largest logit")
    score.say(f"{'network':<44} {'file':<12} {'size':<8} {'ISA':<9} {'error':>9}  {'bits':<6} time")
    large, small = (tuple(s for s in sizes if not options.size or s in options.size)
                    for sizes in (SIZES, SMALL_SIZES))
    work = [("paddle", name, 100 + i, large, ("64x64",)) for i, name in enumerate(names.PADDLE)]
    work += [("torch", name, 200 + i, large, ("64x64",)) for i, name in enumerate(TIMM)]
    work += [("torch", name, 300 + i, small, SMALL_SIZES) for i, name in enumerate(SMALL)]
    for environment, architecture, seed, sizes, with_reference in work:
        if options.only.lower() in architecture.lower() and sizes:
            compare_network(score, options, environment, architecture, seed, sizes, with_reference)
    score.finish()


if __name__ == "__main__":
    main()
