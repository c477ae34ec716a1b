#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
format.py [--write] SOURCE_DIR: each C file of the tree is laid out as .clang-format says, but for what docs/style.md
leaves to the author: where a line breaks, and columns within lines. clang-format cannot be told that: without a limit
of columns it still joins what was broken after a '?', gives each member of a list a line, and draws comments together.
So of what it would do counts: how lines are indented, in statements whose breaks it would not move; spaces where there
shall be none or one; and breaks between an if, else or loop and its body or brace. No line becomes too long by it, and
a text in several pieces begins where it does. --write: does it.
"""
import html
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

TOOL = 'clang-format-14'  # another version has another opinion
REPLACEMENT = re.compile(rb"<replacement offset='(\d+)' length='(\d+)'>(.*?)</replacement>", re.S)
CONTROL = re.compile(rb'\s*(\} *)?(if|else|for|while|do|switch)\b')
STATEMENT_ENDS = re.compile(rb'[;{}][ \t]*(/\*[^\n]*)?\\?\n')
COLUMNS = re.compile(rb'[ \t]*(?=\\\n)')  # before the backslash of a macro
# It takes C for C++, where new and delete are words of the language.
CPP_WORDS = re.compile(rb'.*\b(new|delete)\b')
# It takes an operator behind a cast for one of two operands, and a pointer in a macro's argument for a product.
MISREAD = re.compile(rb'\)\0[*&~"]|\) ?&\0|->\0|\0->|\*\0[A-Z]')
WIDTH = 100  # docs/style.md
CURE = ': tests/unit/docs/format.py --write . mends them'
ROUNDS = 5  # of --write: what was moved may move its neighbours


def files(top):
    for folder, folders, names in os.walk(top):
        folders[:] = sorted(f for f in folders if f[0] != '.' and not (Path(folder) == top and f.startswith('build')))
        yield from (os.path.join(folder, name) for name in sorted(names) if name.endswith(('.c', '.h')))


def line_at(text, at):
    return text[text.rfind(b'\n', 0, at) + 1:text.find(b'\n', at)]


def break_is_free(text, at, old, new):
    """A break is there in @old at @at, or in @new, and not in the other: is that the author's to say?"""
    before, after = text[:at][-200:].rstrip(), text[at + len(old):][:10]
    if new.count(b'\n') > old.count(b'\n'):
        return not (CONTROL.match(line_at(text, at)) and re.search(rb'(\)|\belse|\bdo)$', before) and
                    re.match(rb'[\w*({]', after))
    return not (after[:1] == b'{' and re.search(rb'(\)|\belse|\bdo)$', before) or
                before[-1:] == b'}' and re.match(rb'(else|while)\b', after))


def is_space(text, at, old, new):
    """Within a line: is one space there that shall not be, or the other way around? Not: a column."""
    before, after = text[:at][-40:], text[at + len(old):][:2]
    return (len(old) < 2 and len(new) < 2 and b'\t' not in old + new and after not in (b'/*', b'//') and
            not CPP_WORDS.match(line_at(text, at)) and not MISREAD.search(before + b'\0' + after) and
            not (before.endswith(b'*') and not old))


def statements(text, found):
    """What clang-format would replace, [(offset, length, text)], a list for each statement."""
    one = []
    for change in found:
        if one and STATEMENT_ENDS.search(text, one[-1][0], change[0]):
            yield one
            one = []
        one.append(change)
    if one:
        yield one


def is_too_long(text, at, length, new):
    rest = text[at + length:text.find(b'\n', at + length)]
    return len((new.rsplit(b'\n', 1)[1] + rest).decode().expandtabs(8)) > WIDTH


def that_count(text, changes):
    """Of what clang-format would replace in a statement what is not the author's."""
    indents, as_it_would = [], True
    for at, length, new in changes:
        old = text[at:at + length]
        if new.count(b'\n') != old.count(b'\n'):
            if break_is_free(text, at, old, new):
                as_it_would = False
            else:
                yield at, length, new
        elif b'\n' not in old:
            if is_space(text, at, old, new):
                yield at, length, new
        elif COLUMNS.sub(b'', old) != COLUMNS.sub(b'', new):
            as_it_would = as_it_would and not is_too_long(text, at, length, new)
            if not (text[:at][-9:].rstrip().endswith(b'"') and text[at + length:at + length + 1] == b'"'):
                indents.append((at, length, new))
    if as_it_would:
        yield from indents


def asked(names):
    """(name, text, changes) of each file."""
    run = subprocess.run([TOOL, '--style=file', '--output-replacements-xml', *names], capture_output=True, check=False)
    parts = run.stdout.split(b'<?xml')[1:]
    if run.returncode or len(parts) != len(names):
        raise RuntimeError(run.stderr.decode(errors='replace')[-2000:] or f'{TOOL} passed over a file')
    for name, part in zip(names, parts):
        text = Path(name).read_bytes()
        found = [(int(at), int(n), html.unescape(new.decode()).encode()) for at, n, new in REPLACEMENT.findall(part)]
        yield name, text, sorted(change for one in statements(text, found) for change in that_count(text, one))


def replaced(text, changes):
    for at, n, new in sorted(changes, reverse=True):
        text = text[:at] + new + text[at + n:]
    return text


def differences(names):
    """(name, text, changes) of each file with any. A process for each CPU: the library takes long to load."""
    parts = [names[i::os.cpu_count()] for i in range(os.cpu_count()) if names[i::os.cpu_count()]]
    with ThreadPoolExecutor(len(parts)) as pool:
        for answer in pool.map(lambda part: list(asked(part)), parts):
            yield from (one for one in answer if one[2])


def write(names):
    for _ in range(ROUNDS):
        changed = []
        for name, text, changes in differences(names):
            Path(name).write_bytes(replaced(text, changes))
            changed.append(name)
        names = changed
        if not names:
            break


def main(arguments):
    top = Path(arguments[-1]).resolve()
    names = list(files(top))
    try:
        if '--write' in arguments:
            write(names)
        wrong = sorted(differences(names))
    except (OSError, RuntimeError) as error:
        print(f'{error} ({TOOL}: apt-get install {TOOL})')
        return 1
    nr = 0
    for name, text, changes in wrong:
        lines = text.split(b'\n')
        for line in sorted({text[:at + length].count(b'\n') for at, length, _ in changes}):
            nr += 1
            print(f'{os.path.relpath(name, top)}:{line + 1}: {lines[line].decode()}')
    print(f'{len(names)} files, {nr} lines wrong{CURE if nr else ""}')
    return 1 if nr or len(names) < 1000 else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
