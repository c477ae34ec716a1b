# SPDX-License-Identifier: MIT
"""kit.py - a store daemon and xs-httpd of a test's own, and a client that sends what it is told, byte by byte."""
import json
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

WAIT = 240


def until(question, what):
    """Waits for a fact, as long as a loaded machine may need."""
    end = time.monotonic() + WAIT
    while not (answer := question()):
        if time.monotonic() > end:
            raise TimeoutError(what)
        time.sleep(0.01)
    return answer


class Answer:
    def __init__(self, status, fields, body):
        self.status, self.fields, self.body = status, fields, body

    def json(self):
        return json.loads(self.body)


class Client:
    """One connection. @address: a path, or a port of 127.0.0.1."""

    IDLE = 20  # seconds; xs-httpd ends a connection that says nothing for 30

    def __init__(self, address):
        self.address = address
        self.connect()

    def connect(self):
        address = self.address
        self.used = time.monotonic()
        self.sock = socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET)
        self.sock.settimeout(WAIT)
        self.sock.connect(address if isinstance(address, str) else ("127.0.0.1", address))
        self.file = self.sock.makefile("rb")

    def close(self):
        self.file.close()
        self.sock.close()

    def head(self):
        line = self.file.readline()
        if not line:
            return None, {}
        fields = {}
        while (field := self.file.readline().strip()):
            name, value = field.decode().split(":", 1)
            fields[name.lower()] = value.strip()
        return int(line.split()[1]), fields

    def raw(self, data, head_only=False):
        """Sends @data, takes one answer; of one without an answer the status is None."""
        try:
            self.sock.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it was answered before all of it was sent
        status, fields = self.head()
        if status == 100:
            status, fields = self.head()
        length = 0 if head_only or status in (None, 204, 304) else int(fields.get("content-length", 0))
        return Answer(status, fields, self.file.read(length))

    def ask(self, method, target, body=None, **fields):
        """A request as programs send it, on a new connection when the last one was long ago."""
        if time.monotonic() - self.used > self.IDLE:
            self.close()
            self.connect()
        self.used = time.monotonic()
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        head = f"{method} {target} HTTP/1.1\r\nHost: localhost\r\n"
        if data is not None:
            head += f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n"
        head += "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
        return self.raw(head.encode() + b"\r\n" + (data or b""), head_only=method == "HEAD")

    def event(self):
        """The next event of a stream: (name, data, id), or None at its end; what has no name is passed over."""
        seen = {}
        while (line := self.file.readline()):
            line = line.decode().rstrip("\n")
            if line and not line.startswith(":"):
                name, value = line.split(": ", 1)
                seen[name] = value
            elif "event" in seen:
                return seen["event"], json.loads(seen["data"]), seen["id"]
            elif not line:
                seen = {}
        return None


class World:
    """The daemon, xs-httpd at a unix socket, and xs."""

    def __init__(self, xenstored, xs, httpd):
        self.programs = xenstored, xs, httpd
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="sv-httpd."))
        self.dir.chmod(0o755)
        (self.dir / "own").mkdir()
        self.store = str(self.dir / "run/socket")
        self.address = str(self.dir / "own/http")
        self.daemon, self.servers = None, []
        self.start_store()

    def start_store(self):
        self.daemon = subprocess.Popen([self.programs[0], "-N", "-D", "--run-dir", self.dir / "run", "--state-dir",
                                        self.dir / "state", "--persist", "/"], stderr=subprocess.PIPE, text=True)
        for line in self.daemon.stderr:
            if "serving" in line:
                break
        (self.dir / "run").chmod(0o755)
        (self.dir / "run/socket").chmod(0o666)

    def kill_store(self):
        self.daemon.kill()
        self.daemon.wait()

    def serve(self, *options):
        """Starts xs-httpd as nobody; returns the address it serves."""
        if "--port" not in options:
            options += ("--socket", self.address)
        process = subprocess.Popen([self.programs[2], "--user", "nobody", *options], stderr=subprocess.PIPE, text=True,
                                   env={"XENSTORED_PATH": self.store, "ASAN_OPTIONS": "detect_leaks=1:quarantine_size_mb=8"})
        self.servers.append(process)
        while "serving" not in (line := process.stderr.readline()):
            if not line:
                raise RuntimeError("xs-httpd did not start")
        port = re.search(r"127\.0\.0\.1:(\d+)", line)
        process.address = int(port[1]) if port else self.address
        return process

    def stop(self, process):
        """Ends it as systemd does; what a sanitizer has to say fails the test."""
        self.servers.remove(process)
        process.send_signal(signal.SIGTERM)
        said = process.stderr.read()
        return process.wait(WAIT), said

    def xs(self, *words, check=True):
        done = subprocess.run([self.programs[1], *words], env={"XENSTORED_PATH": self.store}, text=True,
                              capture_output=True, check=False)
        if check and done.returncode:
            raise RuntimeError(f"xs {words}: {done.stderr}")
        return done.stdout

    def end(self):
        for process in self.servers:
            process.kill()
            process.wait()
        self.kill_store()
        while self.dir.exists():  # the worker of a killed daemon may still write into it for a moment
            shutil.rmtree(self.dir, ignore_errors=True)
