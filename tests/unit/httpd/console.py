#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""console.py XENSTORED XS XS-HTTPD PICTURES - the web console in a headless Chromium: what it shows, what keys do, what it
says when the store is away, and that names and values are texts whatever they look like. Pictures go into a folder, for
somebody to look at. Prints TAP."""
import json
import pathlib
import sys
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from browser import Browser  # noqa: E402
from kit import World, until  # noqa: E402

TOKEN = "0123456789abcdef0123456789abcdef"
PICTURES = pathlib.Path(sys.argv[4])
EVIL = ['<img src=x onerror="window.hacked=1">', "<script>window.hacked=1</script>", "\"><svg onload=window.hacked=1>",
        "javascript:window.hacked=1", "{{7*7}}${7*7}", "</title></textarea><b>bold"]
ROWS = "[...document.querySelectorAll('.row')].map((r) => r.textContent)"
SELECTED = "document.querySelector('.row[aria-selected=true]')?.dataset.path"
claims = []


def claim(fn):
    claims.append(fn)
    return fn


class Test:
    def __init__(self):
        self.world = World(*sys.argv[1:4])
        token = self.world.dir / "token"
        token.write_text(TOKEN, encoding="ascii")
        token.chmod(0o600)
        self.server = self.world.serve("--port", "0", "--token", str(token))
        self.url = f"http://127.0.0.1:{self.server.address}/"
        self.fill()
        self.browser = Browser()
        self.browser.size(1280, 800)

    def put(self, at, document):
        file = self.world.dir / "document"
        file.write_text(json.dumps(document), encoding="utf-8")
        self.world.xs("import", "-q", "--at", at, str(file))

    def fill(self):
        self.put("/shop", {"features": {"new-checkout": {"enabled": True, "percent": 20, "since": "2026-11-02"}, "gift-cards":
                                        {"enabled": False}}, "services": {"web": {"listen": "127.0.0.1:8080", "workers": 4}},
                           "limits": {"orders": 600}, "hosts": ["a.example.org", "b.example.org"], "motd": "Grüße, 世界"})
        self.put("/evil", dict(zip(EVIL, reversed(EVIL))))
        self.put("/many", {f"key{i}": i for i in range(3000)})
        self.put("/local/domain/3", {"name": "web", "memory": {"target": "262144"}, "device": {"vbd": {"51712": {"state": "4"}},
                                                                                               "vif": {"0": {"state": "4"}}}})
        self.put("/status/domain/web", {"state": "running", "domid": "3", "memory_kib": "262144"})
        self.put("/config/domain/db", {"memory": "512"})

    def text(self):
        return self.browser.run("return document.body.innerText")

    def select(self, path):
        """By the keyboard: what is searched for is gone to."""
        b = self.browser
        b.keys("/", path.rsplit("/", 1)[1])
        b.until(f"{SELECTED}?.endsWith(arguments[0])", path.rsplit("/", 1)[1])
        b.keys("Enter")
        b.until("document.activeElement.id === 'tree'")
        while b.run(f"return {SELECTED}") != path:
            b.keys("n")
        b.keys("Escape")
        b.until("document.getElementById('search').value === ''")

    def end(self):
        self.browser.end()
        status, said = self.world.stop(self.server)
        self.world.end()
        assert (status, said) == (0, ""), (status, said)


@claim
def it_asks_for_the_token_and_shows_the_tree(t):
    b = t.browser
    b.go(t.url)
    b.until("document.querySelector('dialog[open] input')")
    b.keys(TOKEN, "Enter")
    b.until(f"{ROWS}.some((r) => r.includes('shop'))")
    b.until("document.getElementById('link').textContent === 'live'")


@claim
def arrows_open_and_close_and_only_rows_in_sight_are_there(t):
    b = t.browser
    t.select("/many/key2999")
    b.until(f"{ROWS}.length > 10")
    assert b.run("return document.querySelectorAll('.row').length") < 80
    b.keys("ArrowLeft", "ArrowLeft")
    b.until(f"{SELECTED} === '/many'")
    b.until(f"!{ROWS}.some((r) => r.includes('key2999'))")


@claim
def names_and_values_are_texts_whatever_they_look_like(t):
    b = t.browser
    t.select("/shop/motd")
    b.keys("Escape")
    t.browser.run("document.getElementById('search').value = ''")
    elements = "document.querySelectorAll('img, svg, script, b, iframe').length"
    before = b.run(f"return {elements}")
    b.run("document.getElementById('search').value = 'hacked'; document.getElementById('search').dispatchEvent(new Event('input'))")
    b.until(f"{ROWS}.filter((r) => r.includes('hacked')).length >= 4")
    seen = " ".join(b.run(f"return {ROWS}"))
    for text in EVIL[:4]:
        assert text in seen, (text, seen)
    for _ in range(4):
        b.keys("ArrowDown", "Enter", "H") if b.run("return document.activeElement.id === 'tree'") else b.keys("Enter")
        b.until("document.querySelectorAll('ol.history li').length > 0 || document.activeElement.id === 'tree'")
    assert b.run(f"return {elements}") == before, b.run(f"return {elements}")
    assert b.run("return window.hacked === undefined")
    b.keys("Escape")


@claim
def it_is_live(t):
    b = t.browser
    t.select("/shop/limits/orders")
    t.world.xs("write", "/shop/limits/orders", "601")
    b.until("document.querySelector('#detail pre.value')?.textContent === '601'")
    t.world.xs("write", "/shop/limits/fresh", "1")
    b.keys("Escape")
    b.until(f"{ROWS}.some((r) => r.includes('fresh'))")
    t.world.xs("rm", "/shop/limits/fresh")
    b.until(f"!{ROWS}.some((r) => r.includes('fresh'))")


@claim
def a_value_is_edited_and_not_over_what_somebody_else_wrote(t):
    b = t.browser
    t.select("/shop/limits/orders")
    b.keys("e")
    b.until("document.activeElement.tagName === 'TEXTAREA'")
    b.keys("Control+a", "700", "Control+Enter")
    until(lambda: t.world.xs("read", "/shop/limits/orders") == "700\n", "it was written")
    b.until("document.querySelector('#detail pre.value')?.textContent === '700'")
    b.keys("e")
    b.until("document.activeElement.tagName === 'TEXTAREA'")
    t.world.xs("write", "/shop/limits/orders", "1")
    b.until("document.querySelector('#detail textarea').value === '700'")
    b.keys("Control+a", "800", "Control+Enter")
    b.until("document.querySelector('#detail .wrong')?.textContent.includes('changed meanwhile')")
    assert t.world.xs("read", "/shop/limits/orders") == "1\n"
    b.keys("Escape")


@claim
def a_value_that_is_no_short_text_is_not_lost_by_editing(t):
    b = t.browser
    for name, value in ("bytes", {"@b64": "AAEC"}), ("long", "x" * 10000):
        t.put(f"/shop/limits/{name}", value)
        was = t.world.xs("export", f"/shop/limits/{name}")
        b.until(f"{ROWS}.some((r) => r.includes('{name}'))")
        t.select(f"/shop/limits/{name}")
        b.keys("e")
        b.until("document.activeElement.tagName === 'TEXTAREA'")
        b.keys("Control+Enter")
        b.until("!document.querySelector('#detail textarea')")
        assert t.world.xs("export", f"/shop/limits/{name}") == was
        t.world.xs("rm", f"/shop/limits/{name}")


@claim
def what_it_was_is_shown_and_gone_back_to(t):
    b = t.browser
    t.select("/shop/limits/orders")
    b.keys("H")
    b.until("document.querySelectorAll('ol.history li').length >= 3")
    b.run("[...document.querySelectorAll('ol.history li')].find((li) => li.textContent.includes('= 700')).querySelectorAll('button')[0].click()")
    b.until("document.querySelector('.diff .was')?.textContent === '700'")
    t.picture("history")
    b.run("[...document.querySelectorAll('ol.history li')].find((li) => li.textContent.includes('= 700')).querySelectorAll('button')[1].click()")
    b.until("document.querySelector('dialog[open]')?.textContent.includes('700')")
    b.run("document.querySelector('dialog button.bad').click()")
    until(lambda: t.world.xs("read", "/shop/limits/orders") == "700\n", "it was rolled back")


@claim
def a_node_is_made_and_removed_by_keys(t):
    b = t.browser
    t.select("/shop/limits")
    b.keys("a")
    b.until("document.querySelector('dialog[open] input')")
    b.keys("host name", "Enter")
    until(lambda: "host name" in t.world.xs("export", "/shop/limits"), "it was made")
    b.until("!document.querySelector('dialog[open]')")
    b.run("document.getElementById('search').value = 'host name'; document.getElementById('search').dispatchEvent(new Event('input'))")
    b.until(f"{SELECTED} === '/shop/limits/host@20name'")
    b.keys("Enter")
    b.until("document.activeElement.id === 'tree'")
    b.keys("Delete")
    b.until("document.querySelector('dialog[open] button.bad')")
    b.run("document.querySelector('dialog button.bad').click()")
    until(lambda: "host name" not in t.world.xs("export", "/shop/limits"), "it was removed")
    b.keys("Escape")


@claim
def domains_watchers_and_counters(t):
    b = t.browser
    b.keys("2")
    b.until("document.getElementById('view-domains').innerText.includes('256 MiB')")
    t.picture("domains")
    assert "db" in t.text()
    b.keys("3")
    b.until("document.getElementById('view-watchers').innerText.includes('feed')")
    b.keys("4")
    b.until("document.querySelectorAll('.card').length > 5 && document.querySelector('.card polyline').points.length > 1")
    t.picture("metrics")
    b.keys("1")


@claim
def it_says_when_the_store_is_away_and_goes_on(t):
    b = t.browser
    t.world.kill_store()
    b.until("document.getElementById('link').textContent === 'away'")
    t.world.start_store()
    b.until("document.getElementById('link').textContent === 'live'")
    t.select("/shop/limits/orders")
    until(lambda: t.world.xs("write", "/shop/limits/orders", "5") == "", "the store is back")
    b.until("document.querySelector('#detail pre.value')?.textContent === '5'")


@claim
def it_is_readable_in_both_widths_and_both_lights(t):
    b = t.browser
    t.select("/shop/features/new-checkout/percent")
    b.keys("Escape")
    for name, size in (("desktop", (1280, 800)), ("phone", (390, 800, True))):
        b.size(*size)
        for theme in "light", "dark":
            b.run("document.documentElement.dataset.theme = arguments[0]", theme)
            b.run("document.querySelector('#view-tree').classList.remove('chosen')")
            b.until(f"{ROWS}.length > 5")
            t.picture(f"{name}-{theme}")
            assert b.run("return document.documentElement.scrollWidth <= innerWidth"), f"{name} is wider than its screen"
            b.run("document.querySelector('.row[aria-selected=true]').click()")
            b.until("getComputedStyle(document.getElementById('detail')).display !== 'none'")
            if name == "phone":
                t.picture(f"{name}-{theme}-node")
                b.run("document.querySelector('.back').click()")
    b.size(1280, 800)


@claim
def nothing_comes_from_elsewhere(t):
    b = t.browser
    names = b.run("return performance.getEntriesByType('resource').map((e) => e.name)")
    assert names and all(name.startswith(t.url) for name in names), names
    caught = b.run("try { document.body.innerHTML = '<p>x'; return false; } catch { return true; }")
    assert caught, "markup can be made of a text"
    said = [m for m in b.log() if "Failed to load resource" not in m and "TrustedHTML" not in m and "ERR_" not in m]
    assert not said, said


def main():
    PICTURES.mkdir(parents=True, exist_ok=True)
    t = Test()
    t.picture = lambda name: t.browser.picture(PICTURES / f"{name}.png")
    bad = 0
    try:
        for i, fn in enumerate(claims, 1):
            try:
                fn(t)
                print(f"ok {i} - {fn.__name__.replace('_', ' ')}", flush=True)
            except Exception:  # pylint: disable=broad-except
                bad += 1
                t.picture(f"failed-{i}")
                print(f"not ok {i} - {fn.__name__.replace('_', ' ')}", flush=True)
                print("\n".join("# " + line for line in traceback.format_exc().splitlines()), flush=True)
        print(f"1..{len(claims)}")
    finally:
        t.end()
    sys.exit(bad > 0)


main()
