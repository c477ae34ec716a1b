#!/bin/sh
# SPDX-License-Identifier: MIT
# dom0's half of the test of several CPUs.
. /mnt/dom0/lib.sh

# ticks CPU: its timer interrupts so far.
ticks() { awk -v c="timer$1" '$NF == c { s = 0; for (i = 2; i <= NF; i++) if ($i ~ /^[0-9]+$/) s += $i; print s }' /proc/interrupts; }
ticked() { [ "$(ticks "$1")" -gt "$2" ]; }

# load N: N processes that fork and count at once.
load()
{
	i=0
	while [ $i -lt "$1" ]; do
		i=$((i + 1))
		(k=0; while [ $k -lt 60 ]; do k=$((k + 1)); : | sha256sum; done | sort -u | wc -l) >"/tmp/load.$i" &
	done
	wait
	cat /tmp/load.*
}

same "dom0 has the machine's four CPUs" 4 "$(nproc)"
same "and the tools know of four" 4 "$(xm info | sed -n 's/^nr_cpus *: //p')"
for cpu in 0 1 2 3; do
	claim "CPU $cpu's timer ticks" until_true 60 ticked $cpu "$(ticks $cpu)"
done
same "no CPU is mistaken for another" 0 "$(dmesg | grep -c 'APIC id mismatch')"

# read_from CPU: the disk we started from, by that CPU's queue.
read_from() { echo 3 >/proc/sys/vm/drop_caches; taskset "$(printf %x $((1 << $1)))" cat /dev/vda >/dev/null; }
messages() { grep -c 'msi-x .*virtio' /proc/interrupts; }
# where: the CPUs that the hypervisor sends interrupts by message to.
where()
{
	/usr/lib/xen-4.17/bin/xl debug-keys i
	/usr/lib/xen-4.17/bin/xl dmesg | sed -n 's/.*irq [0-9]*: message, .* CPU \([0-9]*\), .*/\1/p' | sort -u | xargs
}
for cpu in 0 1 2 3; do
	xm vcpu-pin Domain-0 $cpu $cpu
	read_from $cpu
done
claim "dom0's devices interrupt by message" test "$(messages)" -ge 8
same "each on the CPU of the vcpu that waits" "0 1 2 3" "$(where)"
before=$(messages)
device=$(basename "$(readlink -f /sys/block/vda/device/..)")
claim "a device is let go" sh -c "echo $device >/sys/bus/pci/drivers/virtio-pci/unbind"
claim "and its messages" test "$(messages)" -lt "$before"
claim "it is taken again" sh -c "echo $device >/sys/bus/pci/drivers/virtio-pci/bind"
same "with as many" "$before" "$(messages)"
claim "and reads" until_true 20 read_from 1
for cpu in 0 1 2 3; do xm vcpu-pin Domain-0 $cpu all; done

before=$(inventory)
sed 's/^vcpus.*//' /etc/xen/demo.cfg >/tmp/two.cfg
echo 'vcpus = 2' >>/tmp/two.cfg
claim "a guest of two vcpus is created" xm create /tmp/two.cfg
claim "it comes up" hears demo 240 'guest: ready'
domid=$(xm domid demo)
types demo 'echo cpus $(grep -c ^processor /proc/cpuinfo).'
claim "on two CPUs" hears demo 120 '^cpus 2\.'
same "which the hypervisor confirms" 2 "$(xm list | awk '$1 == "demo" { print $4 }')"

# As Linux's drivers have them, and as they say it; the tap's are netback's.
queues()
{
	echo $(xs read "/local/domain/$domid/device/vbd/51712/multi-queue-num-queues") \
		$(xs read "/local/domain/$domid/device/vif/0/multi-queue-num-queues") \
		$(ls -d "/sys/class/net/vif$domid.0/queues"/rx-* | wc -l)
}
types demo 'echo queues $(ls /sys/block/xvda/mq | wc -l) $(ls -d /sys/class/net/eth0/queues/rx-* | wc -l).'
claim "its disk and its card have a queue for each" hears demo 60 '^queues 2 2\.'
same "and the other ends" "2 2 2" "$(queues)"

