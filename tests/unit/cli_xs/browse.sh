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

# an editor that ends the last line, as they do; a pager that waits for Enter
printf '#!/bin/sh\nsed -i -e "s/^w/W/" -e "s/^two/Two/" "$1" && echo >>"$1" && sed -i -e "\$ { /^\$/d }" "$1"\n' >"$dir/editor"
printf '#!/bin/sh\nsed "s/^/page:/"; read -r enter </dev/tty\n' >"$dir/pager"
chmod +x "$dir/editor" "$dir/pager"
show() { open_screen "${2:-80x24}" "${3:-vt100}" "TMPDIR=$dir NO_COLOR=1 EDITOR=$dir/editor PAGER=$dir/pager XENSTORED_PATH=$XENSTORED_PATH $xs_prog browse $1"; }

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
	for _ in $(seq 2400); do
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
for _ in $(seq 2400); do [ "$(line 24)" != "$first" ] && break; sleep 0.1; done
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
xs write /t/a five; sees "a change tells what was before" "^[0-9:]{8} (x[0-9]+ )?/t/a: four -> five"
xs rm /t/live2 2>/dev/null; xs write /t/live2 here; sees "a new node" "live2 = here"
xs rm /t/live2; sees "a removal tells what is gone" "/t/live2 removed, was here"
keys c; no_lower() { ! on_screen "changes  \(Tab"; }
if comes_so no_lower; then pass "c closes the lower part"; else fail "c closes the lower part" "$(screen)"; fi
keys c; sees "and opens it again" "changes  \(Tab: others"

# ---- values ----
printf 'first line\nsecond of gr\303\274\303\237en \\ and a tab\there\n%0120d\nlast needle line\n' 7 | xs write --stdin /t/text
printf 'ab\000\001\377' | xs write --stdin /t/bytes
keys =; typed NEEDLE; sees "= finds text in values" "^/t/text = .*needle"
keys Enter; sees "and goes there" "^xs read /t/text"
keys Enter; sees "Enter on a leaf shows its value" "^ /t/text  [0-9]+ bytes  rows 1-5 of 5"
sees "by its lines, with umlauts" "^second of grüßen \\\\ and a tab +here\$"
sees "long ones folded" "^0{39}7\$"
keys f; sees "f unfolds" "rows 1-4 of 4"
keys l; sees "l goes sideways" "^ne\$"
keys h f /; typed needle; keys Enter; keys x; sees "x shows bytes" "^000000  66 69 72 73"
keys x v; sees "v shows it in the pager" "page:last needle line"
keys Enter; sees "and comes back" "^ /t/text "
keys e; sees "without -w the editor is not called" "looking only: xs browse -w"
xs write /t/text changed; sees "what is shown follows the store" "^changed\$"
xs rm /t/text; sees "and ends with the node" "/t/text: removed"
go /t/bytes; keys Space; sees "what is no text is shown as bytes" "^000000  61 62 00 01 ff +\|ab\.\.\.\|"
keys Escape; sees "Escape closes it" "^ +changes|^ changes"

