#!/bin/sh
# SPDX-License-Identifier: MIT
# Our store serves Debian's xl, console daemon and kernel backends; our domain manager and backends
# stand aside.
. /mnt/dom0/lib.sh
. /mnt/dom0/debian-lib.sh
service stop xend backendd
xs rm /local/domain/0/name # what tells xen-init-dom0 that there is nothing to do
claim "Debian's xen-init-dom0" /usr/lib/xen-4.17/bin/xen-init-dom0
claim "has told the store of its CPU pool" $DEBIAN/xenstore-read /local/pool/0/name
/usr/lib/xen-4.17/bin/xenconsoled --pid-file=/run/xen/xenconsoled.pid --log=guest --log-dir=/var/log/xen/console
debian_life
same "the store daemon is ours" /usr/sbin/xenstored "$(readlink "/proc/$(daemon xenstored)/exe")"
