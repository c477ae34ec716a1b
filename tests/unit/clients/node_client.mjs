// SPDX-License-Identifier: MIT
// node_client.mjs XENSTORED XS WHICH [START SHIM] - the Node client against a daemon of its own: ours, or Debian's c or ox
// (tests/bench/peers/start). In between is a line that the test can cut.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  connect, Conflict, ConnectionLost, decodeName, encodeName, joinNames, NotFound, OutcomeUnknown, StoreError,
} from "../../../clients/node/src/index.js";
import * as longValue from "../../../clients/node/src/long_value.js";
import { Nodes } from "../../../clients/node/src/nodes.js";
import { Daemon, errorOf, inTime, Line, random, randomBytes, run, tool, TOP, until, VECTORS, WAIT_MS } from "./kit.mjs";

const [xenstored, xsProgram, which, start, shim] = process.argv.slice(2);
const daemon = new Daemon({ xenstored, which, start, shim });
if (!(await daemon.start())) {
  console.log("1..0 # SKIP that daemon is not installed");
  process.exit(0);
}
const OURS = daemon.isOurs;
const line = new Line(daemon);
await line.listen();
const xs = tool(xsProgram, daemon.socket);
const DOC = { ...VECTORS.document, long: "z".repeat(9000) };
let store;

/** Each claim has a store of its own, and /t empty. */
async function each(body) {
  line.held = false;
  store = await connect({ socket: line.path, patience: WAIT_MS });
  try {
    if (await store.exists("/t")) await store.rm("/t");
    await store.mkdir("/t");
    await body();
  } finally {
    line.held = false;
    await store.close();
  }
}

/** What became of @what, whose answers were lost with the connection; @so: that they are on their way. */
async function lose(what, so, { held = true } = {}) {
  line.held = held;
  line.dropped = 0;
  const lost = what().then(() => undefined, (error) => error);
  await until(so);
  if (OURS) { // a socket that is closed is a client that left: only a daemon that died is asked what became of it
    await daemon.kill();
    line.held = false;
    await daemon.start();
  }
  line.held = false;
  if (!OURS) line.cut();
  return inTime(lost, "an end of what was lost");
}

async function increment(to) {
  await to.transaction(async (t) => t.write("/t/n", String(Number(await t.readText("/t/n")) + 1)));
}

const nodes = {
  async "a value of any bytes comes back"() {
    const values = [[], [0x31], Array.from({ length: 256 }, (_, i) => i), "ü", Buffer.alloc(2040, "x")];
    if (OURS) values.push(Buffer.alloc(4087, "x"));
    for (const value of values.map((v) => (typeof v === "string" ? v : Buffer.from(v)))) {
      await store.write("/t/v", value);
      assert.deepEqual(await store.read("/t/v"), Buffer.from(value));
    }
    await store.write("/t/v", "\ufeffü");
    assert.equal(await store.readText("/t/v"), "\ufeffü");
    await store.write("/t/v", Buffer.from([0xff]));
    await assert.rejects(store.readText("/t/v"), TypeError);
  },

  async "errors have the store's name and the path"() {
    await assert.rejects(store.read("/t/nothing"), {
      name: "NotFound", code: "ENOENT", errno: -2, path: "/t/nothing", message: "ENOENT: no such node: /t/nothing",
    });
    for (const what of [store.rm("/t/nothing"), store.list("/t/nothing"), store.perms("/t/nothing")])
      await assert.rejects(what, NotFound);
    await assert.rejects(store.write("/t/a b", "1"), { code: "EINVAL" });
    for (const path of ["/t/a\0b", "/t/\ud800", undefined, 5]) await assert.rejects(store.read(path), TypeError);
    for (const value of [undefined, null, 5, {}, "\ud800"]) await assert.rejects(store.write("/t/v", value), TypeError);
  },

  async "children are listed sorted, however many"() {
    const names = Array.from({ length: 300 }, (_, i) => `${String(i).padStart(4, "0")}-a-rather-long-name`);
    await store.transaction((t) => Promise.all(names.map((n) => t.write(`/t/d/${n}`, ""))));
    if (which === "ox") { // it hangs up on who asks for more than a message of names
      await assert.rejects(store.list("/t/d"), ConnectionLost);
      return;
    }
    assert.deepEqual(await store.list("/t/d"), names);
    assert.deepEqual(await store.list(`/t/d/${names[0]}`), []);
  },

  async "removal takes all below"() {
    await store.write("/t/a/b/c", "1");
    await store.rm("/t/a");
    assert.equal(await store.exists("/t/a/b/c"), false);
  },

  async "permissions are those that were set"() {
    const perms = OURS ? ["n0", "r1"] : ["r0"];
    await store.write("/t/p", "1");
    await store.setPerms("/t/p", perms);
    assert.deepEqual(await store.perms("/t/p"), perms);
  },

  async "who aborts does not wait"() {
    const reason = new Error("mine");
    await assert.rejects(store.read("/t", { signal: AbortSignal.abort(reason) }), reason);
    const control = new AbortController();
    line.held = true;
    const reading = store.read("/t", { signal: control.signal });
    await until(() => line.dropped > 0);
    control.abort(reason);
    await assert.rejects(reading, reason);
    line.held = false;
    line.cut();
    assert.deepEqual(await store.read("/t"), Buffer.alloc(0));
    const transaction = store.transaction(async (t) => {
      await t.write("/t/x", "1");
      await t.importDocument({ a: 1 }, "/t/y", { signal: AbortSignal.abort(reason) });
    });
    await assert.rejects(transaction, reason);
    assert.deepEqual(await store.list("/t"), []);
  },
};

