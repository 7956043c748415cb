#!/bin/sh
# Traces a command whose events are known, and looks for them. Needs what tracing needs: root, and a kernel with
# tracepoints. MOONTRACE names the executable where it is not the one on PATH.
set -eu
cd "$(dirname "$0")"
moontrace=${MOONTRACE:-moontrace}

fail() {
  echo "test.sh: $1" >&2
  exit 1
}

"$moontrace" check mytool.lua
events=$("$moontrace" --quiet --format json --command 'cat /dev/null; ls >/dev/null' mytool.lua --name cat)
case $events in
  *'"comm":"cat"'*) ;;
  *) fail "no event of cat: $events" ;;
esac
case $events in
  *'"comm":"ls"'*) fail "--name cat shows ls: $events" ;;
esac
echo "test.sh: ok"
