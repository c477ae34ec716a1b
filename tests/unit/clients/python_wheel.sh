#!/bin/sh
# SPDX-License-Identifier: MIT
# python_wheel.sh TOP - the Python client as a wheel, without a network: what is in it, that it is all there is to it.
top=$1 python=/usr/bin/python3
if ! $python -c 'import setuptools, wheel' 2>/dev/null; then
	echo "1..0 # SKIP python3-setuptools, python3-wheel are not installed"
	exit 0
fi
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
cp -r "$top/clients/python" "$dir/src"
cd "$dir/src" || exit 99
$python -c 'import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])' "$dir" >"$dir/log" 2>&1
wheel=$(echo "$dir"/*.whl)
if [ -f "$wheel" ]; then echo "ok 1 - a wheel is built"; else echo "not ok 1 - a wheel is built"; sed 's/^/# /' "$dir/log"; fi
has() { $python -m zipfile -l "$wheel" | grep -q "$1"; }
if has storevisor_store/py.typed; then echo "ok 2 - it is typed"; else echo "not ok 2 - it is typed"; fi
if PYTHONPATH=$wheel $python -c 'import storevisor_store as s; assert ".whl" in s.__file__; [getattr(s, n) for n in s.__all__]'
then echo "ok 3 - it is imported from there, with all it names"; else echo "not ok 3 - it is imported from there"; fi
echo 1..3