const longValues = {
  async "long values come back at, below and past the limits"() {
    for (const size of [2049, 4090, 4091, 9000, longValue.VALUE_MAX]) {
      const value = randomBytes(size, size);
      await store.write("/t/v", value);
      assert.deepEqual(await store.read("/t/v"), value);
      assert.deepEqual((await store.tree("/t")).children.get("v").value, value);
    }
    await assert.rejects(store.write("/t/v", Buffer.alloc(longValue.VALUE_MAX + 1)), RangeError);
    for (const short of ["short", "@long:5:1:00000000"]) {
      await store.write("/t/v", short);
      assert.deepEqual([await store.readText("/t/v"), await store.list("/t/v")], [short, []]);
    }
  },

  async "anybody's mark costs no more requests than it has parts"() {
    const marks = [["@long:1048576:1048576:00000000", "", 1], ["@long:1048576:525:00000000", "", 3],
      ["@long:1048576:525:00000000", "1".repeat(2000), 50]];
    for (const [mark, first, most] of marks) {
      let asked = 0;
      class Plain extends Nodes {
        async _ask(_, __, path) {
          asked += 1;
          if (path === "/t/v") return Buffer.from(mark);
          if (path === "/t/v/@ff0" && first) return Buffer.from(first);
          throw new NotFound("ENOENT", { path });
        }

        _atOnce(what) {
          return what(this);
        }
      }
      assert.equal(await new Plain().readText("/t/v"), mark);
      assert.ok(asked <= most, `${asked} requests for ${mark}`);
    }
  },

  async "no part stays of a long value that was written over"() {
    await store.write("/t/v", "1".repeat(12000));
    xs(["/t/v", "plain"], { name: "xenstore-write" });
    await store.write("/t/v", "2".repeat(9000));
    const parts = xs(["/t/v"], { name: "xenstore-list" }).toString().split("\n").filter(Boolean).sort();
    assert.deepEqual(parts, [0, 1, 2, 3, 4].map((i) => `@ff${i}`));
    assert.equal(await store.readText("/t/v"), "2".repeat(9000));
  },

  async "xs and we mean the same by long values"() {
    const value = randomBytes(1, 9000);
    await store.write("/t/ours", value);
    assert.deepEqual(xs(["read", "--raw", "/t/ours"]), value);
    xs(["write", "--stdin", "/t/xs"], { input: value });
    assert.deepEqual(await store.read("/t/xs"), value);
    for (const [text, crc] of Object.entries(VECTORS.crc32c))
      assert.equal(longValue.crc32c(Buffer.from(text)), parseInt(crc, 16));
  },
};

