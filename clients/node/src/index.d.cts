// SPDX-License-Identifier: MIT
// index.d.cts - the types of index.cjs.
type Module = typeof import("./index.js", { with: { "resolution-mode": "import" } });

/** All of the module, as `import` gives it. */
export declare function load(): Promise<Module>;

/** An open store. */
export declare const connect: Module["connect"];
