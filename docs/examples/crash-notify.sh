#!/bin/sh
# SPDX-License-Identifier: MIT
# crash-notify.sh - gives one line on standard input of NOTIFY (logger; "mail -s crash root" is another).
notify=${NOTIFY:-logger -t xen -p daemon.err}
case $XS_VALUE in crashed | failed) ;; *) exit 0 ;; esac
key=${XS_PATH#/status/domain/}
key=${key%/state}
name=$(echo "$key" | sed 's/@2e/./g; s/@2b/+/g') # as paths have a '.' and '+'
why=$(xs read "/status/domain/$key/error" 2>/dev/null)
echo "domain $name $XS_VALUE${why:+: $why}" | $notify
