# SPDX-License-Identifier: Apache-2.0
"""Our preprocessing beside the real OpenCV 4.6 (preset paddle) and Pillow + torchvision (preset
torch), to the bit. Runs in the environment `pictures`; torchvision runs in `torch`.

pictures.py --res2net PROGRAM [--data FOLDER] [--only TEXT] [--log FILE]

Each preset takes all pictures of FOLDER/imagenet_samples and a zoo drawn here: every kind of JPEG,
PNG, WebP, BMP and PNM (tests/golden/picture_{zoo,formats}.py) in sizes from 1 x 1 on, and thin ones
up to 5000 x 1. A normalised tensor's value tells its 8-bit pixel exactly, so equal floats are equal
pixels; where floats differ, both the pixels and the distance in ulps are told. Differences in
pixels, or of more than 1 ulp, are misses.

EXCEPTIONS says where we differ from an original on purpose. Such a picture is compared with its
documented rule (docs/pictures.md): the original then reads a PNG of the pixels that the rule gives.
Needs cjpeg (Debian 12: libjpeg-turbo-progs).
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
import make_pictures  # noqa: E402
import picture_formats  # noqa: E402
import picture_zoo  # noqa: E402
import png_writer  # noqa: E402

# All kinds of picture are drawn in these: one pixel, less than 8, no multiple of 8, over the crop.
SIZES = ((1, 1), (2, 1), (1, 2), (7, 5), (31, 33), (97, 131), (300, 260), (257, 255))
# These in some kinds only: both sides odd, equal, exact halves, below the crop, thin, large. The
# originals make a picture of 1,280,000 x 256 of a thin one of 5000; of 65,535 they need 13 GB.
ODD_SIZES = ((2, 2), (3, 7), (1, 5000), (5000, 1), (17, 256), (256, 17), (224, 224),
             (223, 500), (255, 256), (256, 256), (257, 255), (500, 375), (512, 512), (1024, 512),
             (511, 767), (1000, 1001), (2048, 1536))
# Tags of the zoo: by preset, why the original is not followed.
EXCEPTIONS = {
    "paddle": {"no_end": "OpenCV loses the last rows of a JPEG that only lacks its end marker",
               "headers": "OpenCV 4.6 refuses 16-bit BMP with the masks inside the header",
               "masks": "OpenCV 4.6 does not look at the masks of 32-bit BMP",
               "levels": "OpenCV does not scale PNM of unusual largest values"},
    "torch": {"no_end": "Pillow refuses a JPEG without its end marker",
              "grey16": "Pillow clips 16-bit grey; we take the high byte as for colour",
              "bottom": "Pillow refuses an RLE bitmap that ends early by its end mark"}}
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
        for drawer in (picture_zoo.zoo, picture_formats.formats):
            for name, data, tags in drawer(width, height):
                if name == "rle8_jump.bmp" and (width < 12 or height < 4):
                    continue  # its jumps would leave the picture
                put(f"{width}x{height}_{name}", data, tags)
    for width, height in ODD_SIZES:
        photo = picture_zoo.photo(width, height)
        noise = picture_zoo.noise(width, height)
        for name, data in odd_size(photo, noise):
            put(f"size_{width}x{height}{name}", data, set())
    return drawn


def odd_size(photo, noise):
    height, width = photo.shape[:2]
    bgr = noise[:, :, 0] << 16 | noise[:, :, 1] << 8 | noise[:, :, 2]
    yield ".jpg", picture_zoo.jpeg(photo)
    yield "_progressive.jpg", picture_zoo.jpeg(photo, progressive=True)
    yield ".webp", picture_formats.webp(photo, quality=80)
    yield ".png", png_writer.encode(noise, png_writer.RGB)
    yield ".bmp", picture_formats.picture_bmp(bgr, 24)
    yield ".ppm", picture_formats.pnm(6, noise, 255)


def folder_pictures(folder):
    names = sorted(os.listdir(folder))
    return [(os.path.join(folder, name), set()) for name in names
            if name.lower().endswith((".jpg", ".jpeg", ".png"))]


def by_rule(preset, path, tags):
    """Pixels that the documented rule gives."""
    with open(path, "rb") as file:
        data = file.read()
    if preset == "paddle":
        return make_pictures.decode_opencv(data, tags, True)
    return make_pictures.decode_pillow(data, tags)


def reference_path(preset, path, tags, folder):
    """What the original is given: the picture, or a PNG of an exception's pixels."""
    if not tags & EXCEPTIONS[preset].keys():
        return path
    stand_in = os.path.join(folder, os.path.basename(path) + ".png")
    with open(stand_in, "wb") as file:
        file.write(png_writer.encode(by_rule(preset, path, tags), png_writer.RGB))
    return stand_in


def reference(preset, pictures, folder):
    environment, script = REFERENCES[preset]
    lines = os.path.join(folder, "lines.txt")
    with open(lines, "w", encoding="utf-8") as file:
        file.writelines(reference_path(preset, *picture, folder) + "\n" for picture in pictures)
    tensors = os.path.join(folder, f"{preset}.npy")
    done = subprocess.run([command.environment_python(environment), os.path.join(HERE, script),
                           lines, tensors], check=True, stdout=subprocess.PIPE, text=True)
    return np.load(tensors), done.stdout.strip()


def ours(res2net, preset, pictures, folder):
    tensors = os.path.join(folder, "ours.npy")
    if os.path.exists(tensors):
        os.remove(tensors)
    names = os.path.join(folder, "ours.txt")
    with open(names, "w", encoding="utf-8") as file:
        file.writelines(os.path.abspath(path) + "\n" for path, _ in pictures)
    command.run(res2net, "predict", "--preset", preset, "--dump-input", tensors, "--list", names,
                "--on-bad-image", "stop")
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
    equal = worst = exceptions = 0
    for (path, tags), a, b in zip(pictures, mine, theirs):
        other = int((pixels(a) != pixels(b)).sum())
        distance = ulps(a, b)
        equal += distance == 0
        exceptions += bool(tags & EXCEPTIONS[preset].keys())
        worst = max(worst, distance)
        score.check(other == 0 and distance <= 1, f"{preset}, {os.path.basename(path)}: {other} "
                    f"other pixel values, up to {distance} ulp apart")
    score.say(f"{preset}, {what}: {equal} of {len(pictures)} tensors equal bit for bit, worst "
              f"{worst} ulp; {exceptions} of them by a documented exception ({versions})")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--res2net", default=os.path.join(command.ROOT, "build", "res2net"))
    parser.add_argument("--data", help="a folder with imagenet_samples to compare besides the zoo")
    parser.add_argument("--only", default="", help="pictures with this in their names")
    parser.add_argument("--log", default=os.path.join(command.ROOT, ".oracle", "pictures.log"))
    options = parser.parse_args()
    score = command.Score(options.log)
    with tempfile.TemporaryDirectory() as folder:
        sets = [("zoo", draw_zoo(folder))]
        if options.data:
            samples = os.path.join(options.data, "imagenet_samples")
            sets.append(("imagenet_samples", folder_pictures(samples)))
        for what, pictures in sets:
            pictures = [picture for picture in pictures
                        if options.only in os.path.basename(picture[0])]
            if not pictures:
                continue
            for preset in REFERENCES:
                compare(score, options.res2net, preset, what, pictures)
    score.finish()


if __name__ == "__main__":
    main()
