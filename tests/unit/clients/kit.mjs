// SPDX-License-Identifier: MIT
// kit.mjs - what the tests of the Node client share: claims as TAP, waiting for facts, a daemon of each kind, a line to it
// that can be cut.
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { inspect } from "node:util";

export const WAIT_MS = 100_000;
export const TOP = fileURLToPath(new URL("../../..", import.meta.url));
export const VECTORS = JSON.parse(readFileSync(new URL("vectors.json", import.meta.url), "utf8"));

/** Runs the claims, {text: body}, one after the other. */
export async function run(claims, { each = async (body) => body() } = {}) {
  const all = Object.entries(claims);
  let failed = 0;
  let unhandled = [];
  process.on("unhandledRejection", (error) => unhandled.push(error));
  console.log(`1..${all.length}`);
  for (const [i, [text, body]] of all.entries()) {
    try {
      await inTime(each(body), text);
      if (unhandled.length) throw new Error("a rejection that nobody took", { cause: unhandled[0] });
      console.log(`ok ${i + 1} - ${text}`);
    } catch (error) {
      failed += 1;
      console.log(`not ok ${i + 1} - ${text}`);
      console.log([error, ...unhandled].map((e) => inspect(e)).join("\n").replace(/^/gm, "# "));
      unhandled = [];
    }
  }
  return failed;
}

export async function inTime(promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not in time: ${what}`)), WAIT_MS);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Until @so() is true. */
export async function until(so) {
  const end = Date.now() + WAIT_MS;
  while (!(await so())) {
    if (Date.now() > end) throw new Error(`not so in time: ${so}`);
    await new Promise((go) => setTimeout(go, 2));
  }
}

/** What @promise is rejected with. */
export async function errorOf(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("no error");
}

export function folder() {
  return mkdtempSync(join(tmpdir(), "nodeclient-"));
}

/** Numbers that are the same again for the same @seed (mulberry32): below @n. */
export function random(seed) {
  return (n) => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % n;
  };
}

export function randomBytes(seed, length) {
  const next = random(seed);
  return Buffer.from(Array.from({ length }, () => next(256)));
}

function answers(path) {
  return new Promise((go) => {
    const socket = connect({ path });
    socket.on("connect", () => go(true)).on("error", () => go(false));
    socket.on("connect", () => socket.destroy());
  });
}

/** false: somebody still writes into it, as the worker of a killed daemon does for a moment. */
function remove(dir) {
  try {
    rmSync(dir, { recursive: true, force: true });
    return true;
  } catch (error) {
    if (error.code === "ENOTEMPTY") return false;
    throw error;
  }
}

/** Nobody's child, and perhaps nobody waits for it. */
function hasEnded(pid) {
  try {
    return / Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return true;
  }
}

/** Ours, or Debian's "c" or "ox" (tests/bench/peers/start). */
export class Daemon {
  constructor({ xenstored, which, start, shim }) {
    Object.assign(this, { xenstored, which, startScript: start, shim, dir: folder() });
    this.isOurs = which === "ours";
    this.socket = join(this.dir, this.isOurs ? "run/socket" : "socket");
  }

  /** false: it is not installed. */
  async start() {
    if (!this.isOurs) {
      const done = spawnSync("sh", [this.startScript, this.which, this.dir, resolve(this.shim)], { stdio: ["ignore", "pipe", "inherit"] });
      if (done.status === 77) return false;
      if (done.status) throw new Error("the daemon did not start");
      this.pid = Number(done.stdout);
      return true;
    }
    const [run, state] = ["run", "state"].map((name) => join(this.dir, name));
    mkdirSync(run, { recursive: true });
    mkdirSync(state, { recursive: true });
    this.process = spawn(this.xenstored, ["-D", "-N", "--run-dir", run, "--state-dir", state], { stdio: "inherit" });
    this.ended = new Promise((go) => this.process.on("exit", go));
    await until(() => answers(this.socket));
    return true;
  }

  async kill() {
    if (this.process) {
      this.process.kill("SIGKILL");
      await this.ended;
    } else if (this.pid) {
      process.kill(this.pid, "SIGKILL");
      await until(() => hasEnded(this.pid)); // before its folder is removed
    }
  }

  async end() {
    await this.kill();
    await until(() => remove(this.dir));
  }
}

/** A connection; undefined: nobody is there. */
async function dial(path) {
  for (;;) {
    const socket = connect({ path });
    const error = await new Promise((go) => socket.on("connect", go).on("error", go));
    if (!error) return socket;
    if (error.code !== "EAGAIN") return undefined; // oxenstored has room for one who waits
    await new Promise((go) => setTimeout(go, 1));
  }
}

/** A socket in front of the daemon's. held: answers are dropped; cut(): all connections end; away: nobody is there. */
export class Line {
  constructor(daemon) {
    this.path = join(daemon.dir, "line");
    this.open = new Set();
    this.held = this.away = false;
    this.dropped = 0;
    this.server = createServer({ pauseOnConnect: true }, async (near) => {
      near.on("error", () => {});
      const far = this.away ? undefined : await dial(daemon.socket);
      if (!far || near.destroyed) {
        near.destroy();
        far?.destroy();
        return;
      }
      const both = [near, far];
      const end = () => both.forEach((s) => s.destroy() && this.open.delete(s));
      both.forEach((s) => this.open.add(s) && s.on("error", () => {}).on("close", end));
      near.on("data", (bytes) => far.write(bytes));
      far.on("data", (bytes) => {
        if (this.held) this.dropped += bytes.length;
        else near.write(bytes);
      });
      near.resume();
    });
  }

  listen() {
    return new Promise((go) => this.server.listen(this.path, go));
  }

  cut() {
    for (const socket of this.open) socket.destroy();
  }

  close() {
    this.server.close();
    this.cut();
  }
}

/** How xs is asked, also by another name. */
export function tool(program, socket) {
  return (args, { input, name = "xs" } = {}) =>
    execFileSync(resolve(program), args, { argv0: name, input, env: { ...process.env, XENSTORED_PATH: socket }, maxBuffer: 1 << 26 });
}
