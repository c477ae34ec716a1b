// SPDX-License-Identifier: MIT
// api.js - asking the server: the token, errors as it tells them, and events that go on where they were.

let token = sessionStorage.getItem("token");
let askToken = async () => null;

export class Refused extends Error {
	constructor(status, said) {
		super(said.error ?? `status ${status}`);
		this.status = status;
		this.where = said.where ?? "";
		this.cure = said.cure ?? "";
	}
}

// fn(): the token that somebody types, or null.
export function whoAsksForTheToken(fn) {
	askToken = fn;
}

async function send(url, options) {
	const headers = { ...options.headers };

	if (token)
		headers.Authorization = `Bearer ${token}`;
	return fetch(url, { ...options, headers, cache: "no-store", credentials: "omit", redirect: "error" });
}

let asking = null;

async function sendAsSomebody(url, options) {
	for (;;) {
		const tried = token, answer = await send(url, options);

		if (answer.status !== 401)
			return answer;
		// several requests may be refused at once: it is asked for once
		if (tried === token) {
			asking ??= askToken().finally(() => { asking = null; });
			const typed = await asking;

			if (!typed)
				throw new Refused(401, await answer.json());
			token = typed;
			sessionStorage.setItem("token", token);
		}
	}
}

export async function ask(method, url, { body, headers } = {}) {
	const answer = await sendAsSomebody(url, { method, body, headers: body === undefined ? headers :
		{ "Content-Type": "application/json", ...headers } });

	if (!answer.ok)
		throw new Refused(answer.status, await answer.json().catch(() => ({})));
	return answer;
}

export async function get(url) {
	return (await ask("GET", url)).json();
}

// The URL of a path of the store, which has its own codes.
export function urlOf(what, path) {
	return `/v1/${what}${path.split("/").map(encodeURIComponent).join("/")}`;
}

// Events at and below path, for ever: on(name, data) of each, and on("away") while nobody answers.
export async function follow(path, on) {
	let last = null;

	for (;;) {
		try {
			last = await readStream(path, last, on);
		} catch (e) {
			if (e instanceof Refused)
				on("refused", e);
			on("away", {});
		}
		await new Promise((done) => setTimeout(done, 1000));
	}
}

async function readStream(path, last, on) {
	const answer = await sendAsSomebody(urlOf("events", path), last ? { headers: { "Last-Event-ID": last } } : {});
	const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
	let text = "", seen = {};

	if (!answer.ok)
		throw new Refused(answer.status, await answer.json().catch(() => ({})));
	on("back", {});
	for (;;) {
		const { value, done } = await reader.read();

		if (done) {
			on("away", {});
			return last;
		}
		text += value;
		const lines = text.split("\n");

		text = lines.pop();
		for (const line of lines) {
			if (line) {
				seen[line.slice(0, line.indexOf(":"))] = line.slice(line.indexOf(":") + 2);
				continue;
			}
			last = seen.id ?? last;
			if (seen.event)
				on(seen.event, JSON.parse(seen.data));
			seen = {};
		}
	}
}
