#!/bin/sh
# SPDX-License-Identifier: MIT
# metrics.sh - writes METRICS_FILE whole or not at all, as its reader wants it.
file=${METRICS_FILE:-/var/lib/prometheus/node-exporter/storevisor.prom}
{
	echo '# TYPE storevisor_domain_state gauge'
	echo '# TYPE storevisor_domain_memory_bytes gauge'
	echo '# TYPE storevisor_domain_cpu_seconds_total counter'
	# In paths the '.' and '+' of a name are @2e and @2b.
	for key in $(xs list /status/domain); do
		dir=/status/domain/$key
		name=$(echo "$key" | sed 's/@2e/./g; s/@2b/+/g')
		state=$(xs read "$dir/state" 2>/dev/null) || continue
		echo "storevisor_domain_state{name=\"$name\",state=\"$state\"} 1"
		memory=$(xs read "$dir/memory_kib" 2>/dev/null) &&
			echo "storevisor_domain_memory_bytes{name=\"$name\"} $((memory * 1024))"
		cpu=$(xs read "$dir/cpu_time_ns" 2>/dev/null) &&
			echo "storevisor_domain_cpu_seconds_total{name=\"$name\"} $(awk "BEGIN { print $cpu / 1e9 }")"
	done
	xs metrics | grep -v '^# EOF'
	echo '# EOF'
} >"$file.$$" && mv "$file.$$" "$file"
