#!/bin/sh
# SPDX-License-Identifier: MIT
# browse.sh - xs browse on a terminal of 80x24 that knows no colours: keys in, screen out, store
# afterwards.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/screen.sh"
start_store
trap 'close_screen; finish' EXIT
xs() { "$xs_prog" "$@"; }
home=/local/domain/3 front=/local/domain/3/device/vbd/51712 back=/local/domain/0/backend/vbd/3/51712

fill()
{
	xs write $home/name web $home/memory/target 131072 $front/state 4 $front/backend $back $back/state 2 \
		$back/frontend $front $back/dev xvda $back/params /data/web.img $back/frontend-id 3 /t/a one /t/z 1
	xs rm /t/new 2>/dev/null
}

show() { open_screen "${2:-80x24}" "${3:-vt100}" "NO_COLOR=1 XENSTORED_PATH=$XENSTORED_PATH $xs_prog browse $1"; }

# browse OPTIONS [SIZE TERM]: a fresh one, ready.
browse()
{
	close_screen
	fill
	show "$@"
	until_screen "live"
	until_screen '\+config|^.*config'
}

go() { typed ":$1"; keys Enter; until_screen "^xs (ls|read) $1\$"; }
# The left half of the line under the cursor.
cursor() { screen | sed -n 's/^>\(.*\)|.*/\1/p' | sed 's/ *$//'; }
# at WHAT TEXT: the cursor comes to stand on a line with TEXT.
at()
{
	for _ in $(seq 200); do
		case $(cursor) in *"$2"*) pass "$1" && return ;; esac
		sleep 0.1
	done
	fail "$1" "$(screen)"
}

# ---- looking ----
browse ""
sees "the top of the store is there, and that it only looks" "xs browse /  looking only  live"
sees "the first line of the tree is the top" "^>.*-/"
go $front/state
sees "a path opens what is on the way, a disk gets its name" "51712 \(xvda\)"
sees "a state is told by its name" "state = 4 \(Connected\)"
sees "the registry says who writes it" "by: +xend, guest"
sees "the registry says what it is" "means: Connected"
is "the bottom line is the command that does the same" 4 "$(sh -c "$(line 24 | sed "s#^xs#$xs_prog#")")"
keys h; at "h goes to the directory" "51712 (xvda)"
keys h; at "and closes it" "+51712"
keys l j; at "l and j open it and go down" "backend ="
keys Left Left Right Down; at "arrows do the same" "backend ="
keys f; at "f follows a pointer" "51712 (xvda)"
sees "to the other end" "^xs ls $back\$"
keys b; at "b goes back" "backend ="
typed /memtar
sees "while searching, what fits is shown" "^$home/memory/target"
keys Enter; at "letters in their order find a path" "target = 131072 (128 MiB)"
typed /state; keys Enter; at "a search goes to the best one" "state ="
first=$(line 24); keys n
for _ in $(seq 100); do [ "$(line 24)" != "$first" ] && break; sleep 0.1; done
if [ "$(line 24)" != "$first" ]; then pass "n to the next"; else fail "n to the next" "$(screen)"; fi
typed /nosuchpathatall; keys Enter; sees "a search without result says so" "no path has the letters"
typed ':/not/there'; keys Enter; sees "so does a path" "/not/there: no such node"
typed v; sees "both ends of a device are side by side" "^ +3 vbd 51712 +4 Connected +2 InitWait +xvda /data/web.img"
xs write $back/state 4
sees "and follow its life" "^ +3 vbd 51712 +4 Connected +4 Connected"
go /t/a; typed e; sees "without -w nothing is changed" "looking only: xs browse -w"
go /t/a; keys w; until_screen '^ pinned'
xs write /t/a two; sees "a pinned node's changes are counted" "x[0-9]+ /t/a = two"
xs write /t/a three; sees "again" "x[0-9]+ /t/a = three"
keys t; sees "t lists paths, of closed directories too" "^ +$home/memory/target = 131072"
is "the cursor stays" "/t/a = three" "$(cursor | sed 's/^[ *]*//')"
go $front/state; keys t
sees "then what is about the domain under the cursor" "about domain 3 web"
sees "its home" "device"
sees "and the other ends of its devices" "frontend = /local/domain/"
if on_screen '[+-]t$'; then fail "and nothing else" "$(screen)"; else pass "and nothing else"; fi
keys t; sees "then the tree again" '^ +[+-]t '
go /t/a
tmux -S "$dir/tmux" set -s set-clipboard on
keys y; sees "without a clipboard in the terminal y says so" "Ctrl-Y types it; the clipboard cannot take it: /t/a"
keys : C-y; sees "and Ctrl-Y types it" "^path: /t/a"
keys Escape
keys s; sees "a snapshot is taken" "snapshot of [0-9]+ nodes"
xs write /t/a four /t/new 1 && xs rm /t/z; keys D
sees "what was added since is told" "^\+ /t/new = 1"
sees "what was changed" "^~ /t/a: three -> four"
sees "what was removed" "^- /t/z = 1"
keys Tab; xs write /t/live appears
sees "what changes appears in the tree by itself" "live = appears"
sees "and in the log" "^[0-9:]{8} /t/live = appears"
xs rm /t/live; sees "a removal too" "/t/live removed"
keys '?'; sees "? lists the keys" "Ctrl-D, Ctrl-U  half a page"
keys q; sees "q closes that" "changes  \(Tab"
keys q; sees "q ends it" "ended with 0"

