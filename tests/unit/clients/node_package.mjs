// SPDX-License-Identifier: MIT
// node_package.mjs - the Node client as the package that npm makes of it, without npm and a network: what is in it, that
// it is all there is to it, that its types name what there is.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as store from "../../../clients/node/src/index.js";
import { folder, run, TOP } from "./kit.mjs";

const from = join(TOP, "clients/node");
const about = JSON.parse(readFileSync(join(from, "package.json"), "utf8"));
const types = readFileSync(join(from, about.types), "utf8");

/** Names of the methods in the declaration that @head begins. */
function methods(head) {
  const body = types.slice(types.indexOf(head)).match(/\{\n([^]*?)\n\}/)[1];
  return [...body.matchAll(/^ {2}([a-zA-Z]+)(?:<T>)?\(/gm)].map((m) => m[1]).filter((m) => m !== "constructor");
}

const failed = await run({
  async "it is imported and required by its name, with nothing but its own files"() {
    const dir = folder();
    try {
      const to = join(dir, "node_modules", about.name);
      mkdirSync(to, { recursive: true });
      for (const name of [...about.files, "package.json", "README.md"]) cpSync(join(from, name), join(to, name), { recursive: true });
      writeFileSync(join(dir, "use.mjs"), `import * as s from "${about.name}";\nconsole.log(Object.keys(s).join());\n`);
      const done = spawnSync(process.execPath, ["use.mjs"], { cwd: dir, encoding: "utf8" });
      assert.equal(done.stdout, `${Object.keys(store).join()}\n`, done.stderr);
      assert.equal(about.dependencies, undefined);
      writeFileSync(join(dir, "use.cjs"), `const s = require("${about.name}");
        s.load().then((m) => m.connect({ socket: "/nowhere" })).catch((e) => console.log(Object.keys(s).join(), e.name));
        s.connect({ socket: "/nowhere" }).catch((e) => console.log(e.code));\n`);
      const required = spawnSync(process.execPath, ["use.cjs"], { cwd: dir, encoding: "utf8" });
      assert.deepEqual(required.stdout.split("\n").sort(), ["", "EIO", "load,connect ConnectionLost"], required.stderr);
      for (const path of Object.values(about.exports["."].require)) readFileSync(join(to, path));
      for (const path of [about.types, about.exports["."].types, about.exports["."].default]) readFileSync(join(to, path));
    } finally {
      rmSync(dir, { recursive: true });
    }
  },

  async "its types name what there is"() {
    const declared = [...types.matchAll(/^export declare (?:class|function|const) (\w+)/gm)].map((m) => m[1]);
    assert.deepEqual(declared.sort(), Object.keys(store).sort());
    const heads = { "interface Nodes": ["Store", "Transaction"], "declare class Store ": ["Store"], "declare class Watch ": ["Watch"], "declare class Hold ": ["Hold"] };
    for (const [head, classes] of Object.entries(heads)) {
      assert.ok(methods(head).length > 1);
      for (const method of methods(head)) for (const c of classes) assert.equal(typeof store[c].prototype[method], "function", method);
    }
  },
});
process.exit(failed ? 1 : 0);
