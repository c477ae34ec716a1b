// SPDX-License-Identifier: MIT
// store.js - the store and its transactions: what users hold.
import { Conflict, ProtocolError, StoreError } from "./errors.js";
import { bind, Hold, unbind } from "./hold.js";
import { defaultPath, Link } from "./link.js";
import * as longValue from "./long_value.js";
import { Nodes } from "./nodes.js";
import { orAborted, Watch } from "./watch.js";
import { joined, Op, word } from "./wire.js";

const PATIENCE_MS = 10_000;
const TRIES = 1000;

/** What transaction() gives its body: the store as this transaction sees it. */
export class Transaction extends Nodes {
  constructor(store, number) {
    super();
    this._store = store;
    this._transactionId = number;
    this._epoch = store._link.epoch;
    this._state = { hasEnded: false };
  }

  _options(path, signal) {
    return { transaction: this._transactionId, path, epoch: this._epoch, signal };
  }

  async _ask(op, payload, path) {
    if (this._state.hasEnded)
      throw new StoreError("EINVAL", { text: "the transaction has ended: its body is to await what it asks", path });
    return this._store._link.request(op, payload, this._options(path, this._signal ?? this._store._signal));
  }

  _atOnce(what) {
    return what(this);
  }

  async _read(path) {
    const { value, whole } = await this._valueAndWhole(path);
    // of a value that somebody writes meanwhile mark and parts may be two states: END would say so too late
    if (whole === undefined && longValue.markAt(path, value) && !value.equals(await this._store._read(path)))
      throw new Conflict("EAGAIN", { text: "somebody else writes the value", path });
    return whole ?? value;
  }

  _knowsKinds() {
    return this._store._knowsKinds();
  }

  async _commit() {
    this._state.hasEnded = true;
    await this._store._link.request(Op.TRANSACTION_END, joined("T"), this._options(undefined, this._store._signal));
  }

  async _abort() {
    this._state.hasEnded = true;
    try {
      await this._store._link.request(Op.TRANSACTION_END, joined("F"), this._options());
    } catch (error) {
      if (!(error instanceof StoreError)) throw error; // else it has ended, by its commit or with its connection
    }
  }
}

export class Store extends Nodes {
  constructor({ socket = defaultPath(), patience = PATIENCE_MS } = {}) {
    super();
    if (typeof patience !== "number" || !(patience >= 0)) throw new RangeError("patience: milliseconds, 0 or more; Infinity: for ever");
    this._transactionId = 0;
    this._watches = new Map();
    this._state = { lastToken: 0, knowsKinds: undefined };
    this._link = new Link(socket, patience, {
      event: (path, token) => this._watches.get(token)?.take(path),
      up: () => Array.from(this._watches.values(), (w) => w.again()).filter(Boolean),
      down: () => this._watches.forEach((w) => w.down()),
    });
  }

  async open({ signal } = {}) {
    signal?.throwIfAborted();
    try {
      await orAborted(this._link.open(), signal);
    } catch (error) {
      this._link.close();
      throw error;
    }
    return this;
  }

  async close() {
    this._link.close();
  }

  async _ask(op, payload, path) {
    return this._link.request(op, payload, { path, signal: this._signal });
  }

  _atOnce(what) {
    return this.transaction(what, { signal: this._signal });
  }

  async _knowsKinds() {
    if (this._state.knowsKinds === undefined) {
      try {
        const answer = await this._ask(Op.CONTROL, joined("json", "0", "/"));
        this._state.knowsKinds = /^\d/.test(word(answer)); // oxenstored says OK to whatever it does not know
      } catch (error) {
        // as daemons and permissions say that there are none; all else is no answer
        if (!(error instanceof StoreError && ["EINVAL", "ENOSYS", "EACCES"].includes(error.code))) throw error;
        this._state.knowsKinds = false;
      }
    }
    return this._state.knowsKinds;
  }

  // ---- transactions ----

  async transaction(body, { tries = TRIES, signal } = {}) {
    if (!(tries >= 1)) throw new RangeError("tries: at least one");
    const store = this._for({ signal });
    for (let left = tries; ; ) {
      const tx = await store._begin();
      try {
        const result = await body(tx);
        await tx._commit();
        return result;
      } catch (error) {
        await tx._abort();
        left -= 1;
        if (!(error instanceof Conflict) || left < 1) throw error;
      }
    }
  }

  async _begin() {
    this._signal?.throwIfAborted();
    const beginning = this._link.request(Op.TRANSACTION_START, Buffer.alloc(1)).then((answer) => {
      if (!/^[1-9]\d{0,9}$/.test(word(answer))) throw new ProtocolError("no number of a transaction");
      return new Transaction(this, Number(word(answer)));
    });
    try {
      return await orAborted(beginning, this._signal);
    } catch (error) {
      beginning.then((tx) => tx._abort()).catch(() => {}); // nobody waits for it: the daemon is not to keep it
      throw error;
    }
  }

  // ---- what goes with its holder ----

  async bind(path, value, options) {
    return bind(this._link, path, value, options);
  }

  async unbind(path, value, options) {
    return unbind(this._link, path, value, options);
  }

  async lock(path, { signal, ...options } = {}) {
    return new Hold(this, path, options)._take(signal);
  }

  async elect(path, work, { signal, ...options } = {}) {
    for (;;) {
      const held = await this.lock(path, { ...options, signal });
      try {
        return await work(held);
      } catch (error) {
        if (!held.lost) throw error;
        if (this._link.error) throw this._link.error;
      } finally {
        await held.close();
      }
    }
  }

  // ---- watches ----

  watch(path, { signal } = {}) {
    this._state.lastToken += 1;
    return new Watch(this._link, this._watches, { path, token: `js${this._state.lastToken}`, signal });
  }
}

// Node 18.18 and 20.4 know it, and with it `await using`
if (Symbol.asyncDispose) {
  for (const { prototype } of [Store, Watch, Hold])
    Object.defineProperty(prototype, Symbol.asyncDispose, { value: prototype.close, writable: true, configurable: true });
}

/** An open store. */
export async function connect({ signal, ...options } = {}) {
  return new Store(options).open({ signal });
}
