#!/bin/sh
# SPDX-License-Identifier: MIT
# In dom0: a guest whose second disk a server serves by NBD. The server is killed while it writes, and is
# there again later; the guest is saved while the server takes its time.
. /mnt/dom0/lib.sh
IMAGE=/data/nbd.img
KIT=/mnt/nbd

# serve WORD...: nbdkit with these words more.
serve()
{
	LD_LIBRARY_PATH=$KIT/lib/x86_64-linux-gnu $KIT/bin/nbdkit -f -i 127.0.0.1 "$@" >>/tmp/nbdkit.log 2>&1 &
	server=$!
	until_true 20 grep -q ":2A39 00000000:0000 0A" /proc/net/tcp # 10809, LISTEN
}
by_file() { serve $KIT/nbdkit-file-plugin.so $IMAGE; }
slowly() { serve --filter=$KIT/nbdkit-delay-filter.so $KIT/nbdkit-file-plugin.so $IMAGE wdelay=3; }
ends() { kill -9 $server && { wait $server 2>/dev/null; :; }; }

waits() { xs read "/local/domain/0/backend/vbd/$(xm domid cloud)/51728/error" | grep -q "$1"; }
# data: what is in the image's first 4 MiB.
data() { head -c 4194304 $IMAGE | sha256sum | cut -c 1-64; }
sum() { grep -aoE "^$1 [0-9a-f]{64}" "$(log_of cloud)" | tail -n 1 | cut -d ' ' -f 2; }

ip link set lo up
truncate -s 64M $IMAGE
claim "a server runs" by_file
sed 's|^disk = .*|disk = [ "file:/data/guests/cloud.img,xvda,w", "nbd:127.0.0.1 10809,xvdb,w" ]|' /etc/xen/cloud.cfg >/tmp/nbd.cfg
claim "a guest is created with a disk of it" xm create /tmp/nbd.cfg
claim "it comes up" hears cloud 90 'guest: ready'
types cloud 'dd if=/dev/urandom of=/mnt/a bs=64k count=64 2>/dev/null; echo first $(sha256sum </mnt/a); dd if=/mnt/a of=/dev/xvdb bs=64k conv=fsync 2>/dev/null && echo written'
claim "it writes 4 MiB and has them flushed" hears cloud 60 '^written'
same "they are in the server's image" "$(sum first)" "$(data)"

types cloud 'dd if=/dev/urandom of=/mnt/b bs=64k count=64 2>/dev/null; echo second $(sha256sum </mnt/b); while [ ! -e /mnt/stop ]; do dd if=/mnt/b of=/dev/xvdb bs=64k conv=fsync 2>/dev/null && echo round; done &'
claim "it writes other data, over and over" hears cloud 60 '^round' 2
claim "the server is killed meanwhile" ends
claim "the disk waits and says why" until_true 20 waits 'Connection refused'
rounds=$(grep -ac '^round' "$(log_of cloud)")
claim "the server runs again" by_file
claim "the guest goes on" hears cloud 60 '^round' $((rounds + 2))
claim "nothing waits" until_true 10 sh -c '! xs read /local/domain/0/backend/vbd/'"$(xm domid cloud)"'/51728/error | grep -q .'
same "what it wrote is in the image" "$(sum second)" "$(data)"

types cloud 'touch /mnt/stop; wait; echo stopped'
claim "it stops" hears cloud 60 '^stopped'
ends
claim "a server that needs three seconds for a write" slowly
types cloud 'dd if=/dev/urandom of=/mnt/c bs=64k count=64 2>/dev/null; echo third $(sha256sum </mnt/c); dd if=/mnt/c of=/dev/xvdb bs=64k conv=fsync 2>/dev/null && echo flushed'
claim "the guest has other data" hears cloud 60 '^third'
claim "xm save, while they are written" xm save cloud /data/cloud.save
ends
claim "a server runs, fast again" by_file
claim "xm restore" xm restore /data/cloud.save
claim "what was under way is done" hears cloud 60 '^flushed'
same "all of it is in the image" "$(sum third)" "$(data)"
claim "its kernel met no error" sh -c '! grep -aE "I/O error|blk_update|BUG:" '"$(log_of cloud)"
claim "xm destroy" xm destroy cloud

# Where blkback looks for it, with its libraries: those below /usr/share, where our dom0 has some, its jail does not show.
for file in $KIT/lib/x86_64-linux-gnu/*; do
	name=/lib/x86_64-linux-gnu/${file##*/}
	[ -e "$name" ] || cp "$file" "$name"
done
cp $KIT/bin/qemu-nbd /usr/bin/
cp $KIT/*.qcow2 /data/
# with_disk DISK: a configuration with it as the second one.
with_disk()
{
	sed 's|^disk = .*|disk = [ "file:/data/guests/cloud.img,xvda,w", "'"$1"'" ]|' /etc/xen/cloud.cfg >/tmp/qcow2.cfg
}
reader() { pidof qemu-nbd; }
another_reader() { pid=$(reader) && [ "$pid" != "$1" ]; }
with_disk "/data/top.qcow2,qcow2,xvdb,w"
claim "an image that stands on another is refused by that one's name" fails_with "/data/base.qcow2.*backing=" xm create /tmp/qcow2.cfg
claim "nothing reads it" until_true 20 sh -c '! pidof qemu-nbd'
with_disk "/data/top.qcow2,qcow2,xvdb,w,backing=/data/base.qcow2"
claim "a guest is created with it, and the other named" xm create /tmp/qcow2.cfg
claim "it comes up again" hears cloud 90 'guest: ready' 2
types cloud 'rm /mnt/a /mnt/b /mnt/c; dd if=/dev/urandom of=/mnt/q bs=64k count=64 2>/dev/null; echo fourth $(sha256sum </mnt/q); while [ ! -e /mnt/qstop ]; do dd if=/mnt/q of=/dev/xvdb bs=64k conv=fsync 2>/dev/null && echo qround; done &'
claim "it writes to it, over and over" hears cloud 60 '^qround' 2
before=$(reader)
same "who reads it is nobody of dom0's users with rights" "$(id -u xenbackend)" "$(awk '$1 == "Uid:" { print $2 }' /proc/$before/status)"
rounds=$(grep -ac '^qround' "$(log_of cloud)")
claim "who reads it is killed meanwhile" kill -9 $before
claim "another reads it" until_true 20 another_reader $before
claim "the guest goes on" hears cloud 60 '^qround' $((rounds + 2))
types cloud 'touch /mnt/qstop; wait; echo qstopped'
claim "it stops" hears cloud 60 '^qstopped'
claim "its kernel met no error" sh -c '! grep -aE "I/O error|blk_update|BUG:" '"$(log_of cloud)"
wrote=$(sum fourth)
claim "xm destroy" xm destroy cloud
claim "who read it is gone" until_true 20 sh -c '! pidof qemu-nbd'
with_disk "/data/top.qcow2,qcow2,xvdb,r,backing=/data/base.qcow2"
claim "another guest reads it" xm create /tmp/qcow2.cfg
claim "it comes up, too" hears cloud 90 'guest: ready' 3
types cloud 'echo fifth $(head -c 4194304 /dev/xvdb | sha256sum)'
claim "it has read it" hears cloud 60 '^fifth'
same "what it reads is what was written" "$wrote" "$(sum fifth)"
claim "and xm destroy ends it" xm destroy cloud
