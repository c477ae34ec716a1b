// SPDX-License-Identifier: MIT
// tree.js - the store as it is now, kept up by events, and the part of it that is on the screen: only rows that can be
// seen are elements. Every text gets there as text: names and values are anybody's.

const order = new Intl.Collator("en", { numeric: true });
const utf8 = new TextDecoder("utf-8", { fatal: true });

// A name for somebody to read: @XX is a byte that the store's names cannot have (xs(1), Paths).
export function shown(name) {
	if (!name.includes("@"))
		return name;
	if (name === "@00")
		return '""';
	const bytes = [];

	for (let i = 0; i < name.length; i++) {
		const code = /^@([0-9a-f]{2})/.exec(name.slice(i, i + 3));

		bytes.push(code ? parseInt(code[1], 16) : name.charCodeAt(i));
		i += code ? 2 : 0;
	}
	try {
		const text = utf8.decode(new Uint8Array(bytes));

		return /\p{C}/u.test(text) ? name : text.replaceAll("/", "@2f");
	} catch {
		return name;
	}
}

export function valueText(node) {
	if (node.secret)
		return node.value ? "••••••" : "";
	if (node.b64 !== undefined)
		return `(bytes) ${node.b64}`;
	if (node.long)
		return "(a long value)";
	if (node.kind === "boolean")
		return node.value === "1" ? "true" : "false";
	return node.kind === "null" ? "null" : node.kind === "list" && !node.value && !node.children?.size ? "[]" : node.value ?? "";
}

function parentOf(path) {
	return path === "/" ? null : path.slice(0, path.lastIndexOf("/")) || "/";
}

export function leafOf(path) {
	return path.slice(path.lastIndexOf("/") + 1);
}

export class Model {
	constructor() {
		this.nodes = new Map();
	}

	load(list) {
		this.nodes = new Map();
		for (const node of list)
			this.set(node.path, node);
	}

	get(path) {
		return this.nodes.get(path);
	}

	// Sets what is known of it; what is above it is there then, too.
	set(path, facts) {
		let node = this.nodes.get(path);

		if (!node) {
			node = { path, children: new Set(), value: "" };
			this.nodes.set(path, node);
			const above = parentOf(path);

			if (above !== null)
				(this.nodes.get(above) ?? this.set(above, {})).children.add(path);
		}
		return Object.assign(node, facts);
	}

	remove(path) {
		const node = this.nodes.get(path);

		if (!node)
			return;
		for (const child of node.children)
			this.remove(child);
		this.nodes.get(parentOf(path))?.children.delete(path);
		this.nodes.delete(path);
	}

	apply(change) {
		const { path, gone, value, perms, long, means, by } = change;

		if (gone) {
			this.remove(path);
			return;
		}
		const facts = { at: performance.now(), by };

		if (value !== undefined || long) {
			const bytes = value?.["@b64"], old = this.nodes.get(path);

			Object.assign(facts, { value: bytes === undefined ? value : undefined, b64: bytes, long, means });
			// what it is in JSON is not told; a number that is none any more is a text
			if (old?.kind && (typeof value !== "string" || (old.kind === "number" && !/^-?\d/.test(value)) ||
					  (old.kind === "boolean" && value !== "0" && value !== "1") || old.kind === "null"))
				facts.kind = undefined;
		}
		if (perms)
			facts.perms = perms;
		this.set(path, facts);
	}

	children(path) {
		return [...this.nodes.get(path)?.children ?? []].sort((a, b) => order.compare(leafOf(a), leafOf(b)));
	}

	value(path) {
		return this.nodes.get(path)?.value ?? "";
	}
}

export class Tree {
	// chosen(path, opened): somebody looks at it; opened: and wants to see it whole.
	constructor(model, box, rows, chosen) {
		Object.assign(this, { model, box, rows, chosen, open: new Set(["/"]), at: "/", list: [], query: "", waiting: false });
		box.addEventListener("scroll", () => this.draw());
		new ResizeObserver(() => this.draw()).observe(box);
		rows.addEventListener("click", (e) => this.click(e));
	}

	click(e) {
		const row = e.target.closest(".row");

		if (!row)
			return;
		this.select(row.dataset.path);
		if (e.target.closest(".arrow"))
			this.toggle(this.at);
		else
			this.chosen(this.at, true);
	}

	// Many changes are one picture.
	changed() {
		if (this.waiting)
			return;
		this.waiting = true;
		requestAnimationFrame(() => {
			this.waiting = false;
			this.flatten();
			this.draw();
		});
	}

	search(query) {
		this.query = query.toLowerCase();
		this.flatten();
		const hit = this.list.find((row) => row.hit);

		if (hit || !query)
			this.select(hit ? hit.path : this.at);
		else
			this.draw();
		return this.list.filter((row) => row.hit).length;
	}

	matches(node) {
		return shown(leafOf(node.path)).toLowerCase().includes(this.query) ||
			(!node.secret && typeof node.value === "string" && node.value.toLowerCase().includes(this.query));
	}

