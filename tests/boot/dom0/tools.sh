#!/bin/sh
# SPDX-License-Identifier: MIT
# What other people make for Xen, in a Debian of its own on a disk labelled tools, beside our daemons: first what calls
# xl, which is ours there (Pacemaker's agent, Ganeti, xen-tools), then Debian's own xl, xentop and libvirt, each through
# a guest's life. docs/other-tools.md says what of each works. A PART as argument runs that alone.
. /mnt/dom0/lib.sh
T=/tools
G=/data/guests
KERNEL=/usr/share/storevisor/vmlinuz-amd64 INITRD=/usr/share/storevisor/initrd-amd64

# of_debian PATH COMMAND...: in that Debian, where files of guests have the places that they have here. No udevd runs, so
# that LVM is to make its nodes itself.
of_debian()
{
	path=$1
	shift
	chroot $T /usr/bin/env -i DM_DISABLE_UDEV=1 "PATH=$path/usr/sbin:/usr/bin:/sbin:/bin" HOME=/root TERM=vt100 "$@"
}
ours() { of_debian /opt/ours: "$@"; }
# rooted COMMAND...: ours, for whom that Debian is no other root but the root: Linux makes no name space of users for
# who has changed his.
rooted()
{
	unshare -m sh -c 'cd /tools && mount --move . / && exec chroot . /usr/bin/env -i DM_DISABLE_UDEV=1 HOME=/root \
		PATH=/opt/ours:/usr/sbin:/usr/bin:/sbin:/bin "$@"' rooted "$@"
}
theirs() { of_debian '' "$@"; }
# says PATTERN COMMAND...: it succeeds, and its output has the pattern.
says()
{
	pattern=$1
	shift
	"$@" >/tmp/says 2>&1 || { cat /tmp/says; return 1; }
	grep -qE -- "$pattern" /tmp/says || { cat /tmp/says; return 1; }
}
pings() { until_true "${2:-60}" ping -c 1 -W 2 "$1"; }
not() { ! "$@"; }

debian()
{
	modprobe loop
	mkdir -p $T
	mount -t ext4 "$(findfs LABEL=tools)" $T || return
	for dir in dev proc sys run data usr/share/storevisor; do
		mkdir -p "$T/$dir"
		mount --rbind "/$dir" "$T/$dir" || return
	done
	mkdir -p $T/opt/ours $T/etc/xen/auto $T/var/log/xen $T/var/log/ganeti/xen /run/ganeti /run/xen
	cp /usr/sbin/xm $T/opt/ours/xm && ln -s xm $T/opt/ours/xl
	cp /mnt/dom0/tools-ganeti.py $T/root/
	for name in pace ganeti debian virt; do cp $G/demo.img $G/$name.img; done
}

# file NAME ADDRESS: xl's file for the sample guest.
file()
{
	cat >"$T/etc/xen/$1.cfg" <<-END
		name = "$1"
		kernel = "$KERNEL"
		ramdisk = "$INITRD"
		extra = "console=hvc0 sv_ip=$2 panic=1"
		memory = 128
		vcpus = 1
		disk = [ "file:$G/$1.img,xvda,w" ]
		vif = [ "mac=00:16:3e:00:00:0${2##*.},bridge=xenbr0" ]
	END
}

# --- Pacemaker's agent ----------------------------------------------------------------------------

# agent ACTION [NAME=VALUE]...: as Pacemaker calls it, with 60 s for each action.
agent()
{
	action=$1
	shift
	ours env OCF_ROOT=/usr/lib/ocf OCF_RESOURCE_INSTANCE=pace OCF_RESKEY_xmfile=/etc/xen/pace.cfg \
		OCF_RESKEY_CRM_meta_timeout=60000 HA_logfile=/dev/null HA_LOGD=no "$@" \
		/usr/lib/ocf/resource.d/heartbeat/Xen "$action"
}
# ocf WANTED ACTION [NAME=VALUE]...: it ends with that code.
ocf()
{
	wanted=$1
	shift
	agent "$@"
	status=$?
	[ $status = "$wanted" ] || { echo "status $status"; return 1; }
}

