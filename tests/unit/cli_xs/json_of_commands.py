#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every command of `xs help` with -j: what it prints is one JSON value, or one a line, of the form that is claimed here; what it
says on standard error is {"error", "code"}. json_of_commands.py XS DIRECTORY; XENSTORED_PATH names the store. Prints claims."""
import json
import os
import subprocess
import sys

xs, where = sys.argv[1], sys.argv[2]
DOC, CFG, SCHEMA = (os.path.join(where, name) for name in ("doc.json", "web.cfg", "schema.json"))
OK = {"ok": True}


def of(kind):
    return lambda v: isinstance(v, kind)


def lines(v):
    return isinstance(v, list) and all(isinstance(i, dict) for i in v)


# command: [(arguments, status, form)]; the form is a value or says whether one is right; LINES: one value a line.
LINES, NONE, REFUSED = "lines", "none", "refused"
CASES = {
    "ls": [("/t", 0, of(list)), ("-r /t", 0, of(list)), ("--ndjson /t", 0, LINES)],
    "tree": [("/t", 0, of(list))],
    "list": [("/t", 0, ["@c3@a4", "a", "b"])],
    "read": [("/t/a", 0, "1"), ("/t/a /t/b", 0, {"/t/a": "1", "/t/b": ""})],
    "write": [("/t/w 1 /t/m 1", 0, OK), ("--if-absent /t/w 1", 1, NONE)],
    "rm": [("/t/w", 0, OK), ("/t/w", 1, NONE)],
    "cp": [("/t/a /t/c", 0, OK), ("/t/a /t/c", 1, NONE)],
    "mv": [("/t/m /t/d", 0, OK), ("/t/m /t/d", 1, NONE)],
    "stat": [("/t/a", 0, lambda v: v["path"] == "/t/a" and v["value"] == "1")],
    "perms": [("/t/a", 0, ["n0"]), ("/t/a n0 r1", 0, OK), ("/t/a x", 2, NONE)],
    "access": [("root own", 0, {"ok": True, "rights": "40001"}), ("root", 0, lines), ("-g 7 read", 0, {"ok": True, "rights": "read"}),
               ("", 0, lambda v: lines(v) and len(v) == 2), ("-r root", 0, OK), ("root", 1, []), ("root much", 2, NONE)],
    "exists": [("/t/a", 0, OK), ("/t/none", 1, {"ok": False})],
    "find": [("/t", 0, LINES), ("/t/none*", 1, NONE)],
    "grep": [("1 /t", 0, lines), ("zzz /t", 1, [])],
    "du": [("/t", 0, lines), ("--owners", 0, lines)],
    "watch": [("-t 50ms /t", 124, LINES)],
    "wait": [("/t/a=1", 0, OK), ("-t 10ms /t/a=2", 124, NONE)],
    "automate": [("", 0, OK)],
    "export": [("/t", 0, {"t": {"a": "1", "b": "", "c": "1", "d": "1", "ä": ""}}), ("--exact /t", 0, LINES), ("--flat /t", 2, NONE)],
    "import": [(DOC, 0, [{"op": "add", "path": "/doc", "value": {}}, {"op": "add", "path": "/doc/a", "value": 1.5}])],
    "diff": [(DOC, 0, [])],
    "apply": [(f"-y {DOC}", 0, []), ("-y /nowhere", 2, NONE)],
    "import-cfg": [(f"--print {CFG}", 0, lambda v: v["config"]["domain"]["web.x"]["memory"] == 64), (CFG, 0, of(list))],
    "export-cfg": [("web.x", 0, of(dict)), ("nobody", 1, NONE)],
    "schema": [("", 0, of(dict)), (f"add --at /of/* {SCHEMA}", 0, {"ok": True, "name": "schema", "at": "/of/*"}), (f"add {DOC}", 2, NONE),
               ("list", 0, lines), ("show schema", 0, lambda v: v["schema"] == {"type": "integer"}), ("show none", 1, NONE), ("add", 2, NONE),
               ("rm schema", 0, OK), ("rm schema", 1, NONE)],
    "explain": [("/config/domain/web/memory", 0, lambda v: v["type"]), ("/nothing", 1, NONE)],
    "txn": [(DOC, 2, NONE)],
    "lock": [("/lock echo out", 0, "out"), ("-n", 2, NONE)],
    "elect": [("/lock echo out", 0, "out"), ("-n", 2, NONE)],
    "history": [("web", 0, lines), ("none", 1, NONE)],
    "log": [("/config", 0, lines)],
    "rollback": [("-n 1 /config/none", None, of(list))],
    "watches": [("", 0, lambda v: lines(v) and any(w == {**w, "domid": 0, "path": "/t/watched"} for w in v))],
    "monitor": [],
    "quota": [("", 0, lambda v: v["nodes"]["limit"] > 0 and v["nodes"]["meaning"]),
              ("0", 0, lambda v: v["nodes"]["used"] > 0 and v["nodes"]["limit"] > 0),
              ("max", 0, lambda v: "peak" in v["nodes"]), ("set nodes 1000", 0, OK), ("set none 1", 1, NONE)],
    "check": [("", 0, OK)],
    "stats": [("", 0, lambda v: v["nodes"] > 5 and v["requests"]["READ"]["count"] > 0 and "lines" not in v)],
    "metrics": [("", 0, lambda v: v["xenstored_nodes"] > 5 and v["xenstored_requests_total"]["READ"] > 0 and "lines" not in v)],
    "snapshot": [("one", 0, OK), ("../x", 1, NONE)],
    "restore": [("one", 0, OK), ("two", None, NONE)],
    "control": [("help", 0, lambda v: "snapshot" in v["answer"]), ("nonsense", 1, NONE)],
    "browse": [("", 2, REFUSED)],
    "help": [("", 2, REFUSED)],
}
OFFLINE = {"schema", "explain", "browse", "help", "control", "txn", "lock", "automate", "import", "diff", "apply", "import-cfg"}


def claim(what, good, *why):
    print("ok" if good else "not", what if good else f"so: {what}")
    if not good:
        for w in why:
            print("#", repr(w))


def run(command, arguments, env=None):
    p = subprocess.run([xs, command, "-j", *arguments.split()], capture_output=True, text=True, check=False, env=env,
                       stdin=subprocess.DEVNULL)
    return p.returncode, p.stdout, p.stderr


def is_error(text, code):
    try:
        errors = [json.loads(line) for line in text.splitlines()]
    except ValueError:
        return False
    return bool(errors) and all(e["error"] for e in errors) and errors[-1]["code"] == code


def fits(out, form):
    try:
        if form == NONE:
            return out == ""
        if form == LINES:
            return bool(out) and all(isinstance(json.loads(line), dict) for line in out.splitlines())
        value = json.loads(out)
    except ValueError:
        return form == "out" and out == "out\n"
    return bool(form(value)) if callable(form) else value == form


def check(command, arguments, status, form):
    code, out, err = run(command, arguments)
    good = status is None or code == status
    if form == REFUSED:
        good = good and out == "" and is_error(err, code)
    elif form is NONE and code not in (0, 124) and command != "find":
        good = good and out == "" and is_error(err, code)
    elif code == 0 or command != "rollback":
        good = good and fits(out, form)
    else:
        good = out == "" and is_error(err, code)
    claim(f"xs {command} -j {arguments}", good, code, out, err)


with open(DOC, "w", encoding="utf-8") as f:
    f.write('{"doc": {"a": 1.5}}')
with open(SCHEMA, "w", encoding="utf-8") as f:
    f.write('{"type": "integer"}')
with open(CFG, "w", encoding="utf-8") as f:
    f.write('name = "web.x"\nkernel = "/boot/vmlinuz"\nmemory = 64\n')
listed = [line.split()[0] for line in subprocess.run([xs, "help"], capture_output=True, text=True, check=True).stdout.splitlines()
          if line.startswith(" ")]
claim("every command of the help is here", sorted(listed) == sorted(CASES), set(listed) ^ set(CASES))
subprocess.run([xs, "write", "/t/a", "1", "/t/b", "", "/t/ä", "", "/history/domain/web/0", "W a b c", "/config/x", "1"], check=True)
os.environ["TMPDIR"] = where
watcher = subprocess.Popen([xs, "watch", "--plain", "--json", "/t/watched"], stdout=subprocess.PIPE)
watcher.stdout.readline()
for command in listed:
    for arguments, status, form in CASES.get(command, []):
        if command == "automate":  # see below
            continue
        check(command, arguments, status, form)
watcher.terminate()
watcher.wait()
# into a file: a pipe that nobody reads meanwhile would stop it
with open(os.path.join(where, "monitor"), "w+", encoding="utf-8") as out:
    monitor = subprocess.Popen([xs, "monitor", "-j", "-t", "60s"], stdout=out)
    while monitor.poll() is None and "/t/seen" not in open(out.name, encoding="utf-8").read():
        subprocess.run([xs, "write", "/t/seen", "1"], check=True)
    monitor.terminate()
    monitor.wait()
    # what it was writing when it was ended may be cut short
    seen = [json.loads(line) for line in open(out.name, encoding="utf-8").read().splitlines() if "/t/seen" in line and line.endswith("}")]
claim("xs monitor -j", any((o["op"], o["text"], o["result"]) == ("WRITE", "/t/seen|1", "OK") and o["domid"] == 0 for o in seen), seen[:3])
# the one that ends only when it is told to
os.mkdir(os.path.join(where, "watch.d"))
p = subprocess.Popen([xs, "automate", "-j", os.path.join(where, "watch.d")], stdout=subprocess.PIPE, text=True,
                     env={**os.environ, "NOTIFY_SOCKET": ""})
while f"{p.pid} (xs)" not in open(f"/proc/{p.pid}/stat", encoding="utf-8").read() or \
        not int([line for line in open(f"/proc/{p.pid}/status", encoding="utf-8") if line.startswith("SigCgt")][0].split()[1], 16) & 1 << 14:
    pass
p.terminate()
claim("xs automate -j, ended", json.loads(p.communicate()[0]) == OK and p.returncode == 0)
# nobody there: the same words in the same form, whatever was asked
nowhere = {**os.environ, "XENSTORED_PATH": "/nowhere/socket"}
for command in listed:
    if command not in OFFLINE:
        code, out, err = run(command, (CASES[command] or [("",)])[0][0], nowhere)
        claim(f"xs {command} -j without a store", code == 3 and out == "" and is_error(err, code), code, out, err)
code, out, err = run("ls", "--none -j")
claim("a wrong option", code == 2 and is_error(err, code), err)
for command in listed:
    p = subprocess.run([xs, command, "--no-such-thing", "-j"], capture_output=True, text=True, check=False)
    claim(f"xs {command} --no-such-thing -j", p.returncode == 2 and p.stdout == "" and is_error(p.stderr, 2), p.stderr)
for line in ("bogus -j", "bogus --json /a", "bogus -qj", "--none ls -j", "-j", "-j ls /t", "help -j bogus", "ls --none=1 -j", "read -j",
             "watch -t -j", "watch -t soon -j", "lock --none -j /lock true", "lock -j", "cp -j a"):
    p = subprocess.run([xs, *line.split()], capture_output=True, text=True, check=False)
    if line == "watch -t -j":  # the option's own word
        claim(f"xs {line} is not asked for JSON", p.returncode == 2 and p.stderr.startswith("xs: "), p.stderr)
    else:
        claim(f"xs {line}, wrong", p.returncode == 2 and p.stdout == "" and is_error(p.stderr, 2), p.returncode, p.stdout, p.stderr)
for line in ("lock -j /lock /none/such", "elect -j /lock /none/such"):
    p = subprocess.run([xs, *line.split()], capture_output=True, text=True, check=False)
    claim(f"xs {line}", p.returncode == 125 and p.stdout == "" and is_error(p.stderr, 125), p.returncode, p.stdout, p.stderr)
code, out, err = run("read", "/ü@ff")
claim("words beyond ASCII", is_error(err, 1) and "@c3@bc" in err, err)
