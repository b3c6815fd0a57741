#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Lists, class folders and label files as people have them, through `eval` and `predict`: first in a
# UTF-8 locale, then all of it again under LC_ALL=C.
set -u
# shellcheck source=tests/scripts/cli_test.sh
. "$(dirname "$0")/cli_test.sh"
needs jpeg png yaml

tiny_model "$work/plain.safetensors" 3 3
tiny_transforms "$work/transforms.yaml"
cd "$work" || exit 1
"$res2net" convert plain.safetensors net.r2n --transforms transforms.yaml 2>err || {
    fail "$(cat err)"
    finish
}
mkdir -p set/猫 xx1
i=0
for name in "my cat (2).png" "猫/été 😀.png" "#1.png" "a.png" "tab	name.png" "b,1.png"; do
    i=$((i + 1))
    python3 "$here/make_png.py" 32 32 $i "set/$name"
done
python3 "$here/make_png.py" 32 32 9 xx1/1.png
head -c 60 set/a.png >set/cut.png
echo "no picture" >set/text.png

# same LIST [OPTION...]: eval of LIST gives what eval of plain.txt gave.
same() {
    expect 0 "$res2net" eval -m net.r2n --format json --list "$@"
    cp out other.json
    python_check "eval of $*" <<'END'
first = json.load(open("plain.json"))
for one in (value, first):
    del one["seconds"]
assert value == first, (value, first)
END
    is_empty err
}

lists() {
    printf 'set/my cat (2).png 0\nset/猫/été 😀.png 1\nset/a.png 2\n' >plain.txt
    expect 0 "$res2net" eval -m net.r2n --format json --list plain.txt
    cp out plain.json
    python_check "three pictures" <<'END'
assert value["images"] == 3 and value["skipped"] == 0, value
assert [row["images"] for row in value["classes"]] == [1, 1, 1], value
END
    # What editors and tools do to the same list.
    sed 's/$/\r/' plain.txt >crlf.txt && same crlf.txt
    printf 'set/my cat (2).png \t0\nset/猫/été 😀.png   1  \n\n  set/a.png\t2' >blanks.txt
    same blanks.txt
    { printf '\357\273\277' && cat plain.txt; } >mark.txt && same mark.txt
    for form in utf-16-le utf-16-be; do
        python3 -c 'import sys
text = open("crlf.txt", encoding="utf-8", newline="").read()
open("utf16.txt", "wb").write(("\ufeff" + text).encode(sys.argv[1]))' $form
        same utf16.txt
    done
    printf '"set/my cat (2).png" 0\n"set/猫/été 😀.png" 1\nset/a.png 2\n' >quotes.txt
    same quotes.txt
    printf '# path label\n#old.png 2\nset/my cat (2).png 0\n\n#\nset/猫/été 😀.png 1\nset/a.png 2\n' \
        >comments.txt
    same comments.txt
    sed 's/ \([0-9]*\)$/,\1/' plain.txt >commas.txt && same commas.txt --delimiter ,
    sed 's/ \([0-9]*\)$/\t\1/' plain.txt >tabs.txt && same tabs.txt --delimiter '\t'
    sed 's/^set.//' plain.txt >rootless.txt && same rootless.txt --root set
    sed 's/^set.//;s:/:\\:' plain.txt >backslashes.txt && same backslashes.txt --root set
    checks=$((checks + 1))
    "$res2net" eval -m net.r2n --format json --list - <plain.txt >out 2>err || fail "--list -: $(cat err)"
    python_check "a list on standard input" <<'END'
assert value["images"] == 3, value
END

    # predict takes them with and without labels, and names files as they are.
    expect 0 "$res2net" predict -m net.r2n --list plain.txt --format json
    python_check "names" <<'END'
names = [row["file"] for row in value]
assert names == ["set/my cat (2).png", "set/猫/été 😀.png", "set/a.png"], names
END
    cp out plain_answers.json
    sed 's/ [0-9]*$//' plain.txt >unlabelled.txt
    for list in unlabelled.txt quotes.txt utf16.txt crlf.txt; do
        expect 0 "$res2net" predict -m net.r2n --list $list --format json
        is_same out plain_answers.json "predict of $list"
    done
    expect 0 "$res2net" predict -m net.r2n --list tabs.txt --delimiter '\t' --format json
    is_same out plain_answers.json "predict with a delimiter"
    expect 2 "$res2net" predict -m net.r2n set/a.png --delimiter ,
    says "--delimiter belongs to --list"
    expect 2 "$res2net" predict -m net.r2n - --list -
    says "read only once"
    printf '#1.png 0\nb,1.png 1\ntab\tname.png 2\n' >odd.txt
    expect 0 "$res2net" predict -m net.r2n --list odd.txt --root set --format json
    python_check "odd names" <<'END'
names = [row["file"] for row in value]
assert names == ["set/#1.png", "set/b,1.png", "set/tab\tname.png"], names
END
    printf 'xx1\\1.png 0\n' >windows.txt
    expect 0 "$res2net" predict -m net.r2n --list windows.txt --format json
    prints '"file": "xx1/1.png"'
}

