# SPDX-License-Identifier: MIT
# report.awk - three files of "NAME VALUE": bare Linux, Debian's Xen, ours. "guest_NAME" is NAME in
# a guest, "own_NAME" how many of a figure's instructions the hypervisor executed. "own" compares
# these, which is each hypervisor's path, without what the kernel does in both; the goal is for that.
# Where nobody counted it compares what is beyond bare Linux. What has an upper limit of its own
# is held to that. A figure that ours or Xen lacks, or Xen's that cannot be divided by, has no
# verdict; ours missing ends with status 1. The last line names what missed its goal.
BEGIN {
	n = split("power_on_to_services power_on_to_guest_shell create_guest " \
		"create_to_guest_shell destroy_guest mmap_touch_64_mib", long_ones)
	for (i = 1; i <= n; i++)
		unit[long_ones[i]] = 1e6
	n = split("null_hypercall null_system_call context_switch page_fault mmap_touch_64_mib " \
		"fork_and_exit fork_and_exec event_round_trip grant_map_unmap wake_up", paths)
	for (i = 1; i <= n; i++)
		goal[paths[i]] = 0.8
	most["memory_taken_kib"] = 16 * 1024 # of a 2 GiB host
	of_bare["cpu_bound_job"] = 1.01
	printf "%-30s %10s %12s %12s %9s %6s  goal\n",
		"figure", "bare", "Xen 4.17", "ours", "ours/Xen", "own"
}

function base(figure)
{
	sub(/^guest_/, "", figure)
	return figure
}

# What @figures has of @name; asking for what it lacks would make it have 0.
function scaled(figures, name, by)
{
	return name in figures ? sprintf("%.0f", figures[name] / by) : "-"
}

function limit(figure, name)
{
	if (name in most)
		return most[name]
	return name in of_bare && name in bare ? of_bare[name] * bare[name] : 0
}

# What our hypervisor does in relation to what Xen does, for one figure.
function own_share(figure, name,    own)
{
	own = "own_" figure
	if (own in ours && own in xen && xen[own] > 0)
		return ours[own] / xen[own]
	if (name in bare && xen[figure] > bare[name] * 1.01)
		return (ours[figure] - bare[name]) / (xen[figure] - bare[name])
	return ours[figure] / xen[figure]
}

function line(figure,    name, by, what, ratio, own, want, ceiling, verdict)
{
	name = base(figure)
	by = name in unit ? unit[name] : 1
	want = name in goal ? goal[name] : 1
	what = figure ~ /_kib$/ ? "KiB" : by > 1 ? "million instructions" : "instructions"
	ratio = own = "-"
	verdict = figure in ours ? "alone" : "absent"
	if (figure in ours && figure in xen && xen[figure] > 0) {
		ratio = ours[figure] / xen[figure]
		own = own_share(figure, name)
		verdict = own > want + 0.005 || ratio > 1.005 ? "missed" : "met"
		ratio = sprintf("%.2f", ratio)
		own = sprintf("%.2f", own)
	}
	ceiling = limit(figure, name)
	if (figure in ours && ceiling && ours[figure] > ceiling)
		verdict = "missed"
	if (verdict == "missed")
		missed = missed ", " figure
	nr_lines++
	printf "%-30s %10s %12s %12s %9s %6s  %.2f %-6s %s%s\n",
		figure == name ? name : name " (guest)", scaled(bare, name, by),
		scaled(xen, figure, by), scaled(ours, figure, by),
		ratio, own, want, verdict, what,
		ceiling ? sprintf(", at most %.0f", ceiling / by) : ""
}

FNR == 1 { file++ }
file == 1 { bare[$1] = $2; next }
file == 2 { xen[$1] = $2; next }
{
	ours[$1] = $2
	if ($1 !~ /^own_/)
		order[++nr] = $1
}
END {
	for (i = 1; i <= nr; i++)
		line(order[i])
	for (figure in xen) {
		if (!(figure in ours) && figure !~ /^own_/) {
			line(figure)
			absent = 1
		}
	}
	print missed ? "missed: " substr(missed, 3) : nr_lines " figures, none missed its goal"
	exit absent
}
