// SPDX-License-Identifier: MIT
// index.d.ts - the types of index.js.

/** What a document is: JSON, and bigint for integers that a number would write otherwise. */
export type Json = null | boolean | number | bigint | string | Json[] | { [name: string]: Json };

/** What importDocument() takes. */
export type JsonInput =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly JsonInput[]
  | { readonly [name: string]: JsonInput };

/** What a value is in JSON: kept by Storevisor's daemon beside the value. */
export declare const Kind: {
  readonly TEXT: 0;
  readonly NUMBER: 1;
  readonly BOOL: 2;
  readonly NULL: 3;
  readonly OBJECT: 4;
  readonly LIST: 5;
};
export type Kind = (typeof Kind)[keyof typeof Kind];

/** A node and what is below it, by the store's names. */
export interface TreeNode {
  /** undefined: not readable. */
  value: Buffer | undefined;
  kind: Kind;
  children: Map<string, TreeNode>;
}

export interface Abortable {
  /** Who aborts no longer waits: the promise is rejected with its reason. A change that is on its way may still be done. */
  signal?: AbortSignal | undefined;
}

export interface StoreOptions {
  /** The daemon's socket. Default: XENSTORED_PATH, or socket in XENSTORED_RUNDIR, or in /run/xenstored. */
  socket?: string | undefined;
  /** How long to try to come back when the connection is lost, and to wait for a greeting (at least 3 s), ms (default 10000);
   * Infinity: for ever, and a minute for a greeting. */
  patience?: number | undefined;
}

export interface TransactionOptions extends Abortable {
  /** After how many conflicts it is given up (default 1000). */
  tries?: number | undefined;
}

/** The store refused, for the reason in code. */
export declare class StoreError extends Error {
  /** "EINVAL", "ENOSPC", ... */
  readonly code: string;
  /** Its number, negative as Node's own errors have it. */
  readonly errno: number;
  readonly path?: string;
}

/** ENOENT: there is no such node. */
export declare class NotFound extends StoreError {}

/** EACCES, EPERM, EROFS. */
export declare class PermissionDenied extends StoreError {}

/** EAGAIN: somebody else changed what the transaction used. It was not committed. */
export declare class Conflict extends StoreError {}

/** EIO: no daemon within the patience, or one that does not speak the protocol (cause); ECANCELED: closed; ENOTCONN: not
 * opened. What was asked has not been done. */
export declare class ConnectionLost extends StoreError {}

/** EOPNOTSUPP: only Storevisor's daemon has this. */
export declare class NotSupported extends StoreError {}

/** ESTALE: somebody else may have what was held. */
export declare class Lost extends StoreError {}

/** EIO: the connection broke while a change was on its way, and nobody can say what became of it. */
export declare class OutcomeUnknown extends ConnectionLost {}

/** EPROTO: the daemon said what is not of the protocol. */
export declare class ProtocolError extends StoreError {}

/** What can be asked about nodes, of the store as of a transaction. */
interface Nodes {
  /** The value, also a long one. */
  read(path: string, options?: Abortable): Promise<Buffer>;
  /** The value as text. TypeError: it is none. */
  readText(path: string, options?: Abortable): Promise<string>;
  exists(path: string, options?: Abortable): Promise<boolean>;
  /** Names of the children, as the store has them (decodeName()), sorted. */
  list(path: string, options?: Abortable): Promise<string[]>;
  /** ["n0", "r5", ...]: the first names owner and others' rights. */
  perms(path: string, options?: Abortable): Promise<string[]>;
  /** The node and all below, of one moment. */
  tree(path?: string, options?: Abortable): Promise<TreeNode>;
  /** Sets the value, of at most 1 MiB; a string is UTF-8. Makes the node and those on the way. */
  write(path: string, value: string | Uint8Array, options?: Abortable): Promise<void>;
  /** Makes the node, empty; one that is there stays as it is. */
  mkdir(path: string, options?: Abortable): Promise<void>;
  /** Removes the node and all below. NotFound: it is not there. */
  rm(path: string, options?: Abortable): Promise<void>;
  setPerms(path: string, perms: readonly string[], options?: Abortable): Promise<void>;
  /** What is below the path as a document (xs export --relative). */
  exportDocument(path?: string, options?: Abortable): Promise<Json>;
  /** Writes a document below the path in one transaction; what it does not name stays, but a list is replaced. */
  importDocument(document: JsonInput, path?: string, options?: Abortable): Promise<void>;
}

/** What transaction() gives its body: the store as this transaction sees it. */
export declare class Transaction {
  private constructor();
}
export interface Transaction extends Nodes {}

