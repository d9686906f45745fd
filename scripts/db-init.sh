#!/usr/bin/env bash
# Prepares an external metadata database: the roles of the server and of its workflow engine, their schemas and grants, and then the
# migrations of both. It is idempotent and only changes what is missing.
#
#   ADMIN_DATABASE_URL  a role that may create roles and schemas in the database, for example the administrator's
#   TOYGRES_DB_PASSWORD, TOYGRES_ENGINE_DB_PASSWORD  the passwords that the two roles are to have
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

need() {
  [ -n "${!1:-}" ] || {
    say "$1 is not set: $2"
    exit 2
  }
}
need ADMIN_DATABASE_URL "give the URL of a role that may create roles, for example postgres://admin:...@host:5432/toygres."
need TOYGRES_DB_PASSWORD "choose the password of the role toygres_server."
need TOYGRES_ENGINE_DB_PASSWORD "choose the password of the role toygres_engine."
ensure_postgres

# A string constant of SQL, with any value.
literal() {
  printf "E'%s'" "$(printf '%s' "$1" | sed -e 's/\\/\\\\/g' -e "s/'/''/g")"
}

# The passwords are passed to psql on its standard input, because other users could read its arguments.
"$PG_BIN/psql" "$ADMIN_DATABASE_URL" --no-psqlrc --quiet --set ON_ERROR_STOP=1 <<SQL
SET client_min_messages = warning;
SELECT 'CREATE ROLE toygres_server LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'toygres_server') \\gexec
SELECT 'CREATE ROLE toygres_engine LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'toygres_engine') \\gexec
ALTER ROLE toygres_server PASSWORD $(literal "$TOYGRES_DB_PASSWORD");
ALTER ROLE toygres_engine PASSWORD $(literal "$TOYGRES_ENGINE_DB_PASSWORD");
-- On a managed service the administrator is no superuser and has to be a member of a role to give it a schema. From PostgreSQL 16 on, who
-- creates a role is a member that may not act as it, until it is granted again.
SELECT format('GRANT %I TO CURRENT_USER', role) FROM unnest(ARRAY['toygres_server', 'toygres_engine']) role
  WHERE NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) \\gexec
CREATE SCHEMA IF NOT EXISTS toygres AUTHORIZATION toygres_server;
CREATE SCHEMA IF NOT EXISTS duroxide AUTHORIZATION toygres_engine;
SELECT format('GRANT CONNECT ON DATABASE %I TO toygres_server, toygres_engine', current_database()) \\gexec
-- The server adds an index to the engine's queue, which only its owner may.
GRANT toygres_engine TO toygres_server;
SQL

# scheme://[user[:password]@]rest -> the same place as another role.
as_role() {
  local rest="${ADMIN_DATABASE_URL#*://}"
  rest="${rest##*@}"
  printf 'postgres://%s:%s@%s' "$1" "$(percent_encode "$2")" "$rest"
}
percent_encode() {
  local LC_ALL=C i c
  for ((i = 0; i < ${#1}; i++)); do
    c="${1:i:1}"
    case "$c" in
      [A-Za-z0-9._~-]) printf '%s' "$c" ;;
      *) printf '%%%02X' "'$c" ;;
    esac
  done
}
DATABASE_URL="$(as_role toygres_server "$TOYGRES_DB_PASSWORD")" \
  TOYGRES_ENGINE_DATABASE_URL="$(as_role toygres_engine "$TOYGRES_ENGINE_DB_PASSWORD")" scripts/db-migrate.sh
say "Start the server with DATABASE_URL of the role toygres_server and TOYGRES_ENGINE_DATABASE_URL of the role toygres_engine."
