# SPDX-License-Identifier: Apache-2.0
"""Thousands of generated pictures beside OpenCV 4.6 (preset paddle) and Pillow (preset torch), to
the bit. Runs in the environment `pictures`.

picture_zoo.py [--program RES2NET] [--data FOLDER] [--sizes 7x5,...] [--only TEXT] [--every N]
               [--seed N] [--log FILE]

Kinds: zoo_compressed.py (JPEG, PNG, WebP) and zoo_bitmaps.py (BMP, PNM), each kind in each of SIZES,
showing noise, edges, one colour, or parts of FOLDER/imagenet_samples. Each file is compared
  as 224:     the tensor of --preset, --resize-short 256, --crop 224;
  as another: the same with another pair of sizes, drawn by lot;
  as stored:  the decoded picture itself (--transforms without resizing), where the network takes it.
The network is a tiny one, as only what goes into it counts. EXCEPTIONS is the whole list of where an
original is not followed; there the documented rule is compared with instead. What a format without
loss holds is known here, so each rule is checked against its source and not against our reader.
"""
import argparse
import io
import json
import os
import subprocess
import sys
import tempfile
import warnings
from collections import Counter

import cv2
import numpy as np
import PIL
from PIL import Image

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "golden"))
sys.path.insert(1, HERE)

import command  # noqa: E402
import zoo_bitmaps  # noqa: E402
import zoo_compressed  # noqa: E402
import zoo_contents  # noqa: E402

SEED = 20261125
SIZES = ((1, 1), (1, 2), (2, 1), (3, 3), (7, 5), (8, 8), (9, 17), (15, 16), (17, 15), (31, 33),
         (64, 48), (97, 131), (224, 224), (256, 256), (255, 257), (300, 200), (500, 375))
# A few kinds only. The thinnest are resized to less, as the originals make the whole picture.
THIN = ((1, 5000), (5000, 1))
THINNEST = ((65535, 1), (1, 65535), (16383, 1), (1, 16383))
THINNEST_SIZES = (32, 32)
OTHER_SIZES = ((232, 224), (64, 64), (97, 63), (300, 299), (40, 33), (129, 128))
PADDED_SIZES = (40, 64)  # the torch preset adds black; the paddle preset refuses

# tag: {preset: why the original is not followed there}
EXCEPTIONS = {
    "grey16": {"torch": "Pillow clips 16-bit grey: the high byte is taken, as for 16-bit colour"},
    "no_end": {"paddle": "OpenCV loses the last rows of a JPEG without its end marker",
               "torch": "Pillow refuses a JPEG without its end marker"},
    "levels": {"paddle": "OpenCV does not scale binary PNM of unusual levels"},
    "grey_levels": {"torch": "Pillow clips grey PNM of more than 255 levels: scaled as colour is"},
    "masks16_inside": {"paddle": "OpenCV 4.6 refuses 16-bit BMP with its masks inside the header"},
    "masks_unusual": {"paddle": "OpenCV 4.6 refuses or ignores unusual masks of BMP",
                      "torch": "Pillow refuses unusual masks of BMP"},
    "masks32_order": {"paddle": "OpenCV 4.6 ignores the masks of 32-bit BMP"},
    "run_lengths_picture": {"torch": "Pillow refuses run lengths without a mark behind the last row"},
}
PRESETS = ("paddle", "torch")
MEAN = np.array([0.485, 0.456, 0.406], np.float32)
STD = np.array([0.229, 0.224, 0.225], np.float32)


# ---- the originals -----------------------------------------------------------------------------

def decode_opencv(data):
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        raise ValueError("OpenCV refuses it")
    return picture[:, :, ::-1]


def decode_pillow(data):
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def original(drawn, preset):
    """The picture of the original or, for an exception, of our documented rule."""
    decode = decode_opencv if preset == "paddle" else decode_pillow
    if not any(preset in EXCEPTIONS.get(tag, ()) for tag in drawn.tags):
        return np.ascontiguousarray(decode(drawn.data))
    if "no_end" in drawn.tags:
        return np.ascontiguousarray(decode(drawn.data + b"\xff\xd9"))
    return np.ascontiguousarray(drawn.truth(preset))


def resize_opencv(picture, short):
    height, width = picture.shape[:2]
    percent = float(short) / min(width, height)
    return cv2.resize(picture, (round(width * percent), round(height * percent)),
                      interpolation=cv2.INTER_LINEAR)


def resize_pillow(picture, short):
    """Rows first, then columns, by Pillow: its version 13 turns that round for some tall pictures
    (docs/numerics-pictures.md)."""
    height, width = picture.shape[:2]
    size = (short, int(short * height / width)) if width <= height else (int(short * width / height),
                                                                         short)
    image = Image.fromarray(picture)
    for side in ((size[0], height), size):
        image = image.resize(side, Image.BILINEAR)
    return np.asarray(image)