pacemaker()
{
	file pace 10.0.0.5
	claim "Pacemaker's agent: a probe before anything runs" ocf 7 monitor
	claim "Pacemaker's agent: start" ocf 0 start
	claim "the guest comes up" hears pace 120 'guest: ready'
	claim "Pacemaker's agent: monitor" ocf 0 monitor
	claim "Pacemaker's agent: status" ocf 0 status
	claim "Pacemaker's agent: start of what runs already" ocf 0 start
	claim "Pacemaker's agent: with its management of memory" ocf 0 stop OCF_RESKEY_allow_mem_management=1
	claim "the guest shut down cleanly" said pace 'guest: poweroff'
	claim "Pacemaker's agent: monitor says that it is gone" ocf 7 monitor
	claim "Pacemaker's agent: stop of what does not run" ocf 0 stop
	claim "Pacemaker's agent: it starts again" ocf 0 start
	claim "Pacemaker's agent: stop at once" ocf 0 stop OCF_RESKEY_shutdown_timeout=0
	claim "nothing is left of it" gone pace
}

# --- Ganeti ----------------------------------------------------------------------------------------

# hv_xen WORD...: tools-ganeti.py says what each does.
hv_xen() { ours python3 /root/tools-ganeti.py "$@"; }

ganeti()
{
	claim "Ganeti: its hypervisor is there" hv_xen verify node absent
	claim "Ganeti: an instance starts" hv_xen start listed
	claim "the guest comes up" hears web1.example.org 120 'guest: ready'
	claim "with its disk" said web1.example.org 'guest: disk mounted'
	claim "and its card" pings 10.0.0.6
	claim "Ganeti: its memory is changed" hv_xen balloon
	claim "which is so then" until_true 30 hv_xen ballooned
	claim "Ganeti: it is renamed, and back, as after a failed migration" hv_xen rename listed
	claim "Ganeti: it reboots" hv_xen reboot
	claim "the guest comes up again" hears web1.example.org 120 'guest: ready' 2
	claim "Ganeti: it shuts down" hv_xen shutdown absent
	claim "the guest shut down cleanly" said web1.example.org 'guest: poweroff'
	claim "Ganeti: it starts paused" hv_xen paused listed
	looks_on 120 '' ours bash /usr/lib/ganeti/3.0/usr/lib/ganeti/tools/xen-console-wrapper xl web1.example.org -- \
		said web1.example.org 'guest: ready' 3
	claim "Ganeti: its console's program lets it go on" hears web1.example.org 120 'guest: ready' 3
	claim "Ganeti: it is destroyed" hv_xen kill absent
	claim "Ganeti: a start that fails is an error of its kind" hv_xen broken absent
}

# --- xen-tools -------------------------------------------------------------------------------------

xen_tools()
{
	mkdir -p /data/xen
	claim "xen-create-image makes a guest" ours xen-create-image --hostname=shop --dir=/data/xen --size=800M --swap=64M \
		--memory=192M --install-method=tar --install-source=/root/guest.tar --dist=bookworm \
		--mirror=http://deb.debian.org/debian --ip=10.0.0.8 --netmask=255.255.255.0 --gateway=10.0.0.1 \
		--bridge=xenbr0 --nohosts --password=sesame --genpass=0
	claim "xen-list-images shows it" says '^Name: shop' ours xen-list-images
	claim "its file starts it" ours xl create /etc/xen/shop.cfg
	claim "PV GRUB boots it by its own menu, to a login" hears shop 400 '^shop login:'
	claim "its card works" pings 10.0.0.8
	claim "both its disks are there" says '^51713 .*$' ours xl block-list shop
	claim "xen-delete-image leaves one that runs alone" says 'running' sh -c \
		'chroot /tools /usr/bin/env -i PATH=/opt/ours:/usr/sbin:/usr/bin:/sbin:/bin xen-delete-image --dir=/data/xen --hostname=shop 2>&1; true'
	claim "it shuts down" ours xl shutdown -w shop
	claim "xen-delete-image removes it" ours xen-delete-image --dir=/data/xen --hostname=shop
	claim "with its disks" test ! -e /data/xen/domains/shop/disk.img
}

