#!/usr/bin/env bash
# Makes .venv from the hash-pinned lists; does nothing while the lists and the interpreter are the same.
set -euo pipefail
cd "$(dirname "$0")/../.."

say() { printf '%s\n' "$*" >&2; }

find_python() {
  # A name on the PATH may be a stub that only says which version it would need: try each one.
  for name in ${PYTHON:-} python3 python3.13 python3.12 python3.11; do
    if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      printf '%s' "$name"
      return
    fi
  done
  say "Python 3.11 or newer is needed; install it, or name it: make setup PYTHON=/path/to/python3"
  exit 1
}

python=$(find_python)
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq && apt-get install -y -qq python3-venv >/dev/null
  else
    say "This Python cannot make virtual environments; on Debian: sudo apt-get install python3-venv"
    exit 1
  fi
fi

# The folder's own path belongs to the stamp: programs in a moved .venv look for their old place.
wanted=$("$python" - <<'END'
import hashlib, os, sys
lists = b"".join(open(name, "rb").read() for name in ("requirements.lock", "requirements-dev.lock"))
print(hashlib.sha256(lists).hexdigest(), "%d.%d" % sys.version_info[:2], os.getcwd())
END
)
stamp=.venv/signalbox-stamp

is_current() {
  [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && .venv/bin/python -c '' 2>/dev/null
}

is_current && exit 0
if command -v flock >/dev/null; then
  exec 9>.venv.lock
  flock 9
  is_current && exit 0
fi

say "Installing what Signalbox needs into .venv (about a minute, once) …"
known=""
[ -f "$stamp" ] && known=$(cut -d' ' -f2- "$stamp")
rm -f "$stamp"
if [ "$known" = "${wanted#* }" ]; then
  "$python" -m venv .venv
else
  "$python" -m venv --clear .venv
fi
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input \
  --require-hashes -r requirements-dev.lock
printf '%s\n' "$wanted" >"$stamp"
