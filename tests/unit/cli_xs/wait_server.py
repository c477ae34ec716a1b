#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# wait_server.py SOCKET - a store with /w/a = 2 in which there is an event right behind the end of each transaction: both
# are read at once.
import os, socket, struct, sys

DIRECTORY, READ, GET_PERMS, WATCH, START, END, EVENT, ERROR = 1, 2, 3, 4, 6, 7, 15, 16
BELOW = {b'/w': b'a\0', b'/w/a': b''}

def answer(kind, path):
    if kind == START:
        return b'1\0'
    if kind in (WATCH, END):
        return b'OK\0'
    if kind == DIRECTORY and path in BELOW:
        return BELOW[path]
    if kind == READ and path in BELOW:
        return b'2' if path == b'/w/a' else b''
    if kind == GET_PERMS:
        return b'n0\0'
    return None if kind in (DIRECTORY, READ) else False

def packet(kind, number, tx, data):
    return struct.pack('<IIII', kind, number, tx, len(data)) + data

def serve(conn):
    stream, watch = conn.makefile('rb'), b''
    while True:
        head = stream.read(16)
        if len(head) < 16:
            return
        kind, number, tx, length = struct.unpack('<IIII', head)
        body = stream.read(length)
        said = answer(kind, body.split(b'\0')[0])
        if said is None or said is False:
            out = packet(ERROR, number, tx, b'ENOENT\0' if said is None else b'ENOSYS\0')
        else:
            out = packet(kind, number, tx, said)
        if kind == WATCH:
            watch = body
        if watch and kind in (WATCH, END):
            token = watch.split(b'\0')[1]
            out += packet(EVENT, 0, 0, b'/w/a\0' + token + b'\0')
        conn.sendall(out)

listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen(8)
while True:
    conn, _ = listener.accept()
    if os.fork() == 0:
        serve(conn)
        os._exit(0)
    conn.close()