# digest WHAT [TIMES]: of two files that it wrote at once, read from its disk.
digest()
{
	types demo "echo 3 >/proc/sys/vm/drop_caches; echo $1 \$(cat /mnt/a /mnt/b | sha256sum)"
	hears demo 90 "^$1 [0-9a-f]{64}"
}
value() { grep -aoE "^$1 [0-9a-f]{64}" "$(log_of demo)" | tail -n 1 | cut -d ' ' -f 2; }
pid_of() { ps -o pid,comm | awk -v name="$1" '$2 == name { print $1; exit }'; }
types demo 'for f in a b; do dd if=/dev/urandom of=/mnt/$f bs=64k count=16 2>/dev/null & done; wait; sync; echo written.'
claim "it writes to its disk from both" hears demo 90 '^written\.'
claim "and reads" digest first
claim "its disk's process is killed" kill -9 "$(pid_of blkback)"
claim "the next one serves both queues" digest second
same "with what was written" "$(value first)" "$(value second)"
claim "its card's process is killed" kill -9 "$(pid_of netback)"
claim "the next one serves both queues" until_true 60 ping -c 1 -W 1 10.0.0.2
same "which are as many as before" "2 2 2" "$(queues)"
claim "it is saved" xm save demo /data/demo.save
claim "and goes on" xm restore /data/demo.save
domid=$(xm domid demo)
claim "it reads its disk" digest third
same "what was written" "$(value first)" "$(value third)"
same "with as many queues" "2 2 2" "$(queues)"
rm -f /data/demo.save

types demo 'for i in 1 2 3 4; do (k=0; while [ $k -lt 40 ]; do k=$((k+1)); : | sha256sum; done | sort -u | wc -l) & done; wait; echo load-done'
same "dom0 computes right on all CPUs meanwhile" "1 1 1 1 1 1 1 1" "$(load 8 | xargs)"
claim "and so does the guest" hears demo 240 '^load-done'
claim "it answers ping over xenbr0" until_true 60 ping -c 1 -W 1 10.0.0.2

claim "a vcpu of the guest is asked to leave" xs write "/local/domain/$domid/cpu/1/availability" offline
claim "and does" until_true 90 sh -c '[ "$(xm list | awk "\$1 == \"demo\" { print \$4 }")" = 1 ]'
claim "a CPU of dom0 leaves" sh -c 'echo 0 >/sys/devices/system/cpu/cpu3/online'
same "three are left" 3 "$(nproc)"
claim "and comes back" sh -c 'echo 1 >/sys/devices/system/cpu/cpu3/online'
same "four again" 4 "$(nproc)"
audits

claim "xm pause" xm pause demo
claim "a paused guest does not answer" sh -c '! ping -c 1 -W 2 10.0.0.2'
claim "xm unpause" xm unpause demo
claim "it answers again" until_true 60 ping -c 1 -W 1 10.0.0.2
types demo 'while :; do :; done & while :; do :; done &'
claim "destroyed with both vcpus running" xm destroy demo
claim "it is gone" until_true 60 gone demo

# On CPUs of their own the fuzzing guest's vcpus meet inside hypercalls.
race()
{
	/mnt/guests/guestrun -a -s 120 -c "fuzz=$1 calls=2000" /mnt/guests/boot.elf /mnt/guests/fuzz.elf >/tmp/fuzz.out
	status=$?
	cat /tmp/fuzz.out
	sed -n 's/^# raced: //p' /tmp/fuzz.out >>/tmp/raced
	return $status
}
for seed in 1 2 3 4 5 6 7 8 9 10; do
	claim "fuzz seed $seed, two vcpus at the same arguments: the host lives on" race $seed
done
sed 's/^/# arguments changed under way in /; s/$/ calls/' /tmp/raced
claim "arguments changed while they were read" \
	sh -c 'test "$(awk "{ n += \$1 } END { print n + 0 }" /tmp/raced)" -gt 0'
for seed in 1 2 3; do
	claim "calls given up wherever they are, seed $seed: the guest lives on" \
		/mnt/guests/guestrun -s 120 -c "given_up=$seed knock=1" /mnt/guests/boot.elf /mnt/guests/given_up.elf
done
until_true 60 sh -c '. /mnt/dom0/lib.sh; trap - EXIT; [ "$(inventory)" = "'"$before"'" ]' >/dev/null 2>&1
same "nothing is left behind" "$before" "$(inventory)"
audits
