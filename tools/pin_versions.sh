#!/usr/bin/env bash
# Write constraints.txt anew: the newest versions that pyproject.toml allows, from a fresh environment.
# Say nothing of indexes or local builds (torch==2.13.0+cpu becomes torch==2.13.0); what torch
# needs for CUDA is pinned by torch itself. Best run with the oldest Python that the project takes
# (PYTHON=...): a newer one may choose versions that an older one cannot have.
set -euo pipefail
cd "$(dirname "$0")/.."

rm -rf .pins
"$(tools/find_python.sh)" -m venv .pins
.pins/bin/python -m pip install --quiet -e '.[dev,notebooks,sweeps,docs]' "$@"
{
    echo "# Exact versions of everything that '.[dev,notebooks,sweeps,docs]' installs: Linux, Python 3.11."
    echo "# Written by \`make pins\`; lower bounds are in pyproject.toml."
    .pins/bin/python -m pip freeze --all --exclude-editable --exclude pip |
        sed -E 's/\+[A-Za-z0-9.]+$//' | grep -vE '^(nvidia-|cuda-|triton==)' | LC_ALL=C sort -f -t= -k1,1
} >constraints.txt
rm -rf .pins
