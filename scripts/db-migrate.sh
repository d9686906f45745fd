#!/usr/bin/env bash
# Brings the schemas of an external metadata database (DATABASE_URL, and TOYGRES_ENGINE_DATABASE_URL where the engine has a
# role of its own) up to date. The server does the same when it starts; this is for those who want it done before.
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
