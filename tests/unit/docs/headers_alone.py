#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
headers_alone.py SOURCE_DIR BUILD_DIR: each header of the tree compiles alone, with the flags of a
file that includes it: who includes it needs to know nothing else. But NAME_impl.h is a piece of the
file that includes it, more than once.
"""
import json
import os
import re
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)
# Built by tests/bench/{system,devices}/run, inside the hypervisor that is measured.
ELSEWHERE = ('tests/bench/system/probe.h', 'tests/bench/system/include/xen/interface/xen.h',
             'tests/bench/devices/load.h')
LANGUAGES = {'.c': 'c', '.S': 'assembler-with-cpp'}


def tree_headers(source):
    for folder, folders, names in os.walk(source):
        folders[:] = sorted(f for f in folders if f[0] != '.' and not (folder == source and f.startswith('build')))
        for name in sorted(names):
            path = os.path.join(folder, name)
            if (name.endswith('.h') and not name.endswith('_impl.h')
                    and os.path.relpath(path, source) not in ELSEWHERE):
                yield path


def flags_of(command):
    """The command without its input and outputs."""
    words = shlex.split(command)
    flags, skip = [], False
    for word in words[:-1]:
        if skip or word in ('-o', '-MQ', '-MF'):
            skip = not skip
        elif word not in ('-c', '-MD', 'ccache'):
            flags.append(word)
    return flags


def resolved(path, flags, build):
    """Headers of ours that a file includes, by the search path of its flags."""
    with open(path, encoding='utf-8') as f:
        names = INCLUDE.findall(f.read())
    folders = [os.path.dirname(path)]
    folders += [os.path.join(build, flag[2:]) for flag in flags if flag.startswith('-I')]
    for name in names:
        for folder in folders:
            found = os.path.realpath(os.path.join(folder, name))
            if os.path.exists(found):
                yield found
                break


def users(build):
    """For each header: flags and language of one file that includes it, itself or by another."""
    with open(os.path.join(build, 'compile_commands.json'), encoding='utf-8') as f:
        commands = json.load(f)
    found = {}
    for entry in commands:
        source = os.path.realpath(os.path.join(entry['directory'], entry['file']))
        language = LANGUAGES.get(os.path.splitext(source)[1])
        if not language or not os.path.exists(source):
            continue
        flags = flags_of(entry['command'])
        todo = [source]
        # what is included before everything is compiled alone by that
        for flag, path in zip(flags, flags[1:]):
            if flag == '-include' and path.startswith('/'):
                todo.append(path)
                found[os.path.realpath(path)] = None
        while todo:
            for header in resolved(todo.pop(), flags, build):
                if header not in found:
                    found[header] = (flags, language)
                    todo.append(header)
    return found


def complaint(header, flags, language, build):
    """What the compiler says of it, or None."""
    run = subprocess.run([*flags, '-Werror=implicit-function-declaration', '-c', '-x', language,
                          '-o', '/dev/null', '-'], cwd=build, capture_output=True, text=True,
                         input=f'#include "{header}"\n', check=False)
    return run.stderr if run.returncode else None


def main(source, build):
    source, build = os.path.realpath(source), os.path.realpath(build)
    found = users(build)
    headers = list(tree_headers(source))
    wrong = [f'{h}: no source file includes it' for h in headers if h not in found]
    known = [h for h in headers if found.get(h)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        said = list(pool.map(lambda h: complaint(h, *found[h], build), known))
    wrong += [f'{h}: does not compile alone:\n{s}' for h, s in zip(known, said) if s]
    for line in wrong:
        print(os.path.relpath(line, source) if line.startswith('/') else line)
    print(f'{len(headers)} headers, {len(wrong)} wrong')
    return 1 if wrong or len(headers) < 100 else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1], sys.argv[2]))
