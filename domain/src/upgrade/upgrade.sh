# Upgrades a stopped cluster to another major version of PostgreSQL, beside it: nothing of the cluster is changed, except that one that was not
# shut down cleanly is recovered first. Arguments: `check` or `upgrade`, the directories of the programs of both versions, the data directory,
# a directory beside it that is the caller's, and the configurations of both. The new data directory is then `data` in the directory of the
# caller, and is complete when `complete` is there. It exits with 3 if PostgreSQL refuses the upgrade, and with 4 if there is no room.
set -eu
mode=$1 from=$2 to=$3 old=$4 next=$5 old_conf=$6 new_conf=$7
new=$next/data work=$next/work

# What an earlier call has completed.
[ ! -e "$next/complete" ] || exit 0
rm -rf "$new" "$work"
mkdir -p "$work"
# Paths of sockets are short.
sockets=$(mktemp -d "${TMPDIR:-/tmp}/toygres-upgrade.XXXXXX")
trap 'rm -rf "$sockets"' EXIT
trap 'exit 143' TERM

say() {
  echo "stage: $*"
}

fail() {
  code=$1
  shift
  printf '%s\n' "$*" >&2
  exit "$code"
}

control() {
  "$from/pg_controldata" "$old" | sed -n "s/^$1: *//p"
}

# Nobody can connect but pg_upgrade, over a socket in a directory that nobody else can read. What clients have set must not stand in its way.
options="-c hba_file=$sockets/hba.conf -c ssl=off -c archive_mode=off -c logging_collector=off -c log_destination=stderr -c log_checkpoints=off"
options="$options -c log_statement=none -c log_min_error_statement=panic -c default_transaction_read_only=off -c statement_timeout=0"
options="$options -c lock_timeout=0 -c idle_session_timeout=0 -c idle_in_transaction_session_timeout=0"
echo 'local all all trust' >"$sockets/hba.conf"
# Without what they include, which is the address, and without TLS, which not every server was built with.
sed '/^include /d; /^ssl/d' "$old_conf" >"$sockets/old.conf"
sed '/^include /d; /^ssl/d' "$new_conf" >"$sockets/new.conf"

# Runs statements in a database of the new cluster, each of which ends with a semicolon and an empty line.
run() {
  # shellcheck disable=SC2086 # The options are words.
  "$to/postgres" --single -j -D "$new" -c "config_file=$sockets/new.conf" $options -c exit_on_error=on -c fsync=off "$@" >/dev/null
}

# Runs pg_upgrade, which checks at first.
pg_upgrade() {
  (cd "$work" && "$to/pg_upgrade" -b "$from" -B "$to" -d "$old" -D "$new" -U toygres -s "$sockets" -j 2 \
    -o "-c config_file=$sockets/old.conf $options" -O "-c config_file=$sockets/new.conf $options" "$@") >"$work/report" 2>&1
}

# What pg_upgrade has found: everything but what is in order, the lists that it names, and the errors in its logs.
report() {
  sed -E '/ ok *$/d; /^(-+|Performing .*|Failure, exiting| *)$/d' "$work/report" | tail -n 12
  find "$new/pg_upgrade_output.d" -name '*.txt' -size +0 -exec head -n 10 {} + 2>/dev/null || true
  find "$new/pg_upgrade_output.d" -name '*.log' -exec grep -hE '(ERROR|FATAL|PANIC|error): ' {} + 2>/dev/null | tail -n 5 || true
}

# Why pg_upgrade has ended with this status, unless somebody has killed it.
refuse() {
  [ "$1" -lt 128 ] || exit "$1"
  fail 3 "$(report)"
}

say 'the former cluster is examined'
if [ "$(control 'Database cluster state')" != 'shut down' ]; then
  # shellcheck disable=SC2086
  "$from/postgres" --single -D "$old" -c "config_file=$sockets/old.conf" $options postgres </dev/null >/dev/null
fi

# pg_upgrade needs a cluster of the same kind. Encodings and collations it takes over by itself.
set -- --wal-segsize="$(($(control 'Bytes per WAL segment') / 1048576))"
if [ "$(control 'Data page checksum version')" != 0 ]; then
  set -- "$@" --data-checksums
