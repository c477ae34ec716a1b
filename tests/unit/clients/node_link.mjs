// SPDX-License-Identifier: MIT
// node_link.mjs - what the Node client makes of what a daemon says, of what no daemon may say, and of connections that
// break at a chosen moment: the daemon is this test.
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { connect, Conflict, ConnectionLost, Kind, OutcomeUnknown, PermissionDenied, Store } from "../../../clients/node/src/index.js";
import { ofTree } from "../../../clients/node/src/document.js";
import * as longValue from "../../../clients/node/src/long_value.js";
import { joined, Op, pack, unpackHeader } from "../../../clients/node/src/wire.js";
import { errorOf, folder, inTime, randomBytes, run, until } from "./kit.mjs";

const HANG_UP = Symbol("hang up");
const NOTHING = Symbol("nothing");
const OK = Buffer.from("OK\0");
const name = (text) => ({ op: Op.ERROR, payload: Buffer.from(`${text}\0`) });
const bytes = (text) => ({ payload: Buffer.from(text) });

/** says: what to answer to ({connection, op, transaction, payload, request}): parts of a message, raw bytes, HANG_UP,
 * NOTHING. session: what it says of a client's changes. */
class Daemon {
  constructor(says = () => bytes("OK\0"), { session = bytes("new\0"), kinds = () => name("EINVAL") } = {}) {
    Object.assign(this, { says, session, kinds, connections: 0, asked: [], dir: folder(), sockets: new Set() });
    this.path = join(this.dir, "socket");
    this.server = createServer((socket) => this.#serve(socket));
  }

  async with(options, body) {
    await new Promise((go) => this.server.listen(this.path, go));
    let store;
    try {
      store = await connect({ socket: this.path, ...options });
      await body(store);
    } finally {
      await store?.close();
      this.away();
      rmSync(this.dir, { recursive: true, force: true });
    }
  }

  away() {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
  }

  #serve(socket) {
    const connection = ++this.connections;
    let rest = Buffer.alloc(0);
    this.sockets.add(socket);
    socket.on("error", () => {}).on("close", () => this.sockets.delete(socket));
    socket.on("data", (some) => {
      rest = Buffer.concat([rest, some]);
      while (rest.length >= 16) {
        const { length, ...head } = unpackHeader(rest);
        if (rest.length < 16 + length) return;
        const payload = rest.subarray(16, 16 + length);
        rest = rest.subarray(16 + length);
        if (!this.#answer(socket, { connection, payload, ...head })) return;
      }
    });
  }

  #answer(socket, asked) {
    const isSession = asked.op === Op.CONTROL && asked.payload.toString().startsWith("session");
    if (!isSession && asked.op !== Op.CONTROL) this.asked.push(asked);
    const say = isSession ? () => this.session : asked.op === Op.CONTROL ? this.kinds : this.says;
    const answer = say(asked);
    if (answer === HANG_UP) {
      socket.destroy();
      return false;
    }
    if (answer === NOTHING) return true;
    if (Buffer.isBuffer(answer)) socket.write(answer);
    else {
      socket.write(pack({ op: asked.op, request: asked.request, transaction: asked.transaction, ...answer }));
      if (asked.op === Op.WATCH && !answer.op) socket.write(event(asked.payload));
    }
    return true;
  }

  of(op) {
    return this.asked.filter((a) => a.op === op);
  }
}

function event(payload) {
  return pack({ op: Op.WATCH_EVENT, request: 0, transaction: 0, payload });
}

function write(store, path) {
  return store._ask(Op.WRITE, joined(path), path);
}

const documents = {
  async "a number that JavaScript has not stays text"() {
    const node = (text) => ({ value: Buffer.from(text), kind: Kind.NUMBER, children: new Map() });
    for (const text of ["1e400", "-1e999", "1".repeat(5000), "01", "0x1", "1 "]) assert.equal(ofTree(node(text)), text);
    assert.equal(ofTree(node("9".repeat(400))), 10n ** 400n - 1n);
  },
};

