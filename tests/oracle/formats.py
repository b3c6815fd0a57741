# SPDX-License-Identifier: Apache-2.0
"""Weights files both ways: what paddle.save, torch.save and safetensors write in all their forms is
read by us to the bit, and what our `convert` writes is read by them. Runs in the environment
`torch`; Paddle runs in its own."""
import argparse
import os
import pickle
import subprocess
import sys
import tempfile
import zipfile

import numpy as np
import torch
from safetensors.torch import load_file, save_file

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "golden"))

import command  # noqa: E402
import formula  # noqa: E402
import torch_reference  # noqa: E402

SMALL = "cifar:planes=32,depths=2-2-2,width=26,scale=4,classes=100"


class Unseekable:
    """Makes zipfile write data descriptors."""

    def __init__(self, file):
        self.file = file

    def write(self, data):
        return self.file.write(data)

    def flush(self):
        self.file.flush()


def bare(state):
    """What a converter must keep: all but the integer counters."""
    return {name: value for name, value in state.items() if value.is_floating_point()}


def optimiser_state(net):
    """What a training checkpoint carries beside the weights."""
    optimiser = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    net(torch.ones(2, 3, 32, 32)).sum().backward()
    optimiser.step()
    return optimiser.state_dict()


def wrapped_forms(net, other):
    """{file name: object for torch.save}: the shapes in which the ecosystem saves one network.
    `other` has other weights, to see that the right ones are taken."""
    state = net.state_dict()
    optimiser = optimiser_state(other)
    decoy = other.state_dict()
    parallel = torch.nn.DataParallel(net).state_dict()
    flat = torch.cat([value.flatten() for value in bare(state).values()])
    views, at = {}, 0
    for name, value in bare(state).items():
        views[name] = flat[at:at + value.numel()].view(value.shape)
        at += value.numel()
    channels_last = {name: value.contiguous(memory_format=torch.channels_last)
                     if value.dim() == 4 else value for name, value in state.items()}
    return {
        "data_parallel": parallel,
        "data_parallel_twice": {"module." + name: value for name, value in parallel.items()},
        "compiled": {"_orig_mod." + name: value for name, value in state.items()},
        "state_dict": {"epoch": 3, "arch": "res2net", "best_acc1": 1.5, "state_dict": parallel,
                       "optimizer": optimiser},
        "model": {"model": state, "epoch": 7, "args": None},
        "average_beside_raw": {"state_dict": decoy, "state_dict_ema": state, "epoch": 1},
        "average_of_the_model": {"model": decoy, "state_dict": decoy, "model_ema": state,
                                 "best_acc1": torch.tensor(70.5)},
        "a_tensor_beside": {"best_acc1": torch.tensor(70.5), "state_dict": parallel},
        "some_prefixed": {("module." if number % 2 else "") + name: value
                          for number, (name, value) in enumerate(state.items())},
        "distilled": {prefix + name: value
                      for prefix, values in (("Teacher.", decoy), ("Student2.", decoy),
                                             ("Student.", state))
                      for name, value in values.items()},
        "parameters": net.state_dict(keep_vars=True),
        "plain_dict": dict(state),
        "one_storage": views,
        "channels_last": channels_last,
        "double": {name: value.double() if value.is_floating_point() else value
                   for name, value in state.items()},
    }


def small_network(seed):
    return torch_reference.network(SMALL, seed)


def same_arrays(got, expected):
    missing = sorted(set(expected) ^ set(got))
    if missing:
        raise ValueError(f"names of one side only: {missing[:5]}")
    for name, value in expected.items():
        if not command.same_bits(np.ascontiguousarray(got[name]), np.ascontiguousarray(value)):
            raise ValueError(f"{name} differs")
    return True


def numpy_state(state):
    return {name: value.numpy() for name, value in bare(state).items()}


