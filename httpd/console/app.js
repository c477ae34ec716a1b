// SPDX-License-Identifier: MIT
// app.js - the console: views, keys, and the events that keep what is shown up.

import { follow, get, whoAsksForTheToken } from "./api.js";
import { button, make, question, say, sayWrong } from "./dom.js";
import { Detail } from "./detail.js";
import { drawDomains, drawMetrics, drawWatchers } from "./pages.js";
import { Model, Tree } from "./tree.js";

const $ = (id) => document.getElementById(id);
const model = new Model(), split = $("view-tree");
const detail = new Detail(model, $("detail"), () => {
	split.classList.remove("chosen");
	$("tree").focus();
});
const tree = new Tree(model, $("tree"), $("rows"), (path, opened) => {
	detail.show(path);
	split.classList.toggle("chosen", opened || split.classList.contains("chosen"));
});

// ---- views ----

const views = [
	{ name: "tree", title: "Tree", draw: () => tree.changed() },
	{ name: "domains", title: "Domains", draw: (box) => drawDomains(model, box, go), live: true },
	{ name: "watchers", title: "Watchers", draw: (box) => drawWatchers(box, go), every: 3000 },
	{ name: "metrics", title: "Metrics", draw: (box) => drawMetrics(box), every: 2000 },
];
let current = views[0], timer;

async function drawView() {
	try {
		await current.draw($(`view-${current.name}`));
	} catch (e) {
		if (current.name !== "tree")
			$(`view-${current.name}`).replaceChildren(make("p.wrong", e.message), make("p.note", e.cure ?? ""));
	}
}

async function turn(view) {
	clearTimeout(timer);
	if (current !== view || !view.every)
		return;
	await drawView();
	timer = setTimeout(() => turn(view), view.every);
}

function show(view) {
	current = view;
	for (const v of views)
		$(`view-${v.name}`).hidden = v !== view;
	for (const e of document.querySelectorAll("nav button"))
		e.setAttribute("aria-selected", e.textContent === view.title);
	if (view.every)
		turn(view);
	else
		drawView();
	if (view.name === "tree")
		$("tree").focus();
}

function go(path) {
	show(views[0]);
	$("search").value = "";
	tree.search("");
	tree.select(path);
	split.classList.add("chosen");
}

for (const view of views) {
	const e = button(view.title, () => show(view));

	e.setAttribute("role", "tab");
	document.querySelector("nav").append(e);
}

// ---- what is known of the store ----

let loading = null, loaded = false, early = [];

// Changes that come while it is read are of before or after; each says how it is behind it.
async function load() {
	early = [];
	loaded = false;
	loading = get("/v1/tree/?nodes");
	try {
		model.load(await loading);
		early.forEach((change) => model.apply(change));
		loaded = true;
		tree.changed();
		detail.draw();
	} catch (e) {
		sayWrong(e);
	}
	loading = null;
}

function onChange(change) {
	if (loading)
		early.push(change);
	model.apply(change);
	tree.changed();
	detail.changed(change.path);
	if (current.live)
		drawView();
}

function setLink(up, text) {
	$("link").classList.toggle("up", up);
	$("link").textContent = text;
}

const events = {
	begin: () => loading || load(),
	lost: () => load(),
	change: onChange,
	back: () => {
		setLink(true, "live");
		if (!loaded && !loading)
			load();
	},
	away: () => setLink(false, "away"),
	refused: sayWrong,
};

// ---- keys ----

const keys = [
	["↑ ↓ or k j", "move"], ["→ ← or l h", "open, close, go up"], ["Enter", "the node whole"], ["/", "search; Enter, n and N go on, Esc ends it"],
	["e", "edit"], ["a", "new below"], ["Del", "remove"], ["H", "what it was"], ["1 2 3 4", "tree, domains, watchers, metrics"],
	["t", "light or dark"], ["Esc", "back"],
];

function showKeys() {
	question("Keys", () => [make("table", ...keys.map(([key, what]) => make("tr", make("td", make("kbd", key)), make("td", what))))]);
}

function setTheme(name) {
	document.documentElement.dataset.theme = name;
	localStorage.setItem("theme", name);
}

function otherTheme() {
	setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark");
}

const treeKeys = {
	ArrowDown: () => tree.step(1), j: () => tree.step(1), ArrowUp: () => tree.step(-1), k: () => tree.step(-1),
	PageDown: () => tree.step(20), PageUp: () => tree.step(-20), Home: () => tree.step(-Infinity), End: () => tree.step(Infinity),
	ArrowRight: () => tree.right(), l: () => tree.right(), ArrowLeft: () => tree.left(), h: () => tree.left(),
	Enter: () => tree.chosen(tree.at, true), n: () => tree.nextHit(1), N: () => tree.nextHit(-1), e: () => tree.chosen(tree.at, true) ?? detail.edit(),
	a: () => detail.add(), Delete: () => detail.remove(), H: () => tree.chosen(tree.at, true) ?? detail.history(),
};

const allKeys = {
	"/": () => { show(views[0]); $("search").focus(); $("search").select(); }, "?": showKeys, t: otherTheme,
	1: () => show(views[0]), 2: () => show(views[1]), 3: () => show(views[2]), 4: () => show(views[3]),
	Escape: () => {
		if (split.classList.contains("chosen") && getComputedStyle($("tree")).display === "none")
			split.classList.remove("chosen");
		$("search").value = "";
		show(views[0]);
		tree.search("");
	},
};

document.addEventListener("keydown", (e) => {
	const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(e.target.tagName);
	const fn = allKeys[e.key] ?? (current === views[0] && e.target.tagName !== "BUTTON" ? treeKeys[e.key] : undefined);

	if (e.ctrlKey || e.metaKey || e.altKey || document.querySelector("dialog[open]") || (typing && e.key !== "Escape") || !fn)
		return;
	e.preventDefault();
	fn();
});

let pause;

function search() {
	const query = $("search").value.trim();

	clearTimeout(pause);
	if (current !== views[0]) {
		show(views[0]);
		$("search").focus();
	}
	const hits = tree.search(query);

	if (query)
		say(hits === 1 ? "1 found" : `${hits} found`, 1500);
}

$("search").addEventListener("input", () => {
	clearTimeout(pause);
	pause = setTimeout(search, 80);
});
$("search").addEventListener("keydown", (e) => {
	if (e.key === "Enter" || e.key === "ArrowDown") {
		e.preventDefault();
		search();
		$("tree").focus();
	}
});
$("help").addEventListener("click", showKeys);
$("theme").addEventListener("click", otherTheme);

// ---- the start ----

whoAsksForTheToken(() => question("The token", (done) => {
	const input = make("input");

	input.type = "password";
	input.autocomplete = "off";
	input.setAttribute("aria-label", "token");
	const open = () => done(input.value.trim()), form = make("form", input, make("div.bar", button("Open", open, "main")));

	form.addEventListener("submit", (e) => {
		e.preventDefault();
		open();
	});
	return [make("p.note", "It is in the file that xs-httpd was given with --token. This page keeps it until it is closed."), form];
}));
setTheme(localStorage.getItem("theme") ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"));
show(views[0]);
follow("/", (name, data) => events[name]?.(data));
