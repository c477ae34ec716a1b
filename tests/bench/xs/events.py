#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""events.py XS RATE SECONDS [--plain]: writes RATE values a second to 1,000 keys of one tree while `xs watch --json` reads
the events. Prints: events seen, gaps it told, how many ms after the last write its event came, the rate reached."""
import os
import socket
import struct
import subprocess
import sys
import threading
import time

xs, rate, seconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
XS_WRITE = 11
KEYS, STEP = 1000, 0.01


def request(path, value):
    payload = path.encode() + b"\0" + value.encode()
    return struct.pack("<IIII", XS_WRITE, 1, 0, len(payload)) + payload


class Reader(threading.Thread):
    """Counts the lines of the watch as they come, so that it never waits for us."""

    def __init__(self, pipe):
        super().__init__(daemon=True)
        self.pipe, self.seen, self.lost, self.ready, self.end_time = pipe, 0, 0, threading.Event(), None

    def run(self):
        for line in self.pipe:
            if b'"type":"put"' in line:
                self.seen += 1
                if b'/bench/end' in line:
                    self.end_time = time.monotonic()
                    return
            elif b'"type":"lost"' in line:
                self.lost += 1
            elif b'"type":"synced"' in line:
                self.ready.set()


def drain(s):
    while s.recv(1 << 16):
        pass


s = socket.socket(socket.AF_UNIX)
s.connect(os.environ["XENSTORED_PATH"])
s.sendall(b"".join(request(f"/bench/k{i}", "0") for i in range(KEYS)))
threading.Thread(target=drain, args=(s,), daemon=True).start()
# it ends with us also when we are killed: left alone, it would wait for the store for ever
watch = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", xs, "watch", "--json", "--initial", "none",
                          *sys.argv[4:], "/bench"], stdout=subprocess.PIPE)
reader = Reader(watch.stdout)
reader.start()
if not reader.ready.wait(20):
    sys.exit("the watch did not begin")

per_step = int(rate * STEP)
# every value differs from the one before, so that every write is a change
steps = [b"".join(request(f"/bench/k{(n * per_step + i) % KEYS}", f"{n * per_step + i}") for i in range(per_step))
         for n in range(int(seconds / STEP))]
began = time.monotonic()
for n, data in enumerate(steps):
    s.sendall(data)
    wait = began + (n + 1) * STEP - time.monotonic()
    if wait > 0:
        time.sleep(wait)
took = time.monotonic() - began
last = time.monotonic()
s.sendall(request("/bench/end", str(last)))
reader.join(60)
watch.kill()
if reader.end_time is None:
    sys.exit("the last change was never told")
print(reader.seen, reader.lost, f"{(reader.end_time - last) * 1000:.0f}", f"{rate * seconds / took:.0f}")
