// SPDX-License-Identifier: MIT
// nodes.js - what can be asked about nodes, of the store as of a transaction. How it gets there is theirs.
import { ofTree, Kind, wants } from "./document.js";
import { Conflict, NotFound, ProtocolError, StoreError } from "./errors.js";
import * as longValue from "./long_value.js";
import { childPath, textOf } from "./names.js";
import { bytesOfText, joined, Op, strings } from "./wire.js";

const PARTS_AT_ONCE = 32; // read, or written
const LISTINGS_MAX = 1000;

function bytesOf(value) {
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return bytesOfText(value, "a value that is no Uint8Array");
}

function isCode(error, ...codes) {
  return error instanceof StoreError && codes.includes(error.code);
}

/** Methods reject with StoreError. Of whom extends it: _ask(op, payload, path), its answer; _atOnce(what), which runs
 * what(nodes) in one transaction, this one or one of its own; _transactionId; _knowsKinds(). */
export class Nodes {
  /** As it is, or one that gives up with @signal. */
  _for(options) {
    if (!options?.signal) return this;
    return Object.create(this, { _signal: { value: options.signal } });
  }

  // ---- reading ----

  async read(path, options) {
    return this._for(options)._read(path);
  }

  async _read(path) {
    const value = await this._ask(Op.READ, joined(path), path);
    return longValue.markAt(path, value) ? this._atOnce((nodes) => nodes._readLong(path)) : value;
  }

  async _readLong(path) {
    const { value, whole } = await this._valueAndWhole(path);
    return whole ?? value;
  }

  /** What the node has, and what it is the mark of; undefined: of nothing, or the parts are not those. */
  async _valueAndWhole(path) {
    const value = await this._ask(Op.READ, joined(path), path);
    const mark = longValue.markAt(path, value);
    const parts = mark && (await this._readParts(path, mark));
    return { value, whole: parts && longValue.join(mark, parts) };
  }

  /** undefined: one is missing. Anybody may write a mark: the first part is read before the others are asked for. */
  async _readParts(path, mark) {
    const parts = [];
    const size = longValue.partSize(path);
    while (parts.length < mark.nrParts) {
      const most = Math.min(parts.length ? PARTS_AT_ONCE : 1, mark.nrParts - parts.length);
      const paths = Array.from({ length: most }, (_, i) => longValue.partPath(path, parts.length + i));
      const got = await Promise.allSettled(paths.map((p) => this._ask(Op.READ, joined(p), p)));
      for (const { reason, value } of got) {
        if (reason !== undefined && (reason instanceof Conflict || !(reason instanceof StoreError))) throw reason;
        if (value?.length !== Math.min(size, mark.length - parts.length * size)) return undefined;
        parts.push(value);
      }
    }
    return parts;
  }

  async readText(path, options) {
    const text = textOf(await this.read(path, options));
    if (text === undefined) throw new TypeError(`the value of ${path} is no text in UTF-8`);
    return text;
  }

  async exists(path, options) {
    try {
      await this._for(options)._ask(Op.READ, joined(path), path);
      return true;
    } catch (error) {
      if (error instanceof NotFound) return false;
      throw error;
    }
  }

  async list(path, options) {
    return this._for(options)._list(path);
  }

  async _list(path) {
    return (await this._names(path)).filter((n) => !longValue.isPart(n)).sort();
  }

  async _names(path) {
    try {
      return strings(await this._ask(Op.DIRECTORY, joined(path), path));
    } catch (error) {
      if (!isCode(error, "E2BIG")) throw error;
    }
    for (let i = 0; i < LISTINGS_MAX; i++) {
      const names = await this._namesInParts(path);
      if (names) return names;
    }
    throw new Conflict("EAGAIN", { text: "the children change faster than they can be listed", path });
  }

  /** undefined: the set changed meanwhile. */
  async _namesInParts(path) {
    const got = [];
    for (let length = 0, generation; ; ) {
      const part = await this._ask(Op.DIRECTORY_PART, joined(path, String(length)), path);
      const end = part.indexOf(0);
      if (end < 0) throw new ProtocolError("a part of a list without a generation", path);
      const now = part.toString("latin1", 0, end);
      if (now !== (generation ??= now)) return undefined;
      const rest = part.subarray(end + 1);
      const isLast = rest.length < 2 ? rest.every((b) => b === 0) : rest.at(-1) === 0 && rest.at(-2) === 0;
      got.push(isLast ? rest.subarray(0, -1) : rest);
      length += rest.length;
      if (isLast) return strings(Buffer.concat(got));
    }
  }

  async perms(path, options) {
    return strings(await this._for(options)._ask(Op.GET_PERMS, joined(path), path));
  }

  async tree(path = "/", options = undefined) {
    return this._for(options)._atOnce((nodes) => nodes._tree(path));
  }

