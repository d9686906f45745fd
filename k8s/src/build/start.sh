set -eu
if [ -e /run/secrets/toygres/has-run ]; then
  if [ ! -s "$PGDATA/PG_VERSION" ]; then
    echo 'FATAL:  DATA_LOST: this instance has run before, and its volume is empty; no empty database is put in its place' >&2
    exit 1
  fi
elif [ ! -e "$PGDATA/toygres.initialized" ]; then
  rm -rf "$PGDATA"
fi
exec docker-entrypoint.sh "$@"