	flatten() {
		const hits = new Set(), above = new Set();

		if (this.query)
			for (const node of this.model.nodes.values()) {
				if (!this.matches(node))
					continue;
				hits.add(node.path);
				for (let p = parentOf(node.path); p !== null && !above.has(p); p = parentOf(p))
					above.add(p);
			}
		this.list = [];
		const stack = [["/", 0]];

		while (stack.length) {
			const [path, depth] = stack.pop(), node = this.model.get(path);

			if (!node || (this.query && !hits.has(path) && !above.has(path)))
				continue;
			const opened = this.query ? above.has(path) || this.open.has(path) : this.open.has(path);

			this.list.push({ path, depth, opened, node, hit: hits.has(path) });
			if (opened)
				for (const child of this.model.children(path).reverse())
					stack.push([child, depth + 1]);
		}
		if (!this.list.some((row) => row.path === this.at))
			this.at = this.nearest(this.at);
	}

	nearest(path) {
		while (path !== null && !this.list.some((row) => row.path === path))
			path = parentOf(path);
		return path ?? "/";
	}

	height() {
		return parseFloat(getComputedStyle(document.documentElement).getPropertyValue("--row"));
	}

	draw() {
		const height = this.height(), first = Math.max(0, Math.floor(this.box.scrollTop / height) - 5);
		const last = Math.min(this.list.length, first + Math.ceil(this.box.clientHeight / height) + 10);

		this.rows.style.height = `${this.list.length * height}px`;
		this.rows.replaceChildren(...this.list.slice(first, last).map((row, i) => this.rowElement(row, first + i, height)));
		const active = this.rows.querySelector("[aria-selected=true]");

		this.box.setAttribute("aria-activedescendant", active ? active.id : "");
	}

	rowElement(row, i, height) {
		const { node, path, depth } = row, e = document.createElement("div");
		const part = (kind, text) => {
			const span = document.createElement("span");

			span.className = kind;
			span.textContent = text;
			e.append(span);
			return span;
		};

		e.className = "row";
		e.id = `row-${i}`;
		e.dataset.path = path;
		e.setAttribute("role", "treeitem");
		e.setAttribute("aria-level", depth + 1);
		e.setAttribute("aria-selected", path === this.at);
		e.style.top = `${i * height}px`;
		e.style.paddingLeft = `${8 + Math.min(depth, 12) * 16}px`;
		e.classList.toggle("hit", row.hit);
		if (node.children.size)
			e.setAttribute("aria-expanded", row.opened);
		// an element made anew goes on with its fading where it was
		const age = performance.now() - (node.at ?? -Infinity);

		if (age < 2000) {
			e.classList.add("changed");
			e.style.animationDelay = `${-age}ms`;
		}
		part("arrow", node.children.size ? row.opened ? "▾" : "▸" : "");
		part("name", path === "/" ? "/" : shown(leafOf(path)));
		if (node.children.size && !row.opened)
			part("count", node.children.size);
		const text = node.error ?? valueText(node);

		if (text !== "")
			part(`value ${node.kind ?? ""}`, text.length > 300 ? `${text.slice(0, 300)}…` : text);
		if (node.means)
			part("means", node.means);
		return e;
	}

	// Brings it into sight, with all that is above it open.
	select(path, look = true) {
		for (let p = parentOf(path); p !== null; p = parentOf(p))
			this.open.add(p);
		this.at = path;
		this.flatten();
		const i = this.list.findIndex((row) => row.path === path), height = this.height();

		if (i * height < this.box.scrollTop)
			this.box.scrollTop = i * height;
		else if ((i + 1) * height > this.box.scrollTop + this.box.clientHeight)
			this.box.scrollTop = (i + 1) * height - this.box.clientHeight;
		this.draw();
		if (look)
			this.chosen(this.at, false);
	}

	toggle(path) {
		if (!this.open.delete(path))
			this.open.add(path);
		this.flatten();
		this.draw();
	}

	step(by) {
		const i = this.list.findIndex((row) => row.path === this.at);
		const row = this.list[Math.min(Math.max(i + by, 0), this.list.length - 1)];

		if (row)
			this.select(row.path);
	}

	// To the next node that the search found.
	nextHit(by) {
		const hits = this.list.filter((row) => row.hit), i = hits.findIndex((row) => row.path === this.at);

		if (hits.length)
			this.select(hits[(i + by + hits.length) % hits.length].path);
	}

	right() {
		const node = this.model.get(this.at);

		if (!node?.children.size)
			this.chosen(this.at, true);
		else if (this.open.has(this.at))
			this.step(1);
		else
			this.toggle(this.at);
	}

	left() {
		if (this.open.has(this.at) && this.at !== "/" && this.model.get(this.at)?.children.size)
			this.toggle(this.at);
		else if (this.at !== "/")
			this.select(parentOf(this.at));
	}
}
