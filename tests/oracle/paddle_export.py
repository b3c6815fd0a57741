# SPDX-License-Identifier: Apache-2.0
"""Paddle inference models that we write, read by Paddle, paddleclas and paddle2onnx. Runs in the
environment `paddle`; weights of torch's family are made in `torch`.

For each network: formula weights in a file of the library's own format are exported. Both programs
must give our logits in paddle.inference at several sizes and batches; the parameters and their info
must be what Paddle's own export of the same weights writes; paddle2onnx must convert both programs
to files that onnxruntime runs to our logits; and our own import of the folder and of each program
must give our logits back to the bit. For one network also: paddleclas prints what
`predict --format paddleclas-whl` prints, inference.yml's operators prepare pictures as predict
does, Paddle Serving's files hold one message, and paddle.jit.load reads the programs.

A second run goes on where the first one ended (resume.py); --again begins anew.

paddle_export.py --run FOLDER pdmodel|json OUTPUTS.npz INPUT.npy...      one paddle.inference process
paddle_export.py --own FOLDER ARCHITECTURE SEED PIR                      Paddle's own export
paddle_export.py --load FOLDER OUTPUT.npy INPUT.npy PIR                  through paddle.jit.load
paddle_export.py --prepare inference.yml OUTPUT.npy PICTURE              PaddleClas' operators
"""
import argparse
import glob
import os
import pickle
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, "..", "golden"))

import command  # noqa: E402
import formula  # noqa: E402
import names  # noqa: E402
import resume  # noqa: E402

SIZES = ("224x224", "225x225", "288x320")
SMALL_SIZES = ("32x32", "33x47", "64x64")
PICTURES = 3  # given together, and the first alone
PROGRAMS = ("pdmodel", "json")
TORCH = ("res2net50_26w_4s", "res2net50_14w_8s", "res2net50d", "res2net101d")
SMALL = ("cifar:planes=32,depths=2-2-2,width=26,scale=4,classes=100",
         "cifar:planes=64,depths=1-1-1,width=14,scale=8,classes=10")
SCORES = 1e-5  # how far a printed score may be off

_ONNX = """
import sys, numpy, onnxruntime
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
outputs = [session.run(None, {"x": numpy.load(path)})[0] for path in sys.argv[3:]]
numpy.savez(sys.argv[2], *outputs)
"""


# ---- what runs in processes of its own ---------------------------------------------------------

def run_inference(folder, program, out, *inputs):
    import paddle.inference
    model = os.path.join(folder, "inference." + program)
    config = paddle.inference.Config(model, os.path.join(folder, "inference.pdiparams"))
    config.disable_gpu()
    config.disable_glog_info()
    config.set_cpu_math_library_num_threads(1)
    predictor = paddle.inference.create_predictor(config)
    if predictor.get_input_names() != ["x"]:
        raise SystemExit(f"inputs are {predictor.get_input_names()}")
    handle = predictor.get_input_handle("x")
    outputs = []
    for path in inputs:
        pictures = np.load(path)
        handle.reshape(pictures.shape)
        handle.copy_from_cpu(pictures)
        predictor.run()
        name, = predictor.get_output_names()
        outputs.append(predictor.get_output_handle(name).copy_to_cpu())
    np.savez(out, *outputs)


def export_own(folder, architecture, seed, _):
    """As PaddleClas' tools/export_model.py does it."""
    import paddle
    import paddle_reference

    class Exported(paddle.nn.Layer):
        def __init__(self, net):
            super().__init__()
            self.base_model = net
            self.out_act = paddle.nn.Softmax(axis=-1)

        def forward(self, x):
            return self.out_act(self.base_model(x))

    net = paddle_reference.network(architecture, int(seed))
    paddle.save(net.state_dict(), os.path.join(folder, "weights.pdparams"))
    model = Exported(net)
    model.eval()
    spec = paddle.static.InputSpec(shape=[None, 3, 224, 224], dtype="float32")
    paddle.jit.save(paddle.jit.to_static(model, input_spec=[spec]),
                    os.path.join(folder, "inference"))


def load_by_jit(folder, out, picture, _):
    import paddle
    net = paddle.jit.load(os.path.join(folder, "inference"))
    net.eval()
    with paddle.no_grad():
        np.save(out, net(paddle.to_tensor(np.load(picture))).numpy())


def prepare_by_operators(config, out, picture):
    import cv2
    import yaml
    from paddleclas.deploy.python.preprocess import create_operators
    with open(config, encoding="utf-8") as file:
        operators = create_operators(yaml.safe_load(file)["PreProcess"]["transform_ops"])
    pixels = cv2.imread(picture)[:, :, ::-1]
    for operator in operators:
        pixels = operator(pixels)
    np.save(out, pixels)


