// SPDX-License-Identifier: MIT
// document.js - JSON documents and nodes: the natural form of xs import and export (xs help export). Nothing here asks a
// store.
import { childPath, decodeName, encodeName, textOf } from "./names.js";
import { bytesOfText, PATH_MAX } from "./wire.js";

const WIRE = "@wire:";
const NUMBER = /^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$/;
const INTEGER = /^-?[0-9]+$/;
const DIGITS_MAX = 4300; // of an integer; what has more stays text
const STORE_NAME = /^[A-Za-z0-9_@-]+$/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const EMPTY = Buffer.alloc(0);

/** What a value is in JSON: kept by our daemon beside the value (libxs/xs_kind.h). */
export const Kind = Object.freeze({ TEXT: 0, NUMBER: 1, BOOL: 2, NULL: 3, OBJECT: 4, LIST: 5 });
const KIND_NAMES = ["text", "number", "boolean", "null", "object", "list"];

// ---- from documents ----

function isObject(v) {
  const prototype = typeof v === "object" && v !== null ? Object.getPrototypeOf(v) : undefined;
  return prototype === null || prototype === Object.prototype;
}

function wrong(path, text) {
  return new TypeError(`${path}: ${text}`);
}

function numberText(path, v) {
  if (typeof v === "bigint") return String(v);
  if (!Number.isFinite(v)) throw wrong(path, `${v} is no value of a document`);
  return Object.is(v, -0) ? "-0" : JSON.stringify(v);
}

function scalar(path, v) {
  if (v === null) return { path, value: EMPTY, kind: Kind.NULL };
  if (typeof v === "boolean") return { path, value: Buffer.from(v ? "1" : "0"), kind: Kind.BOOL };
  if (typeof v === "number" || typeof v === "bigint") return { path, value: Buffer.from(numberText(path, v)), kind: Kind.NUMBER };
  if (typeof v === "string") return { path, value: bytesOfText(v, `the value of ${path}`), kind: Kind.TEXT };
  const what = typeof v === "object" ? (v.constructor?.name ?? "object") : typeof v;
  throw wrong(path, `${what} is no value of a document`);
}

function bytes(path, text) {
  if (typeof text !== "string" || !BASE64.test(text)) throw wrong(path, "@b64 is no base64");
  return { path, value: Buffer.from(text, "base64"), kind: Kind.TEXT };
}

function isBytes(v) {
  return isObject(v) && Object.keys(v).length === 1 && Object.hasOwn(v, "@b64");
}

function childName(path, key) {
  if (key.startsWith(WIRE)) {
    const name = key.slice(WIRE.length);
    if (!STORE_NAME.test(name)) throw wrong(path, `${key}: ${WIRE} is followed by a name of the store`);
    return name;
  }
  if (key.startsWith("@@")) return encodeName(key.slice(1));
  if (key.startsWith("@")) throw wrong(path, `"${key}" is no member of a document; a name that begins with @ has one more`);
  return encodeName(key);
}

function ownValue(path, members) {
  if (!Object.hasOwn(members, "@value"))
    return { path, value: Object.keys(members).length ? undefined : EMPTY, kind: Kind.OBJECT };
  const value = members["@value"];
  return isBytes(value) ? bytes(path, value["@b64"]) : scalar(path, value);
}

function kindNamed(path, name) {
  const kind = typeof name === "string" ? KIND_NAMES.indexOf(name) : -1;
  if (kind < 0) throw wrong(path, `@kind is one of ${KIND_NAMES.join(", ")}`);
  return kind;
}

function object(path, members) {
  if (isBytes(members)) return [bytes(path, members["@b64"])];
  const own = ownValue(path, members);
  if (Object.hasOwn(members, "@perms")) {
    const perms = members["@perms"];
    if (!Array.isArray(perms) || !perms.every((p) => typeof p === "string")) throw wrong(path, "@perms is no list of strings");
    own.perms = perms;
  }
  if (Object.hasOwn(members, "@kind")) own.kind = kindNamed(path, members["@kind"]);
  const below = Object.entries(members).filter(([key]) => !["@value", "@perms", "@kind"].includes(key));
  return [own, ...below.flatMap(([key, value]) => wants(value, childPath(path, childName(path, key))))];
}

/** The nodes that @doc asks for at and below @path, parents first: {path, value, kind, perms}, each but path undefined: as
 * it is; replaces: what is below it goes. TypeError and RangeError say where it is wrong. */
export function wants(doc, path) {
  if (path.length > PATH_MAX) throw new RangeError(`${path.slice(0, 80)}...: a path of more than ${PATH_MAX} characters`);
  if (Array.isArray(doc)) {
    const items = Array.from(doc, (item, i) => wants(item, childPath(path, String(i))));
    return [{ path, value: EMPTY, kind: Kind.LIST, replaces: true }, ...items.flat()];
  }
  return isObject(doc) ? object(path, doc) : [scalar(path, doc)];
}

// ---- to documents ----

function textValue(value) {
  const text = textOf(value);
  return text === undefined ? { "@b64": value.toString("base64") } : text;
}

/** undefined: it is none, or none that JavaScript has. An integer that a number would write otherwise is a bigint. */
function numberOf(value) {
  const text = value.toString("latin1");
  if (!NUMBER.test(text)) return undefined;
  const number = Number(text);
  if (!INTEGER.test(text)) return Number.isFinite(number) ? number : undefined;
  if (Number.isSafeInteger(number) || String(number) === text) return number;
  return text.length <= DIGITS_MAX ? BigInt(text) : undefined;
}

function valueOf({ value, kind }) {
  const found = value ?? EMPTY;
  const number = kind === Kind.NUMBER ? numberOf(found) : undefined;
  if (number !== undefined) return number;
  if (kind === Kind.BOOL && ["0", "1"].includes(found.toString("latin1"))) return found[0] === 0x31;
  if (kind === Kind.NULL && !found.length) return null;
  if (kind === Kind.OBJECT && !found.length) return {};
  return textValue(found);
}

function keyOf(name) {
  const text = decodeName(name);
  if (text === undefined) return WIRE + name;
  return text.startsWith("@") ? `@${text}` : text;
}

function isList({ value, kind, children }) {
  return kind === Kind.LIST && !value?.length && Array.from(children.keys()).every((_, i) => children.has(String(i)));
}

/** The document of a tree; keys in their order. */
export function ofTree(node) {
  const { children } = node;
  if (isList(node)) return Array.from(children.keys(), (_, i) => ofTree(children.get(String(i))));
  if (!children.size) return valueOf(node);
  const found = Array.from(children, ([name, child]) => [keyOf(name), ofTree(child)]);
  if (node.value?.length) found.push(["@value", valueOf(node)]);
  return Object.fromEntries(found.sort(([a], [b]) => (a < b ? -1 : 1))); // defines members: __proto__ is one like any
}
