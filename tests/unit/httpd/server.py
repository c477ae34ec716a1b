#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""server.py XENSTORED XS XS-HTTPD - the store by HTTP against a real daemon: documents and their tags, transactions,
history, events that go on over a killed store, and whoever sends what no browser sends."""
import itertools
import json
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from kit import Client, World, until  # noqa: E402

PROGRAMS = sys.argv[1:4]
TOKEN = "0123456789abcdef0123456789abcdef"


class Base(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World(*PROGRAMS)
        cls.server = cls.world.serve()
        cls.places = itertools.count()

    @classmethod
    def tearDownClass(cls):
        try:
            status, said = cls.world.stop(cls.server)
        finally:
            cls.world.end()
        assert (status, said) == (0, ""), (status, said)

    def setUp(self):
        self.client = Client(self.server.address)
        self.addCleanup(self.client.close)
        self.place = f"/t{next(self.places)}"
        self.url = "/v1/tree" + self.place

    def refused(self, answer, status, where=None):
        """An error has its status, and says what, where, and what helps."""
        self.assertEqual(answer.status, status, answer.body)
        said = answer.json()
        self.assertTrue(said["error"], said)
        self.assertTrue(said["cure"], said)
        if where:
            self.assertIn(where, said["where"])
        return said


class Documents(Base):
    def test_a_document_comes_back_as_it_went_in(self):
        text = b'{\n  "empty": {},\n  "f": 1.10,\n  "list": [\n    1,\n    "a b"\n  ],\n  "no": null,\n  "yes": true\n}\n'
        self.assertEqual(self.client.ask("PUT", self.url, text).status, 201)
        self.assertEqual(self.client.ask("GET", self.url).body, text)

    def test_put_replaces_and_patch_merges(self):
        self.client.ask("PUT", self.url, {"a": {"x": 1, "y": [1, 2, 3]}, "b": 2})
        self.assertEqual(self.client.ask("PATCH", self.url, {"a": {"x": None, "y": [9]}, "c": 3}).json(), {"changes": 5})
        self.assertEqual(self.client.ask("GET", self.url).json(), {"a": {"y": [9]}, "b": 2, "c": 3})
        self.assertEqual(self.client.ask("PUT", self.url, {"c": "new"}).status, 200)
        self.assertEqual(self.client.ask("GET", self.url).json(), {"c": "new"})

    def test_delete_takes_all_of_it_and_says_when_there_is_nothing(self):
        self.client.ask("PUT", self.url, {"a": {"b": 1}})
        self.assertEqual(self.client.ask("DELETE", self.url).status, 204)
        self.refused(self.client.ask("GET", self.url), 404, self.place)
        self.refused(self.client.ask("DELETE", self.url), 404, self.place)

    def test_names_and_long_values_of_all_kinds(self):
        self.client.ask("PUT", self.url + "/host%20name/a.b", "x" * 10000)
        self.assertEqual(self.client.ask("GET", self.url).json(), {"host name": {"a.b": "x" * 10000}})
        self.assertEqual(self.world.xs("read", self.place + "/host name/a.b"), "x" * 10000 + "\n")

    def test_depth_nodes_and_permissions(self):
        self.client.ask("PUT", self.url, {"a": {"b": {"c": 1}}})
        self.assertEqual(self.client.ask("GET", self.url + "?depth=1").json(), {"a": ""})
        nodes = self.client.ask("GET", self.url + "?nodes").json()
        self.assertEqual([n["path"][len(self.place):] for n in nodes], ["", "/a", "/a/b", "/a/b/c"])
        self.assertEqual(nodes[-1]["kind"], "number")
        self.assertEqual(self.client.ask("GET", self.url + "?perms").json()["@perms"], ["n0"])

    def test_a_tag_spares_the_document_and_a_partial_one_is_weak(self):
        tag = self.client.ask("PUT", self.url, {"a": 1}).fields["etag"]
        got = self.client.ask("GET", self.url, if_none_match=f'"other", {tag}')
        self.assertEqual((got.status, got.body, got.fields["etag"]), (304, b"", tag))
        self.assertEqual(self.client.ask("GET", self.url, if_none_match='"other"').status, 200)
        weak = self.client.ask("GET", self.url + "?depth=1").fields["etag"]
        self.assertTrue(weak.startswith("W/"))
        self.refused(self.client.ask("PUT", self.url, {"a": 2}, if_match=weak), 412)
        self.assertEqual(self.client.ask("HEAD", self.url).fields["content-length"], "13")

    def test_a_change_under_an_old_tag_is_refused(self):
        tag = self.client.ask("PUT", self.url, {"a": 1}).fields["etag"]
        self.world.xs("write", self.place + "/a", "2")
        for method, body in ("PUT", {"a": 3}), ("PATCH", {"a": 3}), ("DELETE", None):
            self.refused(self.client.ask(method, self.url, body, if_match=tag), 412, self.place)
        self.assertEqual(self.client.ask("GET", self.url).json(), {"a": 2})
        self.refused(self.client.ask("PUT", self.url, {}, if_none_match="*"), 412)
        self.refused(self.client.ask("PUT", self.url + "/new", {}, if_match="*"), 412)
        tag = self.client.ask("GET", self.url).fields["etag"]
        self.assertEqual(self.client.ask("DELETE", self.url, if_match=tag).status, 204)
        self.assertEqual(self.client.ask("PUT", self.url, {}, if_none_match="*").status, 201)

    def test_many_writers_lose_no_step(self):
        self.client.ask("PUT", self.url, 0)
        refused = []

        def count():
            client = Client(self.server.address)
            for _ in range(10):
                while True:
                    now = client.ask("GET", self.url)
                    done = client.ask("PUT", self.url, now.json() + 1, if_match=now.fields["etag"])
                    if done.status == 200:
                        break
                    refused.append(done.status)
            client.close()

        threads = [threading.Thread(target=count) for _ in range(4)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(self.client.ask("GET", self.url).json(), 40)
        self.assertLessEqual(set(refused), {412, 409})

    def test_a_bad_document_is_refused_by_line_and_column_and_changes_nothing(self):
        self.client.ask("PUT", self.url, {"a": 1})
        for text, where in ((b'{\n "a": }', "body:2:7"), (b'{"a": 1, "a": 2}', "body:1:"), (b"", "body:1:1"),
                            (b'{"a": 1} x', "body:1:10"), (b"[" * 5000, "body:1:"), (b'{"a": "\xff"}', "body:1:")):
            self.refused(self.client.ask("PUT", self.url, text), 400, where)
        said = self.refused(self.client.ask("PATCH", self.url, b'{"@wire:..": 1,\n "x": {"@perms": 7}}'), 400, "body:1:")
        self.assertEqual(len(said["problems"]), 2)
        # a message cuts what it names, in the middle of a character
        self.refused(self.client.ask("PUT", "/v1/tree/config/domain/x", {"memory": "x" + "é" * 40}), 400, "body:1:12")
        self.refused(self.client.ask("PUT", self.url, [0] * 70000), 413)
        self.assertEqual(self.client.ask("GET", self.url).json(), {"a": 1})

    def test_what_a_schema_of_ones_own_does_not_allow_is_not_written(self):
        schema, top = self.world.dir / "port.json", self.place[1:]
        schema.write_text('{"type": "object", "properties": {"port": {"type": "integer", "minimum": 1}}}')
        self.client.ask("PUT", self.url, {"port": 0})
        old = self.client.ask("GET", f"/v1/history{self.place}/port?n=1").json()[0]["revision"]
        self.client.ask("PUT", self.url, {"port": 80})
        self.world.xs("schema", "add", "--at", self.place, "--name", top, schema)
        self.addCleanup(self.world.xs, "schema", "rm", top)
        for how, url, body in (("PUT", self.url, {"port": 0}), ("PATCH", self.url, {"port": "81"}), ("PUT", self.url + "/port", 0.5),
                               ("POST", "/v1/txn", {"if": {}, "then": {top: {"port": 0}}})):
            said = self.refused(self.client.ask(how, url, body), 400, "body:1:")
            self.assertIn(f"of schema {top}", said["error"])
        said = self.refused(self.client.ask("POST", "/v1/rollback", {"revision": old, "path": self.place}), 400, self.place + "/port")
        self.assertIn(f"minimum of schema {top}", said["error"])
        self.assertEqual(self.client.ask("GET", self.url).json(), {"port": 80})
        self.assertEqual(self.client.ask("PATCH", self.url, {"port": 1}).status, 200)

    def test_what_a_schema_of_ones_own_wants_to_be_there_stays(self):
        schema, top = self.world.dir / "both.json", self.place[1:]
        schema.write_text('{"type": "object", "required": ["port", "mode"], "properties": {"port": {"type": "integer"}}}')
        self.client.ask("PUT", self.url, {"port": 80})
        old = self.client.ask("GET", f"/v1/history{self.place}/port?n=1").json()[0]["revision"]
        self.client.ask("PUT", self.url, {"port": 80, "mode": "fast"})
        self.world.xs("schema", "add", "--at", self.place, "--name", top, schema)
        self.addCleanup(self.world.xs, "schema", "rm", top)
        missing = f"mode has to be here (required of schema {top})"
        for how, url, body in (("PUT", self.url, {"port": 1}), ("PATCH", self.url, {"mode": None}),
                               ("POST", "/v1/txn", {"if": {}, "then": {top: {"mode": None}}})):
            said = self.refused(self.client.ask(how, url, body), 400, "body:1:")
            self.assertIn(missing, said["error"])
        self.assertEqual(self.refused(self.client.ask("DELETE", self.url + "/mode"), 400, self.place)["error"], missing)
        said = self.refused(self.client.ask("POST", "/v1/rollback", {"revision": old, "path": self.place}), 400, self.place)
        self.assertIn(missing, said["error"])
        self.assertEqual(self.client.ask("GET", self.url).json(), {"port": 80, "mode": "fast"})
        self.assertEqual(self.client.ask("PATCH", self.url, {"port": 1}).status, 200)
        self.assertEqual(self.client.ask("DELETE", self.url).status, 204)

    def test_no_document_reaches_out_of_its_place(self):
        self.world.xs("write", self.place + "/victim", "x")
        outside = self.place + "/victim"
        for body in ({"path": outside, "value": "y"}, {"@roots": ["/"], "a": 1}, {"@set": "s", "a": 1},
                     {"@wire:../victim": "y"}, {"../victim": "y"}, {"..": {"victim": "y"}}):
            self.client.ask("PUT", self.url + "/own", body)
            self.client.ask("PATCH", self.url + "/own", body)
        self.assertEqual(self.world.xs("read", outside), "x\n")
        self.refused(self.client.ask("PUT", "/v1/tree/", {}), 400)
        self.refused(self.client.ask("DELETE", "/v1/tree"), 400)

    def test_transaction(self):
        top = self.place[1:]
        self.client.ask("PUT", self.url, {"owner": "a"})
        wish = {"if": {top: {"owner": "a"}}, "then": {top: {"owner": "b"}}, "else": {top: {"late": 1}}}
        self.assertTrue(self.client.ask("POST", "/v1/txn", wish).json()["condition"])
        self.assertFalse(self.client.ask("POST", "/v1/txn", wish).json()["condition"])
        self.assertEqual(self.client.ask("GET", self.url).json(), {"late": 1, "owner": "b"})
        self.refused(self.client.ask("POST", "/v1/txn", {"iff": {}}), 400, "body:1:")

    def test_a_transaction_is_no_larger_than_a_document(self):
        self.refused(self.client.ask("POST", "/v1/txn", {"if": {}, "then": {self.place[1:]: [0] * 70000}}), 413)
        self.refused(self.client.ask("GET", self.url), 404)

    def test_the_past_is_told_and_brought_back(self):
        self.client.ask("PUT", self.url, {"limit": 600})
        self.client.ask("PUT", self.url, {"limit": 6})
        log = self.client.ask("GET", f"/v1/history{self.place}?n=2").json()
        self.assertEqual({row["value"] for row in log if row["path"].endswith("limit")}, {"600", "6"})
        good = min(row["revision"] for row in log)
        self.assertEqual(self.client.ask("GET", f"{self.url}?at={good}").json(), {"limit": 600})
        self.assertEqual(self.client.ask("GET", f"/v1/diff{self.place}?from={good}").json(),
                         [{"path": self.place + "/limit", "was": "600", "is": "6"}])
        wish = {"revision": good, "path": self.place}
        self.assertEqual(self.client.ask("POST", "/v1/rollback", {**wish, "dry_run": True}).json(),
                         [{"path": self.place + "/limit", "value": "600"}])
        self.assertEqual(self.client.ask("GET", self.url).json(), {"limit": 6})
        self.client.ask("POST", "/v1/rollback", wish)
        self.assertEqual(self.client.ask("GET", self.url).json(), {"limit": 600})
        for bad in ({}, [], {"revision": 0, "path": "/"}, {"revision": 1, "path": "web:x"}, {"revision": 1, "path": "/a\0b"},
                    b'{"revision": 1, "path": "/a"} x', {**wish, "dryrun": 1},
                    {"revision": 1, "path": "/" + "a" * 4000}):
            self.refused(self.client.ask("POST", "/v1/rollback", bad), 400)
        # what the daemon does not understand once it is asked again afterwards
        self.refused(self.client.ask("POST", "/v1/rollback", {"revision": 10 ** 18, "path": self.place}), 400)
        self.assertEqual(len(self.client.ask("GET", f"/v1/history{self.place}?n=1").json()), 1)
        self.assertEqual(self.client.ask("GET", "/v1/diff/no/such?from=1").json(), [])

    def pages(self, target):
        """All that is told of the past there, in the pieces in which it comes."""
        rows = []
        while target:
            answer = self.client.ask("GET", target)
            self.assertEqual(answer.status, 200)
            self.assertLessEqual(len(answer.body), 1000000)
            rows.append(answer.json())
            link = answer.fields.get("link")
            target = link and target.split("?")[0] + link.removeprefix("<").removesuffix('>; rel="next"')
        return rows

    def test_much_that_was_is_told_in_pieces(self):
        # revisions that are more than a piece and others that are less; all is more than one answer of the store
        wide, plain = "\"" * 4000, "x" * 4000
        self.client.ask("PUT", self.url, {"first": 1})
        self.client.ask("PUT", self.url, {f"w{i}": wide for i in range(60)})
        for n in range(4):
            document = {f"p{i}": f"{n}{plain}" for i in range(330)}
            # 507: the disk has no room ready for that much at once
            until(lambda: self.client.ask("PUT", self.url, document).status == 200, "room on the disk")
        for n in range(3):
            self.client.ask("PUT", self.url + "/w", n)
        pages = self.pages(f"/v1/history{self.place}")
        rows = [row for page in pages for row in page]
        self.assertEqual(len({(row["revision"], row["path"]) for row in rows}), len(rows))
        self.assertEqual([row["revision"] for row in rows], sorted((row["revision"] for row in rows), reverse=True))
        self.assertEqual(sum(row["value"] == wide for row in rows), 60)
        self.assertEqual(sum((row["value"] or "").endswith(plain) for row in rows), 4 * 330)
        self.assertEqual(rows[-1]["path"], self.place)
        # what fits is told whole: the newest ones in one piece
        self.assertEqual([row["value"] for row in pages[0][:3]], ["2", "1", "0"])
        two = self.pages(f"/v1/history{self.place}?n=2")
        self.assertEqual([row["value"] for row in two[0]], ["2", "1"])
        self.assertEqual([row for page in two for row in page], rows)
        self.assertEqual(self.client.ask("GET", f"/v1/history{self.place}?n=0").json(), [])
        for bad in ("x", "-1", "1.", ".1", "1.2.3", "1.x", "9" * 20, ""):
            self.refused(self.client.ask("GET", f"/v1/history{self.place}?before={bad}"), 400, "before")
        log = self.world.xs("log", "-j", self.place)
        self.assertEqual([row["path"] for row in json.loads(log)], [row["path"] for row in rows])

    def test_the_past_is_told_as_often_as_it_is_asked_for(self):
        self.client.ask("PUT", self.url, 1)
        for _ in range(130):  # more than the store's file has places for readers
            self.assertEqual(self.client.ask("GET", f"/v1/history{self.place}").status, 200)
        self.assertEqual(self.client.ask("PUT", self.url, 2).status, 200)

    def test_a_question_that_is_refused_takes_nothing_from_the_next(self):
        self.client.ask("PUT", self.url, 1)
        for method, target, body in (("GET", self.url + "?at=18446744073709551614", None),
                                     ("GET", f"/v1/diff{self.place}?from=18446744073709551614", None),
                                     ("POST", "/v1/rollback", b'{"revision": 99999999999999999999, "path": "/"}')):
            self.client.ask(method, target, body)
            self.assertEqual(self.client.ask("GET", f"/v1/history{self.place}?n=1").status, 200, target)

    def test_metrics_and_watches(self):
        self.assertIn(b"xenstored_nodes ", self.client.ask("GET", "/metrics").body)
        self.assertIn({"connection", "domid", "feed", "path"}, [set(w) for w in self.client.ask("GET", "/v1/watches").json()])


class Hostile(Base):
    def test_what_is_no_request(self):
        host = b"Host: localhost\r\n"
        rows = [
            (b"GARBAGE\r\n\r\n", 400), (b"GET / HTTP/1.1\r\n\r\n", 400), (b"GET / HTTP/3.0\r\n" + host + b"\r\n", 505),
            (b"BREW / HTTP/1.1\r\n" + host + b"\r\n", 501), (b"TRACE / HTTP/1.1\r\n" + host + b"\r\n", 501),
            (b"OPTIONS /v1/tree/ HTTP/1.1\r\n" + host + b"\r\n", 405), (b"POST /v1/tree/ HTTP/1.1\r\n" + host + b"Content-Length: 0\r\n\r\n", 405),
            (b"GET http://localhost/ HTTP/1.1\r\n" + host + b"\r\n", 400), (b"GET /nothing HTTP/1.1\r\n" + host + b"\r\n", 404),
            (b"GET /../etc/passwd HTTP/1.1\r\n" + host + b"\r\n", 404), (b"GET /%2e%2e/etc/passwd HTTP/1.1\r\n" + host + b"\r\n", 404),
            (b"GET /v1/tree/%zz HTTP/1.1\r\n" + host + b"\r\n", 400), (b"GET /v1/tree/a%00b HTTP/1.1\r\n" + host + b"\r\n", 400),
            (b"GET /v1/tree/a//b HTTP/1.1\r\n" + host + b"\r\n", 400), (b"GET /v1/tree/* HTTP/1.1\r\n" + host + b"\r\n", 400),
            (b"GET /v1/tree/" + b"a" * 4000 + b" HTTP/1.1\r\n" + host + b"\r\n", 400),
            (b"GET /v1/tree/?depth=-1 HTTP/1.1\r\n" + host + b"\r\n", 400), (b"GET /v1/tree/?at=99999999999999999999 HTTP/1.1\r\n" + host + b"\r\n", 400),
            (b"GET / HTTP/1.1\r\n" + host + host + b"\r\n", 400), (b"GET / HTTP/1.1\r\n" + host + b" folded: x\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\nHost : localhost\r\n\r\n", 400), (b"GET / HTTP/1.1\r\n" + host + b"A: \x01\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\n" + host + b"A: \x00\r\n\r\n", 400), (b"GET / HTTP/1.1\r\n" + host + b"A: 1\n\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\n" + host + b"X: y\r\n" * 65 + b"\r\n", 431), (b"GET / HTTP/1.1\r\n" + host + b"X: " + b"y" * 17000, 431),
            (b"PUT /v1/tree/a HTTP/1.1\r\n" + host + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411),
            (b"PUT /v1/tree/a HTTP/1.1\r\n" + host + b"\r\n", 411),
            (b"PUT /v1/tree/a HTTP/1.1\r\n" + host + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
            (b"PUT /v1/tree/a HTTP/1.1\r\n" + host + b"Content-Length: -1\r\n\r\n", 400),
            (b"PUT /v1/tree/a HTTP/1.1\r\n" + host + b"Content-Length: 99999999999999999999\r\n\r\n", 413),
            (b"PUT /v1/tree/a HTTP/1.1\r\n" + host + b"Content-Length: 5000000\r\n\r\n" + b"x" * 100000, 413),
            (b"PUT /v1/tree/a HTTP/1.1\r\n" + host + b"Content-Length: 2\r\n\r\n{}", 415),
            (b"PUT /v1/tree/a HTTP/1.1\r\n" + host + b"Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}", 415),
            (b"GET / HTTP/1.1\r\n" + host + b"Expect: miracles\r\n\r\n", 417),
            (b"GET /v1/tree/ HTTP/1.1\r\n" + host + b"Origin: http://evil.example\r\n\r\n", 403),
            (b"GET /v1/tree/ HTTP/1.1\r\nHost: evil.example:8080\r\n\r\n", 421),
            (b"GET /v1/tree/ HTTP/1.1\r\n" + host + b"Origin: null\r\n\r\n", 403),
            (b"GET /v1/tree/ HTTP/1.1\r\n" + host + b"Sec-Fetch-Site: cross-site\r\n\r\n", 403),
        ]
        for data, status in rows:
            client = Client(self.server.address)
            answer = client.raw(data)
            self.assertEqual(answer.status, status, (data[:80], answer.body))
            self.refused(answer, status)
            self.assertIn("default-src 'none'", answer.fields["content-security-policy"])
            client.close()
        self.assertEqual(self.client.ask("GET", "/v1/tree/?depth=0").status, 200)

    def test_who_may_not_do_this_is_told_what_may_be_done(self):
        answer = self.client.ask("POST", self.url, {})
        self.refused(answer, 405)
        self.assertEqual(answer.fields["allow"], "GET, HEAD, PUT, PATCH, DELETE")

    def test_close_is_seen_among_other_words(self):
        for words, stays in (("close", False), ("keep-alive, close", False), ("Close ,keep-alive", False),
                             ("keep-alive", True), ("closed", True), ("", True)):
            client = Client(self.server.address)
            answer = client.raw(f"GET /v1/tree/?depth=0 HTTP/1.1\r\nHost: localhost\r\nConnection: {words}\r\n\r\n".encode())
            self.assertEqual((answer.status, answer.fields["connection"]), (200, "keep-alive" if stays else "close"), words)
            client.close()

    def test_requests_in_one_piece_and_in_single_bytes(self):
        two = b"GET /v1/tree/?depth=0 HTTP/1.1\r\nHost: localhost\r\n\r\n" * 2
        first = self.client.raw(two)
        self.assertEqual((first.status, self.client.raw(b"").status), (200, 200))
        for byte in two[:len(two) // 2 - 1]:
            self.client.sock.sendall(bytes([byte]))
        self.assertEqual(self.client.raw(b"\n").status, 200)

    def test_what_waits_to_be_taken_is_bounded_whatever_was_asked(self):
        for i in range(8):
            self.client.ask("PUT", f"{self.url}/{i}", "x" * 900000)
        slow = [Client(self.server.address) for _ in range(20)]
        for c in slow:
            self.addCleanup(c.close)
            c.sock.sendall(f"GET /v1/diff{self.place}?from=1 HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            c.sock.recv(1)
        self.refused(self.client.ask("GET", f"/v1/history{self.place}?n=1"), 503, "other connections")

    def test_a_body_that_ends_early_changes_nothing(self):
        client = Client(self.server.address)
        client.sock.sendall(f"PUT {self.url} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                            "Content-Length: 9\r\n\r\n{\"a\": 1".encode())
        client.close()
        self.refused(self.client.ask("GET", self.url), 404)

    def test_no_more_connections_than_allowed_and_the_next_comes_when_one_goes(self):
        world = World(*PROGRAMS)
        try:
            server = world.serve("--connections", "4")
            held = [Client(server.address) for _ in range(4)]
            for c in held:
                self.assertEqual(c.ask("GET", "/v1/tree/?depth=0").status, 200)
            late = Client(server.address)
            late.sock.sendall(b"GET /v1/tree/?depth=0 HTTP/1.1\r\nHost: localhost\r\n\r\n")
            held[0].ask("GET", "/v1/tree/?depth=0")
            descriptors = len(os.listdir(f"/proc/{server.pid}/fd"))
            held.pop().close()
            self.assertEqual(late.raw(b"").status, 200)
            self.assertEqual(len(os.listdir(f"/proc/{server.pid}/fd")), descriptors)
            for c in held + [late]:
                c.close()
            self.assertEqual(world.stop(server), (0, ""))
        finally:
            world.end()


class Access(Base):
    def token_file(self, text=TOKEN, mode=0o600):
        path = self.world.dir / f"token{next(self.places)}"
        path.write_text(text + "\n", encoding="ascii")
        path.chmod(mode)
        return str(path)

    def test_a_port_wants_the_token_and_a_name_of_this_machine(self):
        server = self.world.serve("--port", "0", "--token", self.token_file())
        client = Client(server.address)
        right = {"Authorization": f"Bearer {TOKEN}"}
        self.assertEqual(client.ask("GET", "/v1/tree/?depth=0", **right).status, 200)
        for wrong in ({}, {"Authorization": "Bearer x"}, {"Authorization": f"Basic {TOKEN}"}, {"Authorization": f"Bearer {TOKEN}x"},
                      {"Authorization": f"Bearer {TOKEN[:-1]}"}):
            answer = client.ask("GET", "/v1/tree/?depth=0", **wrong)
            self.refused(answer, 401)
            self.assertEqual(answer.fields["www-authenticate"], "Bearer")
        self.assertEqual(client.ask("GET", "/").status, 200)  # the console itself says nothing
        for host in "evil.example", "localhost.evil.example", "127.0.0.1.evil.example:80", "localhost:80x", "[::1", "":
            self.refused(client.raw(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()), 421, "Host")
        for host in "localhost", f"127.0.0.1:{server.address}", "[::1]:8080", "LOCALHOST:1":
            self.assertEqual(client.raw(f"GET / HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\n\r\n".encode()).status, 200)
        self.refused(client.raw(b"GET / HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost:1\r\n\r\n"), 403)
        # nobody without the token makes it keep a body
        got = client.raw(b"PUT /v1/tree/a HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 2000000\r\n\r\n")
        self.refused(got, 401)
        client.close()
        self.assertEqual(self.world.stop(server), (0, ""))

    def test_strangers_keep_nobody_out(self):
        server = self.world.serve("--port", "0", "--token", self.token_file(), "--connections", "4")
        right = {"Authorization": f"Bearer {TOKEN}"}

        def come(**fields):
            client = Client(server.address)
            self.addCleanup(client.close)
            return client, client.ask("GET", "/v1/tree/?depth=0", **fields).status

        for _ in range(4):
            come()
        halves = [Client(server.address) for _ in range(4)]  # who says nothing, or half of it
        for client in halves:
            self.addCleanup(client.close)
            client.sock.sendall(b"GET / HTTP/1.1\r\n")
        known = [come(**right) for _ in range(4)]
        self.assertEqual([status for _, status in known], [200] * 4)
        for client in halves:  # they made room
            try:
                self.assertEqual(client.file.read(), b"")
            except ConnectionResetError:
                pass  # before what they said was read
        late = Client(server.address)
        late.sock.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        for client, _ in known:  # and nobody who was let in did
            self.assertEqual(client.ask("GET", "/v1/tree/?depth=0", **right).status, 200)
        known[0][0].close()
        self.assertEqual(late.raw(b"").status, 200)
        late.close()
        self.assertEqual(self.world.stop(server), (0, ""))

    def test_what_it_does_not_start_with(self):
        open_to_all, short = self.token_file(mode=0o644), self.token_file("short")
        pipe = self.world.dir / "pipe"
        os.mkfifo(pipe, 0o600)
        for options, words in ((["--port", "0"], "--token"), (["--token", open_to_all], "chmod 600"), (["--token", pipe], "no file"), (["--token", short], "16"),
                               (["--port", "0", "--socket", "x", "--token", self.token_file()], "either"),
                               (["--user", "root"], "all rights"), (["--allow", "no-such-user"], "no such user"),
                               (["--port", "70000"], "number"), (["extra"], "extra")):
            if "--user" not in options:
                options = ["--user", "nobody", *options]
            if "--port" not in options:
                options += ["--socket", self.world.dir / "other"]
            done = subprocess.run([PROGRAMS[2], *options], capture_output=True, text=True, check=False, timeout=60)
            self.assertEqual(done.returncode, 2, (options, done.stderr))
            self.assertIn(words, done.stderr)
        done = subprocess.run([PROGRAMS[2], "--socket", self.world.dir / "other"], capture_output=True, text=True, check=False,
                              timeout=60)
        self.assertIn("not run as root" if os.geteuid() == 0 else "", done.stderr)

    def test_it_is_no_root_and_a_peer_is_who_the_kernel_says(self):
        with open(f"/proc/{self.server.pid}/status", encoding="ascii") as f:
            ids = [line.split()[1:] for line in f if line.startswith(("Uid:", "CapEff:"))]
        self.assertEqual(set(ids[0]), {"65534"})
        self.assertEqual(int(ids[1][0], 16), 0)

        def as_user(uid):
            os.setgroups([])
            os.seteuid(uid)
            try:
                client = Client(self.server.address)  # the kernel notes who it is
            finally:
                os.seteuid(0)
            status = client.ask("GET", "/v1/tree/?depth=0").status
            client.close()
            return status
        self.assertEqual(as_user(65534), 200)
        self.assertEqual(as_user(61001), 403)

    def test_a_store_that_lets_nobody_in_is_named_and_found_when_it_does(self):
        world = World(*PROGRAMS)
        try:
            os.chmod(world.store, 0o600)
            server = world.serve()
            client = Client(server.address)
            self.assertIn("xs-httpd", self.refused(client.ask("GET", "/v1/tree/?depth=0"), 503, world.store)["cure"])
            os.chmod(world.store, 0o666)
            until(lambda: client.ask("GET", "/v1/tree/?depth=0").status == 200, "it is found")
            client.close()
            self.assertEqual(world.stop(server), (0, ""))
        finally:
            world.end()

    def test_read_only_changes_nothing(self):
        world = World(*PROGRAMS)
        try:
            server = world.serve("--read-only")
            for method, target, status in ("PUT", "/v1/tree/a", 403), ("POST", "/v1/txn", 403), ("GET", "/v1/tree/?depth=0", 200):
                client = Client(server.address)
                answer = client.ask(method, target, {})
                self.assertEqual(answer.status, status)
                client.close()
            self.assertEqual(world.stop(server), (0, ""))
        finally:
            world.end()

    def test_a_person_who_may_only_read_reads_and_is_told_of_changes(self):
        world = World(*PROGRAMS)
        try:
            world.xs("access", "nobody", "read")
            world.xs("write", "/a/b", "1")
            server = world.serve()
            client, stream = Client(server.address), Client(server.address)
            self.assertEqual(client.ask("GET", "/v1/tree/a").json(), {"b": "1"})
            self.refused(client.ask("PUT", "/v1/tree/a/b", 2), 403)
            self.refused(client.ask("GET", "/metrics"), 403)
            stream.sock.sendall(b"GET /v1/events/a HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.assertEqual(stream.head()[0], 200)
            world.xs("write", "/a/b", "2")
            while (event := stream.event())[0] != "change":
                pass
            self.assertEqual(event[1], {"path": "/a/b", "value": "2"})
            client.close()
            stream.close()
            self.assertEqual(world.stop(server), (0, ""))
        finally:
            world.end()


class Events(Base):
    def stream(self, path, last=None):
        client = Client(self.server.address)
        self.addCleanup(client.close)
        last = f"Last-Event-ID: {last}\r\n" if last else ""
        client.sock.sendall(f"GET /v1/events{path} HTTP/1.1\r\nHost: localhost\r\n{last}\r\n".encode())
        status, fields = client.head()
        self.assertEqual((status, fields["content-type"]), (200, "text/event-stream"))
        return client

    def test_changes_below_the_path_are_told_in_order_and_no_others(self):
        stream = self.stream(self.place)
        self.assertEqual(stream.event()[0], "begin")
        self.client.ask("PUT", self.url, {})
        self.assertEqual(stream.event()[1]["path"], self.place)
        for i in range(5):
            self.world.xs("write", "/elsewhere", str(i))
            self.world.xs("write", self.place + "/k", str(i))
        self.assertEqual([stream.event()[1]["value"] for _ in range(5)], list("01234"))
        self.world.xs("write", self.place + "/line", "a\nevent: forged\r\ndata: {}\n\n")
        name, data, _ = stream.event()
        self.assertEqual((name, data["value"]), ("change", "a\nevent: forged\r\ndata: {}\n\n"))
        self.world.xs("rm", self.place)
        self.assertEqual(stream.event()[1], {"by": 0, "gone": True, "path": self.place})

    def test_a_reader_goes_on_where_it_was_over_a_killed_store(self):
        stream = self.stream("/")
        _, _, place = stream.event()
        stream.close()
        self.client.ask("PUT", self.url, 1)
        watching = self.stream(self.place)
        watching.event()
        self.world.kill_store()
        self.assertEqual(watching.event()[0], "away")
        self.refused(self.client.ask("GET", self.url), 503)
        self.world.start_store()
        os.kill(self.server.pid, signal.SIGSTOP)  # it comes late: somebody else was faster
        self.world.xs("write", self.place, "between")
        os.kill(self.server.pid, signal.SIGCONT)
        while (event := watching.event())[0] != "back":
            pass
        until(lambda: self.client.ask("GET", self.url).status == 200, "the store is back")
        self.client.ask("PUT", self.url, 2)
        again = self.stream(self.place, place)
        for stream, wanted in (again, ["1", "between", "2"]), (watching, ["between", "2"]):
            seen = []
            while len(seen) < len(wanted):
                name, data, _ = stream.event()
                self.assertEqual(name, "change")
                seen.append(data.get("value"))
            self.assertEqual(seen, wanted)

    def test_a_store_that_is_stopped_stops_nobody_else(self):
        self.client.ask("PUT", self.url, 1)
        os.kill(self.world.daemon.pid, signal.SIGSTOP)
        try:
            self.refused(self.client.ask("GET", self.url), 503)
            begin = time.monotonic()
            self.refused(self.client.ask("GET", self.url), 503)
            self.assertLess(time.monotonic() - begin, 4)  # the first one has told
        finally:
            os.kill(self.world.daemon.pid, signal.SIGCONT)
        until(lambda: self.client.ask("GET", self.url).status == 200, "the store goes on")

    def test_a_place_that_is_not_known_is_said_to_be_lost(self):
        _, _, place = self.stream("/").event()
        epoch, number = place.split(".")
        for bad in "1", "x", f"{epoch}.", f"{epoch}.x", f"{epoch}.{int(number) + 1000}", f"{epoch}.-1", "0" * 16 + ".1", "." * 40:
            name, data, fresh = self.stream("/", bad).event()
            self.assertEqual((name, set(data)), ("lost", {"cure", "error", "where"}))
            self.assertTrue(fresh.startswith(epoch))

    def test_a_reader_that_does_not_read_costs_little_and_is_told_what_it_missed(self):
        stream = self.stream(self.place)
        stream.event()
        self.client.ask("PUT", self.url, {})
        before = self.memory()
        for turn in range(45):  # more than are remembered
            self.assertEqual(self.client.ask("PATCH", self.url, {f"n{i}": f"{turn}" + "v" * 2000 for i in range(200)}).status, 200)
        self.assertEqual(self.client.ask("GET", "/v1/tree/?depth=0").status, 200)
        self.assertLess(self.memory() - before, 100 << 20)
        names = []
        while (event := stream.event()) and event[1].get("path") != self.place + "/end":
            if not names or names[-1] != event[0]:
                names.append(event[0])
            if event[0] == "lost":
                self.world.xs("write", self.place + "/end", "1")
        self.assertEqual(names[:2], ["change", "lost"])

    def memory(self):
        with open(f"/proc/{self.server.pid}/statm", encoding="ascii") as f:
            return int(f.read().split()[1]) * 4096


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[4:], verbosity=1)
