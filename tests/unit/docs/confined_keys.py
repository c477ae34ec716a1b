#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the store lets a device's process write is what docs/store-paths.md says it writes: no key more, which
somebody with rights may act on, and no key less, which the process needs."""
import pathlib
import re
import sys

TOP = pathlib.Path(sys.argv[1])
PROGRAMS = {"vbd": "blkback", "vif": "netback", "console": "consback", "vfb": "fbback", "vkbd": "kbdback"}
LINE = re.compile(r"^/local/domain/0/backend/(\w+)/\$DOMID/\$ID/([\w-]+) = .*? \[\w*\] (.*?) >", re.M)


def documented():
    keys = {kind: set() for kind in PROGRAMS}
    for kind, key, writers in LINE.findall((TOP / "docs/store-paths.md").read_text()):
        if PROGRAMS[kind] in [w.strip() for w in writers.split(",")]:
            keys[kind].add(key)
    return keys


def allowed():
    text = (TOP / "backends/common/store_confined.c").read_text()
    every = re.search(r"every_class\[\] = \{(.*?)\}", text, re.S).group(1)
    table = re.search(r"classes\[\] = \{(.*?)^\};", text, re.S | re.M).group(1)
    keys = {}
    for block in table.split('.type = "')[1:]:
        own = re.search(r"\.own = \{(.*?)\}", block, re.S)
        keys[block.split('"')[0]] = set(re.findall(r'"([\w-]+)"', every + (own.group(1) if own else "")))
    return keys


def main():
    said, may = documented(), allowed()
    wrong = said.keys() ^ may.keys()
    for kind in said.keys() & may.keys():
        for key in said[kind] ^ may[kind]:
            print(f"{kind}: {key}: only {'documented' if key in said[kind] else 'allowed'}")
            wrong |= {key}
    if min(map(len, said.values())) < 4:
        sys.exit("docs/store-paths.md was not understood")
    sys.exit(1 if wrong else 0)


main()