# --- Debian's xl -----------------------------------------------------------------------------------

xl() { theirs xl "$@"; }
# asks PATTERN TEXT: the guest's shell, through xl console, which wants a terminal, answers so.
asks()
{
	looks_on 60 "$2" theirs script -qc 'xl console debian' /dev/null -- shown "$1"
	shown "$1" || { cat /tmp/shown; return 1; }
}

debian_xl()
{
	file debian 10.0.0.7
	claim "Debian's xl is not ours" says 'libxl' theirs sh -c 'grep -ao libxl /usr/lib/xen-4.17/bin/xl | head -n 1'
	claim "xl info" says '^xen_version +: 4.17' xl info
	claim "xl create" xl create /etc/xen/debian.cfg
	claim "the guest comes up" hears debian 120 'guest: ready'
	claim "with its disk" said debian 'guest: disk mounted'
	claim "and its card" pings 10.0.0.7
	id=$(xl domid debian)
	for device in vbd/$id vif/$id console/$id; do
		claim "its device is ours: $device" sh -c "ps -o args | grep -q '[b]ack .*backend/$device'"
	done
	claim "xl list" says "^debian +$id +128 +1 " xl list debian
	claim "xm list says who built it" says '^debian .* built by other tools' xm list -v debian
	claim "xl console" asks 'answer 42' 'echo answer $((6 * 7))'
	claim "xl pause" xl pause debian
	claim "which its list tells" says '-[-b]p---' xl list debian
	claim "and xm's" says '--p---' xm list debian
	claim "xl unpause" xl unpause debian
	claim "the guest goes on" pings 10.0.0.7
	claim "xl mem-set" xl mem-set debian 112m
	claim "the guest gives memory back" until_true 30 says "^debian +$id +11[123] " xl list debian
	claim "xl vcpu-list" says '^debian +[0-9]+ +0 ' xl vcpu-list debian
	claim "xl vcpu-set" xl vcpu-set debian 1
	claim "xl vcpu-pin" xl vcpu-pin debian 0 0
	claim "xl sched-credit" xl sched-credit -d debian -w 512 -c 50
	claim "which it tells" says '^debian +[0-9]+ +512 +50' xl sched-credit -d debian
	claim "xl block-list" says '^51712 ' xl block-list debian
	claim "xl network-list" says '00:16:3e:00:00:07' xl network-list debian
	claim "xl dmesg" says . xl dmesg
	claim "xl cpupool-list knows the pool's name, though xen-init-dom0 never ran" says '^Pool-0 ' xl cpupool-list
	claim "xl list -l" says "\"domid\": $id" xl list -l debian
	claim "xentop" says ' debian ' theirs xentop -b -f -i 1
	claim "with the guest's card" says 'Net0 RX' theirs xentop -b -f -n -x -v -i 1
	claim "xl block-attach" xl block-attach debian phy:$G/cloud.img xvdb r
	claim "the guest has the disk" asks 'sectors 32768' 'echo sectors $(cat /sys/block/xvdb/size)'
	claim "xl block-detach" xl block-detach debian xvdb
	claim "xl save" xl save debian /data/debian.save
	claim "xl restore" xl restore /data/debian.save
	rm -f /data/debian.save
	claim "the guest goes on where it was" pings 10.0.0.7
	claim "xl reboot" xl reboot debian
	claim "the guest comes up again" hears debian 120 'guest: ready' 2
	claim "xl rename" xl rename debian other
	claim "xl rename back" xl rename other debian
	of_xm
	claim "xm shutdown of xl's" xm shutdown -w debian
	claim "the guest shut down cleanly" said debian 'guest: poweroff'
	claim "xl has cleared it away" until_true 20 not xl domid debian
	claim "xl create paused" xl create -p /etc/xen/debian.cfg
	claim "xl destroy" xl destroy debian
	claim "it is gone" not xl domid debian
}