const names = {
  async "every name comes back"() {
    const below = random(17);
    const letters = [..."a1@2e40.ü/ \u{1f600}-_"];
    for (let i = 0; i < 20000; i++) {
      const name = Array.from({ length: below(8) }, () => letters[below(letters.length)]).join("");
      assert.match(encodeName(name), /^[A-Za-z0-9_@-]+$/);
      assert.equal(decodeName(encodeName(name)), name);
    }
    for (const wrong of ["a\0", "\udc00", undefined]) assert.throws(() => encodeName(wrong), TypeError);
  },

  async "every name of the store that is text comes back"() {
    const below = random(18);
    for (let i = 0; i < 20000; i++) {
      const name = Array.from({ length: 1 + below(8) }, () => "a@2e4f0c3b"[below(10)]).join("");
      const text = decodeName(name);
      if (text !== undefined) assert.equal(encodeName(text), name);
    }
  },

  async "names are those of the other clients"() {
    for (const [name, encoded] of Object.entries(VECTORS.names))
      assert.deepEqual([encodeName(name), decodeName(encoded)], [encoded, name]);
    for (const name of VECTORS["no text"]) assert.equal(decodeName(name), undefined);
    assert.equal(joinNames(...VECTORS.path.names), VECTORS.path.is);
  },
};

const documents = {
  async "a document comes back"() {
    await store.importDocument(DOC, "/t/doc");
    const found = await store.exportDocument("/t/doc");
    if (OURS) assert.deepEqual(found, DOC);
    else // what a value was in JSON is kept by ours only
      for (const [key, value] of Object.entries(VECTORS["document without kinds"])) assert.deepEqual(found[key], value);
    assert.equal(found.long, DOC.long);
    assert.equal({}.polluted, undefined);
  },

  async "xs and we mean the same by documents"() {
    await store.importDocument(DOC, "/t/doc");
    const ours = await store.exportDocument("/t");
    assert.deepEqual(JSON.parse(xs(["export", "--relative", "/t"])), ours);
    await store.rm("/t");
    xs(["import", "-"], { input: JSON.stringify({ t: ours }) });
    assert.deepEqual(await store.exportDocument("/t"), ours);
  },

  async "numbers come back, those too that JavaScript has not"() {
    const numbers = [0, -0, 0.1, -1.5e300, 5e-324, 2 ** 53, 1e300, 2n ** 53n + 1n, -(10n ** 30n)];
    await store.importDocument(numbers, "/t/n");
    if (OURS) assert.deepEqual(await store.exportDocument("/t/n"), numbers);
    if (!OURS) return;
    xs(["import", "-"], { input: `{"t": {"huge": [${"1".repeat(300)}, 1.10]}}` });
    assert.deepEqual(await store.exportDocument("/t/huge"), [BigInt("1".repeat(300)), 1.1]);
  },

  async "real documents come back, as xs has them too"() {
    if (!OURS) return;
    const all = readFileSync(join(TOP, "tests/unit/cli_xs/documents.ndjson"), "utf8").split("\n").filter(Boolean).map((s) => JSON.parse(s));
    const plain = (v, key = (k) => k) => { // as JSON.parse() gives it
      if (Array.isArray(v)) return v.map((x) => plain(x, key));
      if (typeof v === "bigint") return Number(v);
      if (typeof v !== "object" || v === null) return v;
      return Object.fromEntries(Object.entries(v).map(([k, x]) => [key(k), plain(x, key)]));
    };
    const wanted = all.map((doc) => plain(doc, (k) => (k.startsWith("@") ? `@${k}` : k))); // one that begins with @ has one more
    await Promise.all(wanted.map((doc, i) => store.importDocument(doc, `/t/${i}`)));
    const found = await Promise.all(wanted.map((_, i) => store.exportDocument(`/t/${i}`)));
    assert.deepEqual(found.map((doc) => plain(doc)), wanted);
    const text = JSON.stringify(wanted);
    xs(["import", "-"], { input: `{"t": {"xs": ${text}}}` });
    const theirs = JSON.parse(xs(["export", "--relative", "/t"]));
    const parsed = (v) => JSON.parse(JSON.stringify(v, (_, x) => (typeof x === "bigint" ? Number(x) : x))); // which has no -0
    for (const i of wanted.keys()) assert.deepEqual(parsed(theirs[i]), parsed(found[i]));
    assert.deepEqual(plain(await store.exportDocument("/t/xs")), JSON.parse(text));
  },

  async "a list with permissions of its own is what xs says of it"() {
    if (!OURS) return;
    await store.importDocument({ a: [1, true] }, "/t/d");
    await store.setPerms("/t/d/a", ["n0", "r1"]);
    const exported = JSON.parse(xs(["export", "--relative", "--perms", "/t/d"]));
    assert.equal(exported.a["@kind"], "list");
    await store.rm("/t/d");
    await store.importDocument(exported, "/t/d");
    assert.deepEqual([await store.exportDocument("/t/d"), await store.perms("/t/d/a")], [{ a: [1, true] }, ["n0", "r1"]]);
  },

  async "a list is replaced, the rest is merged"() {
    await store.importDocument({ l: [1, 2, 3], k: { a: 1 } }, "/t/d");
    await store.importDocument({ l: [9], k: { b: 2 } }, "/t/d");
    assert.deepEqual([await store.list("/t/d/l"), await store.list("/t/d/k")], [["0"], ["a", "b"]]);
  },

  async "what is wrong in a document is said, and nothing written"() {
    const loop = {};
    loop.loop = loop;
    const wrong = [...VECTORS["wrong documents"], { a: undefined }, { a: NaN }, { a: new Date() }, { a: () => 1 }, { a: "\ud800" },
      { a: { "@perms": "n0" } }];
    for (const doc of wrong) await assert.rejects(store.importDocument(doc, "/t/bad"), TypeError);
    await assert.rejects(store.importDocument(loop, "/t/bad"), RangeError);
    assert.equal(await store.exists("/t/bad"), false);
  },
};

