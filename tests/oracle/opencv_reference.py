# SPDX-License-Identifier: Apache-2.0
"""The real OpenCV 4.6 and NumPy in PaddleClas's order. Runs in the environment `pictures`.

opencv_reference.py LIST OUT.npy
    LIST: a line a picture. Writes N,3,224,224 float32 in RGB order.
"""
import sys

import cv2
import numpy as np

MEAN = np.array([0.485, 0.456, 0.406]).reshape((1, 1, 3)).astype("float32")
STD = np.array([0.229, 0.224, 0.225]).reshape((1, 1, 3)).astype("float32")
SCALE = np.float32(1.0 / 255.0)


def decode(line):
    with open(line, "rb") as file:
        data = np.frombuffer(file.read(), dtype="uint8")
    return cv2.imdecode(data, cv2.IMREAD_COLOR)[:, :, ::-1]


def prepare(line):
    """NaN, which is equal to nothing, where OpenCV refuses the picture."""
    try:
        picture = decode(line)
    except (TypeError, cv2.error):
        print(f"OpenCV refuses {line}", file=sys.stderr)
        return np.full((3, 224, 224), np.nan, np.float32)
    height, width = picture.shape[:2]
    percent = 256.0 / min(width, height)
    width, height = round(width * percent), round(height * percent)
    picture = cv2.resize(picture, (width, height), interpolation=cv2.INTER_LINEAR)
    left, top = (width - 224) // 2, (height - 224) // 2
    picture = picture[top:top + 224, left:left + 224, :]
    return ((picture.astype("float32") * SCALE - MEAN) / STD).transpose((2, 0, 1))


def main():
    cv2.setNumThreads(1)
    with open(sys.argv[1], encoding="utf-8") as file:
        lines = file.read().splitlines()
    np.save(sys.argv[2], np.stack([prepare(line) for line in lines]))
    print(f"OpenCV {cv2.__version__}, NumPy {np.__version__}")


if __name__ == "__main__":
    main()
