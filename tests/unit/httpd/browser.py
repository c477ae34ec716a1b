# SPDX-License-Identifier: MIT
"""browser.py - a headless Chromium, by the WebDriver protocol (W3C) of Debian's chromium-driver."""
import base64
import json
import re
import subprocess
import urllib.request

from kit import until

OPTIONS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--mute-audio",
           "--disable-background-networking", "--no-first-run"]
KEYS = {"Enter": "\ue007", "Escape": "\ue00c", "ArrowDown": "\ue015", "ArrowUp": "\ue013", "ArrowRight": "\ue014",
        "ArrowLeft": "\ue012", "Delete": "\ue017", "Control": "\ue009"}


class Browser:
    def __init__(self):
        self.process = subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE, text=True)
        self.port = None
        for line in self.process.stdout:
            if (found := re.search(r"started successfully on port (\d+)", line)):
                self.port = int(found[1])
                break
        wish = {"browserName": "chrome", "goog:loggingPrefs": {"browser": "ALL"}, "goog:chromeOptions": {"args": OPTIONS}}
        self.session = ""
        self.session = "/session/" + self.ask("POST", "/session", {"capabilities": {"alwaysMatch": wish}})["sessionId"]

    def ask(self, method, path, body=None):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{self.session}{path}", method=method,
                                         data=None if body is None else json.dumps(body).encode())
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as e:
            raise RuntimeError(json.load(e)["value"]["message"][:400]) from e

    def go(self, url):
        self.ask("POST", "/url", {"url": url})

    def run(self, script, *args):
        return self.ask("POST", "/execute/sync", {"script": script, "args": list(args)})

    def until(self, script, *args):
        """Waits until the script, an expression, is true; returns what it is."""
        return until(lambda: self.run(f"return {script}", *args), f"{script} {args}")

    def keys(self, *keys):
        """Types each key, or text; "Control+Enter" is both at once."""
        steps = []
        for key in keys:
            parts = [KEYS.get(part, part) for part in (key.split("+") if "+" in key else [key])]
            parts = parts if "+" in key or len(parts[0]) == 1 else list(parts[0])
            if "+" in key:
                steps += [{"type": "keyDown", "value": p} for p in parts] + [{"type": "keyUp", "value": p} for p in reversed(parts)]
            else:
                for p in parts:
                    steps += [{"type": "keyDown", "value": p}, {"type": "keyUp", "value": p}]
        self.ask("POST", "/actions", {"actions": [{"type": "key", "id": "k", "actions": steps}]})

    def size(self, width, height, phone=False):
        self.ask("POST", "/goog/cdp/execute", {"cmd": "Emulation.setDeviceMetricsOverride", "params": {
            "width": width, "height": height, "deviceScaleFactor": 2 if phone else 1, "mobile": phone}})
        self.ask("POST", "/goog/cdp/execute", {"cmd": "Emulation.setTouchEmulationEnabled", "params": {"enabled": phone}})

    def picture(self, path):
        path.write_bytes(base64.b64decode(self.ask("GET", "/screenshot")))

    def log(self):
        return [row["message"] for row in self.ask("POST", "/se/log", {"type": "browser"})]

    def end(self):
        try:
            self.ask("DELETE", "")
        finally:
            self.process.terminate()
            self.process.wait()
