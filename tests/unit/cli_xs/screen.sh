# SPDX-License-Identifier: MIT
# screen.sh - a terminal of its own for a program under test: keys in, the screen as text out. Sourced
# after lib.sh. Every wait is for something on the screen, never for a time.
if ! command -v tmux >/dev/null; then
	echo "1..0 # SKIP tmux is not installed"
	exit 0
fi

# open_screen COLUMNSxROWS TERM COMMAND...
open_screen()
{
	size=$1 term=$2
	shift 2
	tmux -S "$dir/tmux" -f /dev/null new-session -d -x "${size%x*}" -y "${size#*x}" \
		"stty rows ${size#*x} cols ${size%x*} 2>/dev/null; TERM=$term LC_ALL=C.UTF-8 ESCDELAY=50 $*; echo \"ended with \$?\"; sleep 1000"
}

close_screen() { tmux -S "$dir/tmux" kill-server 2>/dev/null; rm -f "$dir/tmux"; }

keys() { for key; do tmux -S "$dir/tmux" send-keys "$key"; done; }
typed() { tmux -S "$dir/tmux" send-keys -l "$1"; }
screen() { tmux -S "$dir/tmux" capture-pane -p; }
line() { screen | sed -n "$1p"; }

on_screen() { screen | grep -qE -- "$1"; }
# until_screen PATTERN: goes on when a line matches the extended regular expression; else the test ends.
until_screen()
{
	comes_so on_screen "$1" && return
	screen | sed 's/^/# /'
	echo "Bail out! no $1 on the screen after a minute"
	exit 99
}

# sees WHAT PATTERN: the claim that the screen comes to show it.
sees() { if comes_so on_screen "$2"; then pass "$1"; else fail "$1" "no $2 on:
$(screen)"; fi; }
