#!/bin/sh
# SPDX-License-Identifier: MIT
# agree.sh XENSTORED XS LIBXENSTORE XM SOURCE BUILD - the command tables, their help, the manual pages and the
# completions of three shells say the same; what one of them lacks is named.
xm_prog=$4 source=$5 pages=$6/docs/man
. "$(dirname "$0")/lib.sh"
start_store
"$xs_prog" write /config/domain/web/memory 64 /tool/here 1
mkdir "$dir/bin"
ln -s "$xs_prog" "$dir/bin/xs"
ln -s "$(full "$xm_prog")" "$dir/bin/xm"
PATH=$dir/bin:$PATH
export PATH HOME="$dir"

commands_of() { "$1" help | sed -n 's/^ \([a-z][a-z-]*\)  *[^ ].*/\1/p'; }
# in_bash TOOL WORDS...: what bash offers for the last word.
in_bash()
{
	bash --norc -c '. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); "_$1"; printf "%s\n" "${COMPREPLY[@]}"' \
		bash "$source/cli/completion/$1.bash" "$@" 2>/dev/null
}
in_fish()
{
	tool=$1
	shift
	fish --no-config -c "source $source/cli/completion/$tool.fish; complete -C '$tool $*'" 2>/dev/null | cut -f 1
}

# The same for all options of all COMMANDS, as "COMMAND OPTION" lines, by one shell.
options_in_bash()
{
	bash --norc -c '. "$1"; tool=$2; shift 2; for c; do COMP_WORDS=("$tool" "$c" -) COMP_CWORD=2; "_$tool"
		for o in "${COMPREPLY[@]}"; do echo "$c $o"; done; done' bash "$source/cli/completion/$1.bash" "$@" 2>/dev/null
}
options_in_fish()
{
	fish --no-config -c "source $source/cli/completion/$1.fish
		for c in \$argv[2..-1]; for o in (complete -C \"\$argv[1] \$c -\" | cut -f 1); echo \$c \$o; end; end" "$@" 2>/dev/null
}
# And of the manual page.
options_in_page()
{
	tr -d '\\' <"$pages/$1.1.scd" | awk -v tool="$1" '
		$0 ~ "^[*]" tool " " { split($0, part, /[ *]+/); command = part[3] }
		/^\t[*]-/ { gsub(/[*,=]/, " "); for (i = 1; i <= NF; i++) if ($i ~ /^-/) print command, $i }'
}

# lacks LIST: the lines of the file LIST that standard input lacks, in one.
lacks() { cat >"$dir/has"; grep -vxF -f "$dir/has" "$1" | tr '\n' ';'; }

for tool in xs xm; do
	commands=$(commands_of $tool)
	[ "$(echo "$commands" | wc -l)" -gt 20 ] || fail "$tool has commands" "$commands"
	missing=
	echo "$commands" >"$dir/commands"
	for command in $commands; do
		"$tool" help "$command" >"$dir/help"
		grep -q "^Usage: $tool $command" "$dir/help" || missing="$missing $command:usage"
		name=$(sed -n 's/^Also called \(.*\)\.$/|\1/p' "$dir/help")
		grep -qE "^  (.* )?$tool ($command$name)( |\$|>)" "$dir/help" || missing="$missing $command"
		grep -E '^  +-' "$dir/help" | grep -oE '^  *(-[a-zA-Z0-9],? ?)?(--[a-z_-]+)?' |
			grep -oE -- '--?[a-zA-Z0-9][a-z_-]*' | grep -vxE -- '-h|--help' | sed "s/^/$command /"
	done >"$dir/options"
	is "$tool: every command's help shows its usage and an example" "" "$missing"
	is "$tool: exactly the table's commands are in $tool(1)" "$(sort "$dir/commands")" \
		"$(sed -n "s/^\*$tool \([a-z-]*\)\*.*/\1/p" "$pages/$tool.1.scd" | sort)"
	is "$tool: with every option" "" "$(options_in_page $tool | lacks "$dir/options")"
	is "$tool: bash offers every command" "" "$(in_bash $tool '' | lacks "$dir/commands")"
	is "$tool: and every option" "" "$(options_in_bash $tool $commands | lacks "$dir/options")"
	if command -v fish >/dev/null; then
		is "$tool: fish offers every command" "" "$(in_fish $tool '' | lacks "$dir/commands")"
		is "$tool: and every option" "" "$(options_in_fish $tool $commands | lacks "$dir/options")"
	fi
done
# xm's own words are a stand-in's: a card whose address is somebody's text.
mkdir "$dir/said" "$dir/files"
printf '#!/bin/sh\n[ "$1" != network-list ] || echo '"'"'{"mac": "$(touch ran)", "name": "eth0"}'"'\n" >"$dir/said/xm"
chmod +x "$dir/said/xm"
: >"$dir/files/of a host.conf"
is "bash runs nothing that a device says" "eth0" "$(cd "$dir/files" && PATH=$dir/said:$PATH in_bash xm network-detach web '')"
is "and ran nothing" "of a host.conf" "$(ls "$dir/files")"
for command in create restore import-host; do
	is "bash completes files of xm $command, also with blanks" "of a host.conf" "$(cd "$dir/files" && in_bash xm $command o)"
	if command -v fish >/dev/null; then
		is "fish too" "of a host.conf" "$(cd "$dir/files" && in_fish xm $command o)"
	fi
done
is "bash completes the file that an option of xm image wants" "of a host.conf" "$(cd "$dir/files" && in_bash xm image new --from o)"
if command -v fish >/dev/null; then is "fish too" "of a host.conf" "$(cd "$dir/files" && in_fish xm image new --from o)"; fi
is "bash completes files of xs, too" "of a host.conf" "$(cd "$dir/files" && in_bash xs import o)"
is "bash completes paths from the store as it is" /config/domain/web "$(in_bash xs read /config/domain/w)"
if command -v fish >/dev/null; then is "fish too" /config/domain/web "$(in_fish xs read /config/domain/w)"; fi

lost='' control=''
for page in xs.1 xm.1 xenstored.8 xend.8 backendd.8 xen-record.5 xm.cfg.5; do
	grep -q '^\.TH' "$pages/$page" && grep -q '^\.SH NAME' "$pages/$page" && grep -qE '^\.SH (EXAMPLE|COMMANDS|KEYS)' "$pages/$page" &&
		! grep -q '@[A-Z]*@' "$pages/$page" || lost="$lost $page"
	! LC_ALL=C tr -d '\t\n' <"$pages/$page" | LC_ALL=C grep -aq '[[:cntrl:]]' || control="$control $page"
done
is "every manual page is made, with its generated part" "" "$lost"
is "none has a control byte in it" "" "$control"
missing=
for option in $("$xenstored" --help 2>&1 | grep -oE -- '--[a-z-]+' | sort -u); do
	tr -d '\\' <"$pages/xenstored.8.scd" | grep -q -- "$option" || missing="$missing $option"
done
is "xenstored(8) has every option" "" "$missing"

if command -v zsh >/dev/null && command -v tmux >/dev/null; then
	. "$(dirname "$0")/screen.sh"
	trap 'close_screen; finish' EXIT
	open_screen 100x24 vt100 "PATH=$PATH XENSTORED_PATH=$XENSTORED_PATH zsh -f"
	typed "PS1='ready> '; autoload -Uz compinit; compinit -u -D; source $source/cli/completion/xs.zsh; source $source/cli/completion/xm.zsh; clear"
	keys Enter
	until_screen '^ready> *$'
	typed 'xs brow'; keys Tab; sees "zsh completes commands" '^ready> xs browse'
	keys C-u; typed 'xs read /config/domain/w'; keys Tab; sees "and paths" '^ready> xs read /config/domain/web'
	keys C-u; typed 'xm block-at'; keys Tab; sees "xm's too" '^ready> xm block-attach'
fi
plan
