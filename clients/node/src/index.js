// SPDX-License-Identifier: MIT
// index.js - client of xenstored, Storevisor's and Xen's, on the wire: see README.md.
export { Kind } from "./document.js";
export {
  Conflict, ConnectionLost, Lost, NotFound, NotSupported, OutcomeUnknown, PermissionDenied, ProtocolError, StoreError,
} from "./errors.js";
export { Hold } from "./hold.js";
export { decodeName, encodeName, joinNames } from "./names.js";
export { connect, Store, Transaction } from "./store.js";
export { Watch } from "./watch.js";
