#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""store_floors.py TOP - docs/architecture.md says which folder of the store daemon may include
which, and which headers of a higher one: every include below xenstored/ is held to that, what the
page allows must be needed, and LMDB is storage's alone."""
import pathlib
import re
import sys

TOP = pathlib.Path(sys.argv[1])
PAGE = (TOP / "docs/architecture.md").read_text().partition("## The store daemon")[2]
PAGE = PAGE.partition("\n## ")[0]
INCLUDE = re.compile(r'^#include "(?:[a-z]+/)?([^"/]+)"', re.M)


def floors():
    """Folder -> (folders below it, headers above it), from "| `NAME/` | what | below | headers |"."""
    rows = re.findall(r"^\| `xenstored/(\w*)/?` \|[^|]*\| ([\w -]+) \| ([^|]*) \|$", PAGE, re.M)
    return {name: (set(below.split()), set(re.findall(r"`([\w.]+)`", above)))
            for name, below, above in rows}


def folder(path):
    return "" if path.parent.name == "xenstored" else path.parent.name


def main():
    page = floors()
    files = sorted((TOP / "xenstored").rglob("*.[ch]"))
    home = {path.name: folder(path) for path in files}
    wrong = [f"{name}/ is not on the page" for name in set(home.values()) - set(page)]
    needed = {name: set() for name in page}
    for path in files:
        own, text = folder(path), path.read_text()
        below, above = page.get(own, (set(), set()))
        if "#include <lmdb.h>" in text and own != "storage":
            wrong.append(f"{path}: only storage/ knows LMDB")
        for header in INCLUDE.findall(text):
            there = home.get(header, own)
            if there == own or there in below:
                continue
            needed.get(own, set()).add(header)
            if header not in above:
                wrong.append(f"{path}: {header} is above")
    wrong += [f"xenstored/{name}: nobody includes {header}" for name, (_, above) in page.items()
              for header in above - needed[name]]
    print("\n".join(wrong))
    print(f"{len(page)} floors, {len(files)} files, {len(wrong)} wrong")
    return bool(wrong) or len(page) < 5


sys.exit(main())
