#!/usr/bin/env bash
# Makes sure that the programs named are there; installs Debian's when root, says how to when not.
set -euo pipefail

missing=()
for name in "$@"; do
  case $name in
    chromium)
      command -v chromium >/dev/null || command -v chromium-browser >/dev/null ||
        [ -n "${SIGNALBOX_CHROMIUM:-}" ] || missing+=(chromium fonts-liberation)
      ;;
    node) command -v node >/dev/null || missing+=(nodejs) ;;
    *) echo "tools.sh does not know $name" >&2 && exit 2 ;;
  esac
done
[ ${#missing[@]} = 0 ] && exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "Installing ${missing[*]} with apt-get …" >&2
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq </dev/null
  apt-get install -y -qq --no-install-recommends "${missing[@]}" </dev/null >/dev/null
  exit 0
fi
{
  echo "!! Missing on this machine: ${missing[*]}"
  echo "!! Install it and try again; on Debian: sudo apt-get install ${missing[*]}"
  echo "!! A Chromium elsewhere is named with SIGNALBOX_CHROMIUM=/path/to/chromium"
} >&2
exit 1
