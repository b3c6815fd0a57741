#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `data split`: two lists of class folders that `data check` finds nothing wrong with.
set -u
# shellcheck source=tests/scripts/cli_test.sh
. "$(dirname "$0")/cli_test.sh"
needs png

cd "$work" || exit 1
for class in cat "big dog" 猫; do
    mkdir -p "set/$class"
    for i in 1 2 3 4 5; do
        python3 "$here/make_png.py" 8 8 "$(printf '%s%s' "$i" "$class" | cksum | cut -d' ' -f1)" \
            "set/$class/#$i.png"
    done
done
expect 0 "$res2net" data split set -o set --train 0.6 --seed 3
prints "9 pictures of 3 classes for training, 6 for validation"
for part in train:3 val:2; do
    expect 0 "$res2net" data check "set/${part%:*}_list.txt" --format json
    python_check "$part" <<END
assert [row["images"] for row in value["classes"]] == [${part#*:}] * 3, value
assert value["problems"] == [], value
END
done
checks=$((checks + 1))
[ "$(cat set/label_list.txt)" = "$(printf '0 big dog\n1 cat\n2 猫')" ] || fail "label_list.txt"
cat set/train_list.txt set/val_list.txt | sort >both.txt
checks=$((checks + 1))
[ "$(sort -u both.txt | wc -l)" -eq 15 ] || fail "not every picture is in one list"

# A list is split as well, and the same seed gives the same lists under another locale.
expect 0 "$res2net" data split both.txt --root set -o one --seed 4
expect 0 env LC_ALL=C "$res2net" data split both.txt --root set -o new/two --seed 4
is_same one/train_list.txt new/two/train_list.txt
is_same one/val_list.txt new/two/val_list.txt
[ ! -e one/label_list.txt ] || fail "a list has no names for label_list.txt"

expect 3 "$res2net" data split set -o set
says "set/train_list.txt: is there already"
expect 2 "$res2net" data split set
says "expected -o FOLDER"
for share in 0 1 -1 nan x; do
    expect 2 "$res2net" data split set -o other "--train=$share"
    says "over 0 and below 1"
done
printf 'set/absent.png 0\n' >absent.txt
expect 3 "$res2net" data split absent.txt -o other
says 'absent.txt:1: "set/absent.png" does not exist'

finish
