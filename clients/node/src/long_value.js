// SPDX-License-Identifier: MIT
// long_value.js - values that do not fit into a message: a mark, and the parts as children
// (docs/decisions/0032-long-values.md).
import { childPath } from "./names.js";
import { PAYLOAD_MAX } from "./wire.js";

export const VALUE_MAX = 1 << 20;
export const PART_MAX = 2000;
const PATH_MAX = 3064;
const PART_MIN = 1020; // of a path of PATH_MAX
const NAME_MAX = 11; // "/@ff1048575"
const MARK = /^@long:([1-9][0-9]*):([1-9][0-9]*):([0-9a-f]{8})$/;
const MARK_MAX = 40; // "@long:1048576:1028:00000000" has less
const PART = /^@ff(0|[1-9][0-9]*)$/;

const TABLE = Uint32Array.from({ length: 256 }, (_, c) => {
  for (let i = 0; i < 8; i++) c = c & 1 ? (c >>> 1) ^ 0x82f63b78 : c >>> 1;
  return c;
});

export function crc32c(bytes) {
  let crc = -1;
  for (const byte of bytes) crc = (crc >>> 8) ^ TABLE[(crc ^ byte) & 0xff];
  return ~crc >>> 0;
}

/** {length, nrParts, crc} that @value, anybody's, says if it is written as a mark, of no more parts than its bytes have at
 * any path; else undefined. */
function markOf(value) {
  const found = value.length <= MARK_MAX ? MARK.exec(value.toString("latin1")) : null;
  if (!found) return undefined;
  const mark = { length: Number(found[1]), nrParts: Number(found[2]), crc: parseInt(found[3], 16) };
  return mark.length <= VALUE_MAX && mark.nrParts <= Math.floor(mark.length / PART_MIN) + 1 ? mark : undefined;
}

export function partSize(path) {
  return Math.min(PAYLOAD_MAX - Buffer.byteLength(path) - NAME_MAX - 1, PART_MAX);
}

/** The same at @path: of just as many parts as its bytes have there. */
export function markAt(path, value) {
  const mark = markOf(value);
  if (!mark || Buffer.byteLength(path) > PATH_MAX) return undefined;
  return mark.nrParts === Math.ceil(mark.length / partSize(path)) ? mark : undefined;
}

/** Of what part @name is the name; undefined: of none. */
export function partNumber(name) {
  const found = PART.exec(name);
  return found && Number(found[1]) <= VALUE_MAX ? Number(found[1]) : undefined;
}

export function isPart(name) {
  return partNumber(name) !== undefined;
}

export function partPath(path, i) {
  return childPath(path, `@ff${i}`);
}

export function isNeeded(path, value) {
  return Buffer.byteLength(path) + 1 + value.length > PAYLOAD_MAX || markOf(value) !== undefined;
}

/** The parts of @value, which needs them. RangeError: it, or the path, is too long. */
export function split(path, value) {
  if (value.length > VALUE_MAX) throw new RangeError(`a value of ${value.length} bytes: at most ${VALUE_MAX} are allowed`);
  const pathLength = Buffer.byteLength(path);
  if (pathLength > PATH_MAX) throw new RangeError(`a long value at a path of ${pathLength} bytes: at most ${PATH_MAX} are allowed`);
  const size = partSize(path);
  return Array.from({ length: Math.ceil(value.length / size) }, (_, i) => value.subarray(i * size, (i + 1) * size));
}

export function markFor(value, nrParts) {
  return Buffer.from(`@long:${value.length}:${nrParts}:${crc32c(value).toString(16).padStart(8, "0")}`);
}

/** The whole, or undefined: these are not the parts of that mark. */
export function join(mark, parts) {
  const whole = Buffer.concat(parts);
  return whole.length === mark.length && crc32c(whole) === mark.crc ? whole : undefined;
}