const watches = {
  async "a watch that is refused when it is made again says so, and asks anew"() {
    const daemon = new Daemon(({ connection, op }) => {
      if (op === Op.WATCH) return connection === 2 ? name("EACCES") : bytes("OK\0");
      return connection === 1 ? HANG_UP : bytes("OK\0");
    });
    await daemon.with({}, async (store) => {
      const watch = store.watch("/a");
      assert.equal((await watch.next()).value.first, true);
      await store.exists("/hang/up");
      await assert.rejects(watch.next(), PermissionDenied);
      await assert.rejects(watch.next(), PermissionDenied);
      assert.equal(daemon.of(Op.WATCH).length, 3);
    });
  },

  async "many who wait register it once"() {
    const daemon = new Daemon();
    await daemon.with({}, async (store) => {
      const watch = store.watch("/a");
      const waiting = [watch.next(), watch.next(), watch.open()];
      assert.equal((await waiting[0]).value.first, true);
      await waiting[2];
      assert.equal(daemon.of(Op.WATCH).length, 1);
      await watch.close();
      assert.equal((await waiting[1]).done, true);
      assert.equal(daemon.of(Op.UNWATCH).length, 1);
    });
  },

  async "one that is aborted while it is registered is taken back"() {
    const daemon = new Daemon(({ op }) => (op === Op.WATCH ? NOTHING : bytes("OK\0")));
    await daemon.with({}, async (store) => {
      const control = new AbortController();
      const watch = store.watch("/a", { signal: control.signal });
      const waiting = errorOf(watch.next());
      await until(() => daemon.of(Op.WATCH).length);
      control.abort(new Error("mine"));
      assert.equal((await waiting).message, "mine");
      const { request } = daemon.of(Op.WATCH)[0];
      for (const socket of daemon.sockets) socket.write(pack({ op: Op.WATCH, request, transaction: 0, payload: OK }));
      await until(() => daemon.of(Op.UNWATCH).length);
    });
  },
};

const transactions = {
  async "a transaction that nobody waits for is ended"() {
    const daemon = new Daemon(({ op }) => bytes(op === Op.TRANSACTION_START ? "7\0" : "OK\0"));
    await daemon.with({}, async (store) => {
      const control = new AbortController();
      const ended = errorOf(store.transaction(() => {}, { signal: control.signal }));
      control.abort(new Error("mine"));
      assert.equal((await ended).message, "mine");
      await until(() => daemon.of(Op.TRANSACTION_END).length);
      const { transaction, payload } = daemon.of(Op.TRANSACTION_END)[0];
      assert.deepEqual([transaction, payload.toString()], [7, "F\0"]);
    });
  },

  async "a long value is never of two states"() {
    const [before, after] = ["a", "b"].map((c) => Buffer.alloc(9000, c));
    const parts = longValue.split("/v", after);
    const marks = [after, before].map((v) => longValue.markFor(v, parts.length));
    let began = 0;
    const daemon = new Daemon(({ op, transaction, payload }) => {
      if (op === Op.TRANSACTION_START) return bytes(`${++began}\0`);
      if (op === Op.TRANSACTION_END) return transaction === 1 && payload[0] === 0x54 ? name("EAGAIN") : bytes("OK\0");
      const path = payload.toString().slice(0, -1);
      return { payload: path === "/v" ? marks[Number(transaction === 1)] : parts[longValue.partNumber(path.slice(3))] };
    });
    const seen = [];
    await daemon.with({}, async (store) => {
      await store.transaction(async (t) => seen.push(await t.read("/v")));
    });
    assert.deepEqual(seen, [after]);
  },

  async "a commit that was never sent is a conflict"() {
    let began = 0;
    const daemon = new Daemon(({ connection, op }) => {
      if (op === Op.TRANSACTION_START) return bytes(`${++began}\0`);
      return connection === 1 ? HANG_UP : bytes("OK\0");
    });
    await daemon.with({}, async (store) => {
      await store.transaction(async () => {
        if (began === 1) await store.exists("/hang/up");
      });
      assert.deepEqual([began, daemon.of(Op.TRANSACTION_END).length], [2, 1]);
    });
  },
};

