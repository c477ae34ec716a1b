# SPDX-License-Identifier: MIT
# own.awk - COUNTS FIGURES: what tests/bench/profile/count.c counted, and the lines "NAME VALUE" in
# the order of its sections. Prints "own_NAME INSTRUCTIONS": what the hypervisor itself executed in
# that section. Ours and Xen 4.17 both live in the hole that the ABI leaves them. Not of a section in
# which the machine idles: Xen clears free memory meanwhile.
BEGIN {
	n = split("power_on_to_services memory_taken_kib dom0_does_not_see_kib create_guest " \
		"create_to_guest_shell power_on_to_guest_shell destroy_guest", whole)
	for (i = 1; i <= n; i++)
		uncounted[whole[i]] = 1
}
FNR == 1 { file++ }
file == 1 && $1 == "section" { section = $2; next }
file == 1 && /^ffff8[0-7]/ { own[section] += $2; next }
file == 1 || $1 in uncounted { next }
$1 ~ /wake_up$/ { nr++; next }
# the probe measures the way to a hypercall before the hypercall
$1 ~ /null_hypercall$/ { way = own[++nr] }
{
	printf "own_%s %.0f\n", $1, own[++nr] - way
	way = 0
}
