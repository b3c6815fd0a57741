# SPDX-License-Identifier: Apache-2.0
"""Lists, label files and YAML that are damaged, too much, or no text."""
from hostile_case import case

USAGE = (2,)


def yaml_texts():
    laughs = b"a: &a0 [x, x]\n" + b"".join(
        b"b%d: &a%d [%s]\n" % (i, i, b", ".join([b"*a%d" % (i - 1)] * 10)) for i in range(1, 30))
    return {"laughs": laughs, "deep": b"[" * 100000, "map_deep": b"{a: " * 100000,
            "block_deep": b"".join(b" " * i + b"a:\n" for i in range(2000)),
            "itself": b"a: &a [*a]\n", "no_anchor": b"a: *nobody\n", "tab": b"a:\n\t- b\n",
            "binary": bytes(range(256)) * 4, "utf8": b"a: \xff\xfe\n", "open": b"a: 'text\n",
            "tag": b"a: !!python/object/apply:os.system ['true']\n", "empty": b"",
            "large": b"# " + b"x" * (1 << 20) + b"\n", "twice": b"a: 1\na: 2\n",
            "text": b"just words\n", "directive": b"%YAML 9.9\n---\na: 1\n"}


def cases():
    for name, text in yaml_texts().items():
        yield case("transforms", f"transforms_{name}.yaml", text, statuses=USAGE)
        yield case("config", f"config_{name}.yaml", text, statuses=USAGE)
    for name, text, word in (("empty", b"", "label"), ("binary", bytes(range(256)), "label"),
                             ("few", b"a\nb\n", "100"), ("twice", b"0 a\n0 b\n", "already named"),
                             ("range", b"0 a\n900 b\n", "class 1"),
                             ("number", b"0 a\nx b\n", "expected an index"),
                             ("long", b"x" * 5000000, "1 class names")):
        yield case("labels", f"labels_{name}.txt", text, word, statuses=(3,))
    for name, text, word in (("empty", b"", "list"), ("binary", bytes(range(256)) * 10, "list"),
                             ("no_label", b"a.jpg\n", ":1: no label"),
                             ("absent", b"a.jpg 0\n", "a.jpg"),
                             ("label", b"a.jpg x\n", ':1: "x" is no label'),
                             ("negative", b"a.jpg -1\n", ':1: "-1" is no label'),
                             ("huge", b"a.jpg 99999999999999999999\n", ":1: the label is over"),
                             ("long", b"x" * 5000000 + b" 0\n", "longer than"),
                             ("nul", b"a\0b.jpg 0\n", "byte 1"),
                             ("many", b"a.jpg x\n" * 100000, ':5: "x" is no label')):
        yield case("list", f"list_{name}.txt", text, word)
