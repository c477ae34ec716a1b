// SPDX-License-Identifier: MIT
// dom.js - elements with texts; never markup: what is shown is anybody's.

// make("p.note", "text", child, ...): an element with classes and what is in it.
export function make(what, ...inside) {
	const [name, ...classes] = what.split("."), e = document.createElement(name);

	e.classList.add(...classes);
	e.append(...inside.filter((part) => part !== null));
	return e;
}

export function button(text, fn, kind) {
	const e = make("button", text);

	e.type = "button";
	if (kind)
		e.classList.add(kind);
	e.addEventListener("click", fn);
	return e;
}

export function table(heads, rows) {
	return make("table", make("thead", make("tr", ...heads.map((head) => make("th", head)))),
		make("tbody", ...rows.map((row) => make("tr", ...row.map((part) => make("td", part))))));
}

const dialog = document.getElementById("dialog");

// A question over everything. Returns what fill(done) passes to done(), or null when it was left.
export function question(title, fill) {
	return new Promise((answer) => {
		let given = null;
		const done = (value) => {
			given = value;
			dialog.close();
		};

		dialog.replaceChildren(make("h2", title), ...fill(done));
		dialog.addEventListener("close", () => answer(given), { once: true });
		dialog.showModal();
	});
}

export function confirmed(title, word, ...inside) {
	return question(title, (done) => [...inside, make("div.bar", button(word, () => done(true), "bad"),
		button("Leave it", () => done(false)))]);
}

let timer;

// One line for a moment.
export function say(text, ms = 4000) {
	const e = document.getElementById("said");

	e.textContent = text;
	clearTimeout(timer);
	timer = setTimeout(() => { e.textContent = ""; }, ms);
}

export function sayWrong(e) {
	say([e.message, e.where && `(${e.where})`, e.cure && `— ${e.cure}`].filter(Boolean).join(" "));
}
