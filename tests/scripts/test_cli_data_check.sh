#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `data check`: every kind of fault of a labelled set is told and counted; also under LC_ALL=C.
set -u
# shellcheck source=tests/scripts/cli_test.sh
. "$(dirname "$0")/cli_test.sh"
needs jpeg png

cd "$work" || exit 1
mkdir -p set/猫
python3 "$here/make_png.py" 32 32 1 set/a.png
python3 "$here/make_png.py" 40 20 2 "set/猫/b 😀.png"
python3 "$here/make_png.py" 64 48 3 set/c.png
cp set/a.png set/a2.png
cp set/c.png set/c2.png
head -c 60 set/a.png >set/cut.png
printf 'P5 4 4 255\nabcdefgh' >set/half.pgm
head -c 33 set/a.png >set/header.png # a good header and no data
: >set/empty.png
cp "$here/../fuzz/corpus/picture/exif6.jpg" set/turned.jpg
cp "$here/../fuzz/corpus/picture/exif6.png" set/turned.png

all_good() {
    printf 'a.png 0\n猫/b 😀.png 2\nc.png 2\nturned.jpg 2\nturned.png 2\n' >good.txt
    expect 0 "$res2net" data check good.txt --root set --format json
    is_empty err
    python_check "a good set" <<'END'
sizes = value["smallest_picture"], value["largest_picture"]
assert value["items"] == value["readable"] == 5 and value["unreadable"] == 0, value
assert value["smallest_label"] == 0 and value["largest_label"] == 2 and value["labels_used"] == 2
assert value["smallest_class"] == 1 and value["largest_class"] == 4 and value["imbalance"] == 4
assert value["classes"] == [{"class_id": 0, "images": 1}, {"class_id": 2, "images": 4}], value
assert value["with_exif_orientation"] == 2, value
assert sizes[1] == {"width": 64, "height": 48}, sizes
assert value["problems"] == [] and value["problems_not_listed"] == 0, value
END
    expect 0 "$res2net" data check good.txt --root set
    prints "pictures     5, of which 5 readable"
    prints "labels       0 to 2, 2 in use"
    prints "a label has  1 to 4 pictures (1 to 4.00)"
    prints "turned       2 by their EXIF orientation"
    prints "to 64x48"
    expect 3 "$res2net" data check good.txt --root set --classes 2
    says "good.txt:2: label 2, but there are 2 classes (0 to 1)"
    expect 1 "$res2net" data check good.txt --root set --max-pixels 2000
    says "set/c.png: byte 16: the header says 64 x 48 pixels; the limit is 2000 pixels"
    sed 's/ \([0-9]\)$/;\1/' good.txt >semicolons.txt
    expect 0 "$res2net" data check semicolons.txt --root set --delimiter ';'
    "$res2net" data check - --root set <good.txt >out 2>err || fail "data check -: $(cat err)"
    prints "pictures     5, of which 5 readable"
}

