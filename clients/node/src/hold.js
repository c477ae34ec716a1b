// SPDX-License-Identifier: MIT
// hold.js - a key that one of several has at a time, and that goes with who has it: locks, leaders. As cli/xs/hold.c does
// it, so that programs and `xs lock --lease`, `xs elect` contend for the same key.
import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { Lost, NotFound, NotSupported, StoreError } from "./errors.js";
import { orAborted } from "./watch.js";
import { joined, Op, word } from "./wire.js";

const TTL_MIN_MS = 100;
const TTL_MAX_MS = 86_400_000;
const NAME_MAX = 200;
const SESSION_MS = 20_000; // what the daemon gives a client whose connection was lost

/** The last word of a bind; none: as long as this client is there. */
function milliseconds(ttl) {
  if (ttl === undefined) return [];
  if (!(typeof ttl === "number" && ttl >= TTL_MIN_MS && ttl <= TTL_MAX_MS))
    throw new RangeError(`ttl: ${TTL_MIN_MS} to ${TTL_MAX_MS} ms`);
  return [String(Math.round(ttl))];
}

function isNoCommand(error) {
  return error instanceof StoreError && ["EINVAL", "ENOSYS"].includes(error.code);
}

/** See Store.bind(). */
export async function bind(link, path, value, { ttl, signal } = {}) {
  const payload = joined("bind", path, value, ...milliseconds(ttl));
  let said;
  try {
    said = word(await link.request(Op.CONTROL, payload, { path, signal }));
  } catch (error) {
    if (!isNoCommand(error)) throw error;
    if (!link.hasSession) throw new NotSupported(path);
    const text = "not bound: what is kept over a boot is bound to nothing (xenstored --volatile), nor is a value of more than 1024 bytes";
    throw new StoreError("EINVAL", { text, path, cause: error });
  }
  // oxenstored says OK to whatever it does not know
  if (said !== "held" && said !== "not held") throw new NotSupported(path);
  return said === "held";
}

/** See Store.unbind(). */
export async function unbind(link, path, value, { signal } = {}) {
  try {
    await link.request(Op.CONTROL, joined("unbind", path, value), { path, signal });
  } catch (error) {
    if (error instanceof NotFound) return;
    throw isNoCommand(error) && !link.hasSession ? new NotSupported(path) : error;
  }
  if (!link.hasSession) throw new NotSupported(path);
}

export class Hold {
  #store;
  #ttl;
  #heldAt; // when was asked what was last found to be ours
  #isOver = false; // given back, or never had
  #abort = new AbortController();
  #watch;
  #keeper;
  #isChanged = false; // since it was asked whether it is ours
  #wake; // ends what the keeper waits for

  constructor(store, path, { ttl, name = `${hostname()}:${process.pid}` } = {}) {
    milliseconds(ttl);
    const length = typeof name === "string" ? Buffer.byteLength(name) : 0;
    if (length < 1 || length > NAME_MAX) throw new RangeError(`name: 1 to ${NAME_MAX} bytes`);
    this.path = path;
    this.value = `${name} ${randomBytes(8).toString("hex")}`;
    joined(this.path, this.value); // who gives what cannot be sent hears it here
    this.#store = store;
    this.#ttl = ttl;
    this.#watch = store.watch(path);
  }

  get #time() {
    return this.#ttl ?? SESSION_MS;
  }

  get signal() {
    return this.#abort.signal;
  }

  get lost() {
    return this.#isOver || this.signal.aborted || this.#heldAt === undefined ||
      performance.now() > this.#heldAt + (this.#time * 7) / 8;
  }

  check() {
    if (this.lost) throw new Lost(this.path);
  }

  // ---- taking it ----

  #bind(signal) {
    return bind(this.#store._link, this.path, this.value, { ttl: this.#ttl, signal });
  }

  async #confirm(signal) {
    const asked = performance.now();
    const held = await this.#bind(signal);
    if (held) this.#heldAt = asked;
    return held;
  }

  /** Bound first, so that the key of who dies in between goes. */
  async #try(signal) {
    await this.#bind(signal);
    const isMine = await this.#store.transaction(async (t) => {
      try {
        return (await t.read(this.path)).equals(Buffer.from(this.value));
      } catch (error) {
        if (!(error instanceof NotFound)) throw error;
        await t.write(this.path, this.value);
        return true;
      }
    }, { signal });
    return isMine && this.#confirm(signal);
  }

  async _take(signal) {
    try {
      await orAborted(this.#watch.open(), signal);
      while (!(await this.#try(signal))) await orAborted(this.#watch.next(), signal);
    } catch (error) {
      await this.#giveBack();
      throw error;
    }
    this.#keeper = Promise.all([this.#follow(), this.#keep()]);
    return this;
  }

  // ---- having it ----

  /** Until it is closed. */
  async #follow() {
    try {
      while (!(await this.#watch.next()).done) {
        this.#isChanged = true;
        this.#wake?.();
      }
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      this.#end();
    }
  }

  /** Asks at each change, also when the connection is back, and three times in the time. */
  async #keep() {
    try {
      while (!this.lost) {
        if (!this.#isChanged) await this.#rest();
        this.#isChanged = false;
        if (this.lost || !(await this.#confirmInTime())) break;
      }
    } catch (error) {
      if (!(error instanceof StoreError)) throw error; // else nobody can say that it is ours
    } finally {
      this.#end();
    }
  }

  #end() {
    this.#abort.abort(new Lost(this.path));
    this.#wake?.();
  }

  /** How long until so far into the time since it was ours for sure. */
  #left(part) {
    return Math.max(0, this.#heldAt + this.#time * part - performance.now());
  }

  // No race with a promise that is there for long: it keeps all who ever ran.
  async #rest() {
    let timer;
    await new Promise((resolve) => {
      timer = setTimeout(resolve, this.#left(1 / 3));
      this.#wake = resolve;
    });
    clearTimeout(timer);
    this.#wake = undefined;
  }

  async #confirmInTime() {
    const late = new AbortController();
    const abort = () => late.abort(new Lost(this.path));
    const timer = setTimeout(abort, this.#left(3 / 4));
    this.#wake = () => this.lost && abort();
    try {
      return await this.#confirm(late.signal);
    } finally {
      clearTimeout(timer);
      this.#wake = undefined;
    }
  }

  // ---- giving it back ----

  async close() {
    if (!this.#isOver) await this.#giveBack();
    await this.#keeper;
  }

  /** The node first: without a bond it would stay for ever. */
  async #giveBack() {
    this.#isOver = true;
    this.#end();
    try {
      await this.#watch.close();
      await this.#store.transaction(async (t) => {
        try {
          if ((await t.read(this.path)).equals(Buffer.from(this.value))) await t.rm(this.path);
        } catch (error) {
          if (!(error instanceof NotFound)) throw error;
        }
      });
      await unbind(this.#store._link, this.path, this.value);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error; // else it goes by itself, when the time or the connection is over
    }
  }
}