export interface WatchEvent {
  readonly path: string;
  /** It was registered just now. */
  readonly first: boolean;
  /** The connection was lost and is back: what changed meanwhile has no event of its own, look at everything again. */
  readonly resumed: boolean;
}

/** Changes at and below a path. What is not taken yet is kept once for each path. A daemon that refuses it, also when it
 * is registered again after a lost connection, is a StoreError; who goes on tries anew. */
export declare class Watch implements AsyncIterableIterator<WatchEvent> {
  private constructor();
  readonly path: string;
  /** Registers it; else the first next() does. */
  open(): Promise<this>;
  next(): Promise<IteratorResult<WatchEvent, undefined>>;
  return(): Promise<IteratorResult<WatchEvent, undefined>>;
  /** Ends it; who iterates comes to the end of what there is. */
  close(): Promise<void>;
  [Symbol.asyncIterator](): this;
}

export interface BondOptions extends Abortable {
  /** Milliseconds, 100 to 86400000. Default: as long as this client is there. */
  ttl?: number | undefined;
}

export interface LockOptions extends BondOptions {
  /** What the key says of who has it, beside a number of its own (default HOST:PID). */
  name?: string | undefined;
}

/** A key that one of several has at a time: see Store.lock(). */
export declare class Hold {
  private constructor();
  readonly path: string;
  /** What the key holds. */
  readonly value: string;
  /** Whether somebody else may have it: it was taken away, given back, or nobody could say for so long. */
  readonly lost: boolean;
  /** Aborted, with Lost, when it is. */
  readonly signal: AbortSignal;
  /** Throws Lost when it is. */
  check(): void;
  /** Gives it back. */
  close(): Promise<void>;
}

/** A connection to the daemon, made again when it is lost. */
export declare class Store {
  /** Not connected yet: see open(), connect(). */
  constructor(options?: StoreOptions);
  /** ConnectionLost: there is no daemon, or none that greets in time. */
  open(options?: Abortable): Promise<this>;
  /** Who waits for anything, a watch too, is rejected with ConnectionLost (ECANCELED). */
  close(): Promise<void>;
  /** Runs the body in a transaction, again while others change what it uses; Conflict after so many tries. What the body
   * throws ends it, and nothing is changed. */
  transaction<T>(body: (transaction: Transaction) => T | PromiseLike<T>, options?: TransactionOptions): Promise<T>;
  /** Has the daemon remove the node, if it still has that value then, when this client is gone (20 s after its connection
   * was lost), or after ttl. Whether it has that value now; it may come later. The same again begins the time anew.
   * NotSupported: not Storevisor's daemon; EINVAL: what is kept over a boot. */
  bind(path: string, value: string, options?: BondOptions): Promise<boolean>;
  /** Takes that back, if it is there. */
  unbind(path: string, value: string, options?: Abortable): Promise<void>;
  /** Waits until the key is free and has it, until close(). Who dies loses it, after 20 s of a lost connection at most; with
   * ttl, which is renewed three times in it, who hangs, too. It contends with `xs lock --lease` and `xs elect`. */
  lock(path: string, options?: LockOptions): Promise<Hold>;
  /** Runs the work while this is the leader, the one who has the lock. When that is lost held.signal is aborted: the work is
   * to throw then, and runs again when it is had again. What it gives otherwise, or throws, is what this does. */
  elect<T>(path: string, work: (held: Hold) => T | PromiseLike<T>, options?: LockOptions): Promise<T>;
  /** Changes at and below the path, and "@introduceDomain", "@releaseDomain". */
  watch(path: string, options?: Abortable): Watch;
}
export interface Store extends Nodes {}

// where the compiler's library knows `await using`
type AsyncDispose = typeof Symbol extends { readonly asyncDispose: infer S extends symbol } ? S : never;
export interface Store extends Record<AsyncDispose, () => Promise<void>> {}
export interface Watch extends Record<AsyncDispose, () => Promise<void>> {}
export interface Hold extends Record<AsyncDispose, () => Promise<void>> {}

/** An open store. */
export declare function connect(options?: StoreOptions & Abortable): Promise<Store>;

/** The store's name for any name without NUL: what else than letters, digits, - _ @ there is becomes @XX. */
export declare function encodeName(name: string): string;

/** What the store's name stands for; undefined: no text, it is known by its own name only. */
export declare function decodeName(name: string): string | undefined;

/** The absolute path of these names, each encoded. */
export declare function joinNames(...names: string[]): string;
