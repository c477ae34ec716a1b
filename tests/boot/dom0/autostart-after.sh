#!/bin/sh
# SPDX-License-Identifier: MIT
# Second boot of the same disk: nobody types anything.
. /mnt/dom0/lib.sh
claim "the record marked autostart runs by itself" until_true 30 running web
claim "and reaches its shell" hears web 90 'guest: ready'
claim "and answers" until_true 20 ping -c 1 -W 1 10.0.0.3
claim "the host's power-off had shut it down first" sh -c 'xm history web | grep -A 3 host-shutdown | grep -q -- "-> shutdown"'
claim "the one that ran then runs again" hears again 90 'guest: ready'
claim "it can be shut down" xm shutdown -w again
claim "the other record is there" xs read /config/domain/idle/kernel
claim "and does not run" sh -c '! xm domid idle'
claim "the plain domain has left no record" sh -c '! xs read /config/domain/grub/kernel'
same "no runtime key is older than this boot" "0 $(xm domid web)" "$(xs ls /local/domain | sort -n | xargs)"
claim "xm start starts the other record" xm start idle
claim "xm shutdown of a record" xm shutdown -w web
claim "keeps it" xs read /config/domain/web/kernel
claim "xm destroy of a record" xm destroy idle
claim "keeps it too" xs read /config/domain/idle/kernel
claim "xm delete removes it" xm delete idle
claim "for good" sh -c '! xs read /config/domain/idle/kernel'
