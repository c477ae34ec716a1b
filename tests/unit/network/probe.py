#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Somebody who talks to a host while its network is rearranged.

probe.py serve ADDRESS...: answers on port 7000 of each, UDP and TCP, until it is killed.
probe.py ask STOP ADDRESS...: over each, one TCP connection and UDP datagrams, 200 a second; prints "ready" when all
have been answered. Ends when the file STOP is there and all answer once more: prints for each "ADDRESS LOST SILENT_MS",
datagrams without answer and the longest that the connection has waited. Fails when a connection has ended.
probe.py seen ADDRESS: prints by which address whoever serves there sees us. Fails when nobody answers.
"""
import os
import selectors
import socket
import sys
import time

PORT = 7000
PAUSE_S = 0.005


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def serve(addresses):
    sel = selectors.DefaultSelector()
    for address in addresses:
        for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
            s = socket.socket(family(address), kind)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.bind((address, PORT))
            if kind == socket.SOCK_STREAM:
                s.listen(16)
            sel.register(s, selectors.EVENT_READ, kind)
    print("ready", flush=True)
    while True:
        for key, _ in sel.select():
            s = key.fileobj
            try:
                if key.data == socket.SOCK_DGRAM:
                    data, who = s.recvfrom(64)
                    s.sendto(who[0].encode() if data == b"who" else data, who)
                elif key.data == socket.SOCK_STREAM:
                    sel.register(s.accept()[0], selectors.EVENT_READ, None)
                else:
                    data = s.recv(4096)
                    if data:
                        s.sendall(data)
                    else:
                        sel.unregister(s)
                        s.close()
            except OSError:
                if key.data is None:
                    sel.unregister(s)
                    s.close()


class Host:
    def __init__(self, address):
        self.address = address
        self.tcp = socket.create_connection((address, PORT), timeout=20)
        self.tcp.setblocking(False)
        self.udp = socket.socket(family(address), socket.SOCK_DGRAM)
        self.udp.connect((address, PORT))
        self.udp.setblocking(False)
        self.sent = self.got = 0
        self.heard = time.monotonic()
        self.silent_s = 0.0

    def turn(self):
        try:
            self.udp.send(b"u")
            self.sent += 1
        except OSError:
            self.sent += 1  # not even sent
        try:
            self.tcp.send(b"t")
        except BlockingIOError:
            pass
        time.sleep(PAUSE_S)
        now = time.monotonic()
        try:
            while self.udp.recv(64):
                self.got += 1
        except OSError:
            pass
        try:
            if not self.tcp.recv(65536):
                sys.exit(f"{self.address}: the connection was closed")
            self.silent_s = max(self.silent_s, now - self.heard)
            self.heard = now
        except BlockingIOError:
            pass


def ask(stop, addresses):
    hosts = [Host(a) for a in addresses]
    begin = time.monotonic()
    while not all(h.got for h in hosts):
        for h in hosts:
            h.turn()
        if time.monotonic() - begin > 30:
            sys.exit("no answer at first: " + " ".join(h.address for h in hosts if not h.got))
    print("ready", flush=True)
    while not os.path.exists(stop):
        for h in hosts:
            h.turn()
    end = time.monotonic()
    got = [h.got for h in hosts]
    while any(h.heard <= end or h.got <= g for h, g in zip(hosts, got)):
        for h in hosts:
            h.turn()
        if time.monotonic() - end > 60:
            sys.exit("no answer any more: " + " ".join(h.address for h in hosts if h.heard <= end))
    for h in hosts:
        print(h.address, h.sent - h.got, round(h.silent_s * 1000))


def seen(address):
    with socket.socket(family(address), socket.SOCK_DGRAM) as s:
        s.settimeout(1)
        for _ in range(3):
            try:
                s.sendto(b"who", (address, PORT))
                print(s.recv(64).decode())
                return
            except OSError as error:
                last = error
    sys.exit(f"{address}: {last}")


if sys.argv[1] == "seen":
    seen(sys.argv[2])
    sys.exit(0)
if sys.argv[1] == "serve":
    serve(sys.argv[2:])
ask(sys.argv[2], sys.argv[3:])