# of_xm: xm's own guest, by Debian's xl.
of_xm()
{
	claim "one of xm's" xm create -q /etc/xen/demo.cfg
	claim "which comes up" hears demo 90 'guest: ready'
	claim "xl list has it" says '^demo ' xl list demo
	claim "xl pause of xm's" xl pause demo
	claim "xl unpause" xl unpause demo
	claim "xl shutdown" xl shutdown demo
	claim "xend sees its end" until_true 60 gone demo
	claim "one of xm's again" xm create -q /etc/xen/demo.cfg
	claim "xl destroy" xl destroy demo
	claim "xend sees that, too" until_true 20 gone demo
}

# --- xm image on LVM -------------------------------------------------------------------------------

# volume FIELD NAME: what lvs says of it, in bytes.
volume() { theirs lvs --noheadings --units b --nosuffix -o "$1" "vg0/$2" | tr -d ' '; }
# blocks NAME: of the ext4 there, in bytes.
blocks() { theirs dumpe2fs -h "/dev/vg0/$1" 2>/dev/null | awk '/^Block count/ { n = $3 } /^Block size/ { print n * $3 }'; }

volumes()
{
	mkdir -p $T/opt/lib/storevisor $T/root/tree/etc $T/root/tree/boot
	cp /mnt/image/guest-* $T/opt/lib/storevisor/
	cp -r /mnt/modules/lib/modules $T/lib/
	theirs modprobe -a dm-mod xfs
	cp $KERNEL $T/root/tree/boot/vmlinuz-6.1
	cp $INITRD $T/root/tree/boot/initrd.img-6.1
	theirs tar -cf /root/tree.tar -C /root/tree .
	truncate -s 800M $T/root/pv.img
	loop=$(losetup -f)
	losetup "$loop" $T/root/pv.img
	claim "a volume group" theirs sh -ec "pvcreate -q -y $loop && vgcreate -q vg0 $loop"
	claim "xm image makes a volume a guest" rooted xm image vol --from /root/tree.tar --volume vg0/vol --size 96M --memory 192
	same "the volume is as long as it was told" 100663296 "$(volume lv_size vol)"
	claim "it starts" ours xm start vol
	ours xm domid vol >/dev/null || return
	claim "PV GRUB boots it by its menu" hears vol 300 'guest: ready'
	claim "with its disk" said vol 'guest: disk mounted'
	claim "the volume is in use by then" fails_with 'in use|not off' ours xm image vol --grow 160M
	claim "it shuts down" ours xm shutdown -w vol
	claim "it is made longer" rooted xm image vol --grow 160M
	same "the volume" 167772160 "$(volume lv_size vol)"
	same "and its file system" 167772160 "$(blocks vol)"
	claim "it starts again" ours xm start vol
	claim "and is up" hears vol 300 'guest: ready' 2
	claim "it ends" ours xm destroy vol
	theirs sh -c 'lvcreate -q -y -L 320M -n xfs vg0 && mkfs.xfs -q /dev/vg0/xfs' >/dev/null 2>&1
	claim "a volume with an XFS is a guest's disk" ours xm image xfs --from-disk /dev/vg0/xfs
	claim "it is made longer, and says what is left to do" says xfs_growfs rooted xm image xfs --grow 400M
	same "the XFS' volume" 419430400 "$(volume lv_size xfs)"
	theirs mount /dev/vg0/xfs /mnt
	# its log has 64 MiB of the 320, and of the 400
	claim "xfs_growfs makes use of it" theirs sh -ec 'xfs_growfs /mnt >/dev/null; df -m /mnt; test $(df -m --output=size /mnt | tail -n 1) -gt 300'
	theirs umount /mnt
	ours xm delete vol
	ours xm delete xfs
	claim "the volumes go" theirs sh -ec "vgremove -q -f -y vg0 && losetup -d $loop"
}

