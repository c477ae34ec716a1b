// SPDX-License-Identifier: MIT
// connection.js - one socket to a daemon, from its first byte to its end: bytes to messages and back. What they mean, and
// what happens after the end, is link.js's.
import { connect } from "node:net";
import { ProtocolError } from "./errors.js";
import { HEADER_LEN, pack, unpackHeader } from "./wire.js";

export class Connection {
  #socket;
  #rest = Buffer.alloc(0);
  #error;
  #on;

  /** @on: open(), message(m), which may throw to end it, and end(error), once, behind which nothing comes. */
  constructor(path, on) {
    this.#on = on;
    this.#socket = connect({ path });
    this.#socket.on("connect", () => this.#guard(() => on.open()));
    this.#socket.on("data", (bytes) => this.#guard(() => this.#take(bytes)));
    this.#socket.on("end", () => this.destroy()); // a peer that only stopped sending may never read what is left
    this.#socket.on("error", (error) => this.destroy(error));
    this.#socket.on("close", () => on.end(this.#error));
  }

  send(message) {
    if (!this.#error) this.#socket.write(pack(message));
  }

  destroy(error = new ProtocolError("an end of the connection")) {
    this.#error ??= error;
    this.#socket.destroy();
  }

  #guard(what) {
    try {
      if (!this.#error) what();
    } catch (error) {
      this.destroy(error);
    }
  }

  #take(bytes) {
    let rest = this.#rest.length ? Buffer.concat([this.#rest, bytes]) : bytes;
    while (rest.length >= HEADER_LEN && !this.#error) {
      const { length, ...head } = unpackHeader(rest);
      const end = HEADER_LEN + length;
      if (rest.length < end) break;
      const payload = Buffer.from(rest.subarray(HEADER_LEN, end)); // its own: what is read is kept by who asked
      rest = rest.subarray(end);
      this.#on.message({ ...head, payload });
    }
    this.#rest = rest;
  }
}
