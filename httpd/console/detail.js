// SPDX-License-Identifier: MIT
// detail.js - the chosen node: its value, what it was, and changing it.

import { Refused, ask, get, urlOf } from "./api.js";
import { button, confirmed, make, question, say, sayWrong } from "./dom.js";
import { leafOf, shown, valueText } from "./tree.js";

const HISTORY = 20;

function pathText(path) {
	return path.split("/").map(shown).join("/") || "/";
}

export class Detail {
	constructor(model, box, hide) {
		Object.assign(this, { model, box, hide, path: "/", shows: false, revealed: false, editing: false });
	}

	show(path) {
		if (path !== this.path)
			Object.assign(this, { path, shows: false, revealed: false, editing: false });
		this.draw();
	}

	// Something changed: what somebody is writing stays.
	changed(path) {
		if (path === this.path && !this.editing)
			this.draw();
	}

	draw() {
		const node = this.model.get(this.path);

		if (!node) {
			this.box.replaceChildren(make("p.note", `${pathText(this.path)} is not there any more.`), this.backButton());
			return;
		}
		this.past = make("div");
		this.box.replaceChildren(this.backButton(), make("h2", pathText(this.path)), ...this.value(node), this.bar(node),
			...this.facts(node), make("h3", "History"), this.past);
		if (this.shows)
			this.history();
		else
			this.past.append(button("Show what it was (H)", () => this.history()));
	}

	backButton() {
		const e = button("← tree", this.hide);

		e.classList.add("back");
		return e;
	}

	value(node) {
		if (node.error)
			return [make("p.wrong", node.error)];
		const text = node.secret && this.revealed ? node.value : valueText(node);

		return [make("pre.value", text === "" ? "(empty)" : text), node.means ? make("p.note", `that is: ${node.means}`) : ""];
	}

	bar(node) {
		return make("div.bar", button("Edit (e)", () => this.edit()), button("New below (a)", () => this.add()),
			button("Remove (Del)", () => this.remove(), "bad"),
			node.secret ? button(this.revealed ? "Hide" : "Show", () => {
				this.revealed = !this.revealed;
				this.draw();
			}) : null,
			node.long ? button("Load it", () => this.reload()) : null);
	}

	facts(node) {
		const facts = [node.about, node.kind && `in JSON: ${node.kind}`, node.perms && `permissions: ${node.perms.join(" ")}`,
			node.children.size && `${node.children.size} below`].filter(Boolean);

		return facts.map((text) => make("p.note", text));
	}

	async reload() {
		try {
			const path = this.path, [node] = await get(`${urlOf("tree", path)}?nodes&depth=0`);

			this.model.set(path, { kind: undefined, means: undefined, b64: undefined, ...node, long: false });
			this.draw();
		} catch (e) {
			sayWrong(e);
		}
	}

	// ---- changing ----

	// The change is made only if it is still what was seen; else it is said what it became.
	async edit() {
		let seen;

		try {
			seen = await ask("GET", urlOf("tree", this.path));
		} catch (e) {
			sayWrong(e);
			return;
		}
		const node = this.model.get(this.path), tag = seen.headers.get("ETag"), whole = await seen.text();
		// of the document that has the tag: what the page knows may be of before or after it, and has no long or binary value
		const branch = node.children.size > 0, doc = JSON.parse(whole), own = branch ? doc?.["@value"] ?? "" : doc;
		const json = typeof own !== "string";
		const text = make("textarea"), form = make("select", make("option", "text"), make("option", "JSON")), wrong = make("p.wrong");

		text.value = !json ? own : branch ? JSON.stringify({ "@value": own }) : whole.trimEnd();
		text.spellcheck = false;
		form.value = json ? "JSON" : "text";
		form.setAttribute("aria-label", "written as");
		this.editing = true;
		const save = async () => {
			const body = form.value === "JSON" ? text.value : JSON.stringify(branch ? { "@value": text.value } : text.value);

			try {
				await ask("PATCH", urlOf("tree", this.path), { body, headers: { "If-Match": tag } });
				this.stop();
				await this.reload();
				say("written");
			} catch (e) {
				wrong.textContent = e.status === 412 ? `It changed meanwhile, and is now: ${valueText(this.model.get(this.path) ?? {})}` :
					`${e.where} ${e.message}`;
			}
		};

		text.addEventListener("keydown", (e) => {
			if (e.key === "Enter" && (e.ctrlKey || e.metaKey))
				save();
			else if (e.key === "Escape")
				this.stop();
			e.stopPropagation();
		});
		this.box.replaceChildren(make("h2", pathText(this.path)), text, make("div.bar", button("Save (Ctrl-Enter)", save, "main"),
			button("Leave it (Esc)", () => this.stop()), form), wrong);
		text.focus();
	}

