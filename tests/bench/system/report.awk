# SPDX-License-Identifier: MIT
# report.awk - three files of "NAME VALUE": bare Linux, Debian's Xen, ours. "guest_NAME" is NAME in a
# guest. "own" compares what each hypervisor adds to bare Linux, which is its path; the goal is for that,
# or for the whole where bare Linux has no such thing.
BEGIN {
	n = split("power_on_to_services create_guest create_to_guest_shell destroy_guest mmap_touch_64_mib", long_ones)
	for (i = 1; i <= n; i++)
		unit[long_ones[i]] = 1e6
	n = split("null_hypercall null_system_call context_switch page_fault mmap_touch_64_mib fork_and_exit " \
		"fork_and_exec event_round_trip grant_map_unmap wake_up", paths)
	for (i = 1; i <= n; i++)
		goal[paths[i]] = 0.8
	printf "%-30s %10s %12s %12s %9s %6s  goal\n", "figure", "bare", "Xen 4.17", "ours", "ours/Xen", "own"
}
FNR == 1 { file++ }
file == 1 { bare[$1] = $2; next }
file == 2 { xen[$1] = $2; next }
{
	name = $1
	sub(/^guest_/, "", name)
	by = unit[name] ? unit[name] : 1
	ratio = xen[$1] > 0 ? $2 / xen[$1] : 0
	want = goal[name] ? goal[name] : 1
	what = $1 ~ /_kib$/ ? "KiB" : by > 1 ? "million instructions" : "instructions"
	label = $1
	if (sub(/^guest_/, "", label))
		label = label " (guest)"
	own = ratio
	if (name in bare && xen[$1] > bare[name] * 1.01)
		own = ($2 - bare[name]) / (xen[$1] - bare[name])
	printf "%-30s %10s %12.0f %12.0f %9.2f %6.2f  %.2f %s %s\n", label,
		name in bare ? sprintf("%.0f", bare[name] / by) : "-", xen[$1] / by, $2 / by, ratio, own, want,
		!($1 in xen) ? "alone " : (own > want + 0.005) ? "missed" : "met   ", what
}
