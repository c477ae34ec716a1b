// SPDX-License-Identifier: MIT
// link.js - a connection to the daemon that is made again when it breaks; requests by number, any number in flight.
//
// A question outside a transaction is asked again on the next connection. Of a change that was on its way our daemon is
// asked what became of it (CONTROL session); another daemon cannot say, and it ends in OutcomeUnknown. In a transaction
// everything ends in Conflict: that always means that it was not committed.
import { randomBytes } from "node:crypto";
import { Connection } from "./connection.js";
import { Conflict, ConnectionLost, errorOf, OutcomeUnknown, ProtocolError, StoreError } from "./errors.js";
import { isChange, joined, Op, PAYLOAD_MAX, strings, word } from "./wire.js";

const LOSSES_MAX = 5;
const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 1000;
const SHORTEST_GREETING_MS = 3000;
const LONGEST_GREETING_MS = 60_000; // where the patience is for ever
const LONGEST_TIMER_MS = 2 ** 31 - 1;
const CHANGE = 2 ** 31; // in the number of a request: this is a change. As libxs/xs_session.c numbers them.
const OUTCOME = /^\d+ \d+( \d+:E[A-Z0-9]+)*$/;

/** Where libxenstore would look. */
export function defaultPath(env = process.env) {
  return env.XENSTORED_PATH ?? `${env.XENSTORED_RUNDIR ?? "/run/xenstored"}/socket`;
}

/** In the order in which they went out; the numbers may have begun again. */
function isBehind(number, other) {
  const ahead = ((number - other) << 1) >>> 0;
  return ahead > 0 && ahead < CHANGE;
}

/** What the first answer of a daemon says of our changes: "new", "LAST FLOOR [ID:ERROR]..."; null: it has no sessions. */
function outcomeOf({ op, payload }) {
  if (op !== Op.CONTROL && op !== Op.ERROR) throw new ProtocolError(`message ${op} instead of a greeting`);
  const answer = word(payload);
  // oxenstored says OK to whatever it does not know
  if (op === Op.ERROR || !(answer === "new" || /^\d/.test(answer))) return null;
  if (answer !== "new" && !OUTCOME.test(answer)) throw new ProtocolError("a session that cannot be read");
  return answer;
}

function readOutcome(outcome) {
  const [last, floor, ...failed] = outcome.split(" ");
  return { last: Number(last), floor: Number(floor), failed: new Map(failed.map((w) => w.split(":"))) };
}

function unknown(pending, cause) {
  return new OutcomeUnknown("EIO", { text: "the connection broke during the change", path: pending.path, cause });
}

export class Link {
  #path;
  #patience;
  #on;
  #pending = new Map(); // by number; of each request without its answer, also when nobody wants that any more
  #again = new Map(); // by number: who is told if a request of on.up() is refused
  _lastNumber = [0, 0]; // of questions, of changes
  #token = randomBytes(16).toString("hex");
  #connection; // when it is up
  #connecting;
  #upSince_ms = 0;
  #took = false; // something that it said, behind the greeting
  #trouble; // {begin_ms, pause_ms}: since when it does not last
  #timer;
  #why; // the connection before ended
  #hasSession = false;
  #isOpened = false;
  error; // why it was given up
  epoch = 0; // of the connection: transactions do not outlive it

  /** @patience: how long to try to come back, ms; Infinity: for ever. @on: event(path, token); up(), when a connection is
   * there again, before anything that waited is sent: its [{message, refused(error)}] go first; down(), when it is given up. */
  constructor(path, patience, on) {
    this.#path = path;
    this.#patience = patience;
    this.#on = on;
  }

  async open() {
    const end = performance.now() + this.#patience;
    this.#isOpened = true;
    for (;;) {
      try {
        return await this.#connect();
      } catch (cause) {
        if (this.error) throw this.error;
        // one that is there, and has too many who wait for it (oxenstored: one)
        if (cause.code !== "EAGAIN" || performance.now() + FIRST_PAUSE_MS > end) throw this.#nobody(cause);
      }
      await this.#rest(FIRST_PAUSE_MS);
    }
  }