elif "$to/initdb" --help | grep -q no-data-checksums; then
  set -- "$@" --no-data-checksums
fi
"$to/initdb" -D "$new" --username=toygres --auth-local=peer --auth-host=reject --encoding=UTF8 --locale=C --no-sync --no-instructions "$@" >/dev/null

transfer=--copy
if cp --reflink=always "$old/PG_VERSION" "$work/probe" 2>/dev/null; then
  transfer=--clone
fi
if [ "$mode" = check ]; then
  say 'pg_upgrade checks whether the upgrade is possible'
  pg_upgrade --check $transfer || refuse $?
  rm -rf "$new" "$work"
  : >"$next/complete"
  exit 0
fi

if [ $transfer = --copy ]; then
  needed=$(du -sk "$old" | cut -f 1) free=$(df -Pk "$next" | awk 'NR == 2 { print $4 }')
  [ "$free" -gt $((needed + 65536)) ] || fail 4 "a copy of the data takes $((needed / 1024 + 64)) MiB, and $((free / 1024)) MiB are free"
fi
say "pg_upgrade checks and transfers the data ($transfer)"
pg_upgrade $transfer --no-sync || refuse $?

say 'extensions, collations and statistics are brought up to date'
run postgres <<'SQL'
COPY (SELECT datname FROM pg_catalog.pg_database WHERE datallowconn AND datname ~ '^[^-[:cntrl:]][^[:cntrl:]]*$') TO PROGRAM 'cat >toygres_databases';

SQL
# From 18 on pg_upgrade takes over the statistics. Before, a first impression of each table is enough until clients are let in.
analyze='SET default_statistics_target = 1;

ANALYZE;
'
[ "$("$to/postgres" --version | sed -E 's/.*\) ([0-9]+).*/\1/')" -lt 18 ] || analyze=
while read -r database; do
  run "$database" <<SQL
SET search_path = pg_catalog, pg_temp;

DO \$\$
DECLARE
  item record;
BEGIN
  -- An extension that cannot be updated works as before.
  FOR item IN SELECT name FROM pg_catalog.pg_available_extensions WHERE installed_version <> default_version LOOP
    BEGIN
      EXECUTE pg_catalog.format('ALTER EXTENSION %I UPDATE', item.name);
    EXCEPTION WHEN OTHERS THEN
      RAISE WARNING 'the extension % could not be updated: %', item.name, SQLERRM;
    END;
  END LOOP;
  -- Another version of a collation may order texts differently.
  IF EXISTS (
      SELECT FROM pg_catalog.pg_database
      WHERE datname = pg_catalog.current_database() AND datcollversion <> pg_catalog.pg_database_collation_actual_version(oid))
    OR EXISTS (SELECT FROM pg_catalog.pg_collation WHERE collversion <> pg_catalog.pg_collation_actual_version(oid))
  THEN
    FOR item IN
      SELECT indexrelid::pg_catalog.regclass AS name FROM pg_catalog.pg_index
      WHERE indrelid >= 16384 AND EXISTS (SELECT FROM pg_catalog.unnest(indcollation) AS used (oid) WHERE used.oid NOT IN (0, 950))
        AND EXISTS (SELECT FROM pg_catalog.pg_class WHERE oid = indexrelid AND relkind = 'i')
    LOOP
      EXECUTE pg_catalog.format('REINDEX INDEX %s', item.name);
    END LOOP;
    EXECUTE pg_catalog.format('ALTER DATABASE %I REFRESH COLLATION VERSION', pg_catalog.current_database());
    FOR item IN
      SELECT oid::pg_catalog.regcollation AS name FROM pg_catalog.pg_collation
      WHERE collversion <> pg_catalog.pg_collation_actual_version(oid)
    LOOP
      EXECUTE pg_catalog.format('ALTER COLLATION %s REFRESH VERSION', item.name);
    END LOOP;
  END IF;
END
\$\$;

$analyze
SQL
done <"$new/toygres_databases"
rm -f "$new/toygres_databases"
rm -rf "$work"
"$to/initdb" --sync-only -D "$new" >/dev/null
: >"$next/complete"
sync "$next" 2>/dev/null || sync
