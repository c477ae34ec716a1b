#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""public.py TOP LIBXS LIBXENSTORE - what programs of others are built against: each public header
compiles alone, without Xen's headers, too; libxs.so has exactly the functions that they declare, and
libxenstore.so those of xenstore.h; xenstore.h declares what Debian's header of that name does."""
import pathlib
import re
import subprocess
import sys
import tempfile

TOP, LIBXS, LIBXENSTORE = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
OURS = TOP / "libxs/public/xenstore.h"
DEBIAN = pathlib.Path("/usr/include/xenstore.h")
HEADERS = [OURS] + [TOP / "libxs" / name for name in ("xs.h", "xs_client.h", "xs_kind.h", "xs_tree.h")]
CC = ["cc", "-std=gnu11", "-Wall", "-Werror", "-fsyntax-only", "-x", "c"]
wrong = []


def compile_text(text, what, *flags):
    got = subprocess.run(CC + list(flags) + [f"-I{OURS.parent}", f"-I{TOP}/libxs", "-"],
                         input=text, text=True, capture_output=True)
    if got.returncode:
        wrong.append(f"{what}:\n{got.stderr}")


def functions(path):
    """Names that a header declares as functions: of its text without comments and types."""
    text = re.sub(r"/\*.*?\*/|^#.*?$|^typedef.*?;", "", path.read_text(), flags=re.S | re.M)
    return set(re.findall(r"\b(xs_\w+)\s*\(", text))


def exported(library):
    lines = subprocess.run(["nm", "-D", "--defined-only", library], check=True, text=True,
                           capture_output=True).stdout
    return {name for name in re.findall(r" T (\w+)", lines)}


def differ(what, declared, there):
    wrong.extend(f"{what}: {name} is only declared" for name in sorted(declared - there))
    wrong.extend(f"{what}: {name} is in no header" for name in sorted(there - declared))


def same_declarations():
    """Debian's header, then ours without the types that both define: the compiler compares."""
    text = re.sub(r"#ifndef XENSTORE_H.*?(?=#define XBT_NULL)", "", OURS.read_text(), flags=re.S)
    text = re.sub(r"^struct xs_permissions \{.*?^\};", "", text, flags=re.S | re.M).replace("#endif", "")
    for name, member in re.findall(r"(XS_PERM_\w+|XS_OPEN_\w+|XS_UNWATCH_\w+)\s+(.*?)(?:\s*/\*|$)",
                                   OURS.read_text(), flags=re.M):
        text += f'\n_Static_assert(DEB_{name} == ({member}), "{name}");'
    names = sorted(set(re.findall(r"DEB_(\w+)", text)))
    known = "".join(f"static const unsigned long DEB_{name} = {name};\n" for name in names)
    known = "enum {\n" + "".join(f"DEB_{name} = (int){name},\n" for name in names) + "};\n"
    text = re.sub(r"^#define.*$", "", text, flags=re.M)
    compile_text(f"#include <{DEBIAN}>\n{known}{text}", "xenstore.h is not Debian's")


def without_xen():
    """The headers as they are where Xen's are not, and that the numbers they then have are Xen's."""
    text = OURS.read_text().replace("__has_include(<xen/io/xs_wire.h>)", "0")
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / "xenstore.h").write_text(text)
        for header in HEADERS[1:]:
            compile_text(f'#include <xenstore.h>\n#include "{header}"\n', f"{header.name} without Xen's headers",
                         f"-I{folder}")
    enums = "".join(re.findall(r"^enum xs\w+ \{.*?\};\n", text.partition("#else")[2], flags=re.S | re.M))
    own = re.sub(r"\bXS_", "OWN_", enums).replace("enum xs", "enum own_xs")
    own += "".join(f"_Static_assert((int)OWN_{name} == (int)XS_{name}, \"{name}\");\n"
                   for name in re.findall(r"\bXS_(\w+)", enums))
    compile_text(f"#include <stdint.h>\n#include <xen/io/xs_wire.h>\n{own}", "numbers of requests are not Xen's")


for header in HEADERS:
    compile_text(f'#include "{header}"\n', f"{header.name} alone")
without_xen()
own = set().union(*map(functions, HEADERS))
differ("libxs.so", own, exported(LIBXS))
new = functions(TOP / "libxs/xs.h") - {"xs_open_with"}
differ("libxenstore.so", functions(OURS) | new, exported(LIBXENSTORE))
if DEBIAN.exists():
    differ("Debian's header", functions(DEBIAN) | functions(DEBIAN.with_name("xenstore_lib.h")), functions(OURS))
    same_declarations()
print("\n".join(wrong) or f"{len(own)} functions in {len(HEADERS)} headers")
sys.exit(bool(wrong))
