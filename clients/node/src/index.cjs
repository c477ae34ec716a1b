// SPDX-License-Identifier: MIT
// index.cjs - for require(): Node 18 takes no ES module that way, and Debian's Node looks in /usr/share/nodejs for what is
// required only. What it gives is a promise anyway: connect(), and load() for all else of index.js.
"use strict";

exports.load = () => import("./index.js");
exports.connect = async (options) => (await exports.load()).connect(options);