minus() {
    # Standard input holds a picture that must not be taken for the file "-".
    printf -- '- 0\nset/a.png 1\n' >minus.txt
    rm -f ./-
    checks=$((checks + 1))
    "$res2net" eval -m net.r2n --list minus.txt --on-bad-image skip --format json \
        <set/a.png >out 2>err
    [ $? -eq 1 ] || fail "a list line \"- 0\" without such a file"
    says 'minus.txt:1: "./-" does not exist'
    cp set/a.png ./-
    for list in minus.txt "set/minus.txt --root ."; do
        cp minus.txt set/minus.txt
        # shellcheck disable=SC2086
        expect 0 "$res2net" predict -m net.r2n --list $list --format json
        python_check "a file called -" <<'END'
assert value[0]["top"] == value[1]["top"], value
END
    done
    rm -f ./- set/minus.txt
}

bad_lines() {
    printf 'a.png 0\nb.png\nc.png cat\nd.png -1\ne.png 3\nf.png 99999999999999999999\n 2\n' >bad.txt
    printf 'g\001.png 1\n"h.png" x\n' >>bad.txt
    expect 3 "$res2net" eval -m net.r2n --list bad.txt --format json
    is_empty out
    for line in 'bad.txt:2: no label' 'bad.txt:3: "cat" is no label' 'bad.txt:4: "-1" is no label' \
        'bad.txt:5: label 3, but there are 3 classes (0 to 2)' 'bad.txt:6: the label is over' \
        'bad.txt:7: no label' 'bad.txt:8: a control character' 'bad.txt:9: "x" is no label'; do
        says "$line"
    done
    checks=$((checks + 1))
    [ "$(wc -l <err)" -eq 8 ] || fail "eight bad lines are told in $(wc -l <err) lines"
    expect 3 "$res2net" eval -m net.r2n --list unlabelled.txt
    says 'unlabelled.txt:3: no label'
}

absent() {
    printf 'x.png 0\na.png 1\ny.png 2\na.png 1\nz.png 0\n' >absent.txt
    expect 3 "$res2net" eval -m net.r2n --list absent.txt --root set --format json
    is_empty out
    says 'absent.txt: 3 of 5 files do not exist:'
    says 'absent.txt:1: "set/x.png" does not exist'
    says 'absent.txt:3: "set/y.png" does not exist'
    says 'absent.txt:5: "set/z.png" does not exist'
    expect 1 "$res2net" eval -m net.r2n --list absent.txt --root set --format json --on-bad-image skip
    says 'absent.txt: 3 of 5 files do not exist:'
    python_check "absent files are skipped" <<'END'
assert value["images"] == 2 and value["skipped"] == 3, value
END
    checks=$((checks + 1))
    [ "$(wc -l <err)" -eq 4 ] || fail "three absent files are told in $(wc -l <err) lines"
    expect 1 "$res2net" predict -m net.r2n --list absent.txt --root set --format json
    says 'absent.txt: 3 of 5 files do not exist:'
    python_check "absent files of predict" <<'END'
assert [row["file"] for row in value if "error" in row] == ["set/x.png", "set/y.png", "set/z.png"]
assert len(value) == 5, value
END
    expect 3 "$res2net" predict -m net.r2n --list absent.txt --root set --on-bad-image stop
    says 'absent.txt:5: "set/z.png" does not exist'
}

# Two of ten cannot be read: never is another picture counted in their place.
bad_pictures() {
    : >ten.txt
    for label in 0 0 0 1 1 1 1 2; do
        echo "a.png $label" >>ten.txt
    done
    printf 'cut.png 1\ntext.png 2\n' >>ten.txt
    expect 3 "$res2net" eval -m net.r2n --list ten.txt --root set --format json
    says "cut.png"
    is_empty out
    expect 1 "$res2net" eval -m net.r2n --list ten.txt --root set --format json --on-bad-image skip
    says "cut.png"
    says "text.png"
    cp out skip.json
    python_check "skip" <<'END'
assert value["images"] == 8 and value["skipped"] == 2, value
assert [row["images"] for row in value["classes"]] == [3, 4, 1], value
assert sum(row["predicted"] for row in value["classes"]) == 8, value
END
    expect 1 "$res2net" eval -m net.r2n --list ten.txt --root set --format json --on-bad-image wrong
    python_check "wrong" <<'END'
other = json.load(open("skip.json"))
assert value["images"] == 10 and value["skipped"] == 2, value
assert [row["images"] for row in value["classes"]] == [3, 5, 2], value
assert sum(row["predicted"] for row in value["classes"]) == 8, value
assert value["top1_correct"] == other["top1_correct"] and value["loss"] == other["loss"], value
END
    expect 1 "$res2net" eval -m net.r2n --list ten.txt --root set --on-bad-image skip
    prints "images   8 (2 unreadable)"
    says 'ten.txt:4: "set/a.png" is listed again with another label: 1, but 0 in line 1'
    checks=$((checks + 1))
    [ "$(grep -c 'with another label' err)" -eq 5 ] || fail "contradictions: $(cat err)"
}

