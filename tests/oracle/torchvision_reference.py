# SPDX-License-Identifier: Apache-2.0
"""The real torchvision and Pillow. Runs in the environment `torch`.

torchvision_reference.py LIST OUT.npy
    LIST: a line a picture. Writes N,3,224,224 float32 in RGB order. A line "high PATH" is 16-bit
    grey, of which we take the high byte where Pillow clips; "end PATH" is a JPEG that lacks its end
    marker, which Pillow refuses.
"""
import io
import sys

import numpy as np
import PIL
import torchvision
from PIL import Image
from torchvision import transforms

PREPARE = transforms.Compose([
    transforms.Resize(256), transforms.CenterCrop(224), transforms.ToTensor(),
    transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])])


def decode(line):
    if line.startswith("high "):
        return Image.fromarray((np.asarray(Image.open(line[5:])) >> 8).astype(np.uint8)).convert(
            "RGB")
    if line.startswith("end "):
        with open(line[4:], "rb") as file:
            return Image.open(io.BytesIO(file.read() + b"\xff\xd9")).convert("RGB")
    return Image.open(line).convert("RGB")


def main():
    Image.MAX_IMAGE_PIXELS = None
    with open(sys.argv[1], encoding="utf-8") as file:
        lines = file.read().splitlines()
    np.save(sys.argv[2], np.stack([PREPARE(decode(line)).numpy() for line in lines]))
    print(f"torchvision {torchvision.__version__}, Pillow {PIL.__version__}")


if __name__ == "__main__":
    main()