const outcomes = {
  async "a change that is lost is never asked twice when nobody can say"() {
    for (const session of [name("EINVAL"), bytes("OK\0"), bytes("new\0")]) {
      const daemon = new Daemon(({ op }) => (op === Op.WRITE ? HANG_UP : bytes("OK\0")), { session });
      await daemon.with({}, async (store) => {
        await assert.rejects(write(store, "/a"), OutcomeUnknown);
        assert.equal(daemon.of(Op.WRITE).length, 1);
      });
    }
  },

  async "a change of which the daemon says that it did not arrive is asked again"() {
    const daemon = new Daemon(({ connection }) => (connection === 1 ? HANG_UP : bytes("again\0")));
    await daemon.with({}, async (store) => {
      daemon.session = bytes("0 0\0");
      assert.equal((await write(store, "/a")).toString(), "again\0");
      assert.equal(daemon.of(Op.WRITE).length, 2);
    });
  },

  async "a change on its way when the daemon is given up is not said to be undone"() {
    const daemon = new Daemon(() => {
      daemon.away();
      return HANG_UP;
    });
    await daemon.with({ patience: 0 }, async (store) => {
      await assert.rejects(write(store, "/a"), OutcomeUnknown);
      const error = await errorOf(write(store, "/a"));
      assert.ok(error instanceof ConnectionLost && !(error instanceof OutcomeUnknown));
    });
  },

  async "an aborted change is not asked again, and its answer is no surprise"() {
    const daemon = new Daemon(({ op }) => (op === Op.WRITE ? NOTHING : bytes("1\0")));
    await daemon.with({}, async (store) => {
      const control = new AbortController();
      const writing = errorOf(store.mkdir("/b").then(() => store._for({ signal: control.signal })._ask(Op.WRITE, joined("/a"), "/a")));
      await until(() => daemon.of(Op.WRITE).length);
      control.abort(new Error("mine"));
      assert.equal((await writing).message, "mine");
      const { request } = daemon.of(Op.WRITE)[0];
      for (const socket of daemon.sockets) socket.write(pack({ op: Op.WRITE, request, transaction: 0, payload: OK }));
      await store.exists("/a");
      daemon.sockets.forEach((s) => s.destroy());
      await store.exists("/a");
      assert.deepEqual([daemon.of(Op.WRITE).length, daemon.connections], [1, 2]);
    });
  },

  async "a connection that breaks does not say that there are no kinds"() {
    const daemon = new Daemon(undefined, { kinds: () => HANG_UP });
    await daemon.with({}, async (store) => {
      await assert.rejects(store._knowsKinds(), ConnectionLost);
      daemon.kinds = () => bytes("1x");
      assert.equal(await store._knowsKinds(), true);
    });
  },

  async "numbers begin again"() {
    const daemon = new Daemon();
    await daemon.with({}, async (store) => {
      store._link._lastNumber = [2 ** 31 - 2, 2 ** 31 - 2];
      for (let i = 0; i < 3; i++) {
        await store.exists("/a");
        await write(store, "/a");
      }
    });
    assert.deepEqual(daemon.of(Op.READ).map((a) => a.request), [2 ** 31 - 1, 1, 2]);
    assert.deepEqual(daemon.of(Op.WRITE).map((a) => a.request), [2 ** 32 - 1, 2 ** 31 + 1, 2 ** 31 + 2]);
  },

  async "an answer is understood also where numbers begin again"() {
    const daemon = new Daemon(({ connection, op }) => {
      if (connection > 1) return bytes("again\0");
      return op === Op.READ ? HANG_UP : NOTHING;
    }, { session: bytes(`${2 ** 31 + 1} 0 ${2 ** 32 - 1}:ENOENT\0`) });
    await daemon.with({}, async (store) => {
      store._link._lastNumber = [0, 2 ** 31 - 3];
      const changes = [..."abcd"].map((path) => write(store, path).then(String, (e) => e.code));
      await until(() => daemon.of(Op.WRITE).length === 4);
      await store.exists("/hang/up");
      assert.deepEqual(await inTime(Promise.all(changes), "changes"), ["OK\0", "ENOENT", "OK\0", "again\0"]);
    });
  },
};

/** What no daemon may say: raw bytes, or parts of a message, as the answer to a question; what is told of it. */
const ODD = {
  "a length of 4 GiB": [() => Buffer.alloc(16, 0xff), /a message of 4294967295 bytes/],
  "a length of one byte too many": [(a) => pack({ ...a, payload: Buffer.alloc(4097) }), /a message of 4097 bytes/],
  "an answer to what nobody asked": [(a) => ({ ...bytes("x"), request: a.request + 7 }), /which nobody made/],
  "an answer of another type": [() => ({ ...bytes("x"), op: Op.WRITE }), /message 11 as an answer/],
  "a type that does not exist": [() => ({ ...bytes("x"), op: 4711 }), /message 4711 as an answer/],
  "an answer twice": [(a) => Buffer.concat([1, 2].map(() => pack({ ...a, payload: Buffer.alloc(0), request: a.request + 1 }))), /which nobody made/],
  "an event without a path": [() => event(Buffer.from("x")), /an event that names no path/],
  "half a message, and an end": [(a) => { a.connection && setImmediate(() => odd.sockets.forEach((s) => s.end())); return Buffer.alloc(8); }, /an end/],
};
let odd;