  /** Whether the daemon is one that knows its clients over a lost connection: ours. */
  get hasSession() {
    return this.#hasSession;
  }

  close() {
    this.#giveUp(new ConnectionLost("ECANCELED", { text: "the connection was closed" }));
    clearTimeout(this.#timer);
    this.#connecting?.destroy();
    this.#connection?.destroy();
    this.#connection = undefined;
  }

  /** Rising, and again from the first one when there are no more: a message has 32 bits for it. */
  number(changes = false) {
    let number;
    do {
      this._lastNumber[+changes] = (this._lastNumber[+changes] + 1) % CHANGE || 1;
      number = this._lastNumber[+changes] + (changes ? CHANGE : 0);
    } while (this.#pending.has(number) || this.#again.has(number));
    return number;
  }

  /** The answer's payload. @epoch: the only connection it may go by. @signal: who aborts does not wait for it any longer. */
  request(op, payload, { transaction = 0, path, epoch = this.epoch, signal } = {}) {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      if (this.error) throw this.error;
      if (!this.#isOpened) throw new ConnectionLost("ENOTCONN", { text: "the store was not opened", path });
      if (epoch !== this.epoch) throw new Conflict("EAGAIN", { text: "the connection was lost", path });
      if (payload.length > PAYLOAD_MAX) throw new StoreError("E2BIG", { path });
      const message = { op, transaction, payload };
      message.request = this.number(isChange(message));
      const pending = { message, path, changes: isChange(message), sent: false, losses: 0, wanted: true };
      const abort = () => {
        pending.wanted = false;
        if (!pending.sent) this.#pending.delete(message.request);
        reject(signal.reason);
      };
      const end = (what) => (value) => {
        signal?.removeEventListener("abort", abort);
        what(value);
      };
      signal?.addEventListener("abort", abort, { once: true });
      pending.done = end(resolve);
      pending.fail = end(reject);
      this.#pending.set(message.request, pending);
      if (this.#connection) this.#send(pending);
    });
  }

  #send(pending) {
    pending.sent = true;
    this.#connection.send(pending.message);
  }

  // ---- the connection ----

  /** Makes one and greets the daemon. */
  #connect(patience = this.#patience) {
    return new Promise((resolve, reject) => {
      let up = false;
      const limit = patience === Infinity ? LONGEST_GREETING_MS : Math.max(patience, SHORTEST_GREETING_MS);
      const timer = setTimeout(() => connection.destroy(new ProtocolError("no greeting")), Math.min(limit, LONGEST_TIMER_MS));
      const connection = new Connection(this.#path, {
        open: () => connection.send({ op: Op.CONTROL, request: 0, transaction: 0, payload: joined("session", this.#token) }),
        message: (message) => {
          if (up) return this.#take(message);
          const outcome = outcomeOf(message);
          clearTimeout(timer);
          up = true;
          this.#cameUp(connection, outcome);
          resolve();
        },
        end: (error) => {
          clearTimeout(timer);
          if (up) this.#lost(error);
          else reject(error);
        },
      });
      this.#connecting = connection;
    });
  }

  #cameUp(connection, outcome) {
    this.epoch += 1;
    this.#upSince_ms = performance.now();
    this.#took = false;
    this.#connecting = undefined;
    this.#connection = connection;
    this.#settle(outcome);
    this.#again.clear();
    for (const { message, refused } of this.#on.up()) {
      this.#again.set(message.request, refused);
      connection.send(message);
    }
    for (const pending of this.#pending.values()) this.#send(pending);
  }

  /** What was in flight on the connection before: done, failed, to be sent again, or not known. */
  #settle(outcome) {
    const isKnown = this.#hasSession && outcome !== null && outcome !== "new";
    const said = isKnown ? readOutcome(outcome) : { failed: new Map() };
    this.#hasSession = outcome !== null;
    for (const [number, p] of this.#pending) {
      if (!p.sent && !p.message.transaction) continue;
      const end = this.#endOf(p, isKnown, said, number);
      if (!end && p.wanted) {
        p.losses += 1;
        continue; // a question, or a change that did not arrive: sent again
      }
      this.#pending.delete(number);
      if (end?.error) p.fail(end.error);
      else if (end) p.done(end.payload);
    }
  }

  /** {error} or {payload}; undefined: it can be sent again. */
  #endOf(p, isKnown, { last, floor, failed }, number) {
    const why = this.#why;
    if (p.sent && p.changes) {
      if (failed.has(String(number))) return { error: errorOf(failed.get(String(number)), p.path) };
      if (!isKnown || (floor && !isBehind(number, floor))) return { error: unknown(p, why) };
      if (last && !isBehind(number, last)) return { payload: Buffer.from("OK\0") };
    }
    if (p.message.transaction) return { error: new Conflict("EAGAIN", { text: "the connection was lost", path: p.path, cause: why }) };
    if (p.losses < LOSSES_MAX) return undefined;
    const text = "the connection broke each time this was asked"; // it may be what breaks it
    return { error: new ConnectionLost("EIO", { text, path: p.path, cause: why }) };
  }