class_folders() {
    rm -rf folders
    mkdir -p folders/fox/more folders/cat/.git "folders/ant" folders/.hidden
    cp set/a.png folders/fox/more/1.png
    cp set/a.png "folders/cat/été.PNG"
    cp set/a.png "folders/cat/#1.png"
    cp set/a.png folders/cat/.git/x.png
    cp set/a.png folders/.hidden/x.png
    echo notes >folders/README
    echo x >folders/cat/.DS_Store
    expect 0 "$res2net" eval -m net.r2n --list folders --format json
    says "folders/ant: the class folder has no file: class 0 has no picture"
    python_check "class folders" <<'END'
assert [row["images"] for row in value["classes"]] == [0, 2, 1], value
END
    printf 'fox\ncat\nant, Formica\n' >names.txt
    expect 0 "$res2net" eval -m net.r2n --labels names.txt --list folders --format json
    python_check "folders and labels" <<'END'
assert [row["images"] for row in value["classes"]] == [1, 2, 0], value
END
    printf 'fox\ncat\nantelope\n' >names.txt
    expect 3 "$res2net" eval -m net.r2n --labels names.txt --list folders --format json
    says 'the folder "ant" has no class name'
    rm -r folders/ant
    expect 0 "$res2net" eval -m net.r2n --list folders --format json
    says "2 class folders for 3 classes"
    echo notes >folders/cat/notes.txt
    expect 3 "$res2net" eval -m net.r2n --list folders
    says "folders/cat/notes.txt"
    expect 1 "$res2net" eval -m net.r2n --list folders --on-bad-image skip --format json
    python_check "a file that is no picture" <<'END'
assert value["images"] == 3 and value["skipped"] == 1, value
END
    cp set/a.png folders/stray.png
    expect 3 "$res2net" eval -m net.r2n --list folders
    says "folders/stray.png: a picture outside the class folders has no class"
}

# labels TEXT STATUS MESSAGE: predict with a label file.
labels() {
    # shellcheck disable=SC2059
    printf "$1" >labels.txt
    expect "$2" "$res2net" predict -m net.r2n --labels labels.txt --format json --topk 3 set/a.png
    [ -z "$3" ] || says "$3"
}

label_files() {
    labels 'ant\nbee\ncat\n' 0 ''
    cp out names.json
    for text in '0 ant\n1 bee\n2 cat\n' '\357\273\277ant\r\nbee\r\ncat' '2 cat\n0 ant\n1 bee\n' \
        "{0: 'ant',\n 1: 'bee',\n 2: 'cat'}" 'n01440764 ant\nn01440765 bee\nn01440766 cat\n' \
        '0,ant\n1,bee\n2,cat\n' '\377\376a\0n\0t\0\n\0b\0e\0e\0\n\0c\0a\0t\0'; do
        labels "$text" 0 ''
        is_same out names.json "labels $text"
    done
    labels 'ant, Formica\nbête\ncat 😀\n' 0 ''
    python_check "names with commas and other letters" <<'END'
assert {row["label"] for row in value[0]["top"]} == {"ant, Formica", "bête", "cat 😀"}, value
END
    labels 'ant\nbee\n' 3 'labels.txt:2: 2 class names, but the model has 3 classes'
    labels 'ant\nbee\ncat\ndog\n' 3 'labels.txt:4: 4 class names, but the model has 3 classes'
    labels '0 ant\nx cat\n2 bee\n' 3 'labels.txt:2: expected an index'
    labels '0 ant\n2 cat\n3 bee\n' 3 'class 1 has no name'
    labels '0 ant\n1 bee\n1 cat\n' 3 'labels.txt:3: class 1 was already named in line 2'
    labels 'ant\n\ncat\n' 3 'labels.txt:2: a class without a name'
}

# eval turns pictures by their EXIF orientation exactly as predict does.
orientation() {
    cp "$here/../fuzz/corpus/picture/exif6.jpg" set/turned.jpg
    echo 'turned.jpg 0' >turned.txt
    for rule in apply ignore; do
        expect 0 "$res2net" predict -m net.r2n set/turned.jpg --exif $rule --format json
        cp out turned_$rule.json
        expect 0 "$res2net" eval -m net.r2n --list turned.txt --root set --exif $rule --format json
        cp out loss_$rule.json
    done
    python_check "orientation" <<'END'
import math
scores = []
for rule in ("apply", "ignore"):
    top = json.load(open(f"turned_{rule}.json"))[0]["top"]
    scores.append(next(row["score"] for row in top if row["class_id"] == 0))
    loss = json.load(open(f"loss_{rule}.json"))["loss"]
    assert abs(-math.log(scores[-1]) - loss) < 1e-5, (rule, scores, loss)
assert abs(scores[0] - scores[1]) > 1e-4, scores
END
}

for locale in C.UTF-8 C; do
    LC_ALL=$locale
    export LC_ALL
    lists
    minus
    bad_lines
    absent
    bad_pictures
    class_folders
    label_files
    orientation
done

finish
