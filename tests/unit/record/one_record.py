#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""one_record.py XENSTORED XS XM XEND_FAKE REGISTRY CASES FILES - one reading of a record everywhere.

Each case of CASES goes through `xs import`, `xs apply`, the real xend, `xs import-cfg`, `xm new`, `xm create`, `xm export` and
`xm edit`; all must say the same of it. FILES is a folder of whole configurations. The registry's keys must all have cases. Results in TAP.
"""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import jsonschema

xenstored, xs, xm, xend_fake, registry, cases_file, files_dir = (os.path.abspath(a) for a in sys.argv[1:])
work = tempfile.mkdtemp(prefix="one-record.")
os.chdir(work)
env = dict(os.environ, XENSTORED_PATH=f"{work}/run/socket", HOME=work)
env.pop("LD_LIBRARY_PATH", None)
count, failed, daemons = 0, 0, []

BASE = {"memory": "64", "kernel": "/nowhere/kernel", "disk/0/target": "file:/a", "disk/0/vdev": "xvda", "disk/0/mode": "r"}


def claim(text, wrong):
    """One test point; wrong: what is not as it should be, in lines."""
    global count, failed
    count += 1
    print(f"{'not ok' if wrong else 'ok'} {count} - {text}")
    for line in wrong:
        print(f"# {line}")
    failed += bool(wrong)
    sys.stdout.flush()


def run(*words, text=None):
    p = subprocess.run(words, env=env, input=text, capture_output=True, text=True, errors="replace", check=False)
    return p.returncode, p.stdout, p.stderr


def until(what, seconds=60):
    """Waits for a fact."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = what()
        if value:
            return value
        time.sleep(0.02)
    print(f"Bail out! still not so after {seconds} s: {what.__name__}")
    sys.exit(99)


def expand(value):
    value = value.replace("%D", work)
    return re.sub(r"%([PT])(\d+)", lambda m: ("/" if m[1] == "P" else "a") + "a" * (int(m[2]) - 1), value)


def read_cases():
    for line in open(cases_file, encoding="utf-8"):
        if line.startswith("#") or not line.strip():
            continue
        key, value, record, cfg = line.rstrip("\n").split("|")
        yield key, None if value == "-" else expand(value), record == "good", expand(cfg)


def record_of(key, value):
    """The keys of a record that has the case, and what else its item needs."""
    r = dict(BASE)
    item = re.match(r"(disk|vif)/(\w+)/", key)
    if item and item[1] == "disk" and item[2] != "0":
        r[f"disk/{item[2]}/vdev"] = "xvdb"
    if item and item[1] == "vif":
        r[f"vif/{item[2]}/vifname"] = "web0"
    if value is None:
        r.pop(key, None)
    else:
        r[key] = value
    if key == "uuid" and value:
        r["kernel"] = "/nowhere/other"
    return r


def document(name, keys):
    tree = {}
    for key, value in keys.items():
        at = tree
        parts = key.split("/")
        for part in parts[:-1]:
            at = at.setdefault(part, {})
        at[parts[-1]] = value
    return json.dumps({"config": {"domain": {name: tree}}})


def cfg_of(key, value):
    """A configuration file that says the case, as people write it."""
    r = record_of(key, value)
    quote = lambda s: "'" + s.replace("\\", "\\\\").replace("'", "\\'") + "'"
    lines = [f"name = 'cfg'"]
    lines += [f"{k} = {quote(v)}" for k, v in r.items() if "/" not in k]
    disk = [r.get(f"disk/0/{k}", "") for k in ("target", "vdev", "mode")]
    more = [f"{k}={r[f'disk/0/{k}']}" for k in ("cache", "backing") if f"disk/0/{k}" in r]
    if more or "disk/0/format" in r:
        disk = [disk[0], r.get("disk/0/format", "raw"), *disk[1:], *more]
    lines.append(f"disk = [ {quote(','.join(disk))} ]")
    vfb = ",".join(f"{k[4:]}={v}" for k, v in r.items() if k.startswith("vfb/"))
    if vfb:
        lines.append(f"vfb = [ {quote(vfb)} ]")
    vif = ", ".join(f"{k[6:]}={v}" for k, v in r.items() if k.startswith("vif/0/"))
    if vif:
        lines.append(f"vif = [ {quote(vif)} ]")
    return "\n".join(lines) + "\n"


