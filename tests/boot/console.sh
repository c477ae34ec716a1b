#!/bin/sh
# SPDX-License-Identifier: MIT
# console.sh - the web console of xs-httpd in a headless Chromium, no machine: keys, live changes, hostile names and values, a
# store that goes away; its pictures are in build/console. Run by name only: a browser is large.
. "$(dirname "$0")/lib.sh"
. "$TOP/image/lib.sh"
packages console
exec python3 "$TOP/tests/unit/httpd/console.py" "$BUILD/xenstored/xenstored" "$BUILD/cli/xs/xs" "$BUILD/httpd/xs-httpd" "$BUILD/console"
