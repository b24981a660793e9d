#!/usr/bin/env bash
# Runs a command that reads what a stranger made, within a budget: three quarters
# of the machine's memory, at least 4 GB, and DOSIRAK_MINUTES minutes, 45 where
# that is not set. The engine has budgets of its own; these hold when those do
# not. A command that ends here has judged nothing, and its status says so.
set -euo pipefail
minutes=${DOSIRAK_MINUTES:-45}
if [ -r /proc/meminfo ]; then
  kilobytes=$(awk '/^MemTotal:/ { print int($2 * 3 / 4) }' /proc/meminfo)
  [ "$kilobytes" -ge 4194304 ] || kilobytes=4194304
  ulimit -v "$kilobytes" || echo "dosirak: the memory of this step could not be limited"
fi
if ! command -v timeout >/dev/null; then exec "$@"; fi
code=0
timeout --kill-after="${DOSIRAK_GRACE:-20}s" "${minutes}m" "$@" || code=$?
if [ "$code" -eq 124 ] || [ "$code" -eq 137 ]; then
  printf '::error::dosirak: nothing was judged: this took more than %s minutes, or more memory than the machine has. A model that takes so long to answer is none to serve\n' "$minutes"
fi
exit "$code"