class TorchFiles:
    def __init__(self, score, res2net, folder):
        self.score, self.res2net, self.folder = score, res2net, folder
        self.pictures = self.path("pictures.npy")
        np.save(self.pictures, formula.picture(3, 3, 32, 32, 41))

    def path(self, name):
        return os.path.join(self.folder, name)

    def logits(self, file):
        return command.predict_logits(self.res2net, file, self.pictures, self.folder)

    def equal(self, file, expected):
        return command.same_bits(self.logits(file), expected)

    def convert(self, source, target, *flags):
        command.run(self.res2net, "convert", source, target, *flags)
        return target

    def check(self):
        net = small_network(41)
        theirs = torch_reference.run(net, np.load(self.pictures))
        state = {name: value.clone() for name, value in net.state_dict().items()}
        torch.save(state, self.path("bare.pth"))
        save_file(state, self.path("bare.safetensors"))
        ours = self.logits(self.path("bare.pth"))
        attempt = self.score.attempt
        attempt("torch.save, a bare state dict: the logits are torch's",
                lambda: command.error(ours, theirs) <= command.TOLERANCE)
        attempt("safetensors: the bits of the .pth",
                lambda: self.equal(self.path("bare.safetensors"), ours))
        for name, value in wrapped_forms(small_network(41), small_network(42)).items():
            file = self.path(name + ".pth")
            torch.save(value, file)
            attempt(f"torch.save, {name}: equal bits", self.equal, file, ours)
            file = self.path(name + "_legacy.pth")
            torch.save(value, file, _use_new_zipfile_serialization=False)
            attempt(f"torch.save in the form from before 1.6, {name}: equal bits",
                    self.equal, file, ours)
        self.check_archives(state, ours)
        self.check_halves(state)
        self.check_subnormal(state)
        self.check_conversions(state, ours)
        self.check_refusals(net)

    def check_archives(self, state, ours):
        """The same archive as other machines, options and zip programs leave it."""
        source = self.path("bare.pth")

        def rewrite(name, swap=False, zip64=False, stream=False):
            target = self.path(name)
            with zipfile.ZipFile(source) as old, open(target, "wb") as file, \
                    zipfile.ZipFile(Unseekable(file) if stream else file, "w") as new:
                widths = {str(number): value.element_size()
                          for number, value in enumerate(state.values())}
                for entry in old.infolist():
                    data = old.read(entry)
                    kind, key = entry.filename.rsplit("/", 2)[-2:]
                    if swap and kind == "data":
                        data = np.frombuffer(data, f"u{widths[key]}").byteswap().tobytes()
                    elif swap and key == "byteorder":
                        data = b"big"
                    with new.open(zipfile.ZipInfo(entry.filename), "w", force_zip64=zip64) as out:
                        out.write(data)
            theirs = torch.load(target, weights_only=True)
            if not all(torch.equal(theirs[name], value) for name, value in state.items()):
                raise ValueError("torch.load reads other numbers: the file is not what it should be")
            return self.equal(target, ours)

        def without_checksums():
            torch.serialization.set_crc32_options(False)
            torch.save(state, self.path("no_crc.pth"))
            torch.serialization.set_crc32_options(True)
            return self.equal(self.path("no_crc.pth"), ours)

        attempt = self.score.attempt
        attempt("big-endian archive: equal bits", rewrite, "big.pth", True)
        attempt("zip64 sizes: equal bits", rewrite, "zip64.pth", False, True)
        attempt("data descriptors: equal bits", rewrite, "stream.pth", False, False, True)
        attempt("torch.save without checksums: equal bits", without_checksums)

    def check_subnormal(self, state):
        """Weights too small for full precision count as zero."""
        small = {name: value.clone() for name, value in state.items()}
        small["layer1.0.conv1.weight"] *= 1e-38
        torch.save(small, self.path("subnormal.pth"))
        tiny = small["layer1.0.conv1.weight"].abs() < torch.finfo(torch.float32).tiny
        small["layer1.0.conv1.weight"][tiny] = 0
        torch.save(small, self.path("flushed.pth"))
        self.score.attempt("subnormal weights: the bits of zeros in their place",
                           lambda: self.equal(self.path("subnormal.pth"),
                                              self.logits(self.path("flushed.pth"))))

    def check_halves(self, state):
        for kind in (torch.float16, torch.bfloat16):
            half = {name: value.to(kind) if value.is_floating_point() else value
                    for name, value in state.items()}
            widened = {name: value.float() for name, value in bare(half).items()}
            name = str(kind).rsplit(".", 1)[-1]
            torch.save(widened, self.path("widened.pth"))
            torch.save(half, self.path("half.pth"))
            save_file(half, self.path("half.safetensors"))
            for file in ("half.pth", "half.safetensors"):
                self.score.attempt(f"{name} in {file[5:]}: the bits of torch's widening",
                                   lambda f=file: self.equal(self.path(f), self.logits(
                                       self.path("widened.pth"))))

    def check_conversions(self, state, ours):
        attempt, expected = self.score.attempt, numpy_state(state)
        for source in ("bare.pth", "bare.safetensors", "state_dict.pth"):
            for target in ("out.safetensors", "out.r2n"):
                def there_and_back(source=source, target=target):
                    written = self.convert(self.path(source), self.path(target))
                    if not self.equal(written, ours):
                        raise ValueError("other bits from the written file")
                    if target.endswith(".r2n"):
                        written = self.convert(written, self.path("back.safetensors"))
                    return same_arrays(numpy_state(load_file(written)), expected)
                attempt(f"convert {source} -> {target}: safetensors reads equal arrays",
                        there_and_back)

    def check_refusals(self, net):
        def module_is_refused():
            torch.save(net, self.path("module.pth"))
            command.run(self.res2net, "predict", "--weights", self.path("module.pth"),
                        "--input-npy", self.pictures, expect=3)
            return True

        def code_is_not_run():
            class Touch:
                def __reduce__(self):
                    return os.mkdir, (marker,)
            marker = self.path("ran")
            for suffix in (".pth", ".pdparams"):
                with open(self.path("evil" + suffix), "wb") as file:
                    pickle.dump({"conv1.weight": Touch()}, file, protocol=4)
                command.run(self.res2net, "predict", "--weights", self.path("evil" + suffix),
                            "--input-npy", self.pictures, expect=3)
            return not os.path.exists(marker)

        def cut_file_is_refused():
            for name in ("bare.pth", "bare.safetensors"):
                with open(self.path(name), "rb") as file:
                    whole = file.read()
                cut = self.path("cut" + os.path.splitext(name)[1])
                with open(cut, "wb") as file:
                    file.write(whole[:len(whole) * 9 // 10])
                command.run(self.res2net, "predict", "--weights", cut, "--input-npy",
                            self.pictures, expect=3)
            return True

        self.score.attempt("torch.save of a whole module is refused", module_is_refused)
        self.score.attempt("code in a pickle is refused and not run", code_is_not_run)
        self.score.attempt("files cut at 90 % are refused", cut_file_is_refused)


class PaddleFiles:
    """paddle.save and paddle.load live in another environment: a script there makes the files."""

    def __init__(self, score, res2net, folder, architecture):
        self.score, self.res2net, self.folder = score, res2net, folder
        self.architecture = architecture
        self.pictures = os.path.join(folder, "pictures.npy")
        np.save(self.pictures, formula.picture(2, 3, 64, 64, 43))

    def paddle(self, *arguments):
        script = os.path.join(HERE, "paddle_reference.py")
        subprocess.run([command.environment_python("paddle"), script, *arguments], check=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def read(self, file):
        """What paddle.load makes of a file, the table of parameter names as strings with it."""
        self.paddle("--read", file, self.path("read.npz"))
        with np.load(self.path("read.npz")) as arrays:
            return dict(arrays)

    def logits(self, file):
        return command.predict_logits(self.res2net, file, self.pictures, self.folder)

    def check(self):
        attempt = self.score.attempt
        self.paddle("--forms", self.folder, self.architecture, "43")
        original = self.path("protocol4.pdparams")
        expected, ours = self.read(original), self.logits(original)
        for name in ("protocol2", "protocol3", "plain", "wrapped", "odd", "pieces"):
            attempt(f"{self.architecture}, paddle.save {name}: equal bits",
                    lambda n=name: command.same_bits(self.logits(self.path(n + ".pdparams")), ours))

        def convert_and_read(*steps):
            source = original
            for step in steps:
                target = self.path(step)
                command.run(self.res2net, "convert", source, target)
                source = target
            if not command.same_bits(self.logits(source), ours):
                raise ValueError("other bits from the written file")
            return same_arrays(self.read(source), expected)

        attempt(f"{self.architecture}: paddle.load reads our .pdparams, equal arrays and names",
                convert_and_read, "written.pdparams")
        attempt(f"{self.architecture}: the same through .r2n",
                convert_and_read, "between.r2n", "again.pdparams")

        def family_is_kept():
            refused = self.path("refused.safetensors")
            command.run(self.res2net, "convert", original, refused, expect=3)
            if os.path.exists(refused):
                raise ValueError("refused, yet a file was left")
            kept = self.path("kept.safetensors")
            command.run(self.res2net, "convert", original, kept, "--keep-family")
            return command.same_bits(self.logits(kept), ours)

        attempt(f"{self.architecture}: as safetensors only with --keep-family, then equal bits",
                family_is_kept)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--res2net", default=os.path.join(command.ROOT, "build", "res2net"))
    parser.add_argument("--log", default=os.path.join(command.ROOT, ".oracle", "formats.log"))
    options = parser.parse_args()
    score = command.Score(options.log)
    with tempfile.TemporaryDirectory(prefix="res2net-formats-") as folder:
        score.attempt("torch files", lambda: TorchFiles(score, options.res2net, folder).check()
                      is None)
    for architecture in ("Res2Net50_26w_4s", "Res2Net101_vd_26w_4s"):
        with tempfile.TemporaryDirectory(prefix="res2net-formats-") as folder:
            files = PaddleFiles(score, options.res2net, folder, architecture)
            score.attempt(f"{architecture} files", lambda f=files: f.check() is None)
    score.finish()


if __name__ == "__main__":
    main()
