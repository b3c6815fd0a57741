# SPDX-License-Identifier: Apache-2.0
"""Our Paddle inference models through Paddle Lite's own `opt`, to .nb files for x86 and arm, in f32
and with weights quantised after training; what x86 files answer beside our logits. Runs in the
environment `lite` (Python 3.8); weights come from `paddle` and `torch`.

f32 at several sizes and batches from one file: 1e-5 of the largest logit. int8: the trained
CIFAR-100 network on its test pictures, top-1 and answers beside ours. One network also as Paddle's
own export of the same weights: opt makes what answers the same, to the bit.

A second run goes on where the first one ended (resume.py); --again begins anew.

lite.py --run FILE.nb OUTPUTS.npz INPUT.npy...      one process of Paddle Lite
"""
import argparse
import os
import shutil
import subprocess
import sys
import tempfile

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "golden"))

import command  # noqa: E402
import formula  # noqa: E402
import formula_weights  # noqa: E402
import names  # noqa: E402
import resume  # noqa: E402

SIZES = ("224x224", "225x225", "288x320")
SMALL_SIZES = ("32x32", "33x47", "64x64")
PICTURES = 3  # given together, and the first alone
TORCH = ("res2net50_26w_4s", "res2net50_14w_8s", "res2net50d", "res2net101d")
SMALL = ("cifar:planes=32,depths=2-2-2,width=26,scale=4,classes=100",
         "cifar:planes=64,depths=1-1-1,width=14,scale=8,classes=10")
TOLERANCE = 1e-5
INT8_TOLERANCE = 0.05      # of the largest logit, with weights of a formula
INT8_SHARE = 0.27          # of f32's file, for networks of some size
REAL_PICTURES = 1000
MOST_LOST, LEAST_SAME = 0.007, 0.95  # int8's top-1 and answers

# opt of 2.13rc0 leaves the classifier a matmul_v2 for x86 alone, quantises its matrix and has no
# runtime that widens it (Paddle's own export shows the same); with arm named too it is an fc.
X86, ARM, X86_INT8 = "x86", "arm", "x86,arm"


def run_lite(file, out, *inputs):
    from paddlelite.lite import MobileConfig, create_paddle_predictor
    config = MobileConfig()
    config.set_model_from_file(file)
    outputs, size = [], None
    for path in inputs:
        pictures = np.load(path)
        # A predictor of x86 takes any batch, but answers nonsense once the size is another one, for
        # Paddle's own exports as well.
        if size != pictures.shape[2:]:
            predictor, size = create_paddle_predictor(config), pictures.shape[2:]
        predictor.get_input(0).from_numpy(pictures)
        predictor.run()
        outputs.append(predictor.get_output(0).numpy().copy())
    np.savez(out, *outputs)


def told(done):
    return " / ".join(done.stdout.decode("utf-8", "replace").strip().splitlines()[-3:])


