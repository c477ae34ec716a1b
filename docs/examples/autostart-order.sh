#!/bin/sh
# SPDX-License-Identifier: MIT
# autostart-order.sh - starts domains one after the other, each when the one before is running. The order is
# /config/autostart/1 = NAME, /config/autostart/2 = NAME, ... (xs write /config/autostart/1 database).
# One that does not come up in time is told and passed over. Run it once, when xend is up.
# In paths the '.' and '+' of a name are @2e and @2b.
seconds=${AUTOSTART_SECONDS:-120}
status=0
for place in $(xs list /config/autostart | sort -n); do
	name=$(xs read "/config/autostart/$place") || continue
	key=$(echo "$name" | sed 's/[.]/@2e/g; s/[+]/@2b/g')
	xs write "/config/domain/$key/power" on || { status=1; continue; }
	if xs wait -t "${seconds}s" "/status/domain/$key/state=running"; then
		echo "autostart: $name runs"
	else
		echo "autostart: $name does not run after $seconds s: $(xs read "/status/domain/$key/error" 2>/dev/null)" >&2
		status=1
	fi
done
exit $status
