#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""assets_gen.py OUT FILE...: the files as an array of C, with their types and tags."""
import hashlib
import pathlib
import sys

TYPES = {".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8",
         ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}


def main():
    out, *names = sys.argv[1:]
    rows, text = [], ""
    for i, path in enumerate(map(pathlib.Path, names)):
        data = path.read_bytes()
        text += f"static const unsigned char asset_{i}[] = {{ {', '.join(map(str, data))} }};\n"
        rows.append(f'\t{{ "/{path.name}", "{TYPES[path.suffix]}", "{hashlib.sha256(data).hexdigest()[:32]}", '
                    f"asset_{i}, sizeof(asset_{i}) }},\n")
    pathlib.Path(out).write_text(text + "static const struct asset assets[] = {\n" + "".join(rows) + "};\n",
                                 encoding="utf-8")


main()