def flat(tree, at=""):
    """The keys of a document's record; numbers and switches as the store has them."""
    if isinstance(tree, dict):
        return {k: v for n, t in tree.items() for k, v in flat(t, f"{at}{n}/").items()}
    if isinstance(tree, list):
        return {k: v for n, t in enumerate(tree) for k, v in flat(t, f"{at}{n}/").items()}
    return {at[:-1]: str(int(tree)) if isinstance(tree, (bool, int)) else tree}


def daemon(*words, **kw):
    p = subprocess.Popen(words, env=env, text=True, **kw)
    daemons.append(p)
    return p


def start():
    os.mkdir("run")
    os.mkdir("state")
    daemon(xenstored, "-D", "-N", "--run-dir", f"{work}/run", "--state-dir", f"{work}/state", stderr=open("store.log", "w"))

    def the_store_answers():
        return run(xs, "exists", "/")[0] == 0
    until(the_store_answers)
    p = daemon(xend_fake, f"{work}/kernel", "256", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=open("xend.log", "w"))
    if p.stdout.readline() != "ready\n":
        print("Bail out! xend did not start: " + open("xend.log").read())
        sys.exit(99)


def check_registry(cases):
    keys = set()
    for line in open(registry, encoding="utf-8"):
        m = re.match(r"/config/domain/\$NAME/(\S+) = (\S+)", line)
        if m and m[2] not in ("DIR", "LIST"):
            keys.add(m[1])
    have = {re.sub(r"/\w+/", "/$N/", key) for key, *_ in cases}
    claim("every key of the registry has cases, and no other", sorted(keys ^ have))
    lacks = [k for k in keys & have if not any(re.sub(r"/\w+/", "/$N/", key) == k and not good for key, _, good, _ in cases)]
    claim("every key has a value that is not possible", lacks)


def check_documents(cases):
    wrong, wrong_apply = [], []
    for key, value, good, _ in cases:
        keys = record_of(key, value)
        keys.setdefault("power", "on")
        with open("doc.json", "w", encoding="utf-8") as f:
            f.write(document("doc", keys))
        rc, _, err = run(xs, "import", "-n", "doc.json")
        if rc != (0 if good else 2) or (not good and "doc.json:1:" not in err):
            wrong.append(f"{key}={value and value[:40]}: status {rc}: {err.strip()}")
        rc2, _, err2 = run(xs, "apply", "-n", "-y", "doc.json")
        if rc2 != rc or err2 != err:
            wrong_apply.append(f"{key}={value and value[:40]}: status {rc2}: {err2.strip()}")
    claim("xs import takes what is possible and refuses what is not, with its place", wrong)
    claim("xs apply says the same", wrong_apply)


def check_schema(cases):
    """The JSON Schema takes all that import takes, and nothing that a pattern can tell is wrong."""
    validator = jsonschema.Draft7Validator(json.loads(run(xs, "schema")[1]))
    beyond = {"maxmem=63", "cpus=node:1", "disk/0/target=file:/a ", "vif/0/ip=10.0.0.256", "vif/0/ip=home",
              "cpus=256", "cpus=3-1", "cpus=0, 1", "vfb/vnclisten=127.0.0.256", "vfb/vnc=2",
              "vfb/vncdisplay=100", "vif/0/rate=1001GB/s", "vif/0/rate=7b/s@1s", "vif/0/rate=10Mb/s@11s",
              "disk/0/backing=/b"}
    wrong = []
    for key, value, good, _ in cases:
        keys = {k: int(v) if v.isdigit() and "/" not in k else v for k, v in record_of(key, value).items()}
        valid = validator.is_valid(json.loads(document("doc", keys)))
        told = value is not None and not re.match(r"(disk|vif)/(07|1000|x)/", key) and f"{key}={value}" not in beyond
        told = told and not (key == "disk/0/target" and "%" not in value and len(value) > 1000)
        if (good and not valid) or (not good and valid and told):
            wrong.append(f"{key}={value and value[:40]}: {'taken' if valid else 'refused'}")
    claim("the JSON Schema says the same, as far as patterns can", wrong)


