// SPDX-License-Identifier: MIT
// wire.js - messages of Xen's protocol (xen/io/xs_wire.h) as bytes. No input or output happens here.
import { endianness } from "node:os";
import { ProtocolError } from "./errors.js";

export const HEADER_LEN = 16;
export const PAYLOAD_MAX = 4096;
export const PATH_MAX = 3072;

export const Op = Object.freeze({
  CONTROL: 0,
  DIRECTORY: 1,
  READ: 2,
  GET_PERMS: 3,
  WATCH: 4,
  UNWATCH: 5,
  TRANSACTION_START: 6,
  TRANSACTION_END: 7,
  WRITE: 11,
  MKDIR: 12,
  RM: 13,
  SET_PERMS: 14,
  WATCH_EVENT: 15,
  ERROR: 16,
  DIRECTORY_PART: 22,
});

const CHANGES = new Set([Op.WRITE, Op.MKDIR, Op.RM, Op.SET_PERMS]);
const LITTLE = endianness() === "LE"; // a header is in the machine's own byte order
const SURROGATE = /\p{Surrogate}/u; // half a character: would become another one

/** A request that must not be done twice, and of which our daemon notes what became. */
export function isChange({ op, transaction, payload }) {
  return op === Op.TRANSACTION_END ? payload[0] === 0x54 : CHANGES.has(op) && transaction === 0;
}

export function pack({ op, request, transaction, payload }) {
  const bytes = Buffer.allocUnsafe(HEADER_LEN + payload.length);
  [op, request, transaction, payload.length].forEach((n, i) =>
    LITTLE ? bytes.writeUInt32LE(n, 4 * i) : bytes.writeUInt32BE(n, 4 * i));
  payload.copy(bytes, HEADER_LEN);
  return bytes;
}

/** ProtocolError for a length that no daemon may send. */
export function unpackHeader(bytes) {
  const [op, request, transaction, length] = [0, 4, 8, 12].map((at) => (LITTLE ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at)));
  if (length > PAYLOAD_MAX) throw new ProtocolError(`a message of ${length} bytes`);
  return { op, request, transaction, length };
}

/** The NUL-terminated strings of a payload. */
export function strings(payload) {
  return payload.toString().split("\0").slice(0, -1);
}

/** A payload that is one word, with or without its NUL. */
export function word(payload) {
  return payload.toString().replace(/\0+$/, "");
}

/** @text in UTF-8. TypeError: it is no text, or has half a character. */
export function bytesOfText(text, what = "a word for the store") {
  if (typeof text !== "string") throw new TypeError(`${what} is a string, not ${text === null ? "null" : typeof text}`);
  if (SURROGATE.test(text)) throw new TypeError(`${what} has a lone surrogate, which UTF-8 does not: ${JSON.stringify(text)}`);
  return Buffer.from(text);
}

/** Words, each ended by a NUL. TypeError if one has a NUL. */
export function joined(...words) {
  return Buffer.concat(words.flatMap((w) => {
    const bytes = bytesOfText(w);
    if (bytes.includes(0)) throw new TypeError("a NUL in a word for the store");
    return [bytes, Buffer.alloc(1)];
  }));
}
