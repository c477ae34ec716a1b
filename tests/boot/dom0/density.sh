#!/bin/sh
# SPDX-License-Identifier: MIT
# Guests are made one by one; time is the machine's own, which under --steady counts instructions.
. /mnt/dom0/lib.sh
COUNT=200
SAMPLE=5

ms() { echo $(($(sed 's/ .*//; s/\.//' /proc/uptime) * 10)); }

make() { xm create -q "/tmp/k$1.cfg"; }

# make_some FROM TO: milliseconds for each, on the average.
make_some()
{
	start=$(ms)
	i=$1
	while [ "$i" -le "$2" ]; do
		make "$i" || return 1
		i=$((i + 1))
	done
	echo $((($(ms) - start) / ($2 - $1 + 1)))
}

alive() { test "$(xm list | grep -c '^k[0-9]')" = "$1"; }
within() { echo "first $first ms, last $last ms a guest"; [ $((last * 2)) -le $((first * 3)) ]; }

i=0
while [ $i -le $COUNT ]; do
	cat >/tmp/k$i.cfg <<-END
		name = "k$i"
		kernel = "/mnt/guests/idle.elf"
		memory = 2
	END
	i=$((i + 1))
done
claim "a first guest" make 0
claim "goes" sh -c 'xm destroy k0; . /mnt/dom0/lib.sh; trap - EXIT; until_true 10 gone k0'
sleep 1
before=$(inventory)
first=$(make_some 1 $SAMPLE)
make_some $((SAMPLE + 1)) $((COUNT - SAMPLE)) >/dev/null
last=$(make_some $((COUNT - SAMPLE + 1)) $COUNT)
claim "$COUNT guests of 2 MiB are there" alive $COUNT
claim "the last said so" hears k$COUNT 10 'idle: ready'
claim "and cost at most half more than the first ($first ms, $last ms)" within
start=$(ms)
i=1
while [ $i -le $COUNT ]; do
	xm destroy k$i >/dev/null 2>&1
	i=$((i + 1))
done
claim "all are destroyed" until_true 60 alive 0
echo "# destroying took $((($(ms) - start) / COUNT)) ms a guest"
settled() { [ "$before" = "$(inventory)" ]; }
until_true 20 settled >/dev/null
same "and everything is back" "$before" "$(inventory)"
