# SPDX-License-Identifier: MIT
# fish completion for xm and xl: commands and options from the program's own help, domains from the store.

function __xm_command
	for word in (commandline -opc)[2..-1]
		string match -q -- '-*' $word; or begin
			echo $word
			return 0
		end
	end
	return 1
end

function __xm_commands
	xm help 2>/dev/null | sed -n 's/^ \([a-z][a-z-]*\)  *\(.*\)/\1\t\2/p'
end

function __xm_options
	xm help (__xm_command) 2>/dev/null | sed -n '/^  *-/p' |
		string match -r -a -- '(?:^  +| )(--?[a-zA-Z0-9][a-z_-]*)' | string match -r -- '^-.*'
end

function __xm_domains
	begin; xs list /config/domain; xs list /status/domain; end 2>/dev/null | sort -u
end

for tool in xm xl
	complete -c $tool -f
	complete -c $tool -n 'not __xm_command' -a '(__xm_commands)'
	complete -c $tool -n '__xm_command; and string match -q -- "-*" (commandline -ct)' -a '(__xm_options)'
	complete -c $tool -n '__xm_command; and not string match -q -- "-*" (commandline -ct); and not contains -- (__xm_command) create new define restore import-host' -a '(__xm_domains)'
	complete -c $tool -n 'test (__xm_command) = image; and contains -- (commandline -opc)[-1] --from --from-disk --ssh-key --file' -F
	complete -c $tool -n 'contains -- (__xm_command) create new define restore import-host' -F
end
