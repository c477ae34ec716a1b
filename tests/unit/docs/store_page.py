#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""store_page.py TOP BUILD - every block of commands of docs/store.md behind its five minutes (which walk.sh
types) is run as it stands, a section in one shell, on `./storevisor store --demo`; what a block says, in the
"out" block behind it, it has to say, and nothing else where it is to say nothing."""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile

TOP, BUILD = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
SKIPPED = "Install", "Five minutes"
BLOCK = re.compile(r"^```(sh|out)\n(.*?)^```$", re.S | re.M)
MARK = "\x1e"


def sections():
    """Name -> [(commands, output wanted)]."""
    for part in (TOP / "docs/store.md").read_text().split("\n## ")[1:]:
        name, _, text = part.partition("\n")
        blocks = BLOCK.findall(text)
        pairs = [(code, blocks[i + 1][1] if i + 1 < len(blocks) and blocks[i + 1][0] == "out" else "")
                 for i, (kind, code) in enumerate(blocks) if kind == "sh"]
        if pairs and name not in SKIPPED:
            yield name, pairs


def run(name, pairs, home, env):
    script = "set -e\n" + "".join(f"{code}printf '{MARK}'\n" for code, _ in pairs)
    work = home / re.sub(r"\W+", "-", name)
    work.mkdir()
    got = subprocess.run(["bash", "-c", script], cwd=work, env=env, capture_output=True, text=True, timeout=120)
    said = got.stdout.split(MARK)
    wrong = [f"wanted {wanted!r}, said {text!r}" for (_, wanted), text in zip(pairs, said) if wanted != text]
    if got.returncode or len(said) != len(pairs) + 1:
        wrong.append(f"status {got.returncode} in block {len(said)}: {got.stderr}")
    print("not ok" if wrong else "ok", "-", name, *wrong)
    return bool(wrong)


def main():
    home = pathlib.Path(tempfile.mkdtemp(prefix="sv-page."))
    env = dict(os.environ, XENSTORED_PATH=str(home / "store/run/socket"),
               PATH=f"{BUILD}/cli/xs:{TOP}/docs/examples:{os.environ['PATH']}",
               PYTHONPATH=f"{TOP}/clients/python/src")
    daemon = subprocess.Popen([TOP / "storevisor", "store", "--demo", home / "store"], stderr=subprocess.PIPE, text=True,
                              env=dict(os.environ, STOREVISOR_BUILD=str(BUILD)), start_new_session=True)
    try:
        for line in daemon.stderr:
            if "small shop" in line:
                break
        port = subprocess.run(["xs", "read", "/shop/hosts/db.example.org/port"], env=env, capture_output=True, text=True)
        print("ok - --demo fills a tree" if port.stdout == "5432\n" else f"not ok - --demo fills a tree {port}")
        found = list(sections())
        failed = sum(run(name, pairs, home, env) for name, pairs in found) + (port.stdout != "5432\n")
        return failed > 0 or len(found) < 6
    finally:
        os.killpg(daemon.pid, signal.SIGTERM)
        daemon.wait(60)
        shutil.rmtree(home)


sys.exit(main())
