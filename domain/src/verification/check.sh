# Reads every table and every B-tree index of a recovered cluster with the extension amcheck, as pg_amcheck does. The first argument is the
# data directory, the others are settings of the server. Nobody uses this copy, so it may be changed.
set -eu
data=$1
shift

# Runs the statements of the standard input, each of which ends with a semicolon and an empty line.
run() {
  postgres --single -j -D "$data" "$@" >/dev/null
}

# A name that could be taken for an option, or does not fit on a line, is replaced.
run "$@" postgres <<'SQL'
UPDATE pg_catalog.pg_database SET datname = 'database_' || oid WHERE datname !~ '^[A-Za-z0-9_][A-Za-z0-9_.-]*$';

COPY (SELECT datname FROM pg_catalog.pg_database WHERE datconnlimit <> -2) TO PROGRAM 'cat >toygres_databases';

SQL

while read -r database; do
  run "$@" "$database" <<'SQL'
DROP EXTENSION IF EXISTS amcheck CASCADE;

DROP SCHEMA IF EXISTS toygres_verification CASCADE;

CREATE SCHEMA toygres_verification;

CREATE EXTENSION amcheck SCHEMA toygres_verification;

DO $$
DECLARE
  relation record;
  finding record;
BEGIN
  FOR relation IN
    SELECT class.oid, class.oid::pg_catalog.regclass AS name, class.relkind
    FROM pg_catalog.pg_class AS class
    JOIN pg_catalog.pg_am AS method ON method.oid = class.relam
    LEFT JOIN pg_catalog.pg_index AS index ON index.indexrelid = class.oid
    WHERE class.relpersistence = 'p' AND (
      method.amname = 'heap' AND class.relkind IN ('r', 't', 'm')
      OR method.amname = 'btree' AND class.relkind = 'i' AND index.indisvalid AND index.indisready)
  LOOP
    IF relation.relkind = 'i' THEN
      PERFORM toygres_verification.bt_index_check(relation.oid);
    ELSE
      SELECT * INTO finding FROM toygres_verification.verify_heapam(relation.oid, on_error_stop => true) LIMIT 1;
      IF FOUND THEN
        RAISE data_corrupted USING MESSAGE = pg_catalog.format('table %s, block %s: %s', relation.name, finding.blkno, finding.msg);
      END IF;
    END IF;
  END LOOP;
END
$$;

SQL
done <"$data/toygres_databases"
