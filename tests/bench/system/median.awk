# SPDX-License-Identifier: MIT
# median.awk - lines "NAME VALUE", of which a NAME comes once or several times. Prints each once, in
# the order in which they first came, with the middle one of its values; of an even number the mean
# of the two in the middle.
function median(name,    i, j, v, n, sorted)
{
	n = nr[name]
	for (i = 1; i <= n; i++) {
		v = values[name, i]
		for (j = i - 1; j >= 1 && sorted[j] > v; j--)
			sorted[j + 1] = sorted[j]
		sorted[j + 1] = v
	}
	return n % 2 ? sorted[(n + 1) / 2] : (sorted[n / 2] + sorted[n / 2 + 1]) / 2
}

NF == 2 {
	if (!nr[$1]++)
		order[++nr_names] = $1
	values[$1, nr[$1]] = $2 + 0
}
END {
	for (name = 1; name <= nr_names; name++)
		printf "%s %.0f\n", order[name], median(order[name])
}
