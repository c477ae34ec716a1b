# SPDX-License-Identifier: MIT
# report.awk - three files of median.awk's lines: bare Linux, Debian's Xen, ours. A figure
# that one of them lacks ends with status 1.
BEGIN {
	goal["compile"] = 1.02
	goal["web"] = 1.10
}
FNR == 1 { file++ }
file == 1 { bare[$1] = $2; next }
file == 2 { xen[$1] = $2; next }
{ ours[$1] = $2; order[++nr] = $1 }
END {
	printf "%-10s %14s %14s %14s %9s %9s %9s  %s\n", "figure", "bare", "Xen 4.17", "ours", "Xen/bare",
		"ours/bare", "ours/Xen", "goal"
	for (i = 1; i <= nr; i++) {
		name = order[i]
		if (!(bare[name] > 0 && xen[name] > 0 && ours[name] > 0)) {
			absent = 1
			continue
		}
		ratio = ours[name] / bare[name]
		printf "%-10s %14d %14d %14d %9.3f %9.3f %9.3f  %.2f %s\n", name, bare[name], xen[name],
			ours[name], xen[name] / bare[name], ratio, ours[name] / xen[name], goal[name],
			ratio <= goal[name] ? "met" : "missed"
	}
	exit absent || !nr
}