# --- libvirt ----------------------------------------------------------------------------------------

virt() { theirs timeout 180 virsh -q -c xen:///system "$@"; }
domstate() { [ "$(virt domstate virt)" = "$1" ]; }
# is_off: libvirt says "shut off" a moment before it lets go, and has an id for it until then.
is_off() { domstate 'shut off' && [ "$(virt domid virt)" = - ]; }

libvirt()
{
	cat >$T/root/virt.xml <<-END
		<domain type='xen'>
		  <name>virt</name>
		  <memory unit='MiB'>128</memory>
		  <vcpu>1</vcpu>
		  <os>
		    <type arch='x86_64' machine='xenpv'>linux</type>
		    <kernel>$KERNEL</kernel>
		    <initrd>$INITRD</initrd>
		    <cmdline>console=hvc0 sv_ip=10.0.0.9 panic=1</cmdline>
		  </os>
		  <devices>
		    <disk type='file' device='disk'>
		      <source file='$G/virt.img'/>
		      <target dev='xvda' bus='xen'/>
		    </disk>
		    <interface type='bridge'>
		      <mac address='00:16:3e:00:00:09'/>
		      <source bridge='xenbr0'/>
		    </interface>
		    <console type='pty'><target type='xen' port='0'/></console>
		  </devices>
		</domain>
	END
	mkdir -p $T/var/log/libvirt
	claim "libvirtd starts" theirs env LIBVIRT_LOG_FILTERS='1:libxl 1:driver' \
		LIBVIRT_LOG_OUTPUTS=1:file:/var/log/libvirt/libvirtd.log libvirtd -d
	claim "virsh connects" until_true 60 virt uri
	virt uri >/dev/null 2>&1 || tail -n 60 $T/var/log/libvirt/libvirtd.log | cut -c 1-300 | sed 's/^/# /'
	claim "virsh nodeinfo" says '^CPU\(s\): +1' virt nodeinfo
	claim "virsh capabilities" says 'xenpv' virt capabilities
	claim "virsh define" virt define /root/virt.xml
	claim "virsh start" virt start virt
	claim "the guest comes up" hears virt 120 'guest: ready'
	claim "with its disk" said virt 'guest: disk mounted'
	claim "and its card" pings 10.0.0.9
	claim "virsh list" says 'virt +running' virt list
	claim "virsh dominfo" says '^Max memory: +131072 KiB' virt dominfo virt
	claim "virsh vcpucount" says '^1$' virt vcpucount virt --current --live
	claim "virsh domifstat" says 'rx_bytes +[1-9]' virt domifstat virt "vif$(virt domid virt).0"
	looks_on 60 'echo answer $((6 * 7))' theirs script -qc 'virsh -c xen:///system console virt' /dev/null -- shown 'answer 42'
	claim "virsh console" says 'answer 42' cat /tmp/shown
	claim "virsh suspend" virt suspend virt
	claim "which it tells" domstate paused
	claim "virsh resume" virt resume virt
	claim "virsh setmem" virt setmem virt 112M
	claim "virsh save" virt save virt /data/virt.save
	claim "virsh restore" virt restore /data/virt.save
	rm -f /data/virt.save
	claim "the guest goes on where it was" pings 10.0.0.9
	claim "virsh reboot" virt reboot virt
	claim "the guest comes up again" hears virt 120 'guest: ready' 2
	claim "virsh shutdown" virt shutdown virt
	claim "the guest is off" until_true 60 is_off
	claim "it shut down cleanly" said virt 'guest: poweroff'
	claim "virsh start again" virt start virt
	claim "virsh destroy" virt destroy virt
	claim "virsh undefine" virt undefine virt
	kill "$(cat /run/libvirtd.pid)"
}

claim "the Debian with the tools is there" debian
for part in ${*:-pacemaker ganeti xen_tools volumes debian_xl libvirt}; do
	$part
done
same "no domain is left" 1 "$(xm list | grep -vc '^Name')"
audits