def child(flag, *arguments, pir=True):
    environment = dict(os.environ, FLAGS_enable_pir_api="1" if pir else "0", GLOG_minloglevel="3")
    done = subprocess.run([sys.executable, os.path.abspath(__file__), flag, *map(str, arguments)],
                          env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        words = done.stdout.decode("utf-8", "replace").strip().splitlines()
        raise command.CommandFailed(f"{flag}: {' / '.join(words[-4:])}")


# ---- one network -------------------------------------------------------------------------------

def error(ours, theirs):
    return command.error(theirs, ours.astype(np.float64))


def softmax(logits):
    powers = np.exp(logits.astype(np.float64) - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def same_bytes(one, other):
    with open(one, "rb") as first, open(other, "rb") as second:
        return first.read() == second.read()


class Network:
    """An exported network, its weights, and our logits."""

    def __init__(self, options, folder, environment, architecture, seed, flags):
        self.options, self.folder, self.flags = options, folder, list(flags)
        self.architecture, self.seed, self.environment = architecture, seed, environment
        self.sizes = SMALL_SIZES if architecture.startswith("cifar:") else SIZES
        self.weights = os.path.join(
            folder, "weights." + ("pdparams" if environment == "paddle" else "safetensors"))
        self.inputs, self.logits = [], []

    def path(self, name):
        return os.path.join(self.folder, name)

    def make_weights(self):
        if self.environment == "paddle":
            child("--own", self.folder, self.architecture, self.seed, 0, pir=False)
            return
        script = os.path.join(HERE, "torch_reference.py")
        subprocess.run([command.environment_python("torch"), script, self.folder,
                        self.architecture, str(self.seed), "1", self.sizes[0]], check=True)

    def compute_logits(self):
        for size in self.sizes:
            height, width = map(int, size.split("x"))
            pictures = formula.picture(PICTURES, 3, height, width, self.seed)
            for count in (PICTURES, 1):
                path = self.path(f"{size}_{count}.npy")
                np.save(path, pictures[:count])
                self.inputs.append(path)
                self.logits.append(command.predict_logits(self.options.res2net, self.weights, path,
                                                          self.folder, *self.flags))

    def export(self, name, *flags):
        """Our export; says how long it took."""
        started = time.monotonic()
        program, *first = shlex.split(self.options.program)
        command.run(program, *first, "--weights", self.weights, *self.flags, "--to", "paddle",
                    "-o", self.path(name), *flags)
        return time.monotonic() - started

    def outputs(self, name, program, inputs):
        child("--run", self.path(name), program, self.path("out.npz"), *inputs)
        with np.load(self.path("out.npz")) as file:
            return [file[f"arr_{i}"] for i in range(len(inputs))]


def compare_programs(score, net, name, expected, tolerance, measure):
    for program in PROGRAMS:
        try:
            outputs = net.outputs(name, program, net.inputs)
        except command.CommandFailed as reason:
            score.check(False, f"  {name} {program}: {reason}")
            continue
        worst = max(measure(ours, theirs) for ours, theirs in zip(expected, outputs))
        score.checked(worst <= tolerance, f"  {name}, inference.{program}: {worst:.2e}")


def compare_softmax(score, net):
    compare_programs(score, net, "softmax", [softmax(x) for x in net.logits], command.TOLERANCE,
                     lambda ours, theirs: float(np.abs(ours - theirs).max()))


def compare_fixed(score, net):
    """A program for one size and batch."""
    net.export("fixed", "--softmax", "off", "--batch", PICTURES, "--size", net.sizes[-1])
    for program in PROGRAMS:
        found, = net.outputs("fixed", program, [net.inputs[-2]])
        worst = error(net.logits[-2], found)
        score.checked(worst <= command.TOLERANCE, f"  fixed size, inference.{program}: {worst:.2e}")


def compare_own(score, net):
    """Beside the files of Paddle's own export, which make_weights wrote."""
    score.checked(same_bytes(net.path("inference.pdiparams"), net.path("softmax/inference.pdiparams")),
                  "  inference.pdiparams is Paddle's own, byte by byte")
    infos = []
    for name in ("inference.pdiparams.info", "softmax/inference.pdiparams.info"):
        with open(net.path(name), "rb") as file:
            infos.append(pickle.load(file))
    score.checked(infos[0] == infos[1] and list(infos[0]) == list(infos[1]),
                  "  inference.pdiparams.info tells what Paddle's own does")


def compare_onnx(score, net):
    python = command.environment_python("paddle2onnx")
    tool = os.path.join(os.path.dirname(python), "paddle2onnx")
    for program in PROGRAMS:
        onnx = net.path(f"{program}.onnx")
        done = subprocess.run([python, tool, "--model_dir", net.path("logits"), "--model_filename",
                               "inference." + program, "--params_filename", "inference.pdiparams",
                               "--save_file", onnx, "--opset_version", "13"],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        words = done.stdout.decode("utf-8", "replace").strip().splitlines()
        if not score.check(done.returncode == 0 and os.path.exists(onnx),
                           f"  paddle2onnx, inference.{program}: {' / '.join(words[-3:])}"):
            continue
        subprocess.run([python, "-c", _ONNX, onnx, net.path("onnx.npz"), *net.inputs], check=True)
        with np.load(net.path("onnx.npz")) as file:
            worst = max(error(ours, file[f"arr_{i}"]) for i, ours in enumerate(net.logits))
        score.checked(worst <= command.TOLERANCE,
                      f"  paddle2onnx, inference.{program} in onnxruntime: {worst:.2e}")


def compare_import(score, net):
    """Read back by ourselves: the program says what the network is, so no flag does."""
    expected = net.logits[2]
    for path in ("", "inference.pdmodel", "inference.json"):
        ours = command.predict_logits(net.options.res2net, os.path.join(net.path("logits"), path),
                                      net.inputs[2], net.folder)
        score.checked(command.same_bits(ours, expected),
                      f"  our import of {path or 'the folder'}: {error(expected, ours):.1e}")


# ---- once --------------------------------------------------------------------------------------

_LINE = re.compile(r"class_ids: \[([^\]]*)\], scores: \[([^\]]*)\].*filename: (.*)$")


def printed(text):
    """{file: (class ids, scores)} of what paddleclas prints."""
    found = {}
    for line in text.splitlines():
        match = _LINE.search(line)
        if match:
            ids, scores = (list(map(float, match.group(i).split(","))) for i in (1, 2))
            found[os.path.basename(match.group(3))] = (ids, scores)
    return found


def compare_paddleclas(score, net):
    pictures = os.path.join(net.options.shared, "data", "imagenet_samples")
    tool = os.path.join(os.path.dirname(sys.executable), "paddleclas")
    files = sorted(glob.glob(os.path.join(pictures, "*.JPEG")))[:net.options.pictures]
    with tempfile.TemporaryDirectory(prefix="res2net-pictures-") as folder:
        for file in files:
            os.symlink(os.path.abspath(file), os.path.join(folder, os.path.basename(file)))
        done = subprocess.run([sys.executable, tool, "--inference_model_dir", net.path("softmax"),
                               "--infer_imgs", folder, "--use_gpu", "False",
                               "--cpu_num_threads", "1"],
                              env=dict(os.environ, FLAGS_enable_pir_api="0"),
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        theirs = printed(done.stdout.decode("utf-8", "replace"))
        ours = printed(command.run(net.options.res2net, "predict", "--weights", net.weights,
                                   "--format", "paddleclas-whl", folder).decode("utf-8"))
    if not score.check(done.returncode == 0 and theirs.keys() == ours.keys() != set(),
                       f"  paddleclas: {len(theirs)} of {len(ours)} pictures: "
                       f"{done.stdout[-400:]}"):
        return
    same = sum(theirs[name][0] == ours[name][0] for name in ours)
    worst = max(abs(a - b) for name in ours for a, b in zip(theirs[name][1], ours[name][1]))
    score.checked(same == len(ours), f"  paddleclas: the same class ids in {same} of {len(ours)}")
    score.checked(worst <= SCORES * 1.01, f"  paddleclas: scores differ by {worst:.1e} at most")


def compare_preparation(score, net):
    for picture in sorted(glob.glob(os.path.join(net.options.shared, "data", "imagenet_samples",
                                                 "*.JPEG")))[:3]:
        child("--prepare", net.path("softmax/inference.yml"), net.path("theirs.npy"), picture)
        command.run(net.options.res2net, "predict", "--weights", net.weights, "--dump-input",
                    net.path("ours.npy"), picture)
        worst = float(np.abs(np.load(net.path("ours.npy"))[0] - np.load(net.path("theirs.npy"))).max())
        score.checked(worst <= 1e-6, f"  inference.yml's operators: {worst:.1e}")


def serving_message():
    """GeneralModelConfig, whose .proto no package here has."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
    file = descriptor_pb2.FileDescriptorProto(name="general_model_config.proto", syntax="proto2")
    kinds = descriptor_pb2.FieldDescriptorProto
    for message, kind in (("FeedVar", "feed_type"), ("FetchVar", "fetch_type")):
        fields = file.message_type.add(name=message).field
        for number, (name, of_type, label) in enumerate((
                ("name", kinds.TYPE_STRING, kinds.LABEL_OPTIONAL),
                ("alias_name", kinds.TYPE_STRING, kinds.LABEL_OPTIONAL),
                ("is_lod_tensor", kinds.TYPE_BOOL, kinds.LABEL_OPTIONAL),
                (kind, kinds.TYPE_INT32, kinds.LABEL_OPTIONAL),
                ("shape", kinds.TYPE_INT32, kinds.LABEL_REPEATED)), 1):
            fields.add(name=name, number=number, type=of_type, label=label)
    whole = file.message_type.add(name="GeneralModelConfig")
    for number, (name, of_type) in ((2, ("feed_var", "FeedVar")), (3, ("fetch_var", "FetchVar"))):
        whole.field.add(name=name, number=number, type=kinds.TYPE_MESSAGE, type_name=of_type,
                        label=kinds.LABEL_REPEATED)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    found = pool.FindMessageTypeByName("GeneralModelConfig")
    if hasattr(message_factory, "GetMessageClass"):
        return message_factory.GetMessageClass(found)
    return message_factory.MessageFactory(pool).GetPrototype(found)


def compare_serving(score, net):
    from google.protobuf import text_format
    message = serving_message()
    for side in ("server", "client"):
        path = net.path(f"softmax/serving_{side}/serving_{side}_conf")
        with open(path + ".prototxt", encoding="utf-8") as file:
            text = file.read()
        with open(path + ".stream.prototxt", "rb") as file:
            binary = message.FromString(file.read())
        parsed = text_format.Parse(text, message())
        score.checked(parsed == binary and str(parsed) == text
                      and [len(v.shape) for v in (*parsed.feed_var, *parsed.fetch_var)] == [3, 1],
                      f"  serving_{side}: text and binary are one message")
    score.checked(same_bytes(net.path("softmax/serving_server/inference.pdmodel"),
                             net.path("softmax/inference.pdmodel")), "  serving_server has the model")


def compare_jit(score, net):
    for pir in (False, True):
        child("--load", net.path("logits"), net.path("jit.npy"), net.inputs[1], int(pir), pir=pir)
        worst = error(net.logits[1], np.load(net.path("jit.npy")))
        score.checked(worst <= command.TOLERANCE,
                      f"  paddle.jit.load, {'json' if pir else 'pdmodel'}: {worst:.2e}")


def compare(score, options, environment, architecture, seed, flags, once):
    with tempfile.TemporaryDirectory(prefix="res2net-paddle-") as folder:
        net = Network(options, folder, environment, architecture, seed, flags)
        net.make_weights()
        net.compute_logits()
        seconds = net.export("logits", "--softmax", "off")
        net.export("softmax")
        score.say(f"{architecture} {' '.join(flags)}: exported in {seconds:.1f} s")
        compare_programs(score, net, "logits", net.logits, command.TOLERANCE, error)
        attempts = [compare_own] if environment == "paddle" else []
        attempts += [compare_onnx, compare_import]
        attempts += [compare_softmax, compare_fixed, compare_paddleclas, compare_preparation,
                     compare_serving, compare_jit] if once else []
        for attempt in attempts:
            try:
                attempt(score, net)
            except (command.CommandFailed, OSError, subprocess.SubprocessError) as reason:
                score.check(False, f"  {attempt.__name__}: {reason}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    build = os.path.join(command.ROOT, "build")
    parser.add_argument("--res2net", default=os.path.join(build, "res2net"))
    parser.add_argument("--program", help="what exports (RES2NET export)")
    parser.add_argument("--shared", default=os.path.join(command.ROOT, "..", "shared"))
    parser.add_argument("--pictures", type=int, default=1000, help="for paddleclas, at most")
    parser.add_argument("--log", default=os.path.join(command.ROOT, ".oracle", "paddle.log"))
    parser.add_argument("--work", default=os.path.join(command.ROOT, ".oracle", "paddle-work"))
    parser.add_argument("--only", default="", help="only architectures with this in their name")
    parser.add_argument("--again", action="store_true", help="forgets what is kept")
    options = parser.parse_args()
    options.program = options.program or options.res2net + " export"
    if options.again:
        shutil.rmtree(options.work, ignore_errors=True)
    score = command.Score(options.log)
    kept = resume.Kept(score, options.work, os.path.abspath(__file__), options.res2net)
    work = [("paddle", name, 100 + i, (), i == 0) for i, name in enumerate(names.PADDLE)]
    work += [("torch", name, 200 + i, (), False) for i, name in enumerate(TORCH)]
    work += [("torch", name, 300 + i, ("--family", family), False)
             for i, name in enumerate(SMALL) for family in ("paddle", "torch")]
    for environment, architecture, seed, flags, once in work:
        if options.only.lower() in architecture.lower():
            title = f"{environment} {architecture} {seed} {' '.join(flags)} {once} {options.pictures}"
            kept.run(f"{title} {options.program}", compare, score, options, environment,
                     architecture, seed, flags, once)
    score.finish()


CHILDREN = {"--run": run_inference, "--own": export_own, "--load": load_by_jit,
            "--prepare": prepare_by_operators}

if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1] in CHILDREN:
        CHILDREN[sys.argv[1]](*sys.argv[2:])
    else:
        main()
