// SPDX-License-Identifier: MIT
// names.js - names of any characters as names of the store, which have letters, digits and - _ @ only: what else there is
// becomes @XX (xs(1), Paths).
import { bytesOfText } from "./wire.js";

const AT = 0x40;
const PLAIN = new Set(Buffer.from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_@"));
const DIGITS = new Set(Buffer.from("0123456789abcdef"));

/** The byte that an @ before @rest begins the code of, or -1: it is just an @. @isFirst: it begins the name. */
function codeAt(rest, isFirst) {
  if (rest.length < 2 || !DIGITS.has(rest[0]) || !DIGITS.has(rest[1])) return -1;
  const byte = parseInt(rest.toString("latin1", 0, 2), 16);
  if (byte === 0) return isFirst && rest.length === 2 ? 0 : -1;
  if (byte === AT) return codeAt(rest.subarray(2), isFirst) < 0 ? -1 : byte;
  return PLAIN.has(byte) ? -1 : byte;
}

/** The store's name for any @name without NUL; decodeName() gives it back. */
export function encodeName(name) {
  const raw = bytesOfText(name, "a name");
  if (raw.includes(0)) throw new TypeError("a NUL in a name");
  if (!raw.length) return "@00";
  return Array.from(raw, (byte, i) => {
    const isCode = !PLAIN.has(byte) || (byte === AT && codeAt(raw.subarray(i + 1), i === 0) >= 0);
    return isCode ? `@${byte.toString(16).padStart(2, "0")}` : String.fromCharCode(byte);
  }).join("");
}

/** What the store's @name stands for; undefined: no text, it is known by its own name only. */
export function decodeName(name) {
  const raw = bytesOfText(name, "a name");
  const out = [];
  for (let i = 0; i < raw.length; ) {
    const byte = raw[i] === AT ? codeAt(raw.subarray(i + 1), i === 0) : -1;
    if (byte < 0) out.push(raw[i]);
    else if (byte > 0) out.push(byte);
    i += byte >= 0 ? 3 : 1;
  }
  return textOf(Uint8Array.from(out));
}

/** The absolute path of these names, each encoded. */
export function joinNames(...names) {
  return `/${names.map(encodeName).join("/")}`;
}

/** @bytes as text; undefined: they are none. */
export function textOf(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** The path of the child @name, as the store has it. */
export function childPath(path, name) {
  return `${path === "/" ? "" : path}/${name}`;
}