# ---- changing ----
browse -w
go /t/a; keys e C-u; typed two; keys Enter
sees "with -w a value is changed, and the command for it shown" "^xs write /t/a 'two'"
is "in the store" two "$(xs read /t/a)"
keys e C-u; typed mine; until_screen '^value: mine'; xs write /t/a theirs; keys Enter
sees "a value that changed meanwhile is not overwritten" "/t/a changed meanwhile: look again"
is "it is the other's" theirs "$(xs read /t/a)"
keys e; typed 'x\\\x01'; keys Enter; sees "bytes are typed as they are shown" "a = theirsx"
is "bytes arrive" "$(printf 'theirsx\\\001')" "$(xs read --raw /t/a)"
go /t/a; keys p C-u; typed n0,r3; keys Enter
sees "permissions are changed" "^xs perms /t/a n0 r3"
is "they are in the store" n0,r3 "$(xs perms /t/a)"
xs write /t/a 1; go /t/a; keys r; until_screen 'a = 1'
keys e C-u; typed 2; until_screen '^value: 2'; xs write /t/a other; xs write /t/a 1; keys Enter
sees "nor one that changed and changed back" "/t/a changed meanwhile: look again"
keys d; typed wrong; keys Enter; sees "removing needs the node's name" "that is not its name"
keys d; typed a; keys Enter; sees "and then removes it" "^xs rm /t/a"
is "it is gone" 1 "$(xs exists /t/a; echo $?)"
go /t; keys a; typed new; keys Enter; typed val; keys Enter; sees "a adds a child" "new = val"
is "it is there" val "$(xs read /t/new)"
go $back/state; keys e C-u; typed 5; keys Enter
sees "a running domain's device asks again" "running domain's device; type yes"
typed no; keys Enter; sees "and another word than yes does nothing" "not confirmed"
is "nothing is written then" 2 "$(xs read $back/state)"
keys e Escape; sees "Escape gives up" "given up"
head -c 2000 /dev/zero | xs write --stdin /t/zeros
go /t/zeros; until_screen 'value: 2000 bytes'; keys e; sees "a value too long for the line is not cut" "^too long to be typed: xs write --stdin /t/zeros"
keys Escape

# ---- a hard life ----
go /t/new
if [ -n "$daemon" ]; then
	kill -9 "$daemon"
	sees "a daemon that is gone is told" "DAEMON GONE"
	keys k; at "the keys go on meanwhile" "-t"
	start_store
	sees "it is live again when the daemon is" "  live  "
	xs write /t/after restart
	sees "and follows changes again" "after = restart"
fi
go /t
pairs() { i=0; while [ $i -lt 1000 ]; do printf '/t/storm/%d %d ' $i "$1"; i=$((i + 1)); done; }
tmux -S "$dir/tmux" pipe-pane "cat >$dir/drawn"
for round in 1 2 3 4 5; do xs write $(pairs $round); done
xs write /t/last end
sees "5000 changes later the last one is seen" "last = end"
sees "their number is told" "[5-9][0-9]{3} changes"
go /t/storm/999; at "the tree is true" "999 = 5"
bytes=$(wc -c <"$dir/drawn")
if [ "$bytes" -lt 100000 ]; then pass "and the screen was not drawn for each: under 20 bytes a change"
else fail "drawn for each" "$bytes bytes"; fi
tmux -S "$dir/tmux" resize-window -x 50 -y 12
sees "a narrow terminal keeps the tree" "^> .*999 = 5"
tmux -S "$dir/tmux" resize-window -x 100 -y 30
sees "a wide one has the node beside it again" "\| /t/storm/999"
if grep -q "$(printf '\033')\[[0-9;]*3[0-7]m" "$dir/drawn"; then fail "NO_COLOR: no colours"; else pass "NO_COLOR: no colours"; fi
keys q; sees "and it ends well" "ended with 0"

xs rm /t # the storm is longer than the screen
# ---- the clipboard ----
close_screen
fill
show "/t" 80x24 xterm-256color
tmux -S "$dir/tmux" set -s set-clipboard on
until_screen 'live'
keys y; sees "y copies the path" "copied: /t"
copied() { [ "$(tmux -S "$dir/tmux" show-buffer 2>/dev/null)" = "$1" ]; }
if comes_so copied /t; then pass "to the terminal's clipboard"; else fail "to the clipboard" "$(tmux -S "$dir/tmux" show-buffer 2>&1)"; fi
keys Y; sees "Y copies the node and all below" "copied: xs export --relative /t"
if comes_so copied '{"a":"one","z":"1"}'; then pass "as JSON"; else fail "as JSON" "$(tmux -S "$dir/tmux" show-buffer 2>&1)"; fi

close_screen
fill
show "/t" 80x24 dumb
sees "a terminal that cannot place text gets the tree as text" "here is xs tree /t"
sees "all of it" "[+\`]- a = one"
run xs browse </dev/null
is "without a terminal: status 2, and what to do instead" "2 1" "$rc $(echo "$err" | grep -c 'xs tree')"
plan
