#compdef xm xl
# SPDX-License-Identifier: MIT
# zsh completion for xm and xl: commands and options from the program's own help, domains from the store.

_xm()
{
	local tool=$words[1] command='' word
	local -a found
	for word in ${words[2,CURRENT-1]}; do
		[[ $word == -* ]] || { command=$word; break; }
	done
	if [[ -z $command || $command == help ]]; then
		found=(${(f)"$($tool help 2>/dev/null | sed -n 's/^ \([a-z][a-z-]*\)  *\(.*\)/\1:\2/p')"})
		_describe command found
	elif [[ $words[CURRENT] == -* ]]; then
		found=(${(f)"$($tool help $command 2>/dev/null | sed -n '/^  *-/p' |
			grep -oE '^  *(-[a-zA-Z0-9],? ?)?(--[a-z_-]+)?' | grep -oE -- '--?[a-zA-Z0-9][a-z_-]*')"})
		compadd -- $found
	elif [[ $command == (create|new|define) ]]; then
		_files -g '*.cfg'
	elif [[ $command == image && $words[CURRENT-1] == --(from|from-disk|ssh-key|file) ]]; then
		_files
	elif [[ $command == (restore|import-host) ]]; then
		_files
	else
		found=(${(f)"$({ xs list /config/domain; xs list /status/domain; } 2>/dev/null | sort -u)"})
		compadd -- $found
	fi
}

if [[ $funcstack[1] == _xm ]]; then _xm "$@"; else compdef _xm xm xl; fi
