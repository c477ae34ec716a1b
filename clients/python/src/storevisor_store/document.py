# SPDX-License-Identifier: MIT
"""JSON documents and nodes: the natural form of xs import and export (xs help export). Nothing here asks a store."""
from __future__ import annotations

import base64
import binascii
import json
import math
import re
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Dict, List, Optional, Union

from . import names

#: What json.loads() gives.
Json = Union[None, bool, int, float, str, List[Any], Dict[str, Any]]

_WIRE = "@wire:"
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?\Z")
_STORE_NAME = re.compile(r"[A-Za-z0-9_@-]+\Z")


class Kind(IntEnum):
    """What a value is in JSON: kept by our daemon beside the value (libxs/xs_kind.h)."""

    TEXT = 0
    NUMBER = 1
    BOOL = 2
    NULL = 3
    OBJECT = 4
    LIST = 5


_KINDS = ("text", "number", "boolean", "null", "object", "list")


@dataclass
class Node:
    """A node and what is below it, by the store's names. value None: not readable."""

    value: Optional[bytes] = b""
    children: Dict[str, "Node"] = field(default_factory=dict)
    kind: Kind = Kind.TEXT


@dataclass
class Want:
    """A node that a document asks for. value, perms, kind None: as it is."""

    path: str
    value: Optional[bytes] = None
    kind: Optional[Kind] = None
    perms: Optional[List[str]] = None
    replaces: bool = False  # what is below it goes


# ---- from documents ----

def _scalar(path: str, v: Union[None, bool, int, float, str]) -> Want:
    if v is None:
        return Want(path, b"", Kind.NULL)
    if isinstance(v, bool):
        return Want(path, b"1" if v else b"0", Kind.BOOL)
    if isinstance(v, (int, float)):
        return Want(path, json.dumps(v, allow_nan=False).encode(), Kind.NUMBER)
    return Want(path, v.encode("utf-8"), Kind.TEXT)


def _bytes(path: str, text: object) -> Want:
    if not isinstance(text, str):
        raise ValueError(f"{path}: @b64 is not text")
    try:
        return Want(path, base64.b64decode(text, validate=True), Kind.TEXT)
    except binascii.Error as error:
        raise ValueError(f"{path}: @b64: {error}") from error


def _child_name(path: str, key: str) -> str:
    if key.startswith(_WIRE):
        name = key[len(_WIRE):]
        if not _STORE_NAME.match(name):
            raise ValueError(f"{path}: {key}: @wire: is followed by a name of the store")
        return name
    if key.startswith("@@"):
        return names.encode(key[1:])
    if key.startswith("@"):
        raise ValueError(f'{path}: "{key}" is no member of a document; a name that begins with @ has one more')
    return names.encode(key)


def _object(path: str, members: Dict[str, Any]) -> List[Want]:
    if set(members) == {"@b64"}:
        return [_bytes(path, members["@b64"])]
    own = Want(path, b"" if not members else None, Kind.OBJECT)
    if "@value" in members:
        value = members["@value"]
        is_bytes = isinstance(value, dict) and set(value) == {"@b64"}
        if isinstance(value, list) or (isinstance(value, dict) and not is_bytes):
            raise ValueError(f"{path}: @value is no value")
        own = _bytes(path, value["@b64"]) if is_bytes else _scalar(path, value)
    if "@perms" in members:
        own.perms = list(members["@perms"])
    if "@kind" in members:
        if members["@kind"] not in _KINDS:
            raise ValueError(f"{path}: @kind is one of {', '.join(_KINDS)}")
        own.kind = Kind(_KINDS.index(members["@kind"]))
    found = [own]
    base = "" if path == "/" else path
    for key, value in members.items():
        if key not in ("@value", "@perms", "@kind"):
            found += wants(value, f"{base}/{_child_name(path, key)}")
    return found


def wants(doc: Json, path: str) -> List[Want]:
    """The nodes that @doc asks for at and below @path, parents first. ValueError says where it is wrong."""
    if isinstance(doc, dict):
        return _object(path, doc)
    if isinstance(doc, list):
        base, found = ("" if path == "/" else path), [Want(path, b"", Kind.LIST, replaces=True)]
        for i, item in enumerate(doc):
            found += wants(item, f"{base}/{i}")
        return found
    return [_scalar(path, doc)]


# ---- to documents ----

def _text_of(value: bytes) -> Json:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return {"@b64": base64.b64encode(value).decode()}


def _number_of(value: bytes) -> Union[None, int, float]:
    """None: it is none, or none that Python has."""
    if not _NUMBER.match(value.decode("ascii", "replace")):
        return None
    try:
        number: Union[int, float] = json.loads(value)
    except ValueError:  # more digits than it takes
        return None
    return number if isinstance(number, int) or math.isfinite(number) else None


def _value_of(node: Node) -> Json:
    value = node.value or b""
    number = _number_of(value) if node.kind == Kind.NUMBER else None
    if number is not None:
        return number
    if node.kind == Kind.BOOL and value in (b"0", b"1"):
        return value == b"1"
    if node.kind == Kind.NULL and not value:
        return None
    if node.kind == Kind.OBJECT and not value:
        return {}
    return _text_of(value)


def _key_of(name: str) -> str:
    text = names.decode(name)
    if text is None:
        return _WIRE + name
    return "@" + text if text.startswith("@") else text


def _is_list(node: Node) -> bool:
    return node.kind == Kind.LIST and not node.value and set(node.children) == {str(i) for i in range(len(node.children))}


def of_tree(node: Node) -> Json:
    """The document of a tree; keys in their order."""
    if _is_list(node):
        return [of_tree(node.children[str(i)]) for i in range(len(node.children))]
    if not node.children:
        return _value_of(node)
    found = {_key_of(name): of_tree(child) for name, child in node.children.items()}
    if node.value:
        found["@value"] = _value_of(node)
    return dict(sorted(found.items()))
