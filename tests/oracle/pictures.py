# SPDX-License-Identifier: Apache-2.0
"""Our preprocessing beside the real OpenCV 4.6 (preset paddle) and Pillow + torchvision (preset
torch), to the bit. Runs in the environment `pictures`; torchvision runs in `torch`.

pictures.py --res2net PROGRAM [--data FOLDER] [--log FILE]

Each preset takes all pictures of FOLDER/imagenet_samples and a zoo drawn here (every PNG kind, JPEG modes, EXIF,
odd sizes). A normalised tensor's value tells its 8-bit pixel exactly, so equal floats are equal
pixels; where floats differ, both the pixels and the distance in ulps are told. Differences in
pixels, or of more than 1 ulp, are misses.
"""
import argparse
import os
import subprocess
import sys
import tempfile

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "golden"))

import command  # noqa: E402
import picture_zoo  # noqa: E402
import png_writer  # noqa: E402

SIZES = ((300, 260), (97, 131), (513, 257))
# both sides odd, equal, exact halves, below the crop, one pixel
ODD_SIZES = ((1, 1), (2, 2), (3, 7), (1, 5000), (5000, 1), (17, 256), (256, 17), (224, 224),
             (223, 500), (255, 256), (256, 256), (257, 255), (512, 512), (1024, 512), (511, 767),
             (1000, 1001), (2048, 1536))
REFERENCES = {"paddle": ("pictures", "opencv_reference.py"),
              "torch": ("torch", "torchvision_reference.py")}
MEAN = np.array([0.485, 0.456, 0.406])
STD = np.array([0.229, 0.224, 0.225])


def draw_zoo(folder):
    """(path, tags) of every picture."""
    drawn = []

    def put(name, data, tags):
        path = os.path.join(folder, name)
        with open(path, "wb") as file:
            file.write(data)
        drawn.append((path, tags))

    for width, height in SIZES:
        for name, data, tags in picture_zoo.zoo(width, height):
            put(f"{width}x{height}_{name}", data, tags)
    for width, height in ODD_SIZES:
        photo = picture_zoo.photo(width, height)
        noise = picture_zoo.noise(width, height)
        put(f"size_{width}x{height}.jpg", picture_zoo.jpeg(photo), set())
        put(f"size_{width}x{height}.png", png_writer.encode(noise, png_writer.RGB), set())
    return drawn


def folder_pictures(folder):
    names = sorted(os.listdir(folder))
    return [(os.path.join(folder, name), set()) for name in names
            if name.lower().endswith((".jpg", ".jpeg", ".png"))]


def reference_line(preset, path, tags):
    if preset == "paddle" and "cmyk" in tags:
        return f"pillow {path}"
    if preset == "torch" and "grey16" in tags:
        return f"high {path}"
    if preset == "torch" and "no_end" in tags:
        return f"end {path}"
    return path


def reference(preset, pictures, folder):
    environment, script = REFERENCES[preset]
    lines = os.path.join(folder, "lines.txt")
    with open(lines, "w", encoding="utf-8") as file:
        file.writelines(reference_line(preset, *picture) + "\n" for picture in pictures)
    tensors = os.path.join(folder, f"{preset}.npy")
    done = subprocess.run([command.environment_python(environment), os.path.join(HERE, script),
                           lines, tensors], check=True, stdout=subprocess.PIPE, text=True)
    return np.load(tensors), done.stdout.strip()


def ours(res2net, preset, pictures, folder):
    tensors = os.path.join(folder, "ours.npy")
    if os.path.exists(tensors):
        os.remove(tensors)
    command.run(res2net, "predict", "--preset", preset, "--dump-input", tensors,
                *(path for path, _ in pictures))
    return np.load(tensors)


def pixels(tensor):
    return np.rint((tensor.astype(np.float64) * STD[:, None, None] + MEAN[:, None, None]) * 255)


def ulps(a, b):
    """The largest distance in representable floats."""
    order = [np.where(x < 0, -(x & 0x7FFFFFFF).astype(np.int64), x.astype(np.int64))
             for x in (a.view(np.int32), b.view(np.int32))]
    return int(np.abs(order[0] - order[1]).max())


def compare(score, res2net, preset, what, pictures):
    with tempfile.TemporaryDirectory() as folder:
        theirs, versions = reference(preset, pictures, folder)
        mine = ours(res2net, preset, pictures, folder)
    if mine.shape != theirs.shape or mine.dtype != np.float32:
        score.check(False, f"{preset}, {what}: {mine.shape} {mine.dtype}, not {theirs.shape}")
        return
    equal = worst = 0
    for (path, _), a, b in zip(pictures, mine, theirs):
        other = int((pixels(a) != pixels(b)).sum())
        distance = ulps(a, b)
        equal += distance == 0
        worst = max(worst, distance)
        score.check(other == 0 and distance <= 1, f"{preset}, {os.path.basename(path)}: {other} "
                    f"other pixel values, up to {distance} ulp apart")
    score.say(f"{preset}, {what}: {equal} of {len(pictures)} tensors equal bit for bit, worst "
              f"{worst} ulp ({versions})")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--res2net", default=os.path.join(command.ROOT, "build", "res2net"))
    parser.add_argument("--data", help="a folder with imagenet_samples to compare besides the zoo")
    parser.add_argument("--log", default=os.path.join(command.ROOT, ".oracle", "pictures.log"))
    options = parser.parse_args()
    score = command.Score(options.log)
    with tempfile.TemporaryDirectory() as folder:
        sets = [("zoo", draw_zoo(folder))]
        if options.data:
            samples = os.path.join(options.data, "imagenet_samples")
            sets.append(("imagenet_samples", folder_pictures(samples)))
        for what, pictures in sets:
            for preset in REFERENCES:
                compare(score, options.res2net, preset, what, pictures)
    score.finish()


if __name__ == "__main__":
    main()
