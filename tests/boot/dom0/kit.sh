#!/bin/sh
# SPDX-License-Identifier: MIT
# Every guest of tests/guests, one after the other, as a domU, judged by guestrun: what it says, how
# it ends, and that nothing of it is left. Then those that speak to the store and to backends, made
# by xm; then the fuzzing guest, from ten seeds (two on Debian's hypervisor); some of all in log-dirty
# mode, compared with what dom0 sees of their memory; last, on ours: how
# long it held the CPU at most in all that (instructions are the clock), and how CPU time is shared.
. /mnt/dom0/lib.sh
. /mnt/dom0/fair.sh

# with_devices NAME [LINE]: a guest of special/ with a disk and a network card says success. LINE: more
# of its configuration.
with_devices()
{
	cat >/tmp/$1.cfg <<-END
		name = "$1"
		kernel = "/mnt/guests/special/$1.elf"
		memory = 4
		disk = [ "file:/tmp/kit.img,xvda,w" ]
		vif = [ "mac=00:16:3e:00:00:77,bridge=xenbr0" ]
		${2:-}
	END
	rm -f "$(log_of "$1")"
	xm create -q "/tmp/$1.cfg" && until_true 60 gone "$1" && said "$1" '^result: success'
	status=$?
	[ $status = 0 ] || { tail -n 5 "$(log_of "$1")"; xm destroy "$1"; }
	return $status
}

before=$(inventory)
! is_ours || xm debug-keys P
slack=0
is_ours || slack=64 # Debian's Xen, whose own tables grow now and then
/mnt/guests/guestrun -k $slack -e /mnt/guests/expected /mnt/guests/*.elf | tee /tmp/kit.tap
/mnt/guests/guestrun -p -k $slack -e /mnt/guests/expected /mnt/guests/pairs/*.elf | tee -a /tmp/kit.tap
n=$(grep -cE '^(not )?ok ' /tmp/kit.tap)
! grep -q '^not ok ' /tmp/kit.tap || wrong=1
same "every guest was judged" "$(ls /mnt/guests/*.elf /mnt/guests/pairs/*.elf | wc -l)" "$n"
dd if=/dev/zero of=/tmp/kit.img bs=1M count=1 2>/dev/null
# store_other ID: a guest that tries what it can on that domain's home.
store_other() { with_devices store_other "extra = \"other=$1\""; }
printf 'name = "victim"\nkernel = "/mnt/guests/special/idle.elf"\nmemory = 2\n' >/tmp/victim.cfg
claim "a domain to attack" xm create -q /tmp/victim.cfg
victim=$(xm domid victim)
claim "has a secret" xs write "/local/domain/$victim/data/secret" treasure
(while sleep 0.2; do xs write "/local/domain/$victim/data/secret" treasure; done) &
claim "another guest does not reach its home" store_other "$victim"
kill $!
same "nor change it" treasure "$(xs read "/local/domain/$victim/data/secret")"
claim "it dies" xm destroy victim
claim "and is still not reached" store_other "$victim"
claim "nothing is made in its place" eval '! xs exists "/local/domain/$victim"'
claim "a guest lives in the store" with_devices store
claim "a guest uses a disk" with_devices block
claim "a guest uses the network" with_devices network
seeds='1 2 3 4 5 6 7 8 9 10'
is_ours || seeds='1 2'
for seed in $seeds; do
	claim "fuzz seed $seed: the host lives on, every frame is back" \
		/mnt/guests/guestrun -a -k $slack -c fuzz=$seed /mnt/guests/boot.elf /mnt/guests/special/fuzz.elf
done
is_ours || seeds= # docs/guest-tests.md says what becomes of it there
for seed in $seeds; do
	claim "calls given up, seed $seed: the guest lives on, every frame is back" \
		/mnt/guests/guestrun -k $slack -s 120 -c given_up=$seed /mnt/guests/boot.elf /mnt/guests/given_up.elf
done
if is_ours; then
	claim "in log-dirty mode all that a guest writes is told, and it notices nothing" \
		/mnt/guests/guestrun -l -s 120 /mnt/guests/logged.elf /mnt/guests/pt_trapped_write.elf /mnt/guests/vcpu_info.elf \
		/mnt/guests/given_up.elf
	claim "so is what others write into it" \
		/mnt/guests/guestrun -lp /mnt/guests/pairs/pair_grant_games.elf /mnt/guests/pairs/pair_frames.elf
	claim "and what a guest does that makes no sense" \
		/mnt/guests/guestrun -l -a -c fuzz=3 /mnt/guests/boot.elf /mnt/guests/special/fuzz.elf
fi
printf 'name = "big"\nkernel = "/mnt/guests/special/idle.elf"\nmemory = 512\n' >/tmp/big.cfg
claim "a guest of 512 MiB comes" xm create -q /tmp/big.cfg
claim "and goes" eval 'xm destroy big && until_true 20 gone big'
if is_ours; then
	claim "the probe tells" eval 'xm debug-keys p && xm dmesg | tail -n 12 | grep -q "probe: longest"'
	claim "in all that no hypercall, softirq or fault held the CPU for a millisecond" \
		eval 'xm dmesg | grep " us: \|probe:" | tail -n 12; xm dmesg | grep "probe: " | tail -n 1 | grep -q "probe: 0 above 1000 us"'
	audits
	fair
fi
settled() { [ "$before" = "$(inventory)" ]; }
until_true 10 settled >/dev/null
same "domains, processes and keys are what they were" "$before" "$(inventory)"