def optimise(model, out, targets, *flags):
    """`model` is a folder; the file that opt writes."""
    tool = os.path.join(os.path.dirname(sys.executable), "paddle_lite_opt")
    done = subprocess.run([sys.executable, tool,
                           "--model_file", os.path.join(model, "inference.pdmodel"),
                           "--param_file", os.path.join(model, "inference.pdiparams"),
                           "--optimize_out", out, "--optimize_out_type", "naive_buffer",
                           "--valid_targets", targets, *flags],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0 or not os.path.exists(out + ".nb"):
        raise command.CommandFailed(f"opt for {targets}: {done.returncode}: {told(done)}")
    return out + ".nb"


def quantise(model, out, targets):
    return optimise(model, out, targets, "--quant_model", "true", "--quant_type", "QUANT_INT8")


def answers(file, folder, inputs):
    out = os.path.join(folder, "lite.npz")
    done = subprocess.run([sys.executable, os.path.abspath(__file__), "--run", file, out, *inputs],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        raise command.CommandFailed(f"{os.path.basename(file)}: {done.returncode}: {told(done)}")
    with np.load(out) as arrays:
        return [arrays[f"arr_{i}"] for i in range(len(inputs))]


def worst_error(ours, theirs):
    return max(command.error(b, a) for a, b in zip(ours, theirs))


class Network:
    """An export of ours in a folder, ready pictures and our logits of them."""

    def __init__(self, res2net, folder, weights, seed, sizes, *flags):
        self.folder, self.model = folder, os.path.join(folder, "net")
        self.weights, self.inputs, self.logits = weights, [], []
        command.run(res2net, "export", "--weights", weights, *flags, "--to", "paddle",
                    "--softmax", "off", "-o", self.model)
        for size in sizes:
            height, width = map(int, size.split("x"))
            pictures = formula.picture(PICTURES, 3, height, width, seed)
            for count in (PICTURES, 1):
                path = os.path.join(folder, f"{size}_{count}.npy")
                np.save(path, pictures[:count])
                self.inputs.append(path)
                self.logits.append(command.predict_logits(res2net, weights, path, folder, *flags))

    def path(self, name):
        return os.path.join(self.folder, name)


def compare_whole(score, net):
    file = optimise(net.model, net.path("x86"), X86)
    worst = worst_error(net.logits, answers(file, net.folder, net.inputs))
    score.checked(worst <= TOLERANCE, f"  x86, f32: {worst:.2e}")
    return os.path.getsize(file)


def compare_quantised(score, net, size):
    for targets in (X86_INT8, ARM):
        file = quantise(net.model, net.path("int8"), targets)
        share = os.path.getsize(file) / size
        score.checked(share <= INT8_SHARE or size < 20e6,
                      f"  {targets}, int8: {share:.3f} of f32's size")
        if targets == X86_INT8:
            worst = worst_error(net.logits, answers(file, net.folder, net.inputs))
            score.checked(worst <= INT8_TOLERANCE, f"  {targets}, int8: {worst:.2e}")


def compare(score, options, environment, name, seed, flags, sizes):
    score.say(f"{environment} {name} {' '.join(flags)}")
    weights = formula_weights.file_of(environment, name, seed)
    with tempfile.TemporaryDirectory(prefix="res2net-lite-") as folder:
        try:
            net = Network(options.res2net, folder, weights, seed, sizes, *flags)
            size = compare_whole(score, net)
            file = optimise(net.model, net.path("arm"), ARM)
            share = os.path.getsize(file) / size
            score.checked(0.99 < share < 1.01, f"  arm, f32: {share:.3f} of x86's size")
            compare_quantised(score, net, size)
        except (command.CommandFailed, OSError, subprocess.SubprocessError) as reason:
            score.check(False, f"  {reason}")


# ---- once --------------------------------------------------------------------------------------

def compare_own(score, options, name, seed):
    """Beside Paddle's own export of the same weights."""
    score.say(f"Paddle's own export of {name}")
    with tempfile.TemporaryDirectory(prefix="res2net-lite-") as folder:
        own = os.path.join(folder, "own")
        os.mkdir(own)
        subprocess.run([command.environment_python("paddle"),
                        os.path.join(HERE, "paddle_reference.py"), "--export", own, name,
                        str(seed), "1000", "0"], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, env=dict(os.environ, FLAGS_enable_pir_api="0"))
        net = Network(options.res2net, folder, os.path.join(own, "weights.pdparams"), seed,
                      SIZES[:1])
        for what, make, targets in (("f32", optimise, X86), ("int8", quantise, X86_INT8),
                                    ("int8 for x86 alone", quantise, X86)):
            found = [answers(make(model, net.path("one"), targets), folder, net.inputs)
                     for model in (net.model, own)]
            text = (f"  {what}: {worst_error(*found):.1e} from Paddle's own export; "
                    f"{worst_error(net.logits, found[1]):.1e} of that from our logits")
            if targets == X86 and make is quantise:
                score.say("     " + text.strip())  # the fault above, no check: it may be mended
            else:
                score.checked(all(map(command.same_bits, *found)), text)


def test_pictures(shared, folder):
    """Ready pictures of CIFAR-100's test and their classes."""
    import cifar
    unpack = os.path.join(shared, "data", "unpack_cifar100.py")
    subprocess.run([sys.executable, unpack, folder], check=True)
    records = np.fromfile(os.path.join(folder, "test.bin"), np.uint8)
    records = records.reshape(-1, cifar.RECORD)[:REAL_PICTURES]
    ready = os.path.join(folder, "ready.npy")
    np.save(ready, cifar.normalised(records))
    return ready, records[:, 1]


def compare_trained(score, options):
    score.say(f"the trained CIFAR-100 network, {REAL_PICTURES} test pictures")
    weights = os.path.join(options.shared, "bootstrap", "res2net20_26w_4s_cifar.safetensors")
    with tempfile.TemporaryDirectory(prefix="res2net-lite-") as folder:
        ready, classes = test_pictures(options.shared, folder)
        net = Network(options.res2net, folder, weights, 0, ())
        ours = command.predict_logits(options.res2net, weights, ready, folder)
        for what, make, targets in (("f32", optimise, X86), ("int8", quantise, X86_INT8)):
            theirs, = answers(make(net.model, net.path(what), targets), folder, [ready])
            right = [int((logits.argmax(1) == classes).sum()) for logits in (ours, theirs)]
            same = int((ours.argmax(1) == theirs.argmax(1)).sum())
            worst = command.error(theirs, ours)
            if what == "f32":
                holds = worst <= TOLERANCE and same == REAL_PICTURES
            else:
                holds = (right[0] - right[1] <= MOST_LOST * REAL_PICTURES
                         and same >= LEAST_SAME * REAL_PICTURES)
            score.checked(holds, f"  {what}: {right[1]} right (ours {right[0]}), the same answer "
                                 f"for {same}, {worst:.1e}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--res2net", default=os.path.join(command.ROOT, "build", "res2net"))
    parser.add_argument("--shared", default=os.path.join(command.ROOT, "..", "shared"))
    parser.add_argument("--log", default=os.path.join(command.ROOT, ".oracle", "lite.log"))
    parser.add_argument("--work", default=os.path.join(command.ROOT, ".oracle", "lite-work"))
    parser.add_argument("--only", default="", help="only networks with this in their name")
    parser.add_argument("--again", action="store_true", help="forgets what is kept")
    options = parser.parse_args()
    if options.again:
        shutil.rmtree(options.work, ignore_errors=True)
    score = command.Score(options.log)
    kept = resume.Kept(score, options.work, os.path.abspath(__file__), options.res2net)
    work = [("torch", name, 300 + i, ("--family", family), SMALL_SIZES)
            for i, name in enumerate(SMALL) for family in ("torch", "paddle")]
    work += [("paddle", name, 100 + i, (), SIZES) for i, name in enumerate(names.PADDLE)]
    work += [("torch", name, 200 + i, (), SIZES) for i, name in enumerate(TORCH)]
    for one in work:
        if options.only.lower() in one[1].lower():
            kept.run(repr(one), compare, score, options, *one)
    if not options.only or options.only == "own":
        kept.run("own", compare_own, score, options, next(iter(names.PADDLE)), 100)
    if not options.only or options.only == "trained":
        kept.run("trained", compare_trained, score, options)
    score.finish()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--run"]:
        run_lite(*sys.argv[2:])
    else:
        main()
