#!/bin/sh
# SPDX-License-Identifier: MIT
# Every guest of tests/guests, one after the other, as a domU: what it says, how it ends, and that
# nothing of it is left. /mnt/guests/expected names the guests that are known to end otherwise here:
# "NAME WORD", WORD being the result that is expected instead of success.
. /mnt/dom0/lib.sh

# launch NAME: makes the guest and waits for its end.
launch()
{
	cat >/tmp/kit.cfg <<-END
		name = "$1"
		kernel = "/mnt/guests/$1.elf"
		memory = 2
		maxmem = 4
		vcpus = 2
		on_poweroff = "destroy"
		on_reboot = "destroy"
		on_crash = "destroy"
	END
	xm create -q /tmp/kit.cfg || return 1
	until_true 60 gone "$1"
}

# outcome NAME: the word the guest ended with: success, skip, failure, error, died, or crash when it
# said nothing.
outcome()
{
	word=$(sed -n 's/^result: \([a-z]*\).*/\1/p' "$(log_of "$1")" 2>/dev/null | tail -n 1)
	reason=$(sed -n 's/^dies: //p' "$(log_of "$1")" 2>/dev/null)
	if [ -n "$word" ]; then
		echo "$word"
	elif [ -n "$reason" ] && xm dmesg | grep -qE -- "$reason"; then
		echo died
	else
		echo crash
	fi
}

# judge NAME: ran it; the outcome is what is expected.
judge()
{
	wanted=$(sed -n "s/^$1 //p" /mnt/guests/expected)
	xm dmesg -c >/dev/null
	launch "$1" || return 1
	log=$(log_of "$1")
	if [ -z "$wanted" ]; then
		wanted=success
		grep -q '^dies: ' "$log" && wanted=died
	fi
	got=$(outcome "$1")
	[ "$got" = "$wanted" ] && return 0
	echo "ended with '$got', not '$wanted'"
	tail -n 6 "$log"
	xm dmesg | tail -n 6
	return 1
}

judge boot >/dev/null 2>&1 # the first fills caches that stay
sleep 1
before=$(inventory)
for file in /mnt/guests/*.elf; do
	name=${file##*/}
	name=${name%.elf}
	claim "$name" judge "$name"
done
same "free memory, domains, processes and keys are what they were" "$before" "$(inventory)"
