set -eu
# Otherwise the data is complete.
if [ -e "$PGDATA.restoring" ]; then
  # What it prints is a prompt for each statement.
  postgres --single -D "$PGDATA.restoring" "$@" </run/secrets/restore/finish.sql >/dev/null
  exec initdb --sync-only -D "$PGDATA.restoring"
fi