def check_xend(cases):
    """Written past all checks. No kernel is there: a record that is taken fails at its image, another at itself."""
    lines = []
    for i, (key, value, _, _) in enumerate(cases):
        keys = record_of(key, value)
        keys.setdefault("power", "on")
        if key == "uuid":
            keys["power"] = "on"
        lines += [json.dumps({"path": f"/config/domain/c{i}/{k}", "value": v}) for k, v in keys.items()]
    with open("exact", "w", encoding="utf-8") as f:
        f.write("\n".join(lines))
    rc, _, err = run(xs, "import", "exact")
    if rc:
        print(f"Bail out! the records are not taken: {err}")
        sys.exit(99)

    def xend_has_looked_at_all():
        text = run(xs, "export", "/history/domain")[1]
        found = json.loads(text)["history"]["domain"] if text else {}
        last = {n: list(h.values())[-1].split(" ", 3) for n, h in found.items()}
        return last if sum(h[2] == "failed" for h in last.values()) == len(cases) - never else None
    never = sum(key == "power" and value != "on" for key, value, _, _ in cases)
    last = until(xend_has_looked_at_all)
    wrong = []
    for i, (key, value, good, _) in enumerate(cases):
        move = last.get(f"c{i}")
        refused = move is not None and move[3].startswith("record: ")
        if key == "power" and value != "on":
            continue
        if refused == good:
            error = run(xs, "read", f"/status/domain/c{i}/error")[1].strip()
            wrong.append(f"{key}={value and value[:40]}: {move}: {error[:100]}")
    claim("xend fails the start of the same records, and of no other", wrong)


def check_export(cases):
    wrong, wrong_edit = [], []
    for i, (key, value, good, cfg) in enumerate(cases):
        if key in ("saved", "power", "arriving", "moved") or (key == "uuid" and good):
            continue
        name = f"c{i}"
        before = flat(json.loads(run(xs, "export", f"/config/domain/{name}")[1]))
        rc, text, err = run(xm, "export", name)
        if rc or bool(err) == good:
            wrong.append(f"{key}={value and value[:40]}: export: status {rc}: {err.strip()}")
        rc, _, err = run(xm, "new", "-n", "-", text=text)
        files_can = cfg not in (".", "!")
        if files_can and good and rc:
            wrong.append(f"{key}={value and value[:40]}: what export printed is refused: {err.strip()}")
        env["EDITOR"] = "true"
        rc, out, err = run(xm, "edit", name)
        after = flat(json.loads(run(xs, "export", f"/config/domain/{name}")[1]))
        if good and (rc or before != after):
            wrong_edit.append(f"{key}={value and value[:40]}: status {rc}: {err.strip()}: {before} {after}")
    claim("xm export prints every record, and what is wrong in it", wrong)
    claim("xm edit without a change changes nothing", wrong_edit)


def check_files(cases):
    wrong, wrong_doc = [], []
    for key, value, good, cfg in cases:
        if cfg == ".":
            continue
        with open("case.cfg", "w", encoding="utf-8") as f:
            f.write(cfg_of(key, value))
        rc, out, err = run(xs, "import-cfg", "--print", "case.cfg")
        rc_new, out_new, err_new = run(xm, "new", "-n", "case.cfg")
        rc_create, _, err_create = run(xm, "create", "-n", "case.cfg")
        said = [re.sub("^(xs|Error|Warning): ", "", e, flags=re.M) for e in (err, err_new, err_create)]
        where = f"{key}={value and value[:40]}"
        if (rc != 0) != (cfg == "!") or (rc_new != 0) != (rc != 0) or said[0] != said[1]:
            wrong.append(f"{where}: import-cfg {rc}: {said[0].strip()}; xm new {rc_new}: {said[1].strip()}")
        if rc and (rc_create == 0 or said[0] != said[2]):
            wrong.append(f"{where}: xm create {rc_create}: {said[2].strip()}")
        if rc or rc_new:
            continue
        keys = flat(json.loads(out)["config"]["domain"]["cfg"])
        new = flat(json.loads(out_new))
        new.pop("name")
        for k in ("persistent",) + (("uuid",) if key != "uuid" else ()):
            keys.pop(k, None)
            new.pop(k, None)
        if key != "vif/0/mac":
            keys.pop("vif/0/mac", None)
            new.pop("vif/0/mac", None)
        if keys != new:
            wrong.append(f"{where}: import-cfg makes {keys}, xm new {new}")
        expected = value if cfg == "=" else cfg
        if expected is not None and keys.get(key) != expected:
            wrong.append(f"{where}: becomes {keys.get(key)}, not {expected}")
        document_of = json.loads(out)
        document_of["config"]["domain"]["cfg"]["power"] = "on"
        with open("doc.json", "w", encoding="utf-8") as f:
            json.dump(document_of, f)
        rc, _, err = run(xs, "import", "-n", "doc.json")
        if rc:
            wrong_doc.append(f"{where}: {err.strip()}")
    claim("xs import-cfg, xm new and xm create make the same of a file, and say the same of what is wrong", wrong)
    claim("xs import takes every record made of a file", wrong_doc)