  #take({ op, request, payload }) {
    if (op === Op.WATCH_EVENT) {
      const words = strings(payload);
      if (words.length < 2) throw new ProtocolError("an event that names no path and token");
      this.#took = true;
      this.#on.event(words[0], words[1]);
      return;
    }
    const pending = this.#pending.get(request);
    const refused = this.#again.get(request);
    if (!pending && !refused) throw new ProtocolError(`an answer to request ${request}, which nobody made`);
    const asked = pending ? pending.message.op : Op.WATCH;
    if (op !== asked && op !== Op.ERROR) throw new ProtocolError(`message ${op} as an answer to request ${request}, of type ${asked}`);
    const error = op === Op.ERROR ? errorOf(word(payload), pending?.path) : undefined;
    this.#took = true;
    this.#pending.delete(request);
    this.#again.delete(request);
    if (!pending) {
      if (error) refused(error);
    } else if (error) pending.fail(error);
    else pending.done(payload);
  }

  #lost(error) {
    const now = performance.now();
    const isFresh = !this.#trouble || this.#took || now - this.#upSince_ms > LONGEST_PAUSE_MS;
    this.#connection = undefined;
    this.#why = error;
    if (isFresh) this.#trouble = { begin_ms: now, pause_ms: FIRST_PAUSE_MS };
    if (!this.error) this.#comeBack(this.#trouble, isFresh);
  }

  /** @atOnce: the first time without a pause. One that comes up and breaks without a word counts as none. */
  async #comeBack(trouble, atOnce) {
    for (; ; atOnce = false) {
      if (!atOnce) {
        if (performance.now() - trouble.begin_ms + trouble.pause_ms > this.#patience) return this.#giveUp(this.#nobody(this.#why));
        await this.#rest(trouble.pause_ms);
        trouble.pause_ms = Math.min(2 * trouble.pause_ms, LONGEST_PAUSE_MS);
      }
      try {
        return await this.#connect(trouble.begin_ms + this.#patience - performance.now());
      } catch (error) {
        if (this.error) return undefined;
        this.#why = error;
      }
    }
  }

  #rest(time_ms) {
    return new Promise((resolve) => {
      this.#timer = setTimeout(resolve, time_ms);
    });
  }

  #nobody(cause) {
    return new ConnectionLost("EIO", { text: `no store daemon answers at ${this.#path} (${cause.message})`, cause });
  }

  #giveUp(error) {
    if (this.error) return;
    this.error = error;
    for (const pending of this.#pending.values())
      pending.fail(pending.sent && pending.changes ? unknown(pending, error) : error);
    this.#pending.clear();
    this.#on.down();
  }
}
