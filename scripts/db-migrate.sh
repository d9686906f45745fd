#!/usr/bin/env bash
# Migrates the schemas of an external metadata database (DATABASE_URL, and TOYGRES_ENGINE_DATABASE_URL if the engine has a separate
# role). The server does the same when it starts; this script runs the migrations before that.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

if [ -z "${DATABASE_URL:-}" ] && ! grep -qs '^DATABASE_URL=' .env; then
  say "DATABASE_URL is not set: give the URL of the metadata database."
  exit 2
fi
ensure_rust
ensure_build_tools
cargo build --release --locked --quiet --package toygres-server
exec "${CARGO_TARGET_DIR:-target}/release/toygres" migrate