const transactions = {
  async "a conflict is tried again"() {
    await store.write("/t/n", "0");
    const seen = [];
    const result = await store.transaction(async (t) => {
      seen.push(await t.readText("/t/n"));
      if (seen.length === 1) await store.write("/t/n", "5");
      await t.write("/t/n", String(Number(await t.readText("/t/n")) + 1));
      return "done";
    });
    assert.deepEqual([result, await store.readText("/t/n"), seen], ["done", "6", ["0", "5"]]);
  },

  async "tries have an end"() {
    await store.write("/t/n", "0");
    let n = 0;
    const body = async (t) => {
      n += 1;
      await t.write("/t/n", await t.read("/t/n"));
      await store.write("/t/n", `other ${n}`);
    };
    await assert.rejects(store.transaction(body, { tries: 2 }), Conflict);
    assert.equal(n, 2);
    await assert.rejects(store.transaction(body, { tries: 0 }), RangeError);
  },

  async "what a body throws changes nothing"() {
    const mine = new Error("mine");
    await assert.rejects(store.transaction(async (t) => {
      await t.write("/t/x", "1");
      throw mine;
    }), mine);
    assert.equal(await store.exists("/t/x"), false);
  },

  async "what a body does not wait for is refused behind its end"() {
    let late;
    await store.transaction((t) => {
      late = errorOf(t.write("/t/x", "1"));
    });
    assert.match((await late).message, /transaction has ended/);
    assert.equal(await store.exists("/t/x"), false);
  },

  async "eight writers count to 80"() {
    await store.write("/t/n", "0");
    await Promise.all(Array.from({ length: 8 }, async () => {
      const own = await connect({ socket: line.path, patience: WAIT_MS });
      for (let i = 0; i < 10; i++) await increment(own);
      await own.close();
    }));
    assert.equal(await store.readText("/t/n"), "80");
  },
};

const watches = {
  async "changes come in order, each path once while nobody looks"() {
    const watch = store.watch("/t/w");
    assert.deepEqual((await watch.next()).value, { path: "/t/w", first: true, resumed: false });
    for (let i = 0; i < 5; i++) await store.write("/t/w/a", "1");
    await store.write("/t/w/b", "1");
    const got = [await watch.next(), await watch.next()].map((r) => r.value.path);
    assert.deepEqual(got, ["/t/w/a", "/t/w/b"]);
    await watch.close();
    assert.deepEqual(await watch.next(), { value: undefined, done: true });
  },

  async "close ends who waits, however many"() {
    const watch = await store.watch("/t/w").open();
    await watch.next();
    const waiting = [watch.next(), watch.next()];
    await watch.close();
    assert.deepEqual((await Promise.all(waiting)).map((r) => r.done), [true, true]);
  },

  async "who leaves the loop ends the watch"() {
    for await (const event of store.watch("/t/w")) {
      assert.equal(event.first, true);
      break;
    }
    if (OURS) assert.doesNotMatch(xs(["watches"]).toString(), /\/t\/w/);
    assert.equal(store._watches.size, 0);
  },

  async "a signal ends the watch with its reason"() {
    const control = new AbortController();
    const reason = new Error("mine");
    await assert.rejects(async () => {
      for await (const event of store.watch("/t/w", { signal: control.signal })) if (event.first) control.abort(reason);
    }, reason);
    await assert.rejects(store.watch("/t/w", { signal: control.signal }).next(), reason);
    await until(() => store._watches.size === 0);
  },

  async "a watch goes on after the connection was lost"() {
    const watch = store.watch("/t/w");
    await watch.next();
    line.cut();
    assert.deepEqual((await watch.next()).value, { path: "/t/w", first: false, resumed: true });
    await store.write("/t/w/a", "1");
    assert.equal((await watch.next()).value.path, "/t/w/a");
    await watch.close();
  },

  async "a refused watch says so"() {
    await assert.rejects(store.watch("/t/a b").next(), { code: "EINVAL" });
    await assert.rejects(store.watch("/t/a b").open(), StoreError);
    assert.throws(() => store.watch("/t/\0"), TypeError);
    assert.equal(store._watches.size, 0);
  },
};

