#!/bin/sh
# SPDX-License-Identifier: MIT
# walk.sh SOURCE BUILD - docs/store.md's five minutes, typed as a person would: its first code block in
# one terminal, the others in a second one. What the page says will be seen is seen. Only the two places it
# names below its own folder are others here: the store's state and the programs.
source=$1 build=$2
dirname=$source/tests/unit/cli_xs
set -- "$build/xenstored/xenstored" "$build/cli/xs/xs" "$build/libxs"
. "$dirname/lib.sh"
. "$dirname/screen.sh"
store=
trap 'close_screen; leave; [ -z "$store" ] || kill "$store" 2>/dev/null; finish' EXIT
export XENSTORED_PATH="$dir/store/run/socket"

# leave: what the walk left in the background of its terminal goes with it.
leave()
{
	grep -slz "^XENSTORED_PATH=$dir/" /proc/[0-9]*/environ | cut -d / -f 3 | grep -vx $$ | xargs -r kill 2>/dev/null
}

# block N: the section's Nth code block.
block()
{
	awk -v n="$1" '/^## /{on = /^## Five minutes/; next} on && /^```/{fence = !fence; b += fence; next} on && fence && b == n' "$source/docs/store.md"
}

# type N: it is typed as it is, a line at a time, in the second terminal.
type_block()
{
	typed clear
	keys Enter
	block "$1" | sed "s#\$PWD/build/store#$dir/store#; s#\$PWD/build/cli#$build/cli#; s#/tmp/garden#$dir/garden#" >"$dir/block"
	while IFS= read -r text; do
		typed "$text"
		keys Enter
	done <"$dir/block"
}

# serve [OPTION]: the first block, with the option.
serve()
{
	(cd "$source" && STOREVISOR_BUILD=$build exec sh -c "exec $(block 1) $1 '$dir/store'") >>"$dir/store.log" 2>&1 &
	store=$!
	for _ in $(seq 2400); do
		"$xs_prog" exists / 2>/dev/null && return
		kill -0 $store 2>/dev/null || break
		sleep 0.1
	done
	fail "the first block starts a store" "$(cat "$dir/store.log")"
	plan
}

# until_shell: what runs in the second terminal has ended.
until_shell()
{
	for _ in $(seq 2400); do
		[ "$(tmux -S "$dir/tmux" display -p '#{pane_current_command}')" = bash ] && return
		sleep 0.1
	done
}

serve
is "the first block starts a store, and says how to reach it" 1 "$(grep -c 'export XENSTORED_PATH=' "$dir/store.log")"
open_screen 80x24 vt100 "env -u XENSTORED_PATH PS1='walk> ' bash --norc -i"
until_screen '^walk> *$'
type_block 2
type_block 3
sees "import: the document becomes keys" '^.*tomato'
sees "import: with their values" 'height = 30'
type_block 4
sees "watch: the change is told as it happens" '/config/garden/tomato/height.*31'
type_block 5
sees "browse: it opens" 'xs browse /config/garden .*live'
typed /tomhei
sees "browse: the letters find the path" '^/config/garden/tomato/height'
keys Enter
sees "browse: it is the one with the value" '^> .*height = 31'
sees "browse: the bottom line is the command for it" '^xs read /config/garden/tomato/height'
kill -9 $store
wait $store 2>/dev/null
sees "browse: it tells that the store is gone" 'DAEMON GONE'
serve
sees "browse: and that it is back" '  live  '
keys q
until_shell
type_block 6
sees "restart: everything is still there" '^31$'
type_block 7
sees "log: what was written, and by whom" 'xs.* \+ /config/garden/tomato/height = 31'
"$xs_prog" write /config/garden/basil/water daily
sees "restart: the watch has found the store again" '/config/garden/basil/water.*daily'
# the last sentence of that section
kill $store
wait $store 2>/dev/null
serve --demo
until_so grep -q 'there is a small shop to look at' "$dir/store.log"
is "--demo: there is something to look at" 0 "$("$xs_prog" diff "$source/docs/examples/demo.json" >/dev/null; echo $?)"
first=$("$xs_prog" find --value '*' -j /shop | sed -n '1s/.*"path":"\([^"]*\)".*/\1/p')
"$xs_prog" write "$first" mine
kill $store
wait $store 2>/dev/null
: >"$dir/store.log"
serve --demo
until_so grep -q 'there is a small shop to look at' "$dir/store.log"
is "--demo: and what was changed in it stays" mine "$("$xs_prog" read "$first")"
plan