def crop_opencv(picture, crop):
    top, left = ((side - crop) // 2 for side in picture.shape[:2])
    return picture[top:top + crop, left:left + crop]


def crop_pillow(picture, crop):
    pads = []
    for side in picture.shape[:2]:
        before = (crop - side) // 2 if side < crop else 0
        pads.append((before, crop - side - before if side < crop else 0))
    picture = np.pad(picture, (*pads, (0, 0)))
    top, left = (int(round((side - crop) / 2.0)) for side in picture.shape[:2])
    return picture[top:top + crop, left:left + crop]


def near_the_middle(picture, short, crop):
    """A part of a picture that is one pixel thin, for which Pillow's resizing by a power of two gives
    the same middle: the whole would take gigabytes."""
    side = max(picture.shape[:2])
    if min(picture.shape[:2]) > 1 or side < 5000 or short & (short - 1):
        return picture
    keep = 2 * crop + 64 + side % 2
    start = (side - keep) // 2
    return picture[start:start + keep] if picture.shape[1] == 1 else picture[:, start:start + keep]


def tensor(picture, preset, short, crop):
    if preset == "paddle":
        picture = crop_opencv(resize_opencv(picture, short), crop)
        return normalised_opencv(picture)
    picture = crop_pillow(resize_pillow(near_the_middle(picture, short, crop), short), crop)
    return ((picture.astype(np.float32) / np.float32(255) - MEAN) / STD).transpose(2, 0, 1)


def normalised_opencv(picture):
    scaled = picture.astype(np.float32) * np.float32(1.0 / 255.0)
    return ((scaled - MEAN) / STD).transpose(2, 0, 1)


# ---- ours --------------------------------------------------------------------------------------

TRANSFORMS = """- DecodeImage: {to_rgb: True, channel_first: False, backend: %s}
- NormalizeImage: {scale: 1.0/255.0, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225], order: ''}
- ToCHWImage:
"""


def tiny_network(program, folder):
    """Weights of a network that costs next to nothing."""
    layers = command.run(program, "summary", "cifar:planes=2,depths=1-1-1,width=64,scale=1,classes=2",
                         "--format", "json")
    weights = os.path.join(folder, "tiny.safetensors")
    subprocess.run([sys.executable, os.path.join(HERE, "..", "scripts", "make_model.py"), weights],
                   input=layers, check=True)
    return weights


class Program:
    def __init__(self, program, folder):
        self.program, self.folder = program, folder
        self.weights = tiny_network(program, folder)
        for backend in ("cv2", "pil"):
            with open(os.path.join(folder, backend + ".yaml"), "w", encoding="ascii") as file:
                file.write(TRANSFORMS % backend)

    def tensors(self, paths, *options):
        """{path: tensor, or the message of its refusal}"""
        dump = os.path.join(self.folder, "ours.npy")
        names = os.path.join(self.folder, "names.txt")
        with open(names, "w", encoding="ascii") as file:
            file.writelines(path + "\n" for path in paths)
        if os.path.exists(dump):
            os.remove(dump)
        done = subprocess.run(
            [self.program, "predict", "--weights", self.weights, "--list", names, "--format", "jsonl",
             "--on-bad-image", "skip", "--dump-input", dump, *map(str, options)],
            capture_output=True, timeout=3600, check=False)
        if done.returncode not in (0, 1, 3):
            raise command.CommandFailed(f"status {done.returncode}: {done.stderr[-2000:].decode()}")
        if "Sanitizer" in done.stderr.decode("utf-8", "replace"):
            raise command.CommandFailed(done.stderr[-4000:].decode("utf-8", "replace"))
        rows = iter(np.load(dump)) if os.path.exists(dump) else iter(())
        answers = {}
        for line in done.stdout.decode().splitlines():
            answer = json.loads(line)
            answers[answer["file"]] = answer["error"] if "error" in answer else next(rows)
        if len(answers) != len(paths) or next(rows, None) is not None:
            raise command.CommandFailed(f"{len(answers)} answers for {len(paths)} pictures: "
                                        f"{done.stderr[-500:].decode('utf-8', 'replace')}")
        return answers


# ---- the comparison ----------------------------------------------------------------------------

class Zoo:
    def __init__(self, options, folder, score):
        self.program = Program(options.program, folder)
        self.folder, self.score = folder, score
        self.passed, self.failed, self.exceptions = Counter(), Counter(), Counter()

    def check(self, drawn, preset, how, mine, theirs):
        name = f"{drawn.name}, {preset}, {how}"
        if isinstance(mine, str):
            fault = f"refused: {mine}"
        elif mine.shape != theirs.shape:
            fault = f"{mine.shape}, not {theirs.shape}"
        elif command.same_bits(np.ascontiguousarray(mine), np.ascontiguousarray(
                theirs.astype(np.float32))):
            fault = ""
        else:
            apart = np.abs(mine.astype(np.float64) - theirs).max(0) > 1e-7
            fault = f"{int(apart.sum())} of {apart.size} pixels differ, the first at " \
                    f"{tuple(int(i) for i in np.argwhere(mine != theirs)[0])}"
        self.score.check(not fault, f"{name}: {fault}")
        (self.failed if fault else self.passed)[drawn.format] += 1
        return not fault

    def compare(self, files, sizes, stored):
        """`files`: (path, drawn) of one size."""
        for preset in PRESETS:
            pictures = {}
            for path, drawn in files:
                try:
                    pictures[path] = original(drawn, preset)
                except (ValueError, OSError, cv2.error) as reason:
                    self.score.check(False, f"{drawn.name}, {preset}: the original: {reason}")
                    self.failed[drawn.format] += 1
                    continue
                for tag in drawn.tags:
                    self.exceptions[tag, preset] += preset in EXCEPTIONS.get(tag, ())
            left = [(path, drawn) for path, drawn in files if path in pictures]
            for short, crop in sizes:
                if short < crop and preset == "paddle":
                    continue
                answers = self.program.tensors([path for path, _ in left], "--preset", preset,
                                               "--resize-short", short, "--crop", crop)
                for path, drawn in left:
                    self.check(drawn, preset, f"{short}/{crop}", answers[path],
                               tensor(pictures[path], preset, short, crop))
            if stored:
                self.compare_stored(left, preset, pictures)

    def compare_stored(self, files, preset, pictures):
        backend = "cv2" if preset == "paddle" else "pil"
        for shape in {picture.shape for picture in pictures.values()}:
            some = [(path, drawn) for path, drawn in files if pictures[path].shape == shape]
            answers = self.program.tensors([path for path, _ in some], "--transforms",
                                           os.path.join(self.folder, backend + ".yaml"))
            for path, drawn in some:
                self.check(drawn, preset, "stored", answers[path], normalised_opencv(pictures[path]))


DRAWERS = (zoo_compressed.jpegs, zoo_compressed.pngs, zoo_compressed.webps, zoo_bitmaps.bmps,
           zoo_bitmaps.pnms)
THIN_KINDS = ("420_baseline.jpg", "444_progressive.jpg", "rgb8.png", "lossless50.webp",
              "lossy80.webp", "rgb24_40.bmp", "p6_255.ppm")


def draw(width, height, photos, options, folder):
    """(path, drawn) of one size; a kind's picture depends on seed, size and kinds before it alone."""
    files = []
    for number, drawer in enumerate(DRAWERS):
        rng = np.random.default_rng([options.seed, width, height, number])
        for drawn in drawer(width, height, rng, photos):
            drawn.name = f"{width}x{height}_{drawn.name}"
            path = os.path.join(folder, drawn.name)
            with open(path, "wb") as file:
                file.write(drawn.data)
            files.append((path, drawn))
    return files


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--program", default=os.path.join(command.ROOT, "build", "res2net"))
    parser.add_argument("--data", help="the folder that holds imagenet_samples")
    parser.add_argument("--sizes", default="", help="only these, as 7x5,1x1")
    parser.add_argument("--only", default="", help="pictures with this in their names")
    parser.add_argument("--every", type=int, default=1, help="one picture in so many")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--log", default=os.path.join(command.ROOT, ".oracle", "zoo.log"))
    options = parser.parse_args()
    score = command.Score(options.log)
    photos = zoo_contents.load_photos(options.data and os.path.join(options.data, "imagenet_samples"))
    score.say(f"seed {options.seed}; {len(photos)} photos; OpenCV {cv2.__version__}, Pillow "
              f"{PIL.__version__}")
    cv2.setNumThreads(1)
    warnings.simplefilter("ignore")  # Pillow's, about palettes with transparency
    Image.MAX_IMAGE_PIXELS = None
    drawn_files = 0
    with tempfile.TemporaryDirectory() as folder:
        zoo = Zoo(options, folder, score)
        rng = np.random.default_rng(options.seed)
        for width, height in (*SIZES, *THIN, *THINNEST):
            sizes = [(256, 224), OTHER_SIZES[int(rng.integers(0, len(OTHER_SIZES)))], PADDED_SIZES]
            if options.sizes and f"{width}x{height}" not in options.sizes.split(","):
                continue
            files = [file for file in draw(width, height, photos, options, folder)
                     if options.only in file[1].name]
            if (width, height) in (*THIN, *THINNEST):
                files = [file for file in files if file[1].name.endswith(
                    tuple("_" + kind for kind in THIN_KINDS))]
                sizes = [THINNEST_SIZES] if (width, height) in THINNEST else sizes[:1]
            files = files[::options.every]
            drawn_files += len(files)
            zoo.compare(files, sizes, min(width, height) >= 16)
            for name in os.listdir(folder):
                if name.startswith(f"{width}x{height}_"):
                    os.remove(os.path.join(folder, name))
            score.say(f"{width} x {height}: {len(files)} files; {score.passed} passed, "
                      f"{score.failed} failed so far")
    score.say("documented exceptions, compared with their rule:")
    for (tag, preset), count in sorted(zoo.exceptions.items()):
        if count:
            score.say(f"  {count:5} {preset:6} {tag}: {EXCEPTIONS[tag][preset]}")
    for ending in sorted({*zoo.passed, *zoo.failed}):
        score.say(f"  {ending:4} {zoo.passed[ending]} passed, {zoo.failed[ending]} failed")
    score.say(f"{drawn_files} files")
    score.finish()


if __name__ == "__main__":
    main()
