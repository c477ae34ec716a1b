# SPDX-License-Identifier: MIT
# peers_report.awk - a line a measurement (class, row, unit, peer, figure or "- why not", by tabs) becomes a table:
# medians, each peer's by ours, and whether ours is at least as good as all. Status 1 when it is not, or ours has no figure.
BEGIN {
	FS = "\t"
	promise["disk"] = "A write is answered when it is on the disk"
	promise["memory"] = "A write is answered from memory, and survives no loss of power"
}

function median(list,    v, nr, i, j, t) {
	nr = split(list, v, " ")
	for (i = 2; i <= nr; i++) {
		t = v[i] + 0
		for (j = i - 1; j > 0 && v[j] + 0 > t; j--)
			v[j + 1] = v[j]
		v[j + 1] = t
	}
	return v[int((nr + 1) / 2)] + 0
}

NF != 5 { print "peers_report.awk: line " NR " has not five fields" > "/dev/stderr"; bad = 1; exit }
{
	if (!($4 in seen) && $4 != "ours") {
		seen[$4] = 1
		peer[++nr_peers] = $4
	}
	if ($2 == "all") {
		why[$1, "all", $4] = substr($5, 3)
		note[++nr_notes] = $4 ": " substr($5, 3)
		next
	}
	if (!($1 in has)) {
		has[$1] = 1
		kind[++nr_classes] = $1
	}
	if (!(($1, $2) in known)) {
		known[$1, $2] = $3
		class[++nr] = $1
		row[nr] = $2
	}
	if ($5 ~ /^- /) {
		why[$1, $2, $4] = substr($5, 3)
		note[++nr_notes] = $4 ", " $2 ": " substr($5, 3)
	} else {
		figures[$1, $2, $4] = figures[$1, $2, $4] " " $5
	}
}

END {
	if (bad || nr == 0)
		exit 1
	print "Medians of n; in brackets the peer's figure by ours: above 1, ours is better."
	for (c = 1; c <= nr_classes; c++) {
		printf "\n%s:\n%-34s %3s %10s", promise[kind[c]], "", "n", "ours"
		for (p = 1; p <= nr_peers; p++)
			printf " %18s", peer[p]
		print ""
		table(kind[c])
	}
	for (i = 1; i <= nr_notes; i++)
		print (i == 1 ? "\n" : "") note[i]
	exit lost > 0
}

function table(of,    i, p, own, ours, theirs, told, verdict, v) {
	for (i = 1; i <= nr; i++) {
		if (class[i] != of)
			continue
		own = figures[class[i], row[i], "ours"]
		ours = median(own)
		printf "%-34s %3d %10s", row[i] ", " known[class[i], row[i]], split(own, v, " "), own == "" ? "none" : sprintf("%.2f", ours)
		verdict = own == "" ? "LOST: no figure" : "met"
		for (p = 1; p <= nr_peers; p++) {
			theirs = figures[class[i], row[i], peer[p]]
			if (theirs == "") {
				told = why[class[i], row[i], peer[p]] why[class[i], "all", peer[p]]
				printf " %18s", told == "" ? "" : "no (below)"
				continue
			}
			theirs = median(theirs)
			printf " %18s", sprintf("%.2f", theirs) (own != "" && ours > 0 ? sprintf(" (%.2f)", theirs / ours) : "")
			if (own != "" && theirs < ours)
				verdict = (verdict == "met" ? "LOST to " : verdict ", ") peer[p]
		}
		print "  " verdict
		lost += verdict != "met"
	}
}