  async _tree(path) {
    let own = { value: undefined, kind: Kind.TEXT };
    try {
      own = await this._valueAndKind(path);
    } catch (error) {
      if (!isCode(error, "EACCES", "EPERM")) throw error;
    }
    const names = await this._list(path);
    const below = await Promise.all(names.map((n) => this._tree(childPath(path, n))));
    return { ...own, children: new Map(names.map((n, i) => [n, below[i]])) };
  }

  async _valueAndKind(path) {
    if (!(await this._knowsKinds())) return { value: await this._read(path), kind: Kind.TEXT };
    const answer = await this._ask(Op.CONTROL, joined("json", String(this._transactionId), path), path);
    const kind = answer[0] - 0x30;
    if (!Object.values(Kind).includes(kind)) throw new ProtocolError("no kind of a value", path);
    const value = answer.subarray(1);
    return { value: longValue.markAt(path, value) ? await this._read(path) : value, kind };
  }

  // ---- changing ----

  async write(path, value, options) {
    await this._for(options)._write(path, bytesOf(value));
  }

  async _write(path, data) {
    let mark;
    try {
      mark = longValue.markAt(path, await this._ask(Op.READ, joined(path), path));
    } catch (error) {
      if (!isCode(error, "ENOENT", "EACCES")) throw error;
    }
    let inParts = longValue.isNeeded(path, data);
    if (!mark && !inParts) {
      try {
        await this._ask(Op.WRITE, Buffer.concat([joined(path), data]), path);
        return;
      } catch (error) {
        // a daemon with a limit of its own for a value (oxenstored: 2048 bytes)
        inParts = isCode(error, "E2BIG") && data.length > longValue.PART_MAX;
        if (!inParts) throw error;
      }
    }
    await this._atOnce((nodes) => nodes._writeLong(path, data, inParts));
  }

  async _writeLong(path, data, inParts) {
    const parts = inParts ? longValue.split(path, data) : [];
    const own = parts.length ? longValue.markFor(data, parts.length) : data;
    try {
      await this._ask(Op.WRITE, Buffer.concat([joined(path), own]), path);
    } catch (error) {
      if (!isCode(error, "E2BIG") || inParts || data.length <= longValue.PART_MAX) throw error;
      await this._writeLong(path, data, true);
      return;
    }
    for (let at = 0; at < parts.length; at += PARTS_AT_ONCE)
      await Promise.all(parts.slice(at, at + PARTS_AT_ONCE).map((part, i) => {
        const p = longValue.partPath(path, at + i);
        return this._ask(Op.WRITE, Buffer.concat([joined(p), part]), p);
      }));
    // whichever are there: also those whose mark was written over
    for (const name of await this._names(path))
      if (longValue.partNumber(name) >= parts.length) await this._ask(Op.RM, joined(childPath(path, name)), path);
  }

  async mkdir(path, options) {
    await this._for(options)._ask(Op.MKDIR, joined(path), path);
  }

  async rm(path, options) {
    const nodes = this._for(options);
    await nodes._ask(Op.READ, joined(path), path); // the daemon has no error for what is not there
    await nodes._ask(Op.RM, joined(path), path);
  }

  async setPerms(path, perms, options) {
    await this._for(options)._atOnce((nodes) => nodes._setPerms(path, perms));
  }

  async _setPerms(path, perms) {
    const mark = longValue.markAt(path, await this._ask(Op.READ, joined(path), path));
    const parts = Array.from({ length: mark?.nrParts ?? 0 }, (_, i) => longValue.partPath(path, i));
    for (const p of [path, ...parts]) await this._ask(Op.SET_PERMS, joined(p, ...perms), p);
  }

  // ---- documents ----

  async exportDocument(path = "/", options = undefined) {
    return ofTree(await this.tree(path, options));
  }

  async importDocument(doc, path = "/", options = undefined) {
    const nodesWanted = wants(doc, path);
    await this._for(options)._atOnce(async (nodes) => {
      for (const want of nodesWanted) await nodes._makeTrue(want);
    });
  }

  async _makeTrue({ path, value, kind, perms, replaces }) {
    if (replaces)
      for (const name of await this._namesIfAny(path)) await this._ask(Op.RM, joined(childPath(path, name)), path);
    if (value === undefined) await this.mkdir(path);
    else await this._write(path, value);
    if (perms) await this._setPerms(path, perms);
    if (kind !== undefined && (await this._knowsKinds()))
      await this._ask(Op.CONTROL, joined("json", String(this._transactionId), path, String(kind)), path);
  }

  async _namesIfAny(path) {
    try {
      return await this._names(path);
    } catch (error) {
      if (error instanceof NotFound) return [];
      throw error;
    }
  }
}