const losses = {
  async "a question is asked again"() {
    await store.write("/t/v", "1");
    let got;
    const error = await lose(async () => {
      got = await store.list("/t");
    }, () => line.dropped > 0);
    assert.deepEqual([error, got], [undefined, ["v"]]);
  },

  async "a change in flight is done once, or said to be unknown"() {
    await store.mkdir("/t/v");
    const error = await lose(() => store.mkdir("/t/new"), () => {
      if (!xs(["list", "/t"]).toString().split("\n").includes("new")) return false;
      xs(["rm", "/t/new"]); // a second time would make it again
      return true;
    });
    if (OURS) assert.equal(error, undefined);
    else assert.ok(error instanceof OutcomeUnknown, String(error));
    assert.deepEqual(await store.list("/t"), ["v"]);
  },

  async "a commit in flight is done once, or said to be unknown"() {
    await store.write("/t/n", "0");
    let tries = 0;
    const error = await lose(() => store.transaction(async (t) => {
      tries += 1;
      await t.write("/t/n", String(Number(await t.readText("/t/n")) + 1));
      line.held = true;
    }), () => xs(["read", "/t/n"]).toString().trim() === "1", { held: false });
    if (OURS) assert.equal(error, undefined);
    else assert.ok(error instanceof OutcomeUnknown, String(error));
    assert.deepEqual([tries, await store.readText("/t/n")], [1, "1"]);
  },

  async "a transaction over a lost connection is tried again"() {
    let tries = 0;
    await store.transaction(async (t) => {
      tries += 1;
      if (tries === 1) line.cut();
      await t.write("/t/x", String(tries));
    });
    assert.ok(tries >= 2);
    assert.equal(await store.readText("/t/x"), String(tries));
  },

  async "no daemon within the patience"() {
    await assert.rejects(connect({ socket: `${daemon.dir}/nobody` }), { name: "ConnectionLost", code: "EIO", message: /nobody \(connect ENOENT/ });
    const impatient = await connect({ socket: line.path, patience: 100 });
    const watch = impatient.watch("/t");
    await watch.next();
    line.away = true;
    line.cut();
    try {
      await assert.rejects(watch.next(), ConnectionLost);
      await assert.rejects(impatient.read("/t"), { message: /no store daemon answers at/ });
    } finally {
      line.away = false;
      await impatient.close();
    }
  },

  async "close() tells who waits"() {
    const watch = store.watch("/t");
    await watch.next();
    const waiting = Promise.all([watch.next(), watch.next()].map(errorOf));
    line.held = true;
    const reading = errorOf(store.read("/t"));
    await store.close();
    for (const error of [...(await waiting), await reading, await errorOf(store.read("/t"))])
      assert.deepEqual([error.name, error.code], ["ConnectionLost", "ECANCELED"]);
  },

  async "a store that is used with await using is closed"() {
    if (!Symbol.asyncDispose) return;
    const own = await connect({ socket: line.path });
    const watch = await own.watch("/t").open();
    await watch[Symbol.asyncDispose]();
    assert.equal((await watch.next()).value?.first ?? true, true);
    await own[Symbol.asyncDispose]();
    assert.equal((await errorOf(own.read("/t"))).code, "ECANCELED");
  },
};

const kills = {
  async "kill -9 of the daemon in a transaction: it is tried again, and done once"() {
    await store.write("/t/n", "0");
    let tries = 0;
    await store.transaction(async (t) => {
      tries += 1;
      const n = Number(await t.readText("/t/n"));
      if (tries === 1) {
        await daemon.kill();
        await daemon.start();
      }
      await t.write("/t/n", String(n + 1));
    });
    assert.deepEqual([tries, await store.readText("/t/n")], [2, "1"]);
  },

  async "kill -9 of the daemon is noticed by nobody who counts or watches"() {
    const writers = await Promise.all([1, 2].map(() => connect({ socket: daemon.socket, patience: Infinity })));
    const watcher = await connect({ socket: daemon.socket, patience: Infinity });
    await store.write("/t/n", "0");
    let counted = 0;
    let isOver = false;
    const counting = writers.map(async (own) => {
      while (!isOver) {
        await increment(own);
        counted += 1;
      }
    });
    const control = new AbortController();
    let resumed = 0;
    let seen;
    const looking = (async () => {
      for await (const event of watcher.watch("/t/n", { signal: control.signal })) {
        resumed += event.resumed;
        seen = await watcher.readText("/t/n");
      }
    })();
    for (let i = 1; i <= 5; i++) {
      const before = counted;
      await until(() => counted >= before + 3);
      await daemon.kill();
      await daemon.start();
      await until(() => resumed >= i);
    }
    isOver = true;
    await Promise.all(counting);
    assert.equal(await store.readText("/t/n"), String(counted));
    await until(() => seen === String(counted));
    control.abort();
    await assert.rejects(looking, { name: "AbortError" });
    await Promise.all([...writers, watcher].map((s) => s.close()));
  },
};

/** What goes with who has it. */
const holds = OURS ? {
  async "a bond removes what it was made to"() {
    assert.equal(await store.bind("/t/k", "mine"), false);
    await store.write("/t/k", "mine");
    assert.equal(await store.bind("/t/k", "mine"), true);
    await store.unbind("/t/k", "mine");
    await store.unbind("/t/k", "mine");
    assert.equal(await store.bind("/t/k", "mine", { ttl: 100 }), true);
    await until(async () => !(await store.exists("/t/k")));
    const own = await connect({ socket: line.path });
    await store.write("/t/k", "other");
    assert.equal(await own.bind("/t/k", "other"), true);
    await own.close();
    await until(async () => !(await store.exists("/t/k")));
    for (const ttl of [50, 86_400_001, NaN, "1"]) await assert.rejects(store.bind("/t/k", "v", { ttl }), RangeError);
    await assert.rejects(store.bind("/config/k", "v"), { code: "EINVAL", message: /kept over a boot/ });
  },

  async "one of several has it at a time"() {
    let inside = 0;
    const most = [];
    const work = async () => {
      const own = await connect({ socket: line.path });
      for (const ttl of [undefined, 5000, undefined]) {
        const held = await own.lock("/t/lock", { ttl });
        inside += 1;
        most.push(inside);
        assert.equal(await own.readText("/t/lock"), held.value);
        held.check();
        inside -= 1;
        await held.close();
        assert.equal(held.lost, true);
      }
      await own.close();
    };
    await Promise.all([work(), work(), work(), work()]);
    assert.deepEqual(most, Array(12).fill(1));
    assert.equal(await store.exists("/t/lock"), false);
  },

  async "who does not get it in time leaves nothing"() {
    const held = await store.lock("/t/lock", { name: "first" });
    assert.ok(held.value.startsWith("first "));
    const own = await connect({ socket: line.path });
    await assert.rejects(own.lock("/t/lock", { signal: AbortSignal.timeout(200) }), { name: "TimeoutError" });
    await own.close();
    assert.equal(await store.readText("/t/lock"), held.value);
    assert.equal(held.lost, false);
    await held.close();
    for (const name of ["", "x".repeat(201), 5]) await assert.rejects(store.lock("/t/lock", { name }), RangeError);
    await assert.rejects(store.lock("/t/lock", { name: "a\0b" }), TypeError);
  },

  async "who dies has it no more"() {
    const index = new URL("../../../clients/node/src/index.js", import.meta.url).href;
    const child = spawn(process.execPath, ["--input-type=module", "-e", `import { connect } from ${JSON.stringify(index)};
      await (await connect({ socket: ${JSON.stringify(line.path)} })).lock("/t/lock"); console.log("has it");`]);
    await once(child.stdout, "data");
    child.kill("SIGKILL");
    const held = await store.lock("/t/lock", { signal: AbortSignal.timeout(WAIT_MS) });
    assert.equal(held.lost, false);
    await held.close();
  },

  async "what was taken away is lost"() {
    for (const ttl of [undefined, 60_000]) {
      const held = await store.lock("/t/lock", { ttl });
      xs(["write", "/t/lock", "somebody else"]);
      await once(held.signal, "abort");
      assert.throws(() => held.check(), { name: "Lost", code: "ESTALE", path: "/t/lock" });
      assert.equal(held.signal.reason.name, "Lost");
      await held.close();
      assert.equal(await store.readText("/t/lock"), "somebody else");
      xs(["rm", "/t/lock"]);
    }
  },

  async "it is renewed for as long as it is held"() {
    const held = await store.lock("/t/lock", { ttl: 500 });
    await new Promise((go) => setTimeout(go, 2000));
    assert.equal(held.lost, false);
    assert.equal(await store.readText("/t/lock"), held.value);
    await held.close();
  },

  async "a daemon that is started again changes nothing, one that stays away has nobody hold anything"() {
    const own = await connect({ socket: daemon.socket, patience: Infinity });
    const held = await own.lock("/t/lock");
    for (let i = 0; i < 3; i++) {
      await daemon.kill();
      await daemon.start();
      assert.equal(await own.readText("/t/lock"), held.value);
    }
    assert.equal(held.lost, false);
    await held.close();
    const short = await own.lock("/t/lock", { ttl: 500 });
    await daemon.kill();
    await once(short.signal, "abort");
    await daemon.start();
    await short.close();
    await own.close();
  },

  async "xs contends for the same"() {
    const held = await store.lock("/t/lock", { ttl: 60_000 });
    assert.throws(() => xs(["lock", "--lease", "1m", "--no-wait", "/t/lock", "true"]));
    await held.close();
    xs(["lock", "--lease", "1m", "--no-wait", "/t/lock", "true"]);
  },

  async "a leader works while it is one"() {
    const begun = [];
    const leading = store.elect("/t/leader", async (held) => {
      begun.push(held.value);
      if (begun.length === 2) return "done";
      await once(held.signal, "abort");
      held.check();
    }, { name: "one" });
    await until(() => begun.length === 1);
    xs(["write", "/t/leader", "somebody else"]);
    await new Promise((go) => setTimeout(go, 100));
    assert.equal(begun.length, 1);
    xs(["rm", "/t/leader"]);
    assert.equal(await leading, "done");
    assert.notEqual(begun[0], begun[1]);
    assert.equal(await store.exists("/t/leader"), false);
    await assert.rejects(store.elect("/t/leader", () => { throw new RangeError("mine"); }), RangeError);
    assert.equal(await store.exists("/t/leader"), false);
  },
} : {
  async "a daemon that binds nothing is said to be one"() {
    for (const what of [store.bind("/t/k", "v"), store.bind("/t/k", "v", { ttl: 1000 }), store.unbind("/t/k", "v"), store.lock("/t/k")])
      await assert.rejects(what, { name: "NotSupported", code: "EOPNOTSUPP", path: "/t/k" });
    assert.equal(await store.exists("/t/k"), false);
  },
};

/** The examples of the README, as they are written there. */
const examples = {
  async "what the README shows works"() {
    const readme = readFileSync(join(TOP, "clients/node/README.md"), "utf8");
    const blocks = [...readme.matchAll(/```js\n([^]*?)```/g)].map((m) => m[1]);
    assert.ok(blocks.length);
    process.env.XENSTORED_PATH = daemon.socket;
    const index = new URL("../../../clients/node/src/index.js", import.meta.url).href;
    const { log } = console;
    const shown = [];
    console.log = (...words) => shown.push(words.join(" ")); // the claims are on standard output
    for (const block of blocks) {
      const text = block.replace('"storevisor-store"', JSON.stringify(index));
      assert.notEqual(text, block);
      await inTime(import(`data:text/javascript,${encodeURIComponent(text)}`), "the end of an example");
    }
    console.log = log;
    assert.deepEqual(shown, ["31 tomato", "[object Object]", "/config/garden", "true"]);
    assert.equal(xs(["read", "/config/garden/tomato/height"]).toString().trim(), "32");
  },
};

let failed = 1;
try {
  const all = { ...nodes, ...longValues, ...names, ...documents, ...transactions, ...watches, ...losses };
  // Debian's daemons end with all they know
  failed = await run(OURS ? { ...all, ...kills, ...holds, ...examples } : { ...all, ...holds }, { each });
} finally {
  line.close();
  await daemon.end();
}
process.exit(failed ? 1 : 0);
