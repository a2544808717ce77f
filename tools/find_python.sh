#!/usr/bin/env bash
# Print the path of a Python that can make the environment: 3.11 or newer, with venv and pip.
# PYTHON=/path/to/python chooses one; otherwise 3.11 first, since the exact versions were taken on it.
set -uo pipefail

can_make_venv='import sys, venv, ensurepip; assert sys.version_info >= (3, 11); print(sys.executable)'

for name in "${PYTHON:-}" python3.11 python3.12 python3.13 python3.14 python3 python; do
    [ -n "$name" ] && "$name" -c "$can_make_venv" 2>/dev/null && exit 0
done
echo "no Python 3.11 or newer with venv found (Debian: install python3 and python3-venv), or set PYTHON to one" >&2
exit 1
