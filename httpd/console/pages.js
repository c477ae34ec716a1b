// SPDX-License-Identifier: MIT
// pages.js - the other views: domains of a Xen host, who watches what, the daemon's counters.

import { ask, get } from "./api.js";
import { button, make, table } from "./dom.js";
import { leafOf, shown } from "./tree.js";

const POINTS = 90;

// ---- domains ----

export function drawDomains(model, box, go) {
	const names = new Map();

	for (const top of ["/config/domain", "/status/domain"])
		for (const path of model.children(top))
			names.set(leafOf(path), null);
	for (const path of model.children("/local/domain"))
		names.set(model.value(`${path}/name`) || `Domain-${leafOf(path)}`, leafOf(path));
	const rows = [...names].map(([name, running]) => {
		const status = `/status/domain/${name}`, id = running ?? model.value(`${status}/domid`), home = `/local/domain/${id}`;
		const state = model.value(`${status}/state`) || (running !== null ? "running" : "off");
		const kib = model.value(`${status}/memory_kib`) || model.value(`${home}/memory/target`);
		const place = model.get(home) && id !== "" ? home : `/config/domain/${name}`;

		return [button(shown(name), () => go(place)), id, state, kib ? `${Math.round(kib / 1024)} MiB` : "",
			String(model.children(`${home}/device/vbd`).length), String(model.children(`${home}/device/vif`).length),
			model.value(`${status}/error`)];
	});

	box.replaceChildren(make("h2", "Domains"), rows.length ? table(["name", "id", "state", "memory", "disks", "cards", "error"], rows) :
		make("p.note", "No domain is known. On a host with a hypervisor they are here."));
}

// ---- watchers ----

export async function drawWatchers(box, go) {
	const list = await get("/v1/watches"), at = new Map();

	for (const w of list)
		at.set(w.path, [...at.get(w.path) ?? [], `${w.domid ? `d${w.domid}` : "host"}/${w.connection}${w.feed ? " (feed)" : ""}`]);
	const rows = [...at].sort().map(([path, who]) => [path.startsWith("/") ? button(path, () => go(path)) : path, String(who.length),
		who.slice(0, 6).join(", ") + (who.length > 6 ? ", …" : "")]);

	box.replaceChildren(make("h2", `${list.length} watches`), table(["path", "how many", "domain/connection"], rows));
}

// ---- metrics ----

const series = new Map();

function line(points) {
	const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
	const graph = document.createElementNS("http://www.w3.org/2000/svg", "polyline");
	const low = Math.min(...points), span = Math.max(...points) - low || 1;

	svg.setAttribute("viewBox", `0 0 ${POINTS - 1} 32`);
	svg.setAttribute("preserveAspectRatio", "none");
	svg.setAttribute("aria-hidden", "true");
	graph.setAttribute("points", points.map((p, i) => `${POINTS - points.length + i},${30 - (p - low) / span * 28}`).join(" "));
	svg.append(graph);
	return svg;
}

// Of a counter what it grew a second; of a gauge what it is.
function note(name, value, now) {
	const s = series.get(name) ?? { points: [] };
	const counts = /_total(\{|$)/.test(name);

	if (!counts || s.last !== undefined)
		s.points.push(counts ? Math.max(0, (value - s.last) / (now - s.when) * 1000) : value);
	Object.assign(s, { last: value, when: now, counts });
	s.points = s.points.slice(-POINTS);
	series.set(name, s);
	return s;
}

function number(value) {
	return value >= 1e4 ? Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 }).format(value) :
		String(Math.round(value * 10) / 10);
}

export async function drawMetrics(box) {
	const text = await (await ask("GET", "/metrics")).text(), now = performance.now(), cards = make("div.cards");

	for (const one of text.split("\n")) {
		const found = /^([a-zA-Z_:][^ ]*) (-?[\d.e+]+)$/.exec(one);

		if (!found)
			continue;
		const s = note(found[1], Number(found[2]), now), label = found[1].replace(/^xenstored_/, "")
			.replace(/_total(\{|$)/, "$1").replace(/\{\w+="([^"]*)"\}/, " $1").replaceAll("_", " ");

		// what never moves in a table of many says little
		if (s.counts && !s.last)
			continue;
		cards.append(make("div.card", make("div.label", label), make("div.now", number(s.last)),
			make("div.label", s.counts ? `${number(s.points.at(-1) ?? 0)} a second` : ""), line(s.points)));
	}
	box.replaceChildren(make("h2", "Counters of the store"), cards);
}