	stop() {
		this.editing = false;
		this.draw();
		document.getElementById("tree").focus();
	}

	async add() {
		const name = make("input"), text = make("input"), wrong = make("p.wrong"), above = this.path === "/" ? "" : this.path;

		name.placeholder = "name";
		text.placeholder = "value: text, or JSON as 5, true, {\"a\": 1}";
		await question(`New below ${pathText(this.path)}`, (done) => {
			const save = async () => {
				let body = text.value;

				try {
					JSON.parse(body);
				} catch {
					body = JSON.stringify(body);
				}
				if (!name.value || name.value.includes("/")) {
					wrong.textContent = "A name is not empty and has no slash.";
					return;
				}
				try {
					await ask("PUT", `${urlOf("tree", above)}/${encodeURIComponent(name.value)}`,
						{ body, headers: { "If-None-Match": "*" } });
					done(true);
				} catch (e) {
					wrong.textContent = e.status === 412 ? "There is one already." : `${e.where} ${e.message}`;
				}
			};

			for (const e of [name, text])
				e.addEventListener("keydown", (key) => key.key === "Enter" && save());
			return [name, make("p"), text, wrong, make("div.bar", button("Write", save, "main"), button("Leave it", () => done(null)))];
		});
	}

	async remove() {
		const node = this.model.get(this.path);

		if (!node || !await confirmed(`Remove ${pathText(this.path)}?`, "Remove",
			make("p", node.children.size ? "With all that is below it." : `It is: ${valueText(node)}`)))
			return;
		try {
			await ask("DELETE", urlOf("tree", this.path));
			say("removed");
		} catch (e) {
			sayWrong(e);
		}
	}

	// ---- the past ----

	async history() {
		const path = this.path, past = this.past;

		this.shows = true;
		try {
			const rows = await get(`${urlOf("history", path)}?n=${HISTORY}`), list = make("ol.history");

			for (const rev of new Set(rows.map((row) => row.revision)))
				list.append(this.revision(path, rows.filter((row) => row.revision === rev)));
			past.replaceChildren(rows.length ? list : make("p.note", "Nothing is known. Only what lasts has a history."));
		} catch (e) {
			past.replaceChildren(make("p.wrong", e.message), make("p.note", e.cure ?? ""));
		}
	}

	revision(path, rows) {
		const [{ revision, when, who }] = rows, diff = make("div.diff");
		const lines = rows.slice(0, 8).map(({ path: at, value }) => make("div.change", value === null ? `− ${pathText(at)}` :
			`${pathText(at)} = ${typeof value === "string" ? value : "(bytes)"}`));

		if (rows.length > 8)
			lines.push(make("div.note", `and ${rows.length - 8} more`));
		return make("li", make("div.note", `${revision} · ${when} · ${who}`), ...lines, make("div.bar",
			button("Differs from now", () => this.differs(path, revision, diff)),
			button("Back to this", () => this.back(path, revision))), diff);
	}

	async differs(path, revision, box) {
		try {
			const rows = await get(`${urlOf("diff", path)}?from=${revision}`);

			box.replaceChildren(...rows.slice(0, 100).map(({ path: at, was, is }) => make("div", `${shown(leafOf(at))}: `,
				make("span.was", was === null ? "(nothing)" : String(was)), " → ",
				make("span.is", is === null ? "(nothing)" : String(is)))));
			if (!rows.length)
				box.replaceChildren(make("div.note", "It is the same now."));
		} catch (e) {
			sayWrong(e);
		}
	}

	async back(path, revision) {
		const wish = { path, revision };

		try {
			const steps = await (await ask("POST", "/v1/rollback", { body: JSON.stringify({ ...wish, dry_run: true }) })).json();
			const lines = steps.slice(0, 50).map(({ path: at, value }) => make("div", value === null ? `− ${pathText(at)}` :
				`${pathText(at)} = ${typeof value === "string" ? value : "(bytes)"}`));

			if (!steps.length) {
				say("It is as it was then.");
				return;
			}
			if (!await confirmed(`Back to revision ${revision}?`, "Go back", make("div.diff", ...lines)))
				return;
			await ask("POST", "/v1/rollback", { body: JSON.stringify(wish) });
			say("it is as it was then; the history has this step, too");
			await this.history();
		} catch (e) {
			sayWrong(e instanceof Refused ? e : new Error("the server does not answer"));
		}
	}
}
