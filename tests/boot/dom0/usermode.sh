#!/bin/sh
# SPDX-License-Identifier: MIT
# The program brings its own TAP.
exec /mnt/programs/usermode
