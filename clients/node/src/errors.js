// SPDX-License-Identifier: MIT
// errors.js - what the store says no with, as Node's own errors are: code is its name, errno its number, path the node's.
import { constants } from "node:os";
import { getSystemErrorMap } from "node:util";

const TEXTS = { ENOENT: "no such node", EAGAIN: "somebody else changed what was used" };

function textOf(code) {
  return TEXTS[code] ?? getSystemErrorMap().get(-constants.errno[code])?.[1] ?? "refused";
}

/** The store refused, for the reason in code. */
export class StoreError extends Error {
  constructor(code, { path, text = textOf(code), cause } = {}) {
    super(`${code}: ${text}${path === undefined ? "" : `: ${path}`}`, cause && { cause });
    this.code = code;
    this.errno = -(constants.errno[code] ?? constants.errno.EIO);
    if (path !== undefined) this.path = path;
  }

  get name() {
    return this.constructor.name;
  }
}

/** ENOENT: there is no such node. */
export class NotFound extends StoreError {}

/** EACCES, EPERM, EROFS. */
export class PermissionDenied extends StoreError {}

/** EAGAIN: somebody else changed what the transaction used. It was not committed. */
export class Conflict extends StoreError {}

/** EIO: no daemon within the patience, or one that does not speak the protocol (cause). What was asked has not been done. */
export class ConnectionLost extends StoreError {}

/** EOPNOTSUPP: only Storevisor's daemon has this. */
export class NotSupported extends StoreError {
  constructor(path) {
    super("EOPNOTSUPP", { text: "this daemon binds keys to nothing: Storevisor's does", path });
  }
}

/** ESTALE: somebody else may have what was held. */
export class Lost extends StoreError {
  constructor(path) {
    super("ESTALE", { text: "lost: somebody else may have it", path });
  }
}

/** EIO: the connection broke while a change was on its way, and nobody can say what became of it. */
export class OutcomeUnknown extends ConnectionLost {}

/** Not of the protocol: the connection it came by is given up. */
export class ProtocolError extends StoreError {
  constructor(text, path) {
    super("EPROTO", { text: `the daemon sent ${text}`, path });
  }
}

const KINDS = { ENOENT: NotFound, EACCES: PermissionDenied, EPERM: PermissionDenied, EROFS: PermissionDenied, EAGAIN: Conflict };

/** The error for its name on the wire ("ENOENT"); names that the machine does not know are EIO. */
export function errorOf(name, path) {
  const code = Object.hasOwn(constants.errno, name) ? name : "EIO";
  return new (KINDS[code] ?? StoreError)(code, { path });
}
