# SPDX-License-Identifier: MIT
# What CPU time three guests that want all of one CPU get. Sourced by kit.sh.

# used NAME...: the CPU time each had, in milliseconds, all at the same instant.
used()
{
	xm debug-keys q
	xm dmesg >/tmp/fair.log
	for name; do
		awk -v d="d$(xm domid "$name"):" '/d[0-9]+: .* pages/ { own = index($0, d " ") }
			own && / vcpu 0:/ { ms = $(NF - 1) } END { print ms }' /tmp/fair.log
	done
}
uptime_ms() { awk '{ printf "%d\n", $1 * 1000 }' /proc/uptime; }

# spins NAME WEIGHT
spins()
{
	printf 'name = "%s"\nkernel = "/mnt/guests/special/spin.elf"\nmemory = 2\n' "$1" >"/tmp/$1.cfg"
	xm create -q "/tmp/$1.cfg" && xm vcpu-pin "$1" all 0 && xm sched-credit -d "$1" -w "$2"
}

# about TEXT WANTED GOT: within 5 %.
about()
{
	claim "$1: $3 of $2 ms" test $(($3 * 100)) -ge $(($2 * 95)) -a $(($3 * 100)) -le $(($2 * 105))
}

# shares: the three's CPU time.
shares() { used one two four | xargs; }

fair()
{
	claim "three guests want all of one CPU" eval 'spins one 256 && spins two 512 && spins four 1024'
	sleep 1 # what creating them left of credit and debt
	set -- $(shares)
	sleep 10
	set -- "$@" $(shares)
	one=$(($4 - $1)) two=$(($5 - $2)) four=$(($6 - $3))
	all=$((one + two + four))
	claim "they had the CPU for ten seconds: $all ms" test $all -ge 9000
	about "a seventh of it is the first's" $((all / 7)) $one
	about "two sevenths the second's" $((all * 2 / 7)) $two
	about "four the third's" $((all * 4 / 7)) $four
	xm destroy one
	xm destroy two
	claim "the last is capped" xm sched-credit -d four -c 20
	sleep 1
	before_ms=$(used four) began=$(uptime_ms)
	sleep 5
	ran=$(($(used four) - before_ms))
	about "and gets a fifth of the CPU" $((($(uptime_ms) - began) / 5)) $ran
	xm destroy four
	claim "all are gone" until_true 10 sh -c '! xm list | grep -qE "^(one|two|four) "'
}