# ---- filter, order ----
xs write /t/deep/er/marked 1 /t/deep/other 2 /t/other/x "is mArked too"
go /t; keys c '&'; typed marked; sees "& shows what has a text in its name" "marked = 1"
sees "or in its value" "x = is mArked too"
if on_screen "other = 2"; then fail "and nothing else" "$(screen)"; else pass "and nothing else"; fi
keys Enter; sees "says so" "only what has marked in its name or value"
at "the cursor is on the first" "marked = 1"
xs write /t/zz/late marked; sees "what comes to have it appears" "late = marked"
xs write /t/zz/late gone; late() { ! on_screen "late ="; }
if comes_so late; then pass "what no longer has it goes"; else fail "what no longer has it goes" "$(screen)"; fi
keys '&' Enter; sees "an empty one shows all" "all is shown again"
keys c; go /t; keys l; xs write /t/big "$(printf %0500d 1)"
keys o; sees "o sorts by size" "^ sorted by size|^sorted by size"
below() { [ "$(screen | sed -n '/[+-]t /,$p' | sed -n 2p | grep -c "$1")" = 1 ]; }
if comes_so below "big = "; then pass "the largest first"; else fail "the largest first" "$(screen)"; fi
xs write /t/other/x newest; keys o; sees "then by last change" "^sorted by last change"
if comes_so below "[+]other"; then pass "what changed last, or in it, first"; else fail "what changed last first" "$(screen)"; fi
xs write /t/a again
if comes_so below "a = again"; then pass "as it changes"; else fail "as it changes" "$(screen)"; fi
keys o; sees "then by name" "^sorted by name"

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
echo '{"type":"object","properties":{"n":{"type":"integer","minimum":1,"maximum":9,"description":"how many eggs"}}}' >"$dir/eggs.json"
xs write /t/eggs/n 3; xs schema add --at /t/eggs "$dir/eggs.json"
go /t/eggs/n; until_screen 'n = 3'; keys e C-u; typed 10; keys Enter
sees "what a schema of one's own does not allow is not written" "^10 is not possible here: at most 9 is wanted"
is "the store has what it had" 3 "$(xs read /t/eggs/n)"
sees "what it says is shown" "how many eggs"
keys e C-u; typed 9; keys Enter; sees "and what it allows is written" "^xs write /t/eggs/n '9'"
echo '{"type":"object","required":["n"]}' | xs schema add --at /t/eggs --name eggs -
go /t/eggs/n; until_screen 'needed'; keys d; typed n; keys Enter
sees "what has to be there is not removed" "^/t/eggs: n has to be here .required of schema eggs"
is "and stays" 9 "$(xs read /t/eggs/n)"
xs schema rm eggs; xs rm /t/eggs
head -c 2000 /dev/zero | xs write --stdin /t/zeros
go /t/zeros; until_screen 'value: 2000 bytes'; keys e; sees "a value that is no text is not for an editor" "^not text, nothing for an editor: xs write --stdin /t/zeros"
xs write /t/words "$(printf 'w\n%.0s' $(seq 1500))"; printf 'one\ntwo' | xs write --stdin /t/lines
go /t/words; until_screen 'value: 2999 bytes'; keys e; sees "a long text is changed in the editor" "^xs write --stdin /t/words"
is "in the store" "$(printf 'W\n%.0s' $(seq 1500))" "$(xs read --raw /t/words)"
go /t/lines; keys E; sees "E asks for the editor" "^xs write --stdin /t/lines"
is "a last line without its end stays so" "$(printf 'one\nTwo.' | od -c)" "$( (xs read --raw /t/lines; printf .) | od -c)"
keys E; sees "a text that was left as it is is not written" "/t/lines is as it was: nothing was written"
ln -sf "$xs_prog" "$dir/xenstore-write"; ln -sf "$xs_prog" "$dir/xenstore-ls"
left() { "$dir/xenstore-ls" "$1" | sed 's/ = .*//' | sort | xargs; }
# a long value of seven parts whose mark was written over, by a longer one of two
yes w | head -c 14000 | xs write --stdin /t/once
"$dir/xenstore-write" /t/once "$(yes w | head -c 3000)"
go /t/once; until_screen 'value: 3000 bytes|value: 2999 bytes'
printf '#!/bin/sh\nyes y | head -c 4200 >"$1"\n' >"$dir/editor"
keys E; sees "a long value is made in the editor" "^xs write --stdin /t/once"
is "and nothing is left of one that was there" "@ff0 @ff1 @ff2" "$(left /t/once)"
is "it is whole" 4199 "$(xs read --raw /t/once | wc -c)"
keys p C-u; typed n0,r4; keys Enter; sees "its permissions are changed" "^xs perms /t/once n0 r4"
printf '#!/bin/sh\necho small >"$1"\n' >"$dir/editor"
keys E; sees "a short one in its place" "value: 6 bytes|value: 5 bytes"
is "leaves none" "" "$(left /t/once)"
# somebody else writes while the editor is open
printf '#!/bin/sh\necho mine >"$1"\n"%s" write /t/once theirs\n' "$xs_prog" >"$dir/editor"
keys E; sees "what changed while the editor was open is kept" "^your text is in $dir/xs-[^ ]*: /t/once changed"
is "and the other's" theirs "$(xs read /t/once)"
is "what was typed is in a file" mine "$(cat "$dir"/xs-*)"
long_ones() { jq -n --arg v "$1$(printf %05000d 0)" '{"t": {"many": [range(12) | $v]}}' | xs import -q; }
long_ones one; go /t/many/11; sees "many long values" "11 = one"
long_ones two
all_new() { [ "$(screen | grep -c '^.  *[0-9]* = two')" = 12 ]; }
if comes_so all_new; then pass "all of them change on the screen"; else fail "all of them change on the screen" "$(screen)"; fi
keys b

# ---- a hard life ----
xs rm /t/once /t/many /t/words /t/lines /t/big /t/bytes /t/deep /t/other /t/zz
go /t # what is not on the screen is not read
short() { ! on_screen "^[> ]+[-+]?(once|many|words|lines|big|bytes|deep|other|zz)( |\$)"; }
until_so short
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
# ---- ls and tree ----
close_screen
xs write /t/grün "$(printf 'ü%.0s' $(seq 100))" /t/long "$(printf '%02000d' 0)"
open_screen 40x24 vt100 "XENSTORED_PATH=$XENSTORED_PATH $xs_prog ls /t"
sees "ls folds a long value under its column, by what characters take" "^ {6}ü{34}\$"
sees "the rest in the next row" "^ {6}ü{32}\$"
sees "after six rows it is cut, and how much is missing told" "^ {6}\.\.\. \(1830 more\)"
close_screen
open_screen 40x24 vt100 "XENSTORED_PATH=$XENSTORED_PATH $xs_prog tree /t"
sees "tree too" "^ {10}ü{30}\$"
is "in a pipe a value is one line" "1 2011" "$(xs ls /t | grep -c '^long') $(xs ls /t | grep '^long' | tr -d '\n' | wc -c)"

run xs browse </dev/null
is "without a terminal: status 2, and what to do instead" "2 1" "$rc $(echo "$err" | grep -c 'xs tree')"
plan
