#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
tutorial_blocks.py PAGES OUT - the commands of a tutorial as files: for each block of "sh" in PAGES/[0-9]*.md, in order,
OUT/NNN.sh has its commands, NNN.title where it stands, and NNN.want a regular expression of Perl for the whole that they
say, from the "out" block behind it: "..." alone on a line stands for any lines, within one for anything. No such block:
anything. OUT/count has how many there are.
"""
import pathlib
import re
import sys

PART = re.compile(r"^## ([^\n]*)$|^```(sh|out)\n(.*?)^```$", re.S | re.M)



def expression(out):
    open_end = out.endswith("\n...\n") or out == "...\n"
    lines = ("(?:.*\\n)*" if line == "..." else ".*".join(map(re.escape, line.split("..."))) + "\\n"
             for line in out.splitlines()[:-1 if open_end else None])
    return "\\A" + "".join(lines) + ("" if open_end else "\\z")


def main():
    pages, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    n = 0
    for page in sorted(pages.glob("[0-9]*.md")):
        section = ""
        for part in PART.finditer(page.read_text()):
            heading, kind, text = part.groups()
            if heading:
                section = heading
            elif kind == "sh":
                n += 1
                (out / f"{n}.sh").write_text(text)
                (out / f"{n}.title").write_text(f"{page.stem}, {section}: {text.splitlines()[0]}\n")
            else:
                want = out / f"{n}.want"
                if n == 0 or want.exists():
                    sys.exit(f"{page}: the 'out' block behind block {n} belongs to no commands")
                want.write_text(expression(text))
    (out / "count").write_text(f"{n}\n")
    return n == 0


sys.exit(main())