const hostile = {
  async "what no daemon may say ends a question with its reason, and a change unknown"() {
    for (const [what, [says, reason]] of Object.entries(ODD)) {
      odd = new Daemon((asked) => says(asked));
      await odd.with({ patience: 100 }, async (store) => {
        const error = await inTime(errorOf(store.list("/a")), what);
        assert.ok(error instanceof ConnectionLost, `${what}: ${error}`);
        assert.match(`${error.message} ${error.cause?.message}`, reason, what);
      });
      odd = new Daemon((asked) => says(asked));
      await odd.with({ patience: 100 }, async (store) => {
        const error = await inTime(errorOf(store._ask(Op.MKDIR, joined("/a"), "/a")), what);
        assert.ok(error instanceof OutcomeUnknown, `${what}: ${error}`);
        assert.equal(odd.of(Op.MKDIR).length, 1, what);
      });
    }
  },

  async "random bytes hang nobody"() {
    for (let seed = 1; seed <= 10; seed++) {
      const daemon = new Daemon(({ request }) => randomBytes(seed * 1000 + request, 1 + (seed * 37) % 3000), { session: seed % 2 ? bytes("new\0") : name("EINVAL") });
      let hangUp;
      daemon.says = ((says) => (asked) => {
        clearTimeout(hangUp); // bytes that look like the beginning of a message are not the whole of one
        hangUp = setTimeout(() => daemon.sockets.forEach((s) => s.destroy()), 5);
        return says(asked);
      })(daemon.says);
      await daemon.with({ patience: 50 }, async (store) => {
        const asked = [store.list("/a"), write(store, "/a"), store.transaction(() => {}), store.watch("/a").next()];
        for (const error of await inTime(Promise.all(asked.map(errorOf)), `seed ${seed}`)) assert.ok(error instanceof ConnectionLost, String(error));
      });
      clearTimeout(hangUp);
    }
  },

  async "a watch over connections that break at once is given up in the end"() {
    const daemon = new Daemon(({ connection }) => (connection === 1 ? bytes("OK\0") : Buffer.alloc(16, 0xff)));
    await daemon.with({ patience: 100 }, async (store) => {
      const watch = store.watch("/a");
      await watch.next();
      daemon.sockets.forEach((s) => s.destroy());
      await assert.rejects(inTime(watch.next(), "an end of the watch"), ConnectionLost);
      assert.ok(daemon.connections < 10, `${daemon.connections} connections`);
    });
  },

  async "a greeting that cannot be read is told"() {
    for (const [session, reason] of [[bytes("1 2 3\0"), /a session that cannot be read/], [bytes("1 2 3:oops\0"), /a session/],
      [{ ...bytes("x"), op: Op.READ }, /instead of a greeting/], [HANG_UP, /./], [NOTHING, /no greeting/], [Buffer.alloc(16, 0xff), /4294967295/]]) {
      const daemon = new Daemon(undefined, { session });
      const error = await errorOf(daemon.with({ patience: 10 }, () => {}));
      assert.ok(error instanceof ConnectionLost, String(error));
      assert.match(error.message, reason);
    }
  },

  async "who never greets is told, also where the patience is for ever"() {
    const real = globalThis.setTimeout;
    globalThis.setTimeout = (what, time_ms, ...words) => real(what, time_ms === 60_000 ? 10 : time_ms, ...words);
    try {
      const daemon = new Daemon(undefined, { session: NOTHING });
      const error = await inTime(errorOf(daemon.with({ patience: Infinity }, () => {})), "an end of the greeting");
      assert.ok(error instanceof ConnectionLost, String(error));
      assert.match(error.message, new RegExp(`${daemon.path}.*no greeting`));
    } finally {
      globalThis.setTimeout = real;
    }
  },

  async "one that was not opened says so"() {
    const error = await inTime(errorOf(new Store().read("/a")), "an error");
    assert.ok(error instanceof ConnectionLost, String(error));
    assert.equal(error.code, "ENOTCONN");
  },

  async "answers that are none are told, and end nothing else"() {
    const daemon = new Daemon(({ op }) => {
      if (op === Op.DIRECTORY) return name("E2BIG");
      return bytes(op === Op.TRANSACTION_START ? "none\0" : op === Op.DIRECTORY_PART ? "odd" : "OK\0");
    }, { kinds: () => bytes("9x") });
    await daemon.with({}, async (store) => {
      await assert.rejects(store.transaction(() => {}), { code: "EPROTO", message: /no number of a transaction/ });
      await assert.rejects(store.list("/a"), { code: "EPROTO", path: "/a" });
      await assert.rejects(store._valueAndKind("/a"), { code: "EPROTO", path: "/a" });
      assert.equal(daemon.connections, 1);
    });
  },

  async "an error of a name that does not exist is EIO, and a list that always changes has an end"() {
    let generation = 0;
    const daemon = new Daemon(({ op }) => {
      if (op === Op.READ) return name("constructor");
      return op === Op.DIRECTORY ? name("E2BIG") : bytes(`${++generation}\0x\0`);
    });
    await daemon.with({}, async (store) => {
      await assert.rejects(store.read("/a"), { name: "StoreError", code: "EIO" });
      await assert.rejects(store.list("/a"), Conflict);
    });
  },
};

process.exit((await run({ ...documents, ...watches, ...transactions, ...outcomes, ...hostile })) ? 1 : 0);
