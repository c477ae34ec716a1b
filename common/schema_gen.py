#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the rows of common/schema.c out of docs/store-paths.md, the registry of store paths.

schema_gen.py REGISTRY OUT: every line PATH = TYPE default VALUE [TAGS] WRITER > READERS : MEANING in a fenced block becomes a row;
a line that does not have that form is an error, so that page and programs cannot differ.
"""
import re
import sys

LINE = re.compile(r"(/\S*) = (.+?)(?: default (\S+))? \[(\w*)\] (.+?) > (.+?)(?: : (.+))?$")
TYPE = re.compile(r"([A-Z]+)(?:\((\d+)\.\.(\d+)\))?$")
WORDS = re.compile(r'"[^"]*"(?: \| "[^"]*")*$')


def quoted(text):
    return '"' + text.replace('\\', '\\\\').replace('"', '\\"') + '"'


def row(where, line):
    m = LINE.match(line)
    if not m:
        sys.exit(f"{where}: PATH = TYPE default VALUE [TAGS] WRITER > READERS is wanted: {line}")
    path, kind, default, tags, writer, readers, words = m.groups()
    t = TYPE.match(kind)
    choices = "NULL"
    if t:
        name, low, high = t.group(1), t.group(2) or "0", t.group(3) or "0"
    elif WORDS.match(kind):
        name, low, high = "WORD", "0", "0"
        choices = quoted("|".join(re.findall(r'"([^"]*)"', kind)))
    else:
        sys.exit(f"{where}: unknown type {kind}")
    absent = quoted(default) if default else "NULL"
    texts = ", ".join(quoted(t) for t in (kind, tags, writer, readers, words or ""))
    return f"\t{{ {quoted(path)}, SCHEMA_{name}, {low}, {high}, {choices}, {absent}, {texts} }},"


def main():
    registry, out = sys.argv[1:]
    rows, fenced = [], False
    with open(registry, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            line = line.rstrip("\n")
            if line.startswith("```"):
                fenced = not fenced
            elif fenced and line.startswith("/"):
                rows.append(row(f"{registry}:{number}", line))
    with open(out, "w", encoding="utf-8") as f:
        f.write("/* made by common/schema_gen.py from docs/store-paths.md */\n" + "\n".join(rows) + "\n")
        f.write('#define SCHEMA_LETTERS "' + "".join(r.split('"/', 1)[1][0] for r in rows) + '"\n')


main()
