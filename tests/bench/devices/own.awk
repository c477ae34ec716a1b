# SPDX-License-Identifier: MIT
# own.awk - COUNTS ROWS: what tests/bench/profile/count.c counted, a section a row, and inside.sh's
# lines. Prints, for each row, the median of its turns: "NAME FIGURE HYPERVISOR DOM0 ARRIVED TIMES":
# nanoseconds a unit; the hypervisor's share of the machine's instructions, and that of the time
# that domain 0 had of what all domains had, in percent; packets that arrived ("-": not that kind of
# row); how often it was measured. Our hypervisor and Xen both live in the hole that the ABI leaves.
FNR == 1 { file++ }
file == 1 && $1 == "section" { section = $2; next }
file == 1 { all[section] += $2 }
file == 1 && /^ffff8[0-7]/ { own[section] += $2 }
file == 1 { next }
$1 == "row" {
	turn++
	if (!(($2) in nr))
		order[++nr_rows] = $2
	n = ++nr[$2]
	value[$2, n] = $3
	busy = $5 + $6 + $7 + $8
	share[$2] += all[turn] ? 100 * own[turn] / all[turn] : 0
	dom0[$2] += busy ? 100 * $5 / busy : 0
	if ($3 !~ /^[0-9]+$/)
		broken = broken "\n" $0
}
# what arrived, and the time of one that did: the row's figure
$1 == "far" && $2 ~ /^packet/ {
	arrived[$2] += $3
	value[$2, nr[$2]] = $4
}

function median(name, n,    i, j, t)
{
	for (i = 1; i <= n; i++)
		for (j = i + 1; j <= n; j++)
			if (value[name, j] + 0 < value[name, i] + 0) {
				t = value[name, i]
				value[name, i] = value[name, j]
				value[name, j] = t
			}
	return value[name, int((n + 1) / 2)]
}

END {
	for (i = 1; i <= nr_rows; i++) {
		name = order[i]
		n = nr[name]
		printf "%s %s %.0f %.0f %s %d\n", name, median(name, n), share[name] / n,
			dom0[name] / n, name in arrived ? int(arrived[name] / n) : "-", n
	}
	if (broken) {
		print "no figure:" broken >"/dev/stderr"
		exit 1
	}
}
