#!/bin/sh
# SPDX-License-Identifier: MIT
# First boot: Debian's xenstore tools against our daemon, by socket and by the kernel's ring.
. /mnt/dom0/lib.sh

ring() { XENSTORED_PATH=/dev/xen/xenbus "$@"; }

claim "Debian's xenstore-write writes" $DEBIAN/xenstore-write /tool/test/a 'a value' /tool/test/b/c deep
same "Debian's xenstore-read reads it" 'a value' "$($DEBIAN/xenstore-read /tool/test/a)"
same "our xs reads it" 'a value' "$(xs read /tool/test/a)"
same "Debian's xenstore-list lists it" 'a b' "$($DEBIAN/xenstore-list /tool/test | sort | xargs)"
same "Debian's xenstore-ls shows the tree" 'a = "a value" b = "" c = "deep"' "$($DEBIAN/xenstore-ls /tool/test | xargs -0 | tr -s ' \n' ' ' | sed 's/ $//; s/^ //')"
same "our xenstore-ls prints what Debian's prints" "$($DEBIAN/xenstore-ls -f -p /tool/test)" "$(xenstore-ls -f -p /tool/test)"
claim "Debian's xenstore-chmod changes permissions" $DEBIAN/xenstore-chmod /tool/test/a b0
claim "and they are seen" sh -c "$DEBIAN/xenstore-ls -p /tool/test | grep -q '(b0)'"

$DEBIAN/xenstore-watch -n 2 /tool/test/watched >/tmp/watch.out &
watch=$!
sleep 1
xs write /tool/test/watched 1
claim "Debian's xenstore-watch sees our write" until_true 5 sh -c '[ $(grep -c /tool/test/watched /tmp/watch.out) = 2 ]'
kill $watch 2>/dev/null

same "the kernel's ring reads" 'a value' "$(ring $DEBIAN/xenstore-read /tool/test/a)"
claim "the kernel's ring writes" ring $DEBIAN/xenstore-write /tool/test/ring yes
same "and the socket sees it" yes "$(xs read /tool/test/ring)"
same "the ring lists a tree as the socket does" "$($DEBIAN/xenstore-ls -f /tool)" "$(ring $DEBIAN/xenstore-ls -f /tool)"
claim "Debian's xenstore-rm removes" $DEBIAN/xenstore-rm /tool/test/b
claim "and it is gone" sh -c "! $DEBIAN/xenstore-exists /tool/test/b/c"

old=$(daemon xenstored)
claim "the store daemon is killed" kill -9 "$old"
claim "a new one serves" until_true 15 sh -c '
	new=$(cat /run/storevisor/xenstored.pid) && [ "$new" != "'"$old"'" ] && kill -0 "$new"'
claim "a killed store daemon is back" until_true 15 $DEBIAN/xenstore-exists /tool/test/a
same "nothing it knew is lost" 'a value' "$($DEBIAN/xenstore-read /tool/test/a)"
same "the kernel's ring goes on" 'a value' "$(ring $DEBIAN/xenstore-read /tool/test/a)"

xs write /config/test/kept "survives a boot"
xs write /local/domain/77/name "belongs to this boot"
