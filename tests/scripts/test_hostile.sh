#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Some 300 broken and hostile pictures, weights, lists, label files and configurations: each refused
# with its own words, nothing run. Usage: test_hostile.sh BUILD_FOLDER
set -eu
here=$(dirname "$0")
features=$("$1/res2net" doctor --format json)
for library in jpeg png webp yaml embedded_model; do
    case "$features" in
    *"\"$library\": true"* | *"\"$library\":true"*) ;;
    *)
        echo "SKIPPED: this build has no $library" >&2
        exit 77
        ;;
    esac
done
PYTHONDONTWRITEBYTECODE=1 exec python3 "$here/hostile_zoo.py" "$1/res2net"
