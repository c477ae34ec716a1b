// SPDX-License-Identifier: MIT
// watch.js - one watch as an async iterator: registered when somebody waits for it, again with each new connection, until
// it is closed.
import { StoreError } from "./errors.js";
import { joined, Op } from "./wire.js";

/** What @promise gives, or the reason of @signal as soon as that is aborted. */
export function orAborted(promise, signal) {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
    if (signal.aborted) abort();
  });
}

export class Watch {
  #link;
  #watches; // of the store, by token: those that the daemon knows, or is asked for
  #token;
  #signal;
  #events = new Map(); // what is not taken yet: once for each path
  #waiting = []; // who is woken when something has changed
  #next = "first"; // what the registration's own event is
  #isRegistered = false;
  #registering;
  #isClosed = false;
  #error;
  #abort = () => this.close();

  constructor(link, watches, { path, token, signal }) {
    this.#link = link;
    this.#watches = watches;
    this.path = path;
    this.#token = token;
    this.#signal = signal;
    this.#payload(); // who gives a path that is none hears it here
    signal?.addEventListener("abort", this.#abort, { once: true });
  }

  #payload() {
    return joined(this.path, this.#token);
  }

  #wake() {
    for (const go of this.#waiting.splice(0)) go();
  }

  // ---- the store's side ----

  /** What registers it on a new connection; undefined: its own request is still on its way. */
  again() {
    if (!this.#isRegistered) return undefined;
    this.#next = "resumed";
    const message = { op: Op.WATCH, request: this.#link.number(), transaction: 0, payload: this.#payload() };
    return { message, refused: (error) => this.#refused(error) };
  }

  #refused(error) {
    this.#isRegistered = false;
    this.#watches.delete(this.#token);
    this.#error = error;
    this.#wake();
  }

  take(path) {
    const event = { path, first: this.#next === "first", resumed: this.#next === "resumed" };
    this.#next = "";
    this.#events.set(`${event.first}${event.resumed}${path}`, event);
    this.#wake();
  }

  /** The connection was given up. */
  down() {
    this.#wake();
  }

  // ---- the user's side ----

  async open() {
    this.#signal?.throwIfAborted();
    if (!this.#isRegistered && !this.#isClosed) await this.#register();
    return this;
  }

  /** Who does not wait any longer leaves it on its way: the daemon knows it once, or not. */
  #register() {
    this.#registering ??= this.#askForIt().finally(() => {
      this.#registering = undefined;
    });
    this.#registering.catch(() => {});
    return orAborted(this.#registering, this.#signal);
  }

  async #askForIt() {
    this.#next = "first";
    this.#watches.set(this.#token, this);
    try {
      await this.#link.request(Op.WATCH, this.#payload(), { path: this.path });
      this.#isRegistered = true;
    } catch (error) {
      this.#watches.delete(this.#token);
      throw error;
    }
  }

  [Symbol.asyncIterator]() {
    return this;
  }

  async next() {
    for (;;) {
      this.#signal?.throwIfAborted();
      for (const [key, value] of this.#events) {
        this.#events.delete(key);
        return { value, done: false };
      }
      if (this.#isClosed) return { value: undefined, done: true };
      const error = this.#error ?? this.#link.error;
      this.#error = undefined;
      if (error) throw error;
      if (!this.#isRegistered) {
        await this.#register();
        continue; // its own event may be there already
      }
      await new Promise((resolve) => {
        this.#waiting.push(resolve);
      });
    }
  }

  async return(value) {
    await this.close();
    return { value, done: true };
  }

  async close() {
    this.#isClosed = true;
    this.#signal?.removeEventListener("abort", this.#abort);
    this.#wake();
    await this.#registering?.catch(() => {});
    this.#watches.delete(this.#token);
    if (!this.#isRegistered) return;
    this.#isRegistered = false;
    try {
      await this.#link.request(Op.UNWATCH, this.#payload(), { path: this.path });
    } catch (error) {
      if (!(error instanceof StoreError)) throw error; // else the connection has gone, and it too
    }
  }
}
