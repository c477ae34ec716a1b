#!/bin/sh
# SPDX-License-Identifier: MIT
# Every guest of tests/guests, one after the other, as a domU, judged by guestrun: what it says, how
# it ends, and that nothing of it is left. Then those that speak to the store and to backends, made
# by xm; then the fuzzing guest, from ten seeds; last, on our hypervisor, how CPU time is shared.
. /mnt/dom0/lib.sh
. /mnt/dom0/fair.sh

# with_devices NAME: a guest of special/ with a disk and a network card; it says success.
with_devices()
{
	cat >/tmp/$1.cfg <<-END
		name = "$1"
		kernel = "/mnt/guests/special/$1.elf"
		memory = 4
		disk = [ "file:/tmp/kit.img,xvda,w" ]
		vif = [ "mac=00:16:3e:00:00:77,bridge=xenbr0" ]
	END
	xm create -q "/tmp/$1.cfg" && until_true 60 gone "$1" && said "$1" '^result: success'
	status=$?
	[ $status = 0 ] || { tail -n 5 "$(log_of "$1")"; xm destroy "$1"; }
	return $status
}

before=$(inventory)
slack=0
[ ! -s /mnt/guests/expected ] || slack=64 # Debian's Xen, whose own tables grow now and then
/mnt/guests/guestrun -k $slack -e /mnt/guests/expected /mnt/guests/*.elf | tee /tmp/kit.tap
n=$(grep -cE '^(not )?ok ' /tmp/kit.tap)
! grep -q '^not ok ' /tmp/kit.tap || wrong=1
same "every guest was judged" "$(ls /mnt/guests/*.elf | wc -l)" "$n"
dd if=/dev/zero of=/tmp/kit.img bs=1M count=1 2>/dev/null
claim "a guest lives in the store" with_devices store
claim "a guest uses a disk" with_devices block
claim "a guest uses the network" with_devices network
for seed in 1 2 3 4 5 6 7 8 9 10; do
	claim "fuzz seed $seed: the host lives on, every frame is back" \
		/mnt/guests/guestrun -a -k $slack -c fuzz=$seed /mnt/guests/boot.elf /mnt/guests/special/fuzz.elf
done
[ -s /mnt/guests/expected ] || fair
settled() { [ "$before" = "$(inventory)" ]; }
until_true 10 settled >/dev/null
same "domains, processes and keys are what they were" "$before" "$(inventory)"
