#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""idle_verw.py storevisor.elf - a CPU empties its buffers before it sleeps: what the thread beside would get of them.

In the image, cpu_idle_wait() has VERW, and the way from there to HLT has nothing that loads what could fill them again.
"""
import re
import subprocess
import sys

text = subprocess.run(["objdump", "-d", "--no-show-raw-insn", "--disassemble=cpu_idle_wait", sys.argv[1]],
                      capture_output=True, text=True, check=True).stdout
code = re.findall(r"^\s*[0-9a-f]+:\s+(\w+)", text, re.M)
if "verw" not in code or "hlt" not in code:
    sys.exit("cpu_idle_wait() has no VERW, or no HLT:\n" + text)
between = code[code.index("verw") + 1:code.index("hlt")]
print("between VERW and HLT:", " ".join(between))
sys.exit(between != ["sti"])
