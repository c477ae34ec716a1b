#!/bin/sh
# SPDX-License-Identifier: MIT
# First boot: a record with autostart, one without, and a plain domain that has no record of its
# own.
. /mnt/dom0/lib.sh
sed 's/^name = .*/name = "web"/; $a autostart = 1' /etc/xen/cloud.cfg >/tmp/web.cfg
sed 's/^name = .*/name = "idle"/' /etc/xen/demo.cfg >/tmp/idle.cfg
claim "xm new stores a record" xm new /tmp/web.cfg
claim "and another" xm new /tmp/idle.cfg
sed 's/^name = .*/name = "again"/; $a autostart = "last"' /etc/xen/demo.cfg >/tmp/again.cfg
claim "one that comes back if it ran" xm new /tmp/again.cfg
claim "xm start starts the first" xm start web
claim "and that one" xm start again
claim "xm create starts a plain one" xm create /etc/xen/grub.cfg
claim "the guest runs" hears web 90 'guest: ready'
claim "so does the other" hears again 90 'guest: ready'
sync
