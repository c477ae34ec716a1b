#!/bin/sh
# SPDX-License-Identifier: MIT
# Debian's amd64 and cloud kernels and PV GRUB as guests of our store, domain manager, backends and
# tools.
. /mnt/dom0/lib.sh

before=$(inventory)
claim "xm create demo" xm create /etc/xen/demo.cfg
claim "xm create cloud" xm create /etc/xen/cloud.cfg
claim "xm create grub" xm create /etc/xen/grub.cfg
for guest in demo:2 cloud:3 grub:4; do
	name=${guest%:*} address=10.0.0.${guest#*:}
	claim "$name reaches its shell on hvc0" hears "$name" 90 'guest: ready'
	claim "$name mounted its ext4 disk read-write" said "$name" 'guest: disk mounted'
	claim "$name answers ping over xenbr0" until_true 20 ping -c 1 -W 1 "$address"
done
claim "cloud runs the cloud kernel" said cloud 'ready 6\.1\..*-cloud-amd64'
claim "PV GRUB on a GPT: the submenu of the guest's own grub.cfg says what boots" said grub 'guest: ready 6\.1\.[0-9]*-[0-9]*-amd64'

same "xm list has four lines of six columns and a head" "5 6" \
	"$(xm list | awk '{ rows++; if (NF > most) most = NF } END { print rows, most }')"
same "xl list says the same" "$(xm list | awk '{ print $1, $2, $3, $4 }')" "$(xl list | awk '{ print $1, $2, $3, $4 }')"
domid=$(xm domid demo)
same "xm domname is xm domid's inverse" demo "$(xm domname "$domid")"
same "Debian's xenstore-read finds the guest's name" demo "$($DEBIAN/xenstore-read "/local/domain/$domid/name")"
claim "the vif is called vif$domid.0 and is in xenbr0" test -d "/sys/class/net/xenbr0/brif/vif$domid.0"
claim "one process per device" test "$(pidof blkback | wc -w) $(pidof netback | wc -w) $(pidof consback | wc -w)" = "3 3 3"
claim "xm uptime knows the guest" sh -c 'xm uptime demo | grep -q demo'
claim "xm dmesg shows the hypervisor's log" sh -c 'xm dmesg | grep -q .'

talks demo 'echo answer $((6 * 7))' 'answer 42' >/tmp/console.out 2>&1
claim "xm console carries a command and its answer" grep -q 'answer 42' /tmp/console.out
claim "what was said before is shown to a late reader" grep -q 'guest: ready' /tmp/console.out

types demo 'dd if=/dev/urandom of=/mnt/f bs=64k count=32 && sync && echo sum $(sha256sum </mnt/f)'
claim "the guest writes its disk" hears demo 30 '^sum [0-9a-f]{64}'
sum=$(grep -aoE '^sum [0-9a-f]{64}' "$(log_of demo)" | head -n 1)

# A second disk and a second card while it runs; Linux's own drivers take them up and let go.
dd if=/dev/zero of=/data/more.img bs=1M count=4 2>/dev/null
claim "xm block-attach to a running guest" xm block-attach demo vdev=xvdb cache=none target=/data/more.img
claim "xm network-attach" xm network-attach demo mac=00:16:3e:00:00:22 bridge=xenbr0
claim "xm diff: record and domain agree" xm diff demo
types demo 'for i in 1 2 3 4 5 6 7 8 9; do [ -b /dev/xvdb ] && [ -d /sys/class/net/eth1 ] && break; sleep 1; done
echo hotplugged >/dev/xvdb; sync; echo read $(head -c 10 /dev/xvdb); ip addr add 10.0.1.2/24 dev eth1; ip link set eth1 up'
claim "the guest reads back what it wrote on the new disk" hears demo 30 '^read hotplugged'
ip addr add 10.0.1.1/24 dev xenbr0 2>/dev/null
claim "its new card answers" until_true 20 ping -c 1 -W 1 10.0.1.2
claim "xm explain has nothing to wait for" until_true 10 sh -c 'xm explain demo | grep -q "^waits: for nothing"'
claim "xm block-detach" xm block-detach demo xvdb
claim "xm network-detach by address" xm network-detach demo 00:16:3e:00:00:22
types demo 'sleep 1; [ -e /dev/xvdb ] || [ -e /sys/class/net/eth1 ] || echo both-gone'
claim "both are gone from the guest" hears demo 20 '^both-gone'
claim "and from the store" sh -c '! xs exists /local/domain/'"$domid"'/device/vbd/51728 && ! xs exists /local/domain/'"$domid"'/device/vif/1'
same "what was written is in the image" hotplugged "$(head -c 10 /data/more.img)"
ip addr del 10.0.1.1/24 dev xenbr0 2>/dev/null
claim "xm vcpu-list has a line a virtual CPU" sh -c '[ "$(xm vcpu-list demo | awk "NR == 2 { print \$1, \$3 }")" = "demo 0" ]'
claim "xm rename of a running guest" xm rename demo shop
same "it is the same domain" "$domid" "$(xm domid shop)"
claim "and back" xm rename shop demo

claim "xm pause" xm pause demo
claim "a paused guest does not answer" sh -c '! ping -c 1 -W 2 10.0.0.2'
claim "xm unpause" xm unpause demo
claim "it answers again" until_true 10 ping -c 1 -W 1 10.0.0.2

# process_of PROGRAM DEVICE: the pid that serves it. other_process PROGRAM DEVICE PID: some other pid does.
process_of()
{
	ps -o pid,args | awk -v p="$1" -v d="$2" 'index($0, p) && index($0, d) && !/awk/ { print $1; exit }'
}
other_process()
{
	now_serving=$(process_of "$1" "$2")
	[ -n "$now_serving" ] && [ "$now_serving" != "$3" ]
}

# A killed device process: its ring is taken over, the guest goes on.
for kind in vbd:blkback vif:netback console:consback; do
	program=${kind#*:}
	device=/backend/${kind%:*}/$domid/
	pid=$(process_of "$program" "$device")
	claim "demo's $program is found and killed" kill -9 "${pid:-none}"
	claim "a new $program takes over" until_true 15 other_process "$program" "$device" "$pid"
done
claim "the network goes on" until_true 15 ping -c 1 -W 1 10.0.0.2
types demo 'echo 3 >/proc/sys/vm/drop_caches; echo again $(sha256sum </mnt/f)' 
claim "the console goes on, and the disk gives back what was written" \
	hears demo 30 "again ${sum#sum }"
types demo 'dd if=/dev/zero of=/mnt/g bs=64k count=16 conv=fsync && echo wrote-after'
claim "the disk takes new writes" hears demo 30 '^wrote-after'

# Into a file and back: memory, shell, disk and card go on in another domain.
types demo 'n=0; while sleep 1; do n=$((n + 1)); echo tick $n; done &'
claim "the guest counts" hears demo 20 '^tick 2'
claim "xm save -c lets it go on" xm save -c demo /tmp/demo.save
ticks=$(grep -ac '^tick' "$(log_of demo)")
claim "it does" hears demo 30 '^tick' $((ticks + 2))
rm -f /tmp/demo.save
claim "xm save" xm save demo /tmp/demo.save
claim "a saved guest is gone" gone demo
ticks=$(grep -ac '^tick' "$(log_of demo)")
claim "xm restore" xm restore /tmp/demo.save
claim "it counts on where it was" hears demo 30 "^tick $((ticks + 2))"
claim "its card answers" until_true 20 ping -c 1 -W 1 10.0.0.2
types demo 'echo 3 >/proc/sys/vm/drop_caches; echo restored $(sha256sum </mnt/f)'
claim "its disk has what was written" hears demo 30 "restored ${sum#sum }"
rm -f /tmp/demo.save

claim "xm reboot" xm reboot cloud
claim "the guest boots again" hears cloud 90 'guest: ready' 2
claim "under the same name" running cloud

claim "xm shutdown -w" xm shutdown -w demo
claim "the guest shut down cleanly" said demo 'guest: poweroff'
claim "and is gone" gone demo
claim "xm destroy" xm destroy cloud
claim "and it is gone" until_true 10 gone cloud
claim "a guest that powers off by itself goes away" sh -c '
	. /mnt/dom0/lib.sh; trap - EXIT; types grub "poweroff -f"; until_true 20 gone grub'

# The same files on a disk without a partition table, and with GRUB 1's menu, whose root is a partition of the first
# disk: there is none, and the first disk is the swap space.
dd if=/data/guests/grub.img of=/data/plain.img bs=1M skip=2 count=24 2>/dev/null
dd if=/dev/zero of=/data/swap.img bs=1M count=1 2>/dev/null
mkdir -p /tmp/plain
mount -t ext4 -o loop /data/plain.img /tmp/plain
rm /tmp/plain/boot/grub/grub.cfg
printf '%s\n' 'default 1' 'timeout 0' 'title None' 'root (hd0)' 'kernel /boot/none' 'title Linux' 'root (hd0,0)' \
	'kernel /boot/vmlinuz root=/dev/xvda2 ro panic=1' 'initrd /boot/initrd' >/tmp/plain/boot/grub/menu.lst
umount /tmp/plain
claim "disks as xen-tools makes them" xm create /etc/xen/grub.cfg 'name="plain"' 'vif=[]' \
	'disk=["file:/data/plain.img,xvda2,w","file:/data/swap.img,xvda1,w"]'
claim "PV GRUB without a partition table: menu.lst says what boots" hears plain 90 'guest: ready 6\.1\.[0-9]*-[0-9]*-amd64'
claim "xm destroy plain" xm destroy plain
until_true 10 gone plain >/dev/null 2>&1
rm -f /data/plain.img /data/swap.img

claim "what was written is in the image" sh -c '
	mkdir -p /tmp/look && mount -o loop,ro /data/guests/demo.img /tmp/look && cd /tmp/look &&
	[ "$(sha256sum <f | cut -c 1-64)" = "'"${sum#sum }"'" ]; s=$?; cd /; umount /tmp/look; exit $s'
until_true 10 sh -c '. /mnt/dom0/lib.sh; trap - EXIT; [ "$(inventory)" = "'"$before"'" ]' >/dev/null 2>&1
same "nothing is left behind" "$before" "$(inventory)"
audits
