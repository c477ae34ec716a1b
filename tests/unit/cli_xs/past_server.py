#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# past_server.py SOCKET LOG - a store that only knows a past: answers CONTROL log, at, tree and diff as
# libxs/xs_past.h says, takes changes, and writes each request that changes something to LOG. What the
# daemon itself answers is tested where it is: this is about xs.
import os, socket, struct, sys

CONTROL, DIRECTORY, READ, GET_PERMS, START, END, WRITE, RM, SET_PERMS, ERROR = 0, 1, 2, 3, 6, 7, 11, 13, 14, 16
NODE, GONE, PUT, DEL, LIMIT = range(5)

def record(kind, path, value=b'', perms=b'n0\0', rev=0, domid=0, uid=0, program=b''):
    if kind in (GONE, DEL, LIMIT):
        perms = b''
    head = struct.pack('<IBBHQQIIIIHH16sI', 64 + len(path) + len(value) + len(perms), kind, 0, domid, rev,
                       1700000000 * 10**9, uid, 42, len(value), len(perms), len(path), 0, program, 0)
    assert len(head) == 64
    return head + path + value + perms

ANSWERS = {
    (b'log', b'/config'): record(DEL, b'/config/b', rev=9, domid=3) +
                          record(PUT, b'/config/a', b'2\x1b', rev=9, uid=7, program=b'xm') +
                          record(PUT, b'/config/a', b'1', rev=4, uid=7, program=b'xm') + record(LIMIT, b'/config', rev=2),
    (b'tree', b'4', b'/config'): record(NODE, b'/config') + record(NODE, b'/config/a', b'1') +
                                 record(NODE, b'/config/b', b'x') + record(NODE, b'/config/b/c', b'y'),
    (b'tree', b'4', b'/config/a'): record(NODE, b'/config/a', b'1'),
    (b'tree', b'5', b'/config'): b'no records',
    (b'tree', b'6', b'/config'): record(NODE, b'/elsewhere'),
    (b'diff', b'4', b'/config'): record(GONE, b'/config/d') + record(NODE, b'/config/a', b'1', b'n0\0r5\0') +
                                 record(NODE, b'/config/b', b'x') + record(NODE, b'/config/b/c', b'y'),
    (b'tree', b'1', b'/config'): record(LIMIT, b'/', rev=2),
    (b'diff', b'1', b'/config'): record(LIMIT, b'/', rev=2),
}
NOW = {b'/config': b'', b'/config/a': b'2', b'/config/d': b'new'}

def answer(kind, body):
    words = tuple(body.split(b'\0')[:-1])
    if kind == CONTROL:
        return ANSWERS.get(words, 'ENOENT' if words[0] in (b'tree', b'log', b'diff') else 'EINVAL'), words in ANSWERS
    if kind == READ:
        return NOW.get(words[0], 'ENOENT'), False
    if kind == GET_PERMS:
        return b'n0\0' if words[0] in NOW else 'ENOENT', False
    if kind == DIRECTORY:
        below = [p for p in NOW if p.rsplit(b'/', 1)[0] == words[0]]
        return b''.join(p.rsplit(b'/', 1)[1] + b'\0' for p in below) if words[0] in NOW else 'ENOENT', False
    if kind == START:
        return b'1\0', False
    with open(sys.argv[2], 'ab') as log:
        log.write(b'%d %s\n' % (kind, body.replace(b'\0', b' ').strip()))
    return b'OK\0', False

def serve(conn):
    def get(n):
        data = b''
        while len(data) < n:
            part = conn.recv(n - len(data))
            if not part:
                raise EOFError
            data += part
        return data
    while True:
        kind, req, tx, n = struct.unpack('<IIII', get(16))
        reply, stream = answer(kind, get(n))
        if isinstance(reply, str):
            kind, reply, stream = ERROR, reply.encode() + b'\0', False
        # parts that end in the middle of a record, too
        parts = [reply[i:i + 50] for i in range(0, len(reply), 50)] + [b''] if stream else [reply]
        for part in parts:
            conn.sendall(struct.pack('<IIII', kind, req, tx, len(part)) + part)

listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1] + ".new")
listener.listen(5)
os.rename(sys.argv[1] + ".new", sys.argv[1])  # who sees it is not refused
while True:
    conn, _ = listener.accept()
    try:
        serve(conn)
    except (EOFError, ConnectionError):
        conn.close()