all_bad() {
    # Bad lines do not hide the faults of the good ones.
    printf 'a.png 0\nno_label.png\ncut.png 1\nheader.png 1\nempty.png 1\nabsent.png 1\n' >bad.txt
    printf 'a.png 0\na.png 1\na2.png 0\nc.png 2\nc2.png 1\nx.png minus\n' >>bad.txt
    expect 3 "$res2net" data check bad.txt --root set --format json
    python_check "a bad set" <<'END'
counts = {"items": 10, "readable": 6, "unreadable": 4, "absent": 1, "bad_lines": 2,
          "duplicates": 2, "contradictions": 1, "same_bytes": 2, "same_bytes_relabeled": 1}
assert {key: value[key] for key in counts} == counts, value
places = {(row["file"], row.get("line")) for row in value["problems"]}
for place in [("bad.txt", line) for line in (2, 6, 7, 8, 9, 11, 12)] + \
        [("set/cut.png", None), ("set/header.png", None), ("set/empty.png", None)]:
    assert place in places, (place, places)
assert len(value["problems"]) == 11, value["problems"]
END
    says 'bad.txt:2: no label'
    says 'bad.txt: 1 of 10 files do not exist:'
    says 'bad.txt:6: "set/absent.png" does not exist'
    says 'bad.txt:7: "set/a.png" is listed again (first in line 1)'
    says 'bad.txt:8: "set/a.png" is listed again with another label: 1, but 0 in line 1'
    says 'bad.txt:9: "set/a2.png" has the same bytes as "set/a.png" in line 1'
    says 'bad.txt:11: "set/c2.png" has the same bytes as "set/c.png" in line 10, under another label'
    says 'bad.txt:12: "minus" is no label'
    expect 3 "$res2net" data check bad.txt --root set
    prints "bad lines    2"
    prints "unreadable   4, of which 1 do not exist"
    prints "duplicates   2, of which 1 under another label"
    prints "same bytes   2, of which 1 under another label"
    # Each fault alone.
    printf 'half.pgm 0\n' >one.txt
    expect 1 "$res2net" data check one.txt --root set
    expect 0 "$res2net" data check one.txt --root set --truncated tolerate
    says "set/half.pgm"
    printf 'cut.png 0\n' >one.txt
    expect 1 "$res2net" data check one.txt --root set --format json
    python_check "no picture at all" <<'END'
assert value["smallest_picture"] is None and value["readable"] == 0, value
END
    printf 'a.png 0\na2.png 0\n' >one.txt
    expect 0 "$res2net" data check one.txt --root set
    says 'has the same bytes as "set/a.png" in line 1'
    printf 'a.png 0\na2.png 1\n' >one.txt
    expect 1 "$res2net" data check one.txt --root set
    printf 'a.png 0\na.png 0\n' >one.txt
    expect 1 "$res2net" data check one.txt --root set
    printf 'a.png\n' >one.txt
    expect 3 "$res2net" data check one.txt --root set
    is_empty out
}

folders_and_binaries() {
    rm -rf folders
    mkdir -p folders/cat folders/dog folders/été/deep
    cp set/a.png folders/cat/1.png
    cp set/c.png folders/été/deep/2.png
    expect 1 "$res2net" data check folders --format json
    says "folders/dog: the class folder has no file: class 1 has no picture"
    python_check "class folders" <<'END'
assert value["empty_classes"] == 1 and value["items"] == 2, value
assert value["classes"] == [{"class_id": 0, "label": "cat", "images": 1},
                            {"class_id": 1, "label": "dog", "images": 0},
                            {"class_id": 2, "label": "été", "images": 1}], value
END
    echo notes >folders/dog/notes.txt
    expect 1 "$res2net" data check folders
    says "folders/dog/notes.txt"
    prints "unreadable   1"
    python3 -c '
with open("cifar.bin", "wb") as file:
    for label, pixel in ((0, 1), (3, 2), (3, 1)):
        file.write(bytes([label]) + bytes([pixel]) * 3072)'
    expect 1 "$res2net" data check cifar.bin --format json
    says "cifar.bin: record 2 has the pixels of record 0, under another label"
    python_check "a CIFAR binary" <<'END'
assert value["items"] == value["readable"] == 3 and value["same_bytes_relabeled"] == 1, value
assert value["smallest_picture"] == {"width": 32, "height": 32}, value
END
}

# Ctrl-C while a picture is waited for: status 130, and no result that looks whole.
interruption() {
    printf 'a.png 0\npipe 0\n' >interrupted.txt
    rm -f set/pipe
    checks=$((checks + 1))
    status=0
    RES2NET_THREADS=1 python3 "$here/interrupt.py" --pipe set/pipe "$res2net" data check \
        interrupted.txt --root set --format json >out 2>err || status=$?
    if [ "$status" -eq 77 ]; then
        echo "SKIPPED: $(cat err)"
        [ "$failures" -eq 0 ] || finish
        exit 77
    fi
    [ "$status" -eq 0 ] || fail "Ctrl-C: $(cat err)"
    says "set/pipe: byte 0: interrupted by a signal while it was read"
    is_empty out
}

for locale in C.UTF-8 C; do
    LC_ALL=$locale
    export LC_ALL
    all_good
    all_bad
    folders_and_binaries
done
interruption

finish
