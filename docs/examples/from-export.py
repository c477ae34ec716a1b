#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""from-export.py etcd|consul|dconf [FILE] - an export of another store as a document for `xs import`.

etcd:   etcdctl get --prefix "" -w json
consul: consul kv export
dconf:  dconf dump /
A key that has a value and keys below it keeps both, and names and bytes are what they were: a slash at the
beginning goes, and the one behind a folder of Consul. dconf's values are kept as dconf writes them, strings as
what they say."""
import ast
import base64
import configparser
import json
import sys

OWN = "@value"  # beside children; a name that begins so has one more @ in a document


def etcd(text):
    for pair in json.loads(text).get("kvs", []):
        key = base64.b64decode(pair["key"], validate=True).decode()
        yield key.removeprefix("/").split("/"), decoded(pair.get("value", ""))


def consul(text):
    for pair in json.loads(text):
        value = decoded(pair["value"] or "")
        if value or not pair["key"].endswith("/"):  # else a folder's own, empty entry
            yield pair["key"].removesuffix("/").split("/"), value


def dconf(text):
    ini = configparser.RawConfigParser(delimiters=("=",), comment_prefixes=("#",), interpolation=None, strict=True,
                                       default_section="/DEFAULT/")
    ini.optionxform = str  # names as they are
    ini.read_string(text)
    for section in ini.sections():
        for key, value in ini.items(section):
            yield [part for part in section.split("/") if part] + [key], text_of(value)


def text_of(value):
    """What a string says in dconf's notation, which is Python's, too; anything else as it is."""
    if len(value) > 1 and value[0] in "'\"" and value[-1] == value[0]:
        try:
            return ast.literal_eval(value)
        except SyntaxError:
            pass
    return value


def decoded(text):
    data = base64.b64decode(text, validate=True)
    try:
        return data.decode()
    except UnicodeDecodeError:
        return {"@b64": text}


def put(tree, path, value):
    for part in path:
        tree = tree.setdefault("@" + part if part.startswith("@") else part, {})
    if OWN in tree:
        sys.exit(f"from-export: {'/'.join(path)}: there are two of it")
    tree[OWN] = value


def short(tree):
    """A key without others below is its value."""
    if set(tree) == {OWN}:
        return tree[OWN]
    return {name: value if name == OWN else short(value) for name, value in tree.items()}


def main():
    readers = {"etcd": etcd, "consul": consul, "dconf": dconf}
    if len(sys.argv) not in (2, 3) or sys.argv[1] not in readers:
        sys.exit(__doc__)
    with open(sys.argv[2] if len(sys.argv) == 3 else 0, encoding="utf-8") as export:
        text = export.read()
    tree = {}
    try:
        for path, value in readers[sys.argv[1]](text):
            put(tree, path, value)
    except (ValueError, KeyError, TypeError, configparser.Error) as error:
        sys.exit(f"from-export: this is no export of {sys.argv[1]}: {error}")
    json.dump(short(tree), sys.stdout, indent=2, ensure_ascii=False)
    print()


main()
