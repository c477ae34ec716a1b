#!/bin/sh
# SPDX-License-Identifier: MIT
# console-rotate.sh - guest-NAME.log above CONSOLE_MAX bytes (1 MiB) becomes .1, .1 becomes .2, up to .4. It is copied and
# then emptied: the console's process goes on writing into the same file.
max=${CONSOLE_MAX:-1048576}
name=${XS_PATH#/status/domain/}
name=$(echo "${name%/state}" | sed 's/@2e/./g; s/@2b/+/g') # as paths have a '.' and '+'
log=${CONSOLE_DIR:-/var/log/xen/console}/guest-$name.log
case $XS_TYPE:$XS_VALUE in del:* | *:shutdown | *:crashed | *:failed) ;; *) exit 0 ;; esac
[ -f "$log" ] && [ "$(wc -c <"$log")" -gt "$max" ] || exit 0
for n in 3 2 1; do
	[ ! -f "$log.$n" ] || mv "$log.$n" "$log.$((n + 1))"
done
cp "$log" "$log.1" && : >"$log"