def check_whole_files():
    """Files as people have them. What is to come of each is said at its end: #= KEY VALUE of the record, #! LINE:COL: TEXT that is wrong,
    #? LINE:COL: TEXT that is remarked, #- TEXT that is not said, #+ WORD of the command line."""
    for file in sorted(os.listdir(files_dir)):
        text = open(f"{files_dir}/{file}", encoding="utf-8").read()
        notes = re.findall(r"^#([-=!?+]) (.*)$", text, re.M)
        shutil.copy(f"{files_dir}/{file}", file)
        words = [t for sign, t in notes if sign == "+"]
        rc, out, err = run(xs, "import-cfg", "--print", file, *words)
        rc_new, out_new, err_new = run(xm, "new", "-n", file, *words)
        rc_create, _, err_create = run(xm, "create", "-n", file, *words)
        refused = any(sign == "!" for sign, _ in notes)
        keys = {} if refused or rc or rc_new else flat(json.loads(out_new))
        wrong = [] if (rc != 0) == (rc_new != 0) == refused else [f"status {rc}, {rc_new}: {err}{err_new}"]
        wrong += [f"xm create takes it"] if refused and not rc_create else []
        for sign, note in notes:
            if sign == "=":
                key, value = note.split(" ", 1)
                if keys.get(key) != expand(value):
                    wrong.append(f"{key} is {keys.get(key)}")
            elif sign in "!?-":
                said = [(note if sign == "-" else f"{file}:{note}") in e for e in (err, err_new, err_create)]
                if said != [sign != "-"] * 3:
                    wrong.append(f"{sign} {note}: {said}: {err}")
        if refused and f"{file}:{next(t for s, t in notes if s == '!')}" not in err.split("\n")[0]:
            wrong.append(f"not said first: {err}")
        claim(f"{file} is read as it should be, on every way in", wrong)


def check_real_start():
    """What absent keys count as, seen on a domain that runs."""
    keys = {"memory": "16", "kernel": f"{work}/kernel", "power": "on", "disk/0/target": "file:/a", "disk/0/vdev": "xvda",
            "disk/40/target": "phy:vg/b", "disk/40/vdev": "sda1", "disk/40/mode": "w!", "vif/0/vifname": "web0"}
    with open("real.json", "w", encoding="utf-8") as f:
        f.write(document("shop.example.org", keys))
    rc, _, err = run(xs, "import", "real.json")

    def it_runs():
        return run(xs, "read", "/status/domain/shop@2eexample@2eorg/state")[1].strip() == "running"
    if not rc:
        until(it_runs)
    domid = run(xm, "domid", "shop.example.org")[1].strip()
    back = f"/local/domain/0/backend"
    wants = {f"{back}/vbd/{domid}/51712/mode": "r", f"{back}/vbd/{domid}/51712/params": "/a",
             f"{back}/vbd/{domid}/2049/mode": "w", f"{back}/vbd/{domid}/2049/params": "/dev/vg/b",
             f"{back}/vbd/{domid}/2049/lock": "0", f"{back}/vif/{domid}/0/bridge": "xenbr0",
             f"{back}/vif/{domid}/0/script": "vif-bridge", f"/local/domain/{domid}/memory/static-max": "16384",
             f"/local/domain/{domid}/cpu/0/availability": "online", f"/local/domain/{domid}/name": "shop.example.org"}
    wrong = [err] if rc else []
    for path, value in wants.items():
        now = run(xs, "read", path)[1].strip()
        if now != value:
            wrong.append(f"{path} is {now}, not {value}")
    claim("a started domain has what absent keys count as, and the name of a host", wrong)
    rc, out, err = run(xm, "diff", "shop.example.org")
    claim("and xm diff finds nothing that differs", [] if rc == 0 else [out + err])
    rc, out, err = run(xm, "destroy", "shop.example.org")
    claim("xm destroy ends it by its name", [] if rc == 0 else [out + err])


def main():
    try:
        start()
        cases = list(read_cases())
        check_registry(cases)
        check_documents(cases)
        check_schema(cases)
        check_files(cases)
        check_whole_files()
        check_real_start()
        check_xend(cases)
        check_export(cases)
        print(f"1..{count}")
    finally:
        for p in reversed(daemons):
            p.send_signal(signal.SIGTERM)
            p.wait()
        shutil.rmtree(work)
    sys.exit(1 if failed else 0)


main()
