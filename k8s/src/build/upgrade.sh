# Upgrades the data on the volume of an instance, or puts the former data back. Arguments: `check`, `upgrade` or `revert`, the script that
# upgrades, both versions, the data directories of both in the volume, which may be the same, and the configurations of both.
set -eu
mode=$1 script=$2 from=$3 to=$4 old=$5 new=$6
shift 6
next=$(dirname "$new")/next former=$(dirname "$new")/former

version() {
  cat "$1/PG_VERSION" 2>/dev/null || true
}

if [ "$mode" = revert ]; then
  if [ "$(version "$former")" = "$from" ]; then
    rm -rf "$new"
    mv "$former" "$old"
  fi
  rm -rf "$next"
  sync -f "$(dirname "$old")"
  exit 0
fi

# What an interrupted Job has done is not done again.
if [ "$mode" = upgrade ] && [ "$(version "$new")" = "$to" ] && [ "$(version "$former")" = "$from" ]; then
  rm -rf "$next"
  exit 0
fi
mkdir -p "$next"
if [ ! -e "$next/complete" ]; then
  [ "$(version "$old")" = "$from" ] || { echo "the volume has no data of PostgreSQL $from" >&2; exit 1; }
  # What an earlier upgrade has left, which was confirmed.
  rm -rf "$former"
  sh -c "$script" upgrade "$mode" "/usr/lib/postgresql/$from/bin" "/usr/lib/postgresql/$to/bin" "$old" "$next" "$@"
fi
if [ -d "$next/data" ]; then
  [ ! -e "$old/toygres.initialized" ] || : >"$next/data/toygres.initialized"
  [ -e "$former" ] || mv "$old" "$former"
  mv "$next/data" "$new"
fi
rm -rf "$next"
# Of this volume, and not of every file system of the node.
sync -f "$(dirname "$old")"
