#!/bin/sh
# SPDX-License-Identifier: MIT
# Puts xs, its libraries and xsguest-inside.sh on the demo guest's disk, starts the guest with that
# script, answers what it waits for, and takes over its claims from the console log.
. /mnt/dom0/lib.sh

# answered LINE: a claim of the guest was right; else what came out.
answered()
{
	case $1 in ok:*) return 0 ;; esac
	grep -a -A 8 -F -e "$1" "$(log_of demo)"
	return 1
}

mkdir -p /tmp/disk
mount -o loop /data/guests/demo.img /tmp/disk
cp /usr/bin/xs /mnt/dom0/xsguest-inside.sh /tmp/disk/
LD_TRACE_LOADED_OBJECTS=1 /usr/bin/xs | grep -o '/[^ ]*' | while read -r file; do cp -L "$file" /tmp/disk/; done
mkdir -p /tmp/disk/terminfo/v
cp /lib/terminfo/v/vt100 /tmp/disk/terminfo/v/
umount /tmp/disk

xm create -q /etc/xen/demo.cfg extra='console=hvc0 panic=1 sv_run=xsguest-inside.sh' ||
	claim "the guest starts" false
home=/local/domain/$(xm domid demo)
claim "the guest begins" hears demo 90 'guest: begins'

claim "what the guest put is there" xs wait -t 60s "$home/data/hello=from the guest"
claim "the guest watches" xs wait -t 60s "$home/data/watching=1"
xs put "$home/data/inbox" one && xs put "$home/data/inbox" two
claim "the guest waits" xs wait -t 60s "$home/data/waiting=1"
xs put "$home/data/go" now
claim "the guest browses on its console" hears demo 60 'xs browse .*/data'
xs put "$home/data/seen-live" 4711
claim "and follows what dom0 changes" hears demo 30 '[0-9:]{8} .*/data/seen-live'
types demo q
claim "the guest ends its claims" hears demo 60 'guest: end of claims'
tr -d '\r' <"$(log_of demo)" | grep -aoE '(not )?ok: .*' >/tmp/claims
while IFS= read -r line; do
	claim "guest: ${line#*: }" answered "$line"
done </tmp/claims
same "the guest made all its claims" "$(grep -cE '^(holds|says) "' /mnt/dom0/xsguest-inside.sh)" "$(wc -l </tmp/claims)"
same "what it imported is in its directory" two "$(xs read "$home/data/app/list/1")"
xm destroy demo
audits
