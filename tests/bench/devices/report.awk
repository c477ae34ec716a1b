# SPDX-License-Identifier: MIT
# report.awk - two files of own.awk's lines: Debian's Xen and ours. A row that one of them lacks
# ends with status 1, but for those of formats, which are ours alone.
FNR == 1 { file++ }
file == 1 { xen[$1] = $2; xen_rest[$1] = $3 "/" $4; xen_arrived[$1] = $5; next }
{
	ours[$1] = $2
	rest[$1] = $3 "/" $4
	arrived[$1] = $5
	order[++nr] = $1
}
END {
	printf "%-26s %10s %10s %9s  %-9s %-9s %s\n", "row", "Xen 4.17", "ours", "ours/Xen",
		"hv/dom0 %", "ours", "arrived"
	for (i = 1; i <= nr; i++) {
		name = order[i]
		if (!(name in xen) || xen[name] <= 0) {
			if (name ~ /^(file|qcow2|nbd)_/)
				printf "%-26s %10s %10d %9s  %-9s %-9s\n", name, "-", ours[name], "-", "-", rest[name]
			else
				absent = 1
			continue
		}
		printf "%-26s %10d %10d %9.2f  %-9s %-9s %s\n", name, xen[name], ours[name],
			ours[name] / xen[name], xen_rest[name], rest[name],
			arrived[name] == "-" ? "" : xen_arrived[name] " " arrived[name]
	}
	for (name in xen)
		absent += !(name in ours)
	exit absent > 0
}
