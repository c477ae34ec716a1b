#!/bin/sh
# SPDX-License-Identifier: MIT
# crash-notify.sh - gives one line on standard input of NOTIFY (logger; "mail -s crash root" is another).
notify=${NOTIFY:-logger -t xen -p daemon.err}
case $XS_VALUE in crashed | failed) ;; *) exit 0 ;; esac
name=${XS_PATH#/status/domain/}
name=${name%/state}
why=$(xs read "/status/domain/$name/error" 2>/dev/null)
echo "domain $name $XS_VALUE${why:+: $why}" | $notify
