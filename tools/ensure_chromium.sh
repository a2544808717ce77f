#!/usr/bin/env bash
# Print the path of a Chromium for the browser tests; install Debian's when none is found and it may.
# Always exits 0: without a browser it prints nothing on stdout and one loud line on stderr.
set -uo pipefail

find_chromium() {
    local name
    for name in "${BIM_CHROMIUM:-}" chromium chromium-browser google-chrome google-chrome-stable; do
        if [ -n "$name" ] && command -v "$name" 2>/dev/null; then return 0; fi
    done
    return 1
}

install_chromium() {
    command -v apt-get >/dev/null || return 1
    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        sudo -n true 2>/dev/null || return 1
        as_root=(sudo -n)
    fi
    local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120)
    echo "browser tests: no Chromium found, installing the system's package ..." >&2
    "${apt[@]}" update && "${apt[@]}" install -y --no-install-recommends chromium fonts-dejavu-core
}

find_chromium && exit 0
# The package manager speaks on stdout, which is reserved for the path.
install_chromium >/dev/null && find_chromium && exit 0
echo "!!! BROWSER TESTS WILL BE SKIPPED: no Chromium on PATH and none could be installed (install 'chromium', or set BIM_CHROMIUM to a browser)" >&2
exit 0
