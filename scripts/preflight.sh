# shellcheck shell=bash
#
# Sourced by scripts/run and scripts/test, after lib.sh: says what is missing before anything is downloaded or built, all of it at once.

# preflight BUILD_MB TEMPORARY_MB [ADDRESS [DATA_DIR]]: exits with a list of what is missing for a build, if something is. BUILD_MB is what
# a clean checkout needs on the disk of the build, TEMPORARY_MB what is written to the directory for temporary files, ADDRESS what the
# server will listen on, DATA_DIR its data directory, if another one than the default is asked for.
preflight() {
  local problems=()
  preflight_build_space "$1"
  preflight_space "$2" "${TMPDIR:-/tmp}" "temporary files need" "set TMPDIR"
  preflight_memory
  preflight_tools
  [ $# -lt 3 ] || preflight_port "$3"
  [ -z "${4:-}" ] || preflight_data_dir "$4"
  [ "${#problems[@]}" -gt 0 ] || return 0
  if [ "${#problems[@]}" -eq 1 ]; then
    say "${problems[0]}"
  else
    say "${#problems[@]} things are missing:"
    printf '  - %s\n' "${problems[@]}" >&2
  fi
  exit 1
}

# What is built already needs no more space; every build needs some.
preflight_build_space() {
  local place="${CARGO_TARGET_DIR:-$TOYGRES_ROOT/target}" built=0 needed="$1"
  [ ! -d "$place" ] || built="$(du -sk "$place" 2>/dev/null | awk '{ print int($1 / 1024) }')"
  needed=$((needed - ${built:-0}))
  [ "$needed" -ge 1000 ] || needed=1000
  while [ ! -d "$place" ]; do place="$(dirname "$place")"; done
  preflight_space "$needed" "$place" "the build needs another" "set CARGO_TARGET_DIR"
}

# preflight_space NEEDED_MB PLACE WHAT REMEDY
preflight_space() {
  local available
  available="$(df -Pk "$2" | awk 'NR == 2 { print int($4 / 1024) }')"
  [ "${available:-$1}" -ge "$1" ] || problems+=("Disk: $3 $(gigabytes "$1") GB, and $(gigabytes "$available") GB are available on the disk of $2. \
Free some, or $4 to a directory on another disk.")
}

# 1500 -> 1.5
gigabytes() {
  awk -v mb="$1" 'BEGIN { printf "%.1f", mb / 1000 }'
}

# The compiler needs about 1.5 GB for the largest crate, and one such crate is compiled at a time.
preflight_memory() {
  local available
  available="$(available_memory)"
  [ "${available:-1500}" -ge 1500 ] || problems+=("Memory: the build needs 1.5 GB, and $(gigabytes "$available") GB are available, \
with swap. End other programs, or add swap.")
}

# In megabytes; nothing if it is not known.
available_memory() {
  if [ -r /proc/meminfo ]; then
    awk '/^(MemAvailable|SwapFree):/ { sum += $2 } END { print int(sum / 1024) }' /proc/meminfo
  elif has sysctl; then
    # macOS gives the memory that others can do without when it is asked for.
    sysctl -n hw.memsize 2>/dev/null | awk '{ print int($1 / 1048576) }'
  fi
}

# What the scripts cannot install by themselves.
preflight_tools() {
  local packages="" reason
  # It says what is missing, and exits. Without the name before it, which has colours in a terminal.
  reason="$( (ensure_rust) 2>&1 | sed 's/^.*toygres:[^ ]* //')" || problems+=("$reason")
  if has apt-get; then
    has cc || packages="$packages build-essential"
    has pkg-config || packages="$packages pkg-config"
    have_openssl || packages="$packages libssl-dev"
    if [ -n "$packages" ] && ! can_be_root; then
      problems+=("Build tools: run \`sudo apt-get update && sudo apt-get install -y$packages\`; this user cannot.")
    fi
  elif has brew; then
    has cc || problems+=("A C compiler: run \`xcode-select --install\`.")
  else
    has cc || packages="$packages, a C compiler"
    has pkg-config || packages="$packages, pkg-config"
    have_openssl || packages="$packages, the headers of OpenSSL"
    [ -z "$packages" ] || problems+=("Build tools: install ${packages#, } with this system's package manager.")
  fi
}

preflight_port() {
  local port="${1##*:}" user
  case "$port" in '' | 0 | *[!0-9]*) return 0 ;; esac
  is_listening "$port" || return 0
  user="$(port_user "$port")"
  case "$user" in
    toygres*) problems+=("Port $port: $user listens there, so a server runs already: open http://$1/, or stop it first.") ;;
    *) problems+=("Port $port: ${user:-another program} listens there. Stop it, or choose another address: scripts/run --listen 127.0.0.1:8090") ;;
  esac
}

# PostgreSQL refuses to run as root, and the user that it runs as instead must be able to enter the directory.
preflight_data_dir() {
  local above="$1" mode
  [ "$(id -u)" -eq 0 ] || return 0
  case "$above" in /*) ;; *) above="$PWD/$above" ;; esac
  while [ "$above" != / ]; do
    mode="$(stat -c %a "$above" 2>/dev/null)" || mode=711
    case "$mode" in
      *[1357]) ;;
      *)
        problems+=("Data directory: PostgreSQL does not run as root, and other users cannot enter $above. Choose another directory, such as \
/var/lib/toygres.")
        ;;
    esac
    above="$(dirname "$above")"
  done
}

# Of this machine's loopback address.
is_listening() {
  (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# port_user 8080 -> nginx (process 123); nothing if the system does not say, for example about the processes of others.
port_user() {
  local pid="" name
  if has ss; then
    pid="$(ss -Hltnp "sport = :$1" 2>/dev/null | sed -n 's/.*pid=\([0-9]*\).*/\1/p' | head -n 1)"
  fi
  if [ -z "$pid" ] && has lsof; then
    pid="$(lsof -nP -t -iTCP:"$1" -sTCP:LISTEN 2>/dev/null | head -n 1)"
  fi
  if [ -z "$pid" ] && [ -r /proc/net/tcp ]; then
    pid="$(pid_of_socket "$(printf '%04X' "$1")")"
  fi
  [ -n "$pid" ] || return 0
  name="$(ps -o comm= -p "$pid" 2>/dev/null || cat "/proc/$pid/comm" 2>/dev/null)" || name=""
  printf '%s (process %s)\n' "${name:-a program}" "$pid"
}

# The process that listens on a port in hexadecimal, on Linux without ss and lsof.
pid_of_socket() {
  local inode link
  inode="$(cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk -v port=":$1" '$4 == "0A" && $2 ~ port "$" { print $10; exit }')"
  [ -n "$inode" ] || return 0
  for link in /proc/[0-9]*/fd/*; do
    if [ "$(readlink "$link" 2>/dev/null)" = "socket:[$inode]" ]; then
      link="${link#/proc/}"
      printf '%s\n' "${link%%/*}"
      return 0
    fi
  done
}

# The address that `toygres serve` will listen on, from its arguments, the environment, or the .env of this directory.
listen_address() {
  local address
  address="$(argument_of --listen "$@")"
  [ -n "$address" ] || address="${TOYGRES_LISTEN:-}"
  [ -n "$address" ] || address="$(sed -n 's/^TOYGRES_LISTEN=//p' .env 2>/dev/null | tr -d "\"'" | tail -n 1)"
  printf '%s\n' "${address:-127.0.0.1:8080}"
}

# The data directory that is asked for, in the same places; nothing if none is.
data_directory() {
  local directory
  directory="$(argument_of --data-dir "$@")"
  [ -n "$directory" ] || directory="${TOYGRES_DATA_DIR:-}"
  [ -n "$directory" ] || directory="$(sed -n 's/^TOYGRES_DATA_DIR=//p' .env 2>/dev/null | tr -d "\"'" | tail -n 1)"
  printf '%s\n' "$directory"
}

# argument_of --listen --debug --listen 127.0.0.1:9000 -> 127.0.0.1:9000
argument_of() {
  local name="$1" previous="" argument
  shift
  for argument in "$@"; do
    case "$argument" in "$name="*) printf '%s\n' "${argument#*=}" ;; esac
    [ "$previous" != "$name" ] || printf '%s\n' "$argument"
    previous="$argument"
  done
}

# Lets temporary files be in memory until the script ends, where there is enough of it: file systems on disks take a fifth of the processor
# time of the tests, which make and delete hundreds of data directories.
use_memory_for_temporary_files() {
  local shared="/dev/shm" space
  [ -z "${TMPDIR:-}" ] && [ -w "$shared" ] || return 0
  space="$(df -Pk "$shared" | awk 'NR == 2 { print int($4 / 1024) }')"
  [ "${space:-0}" -ge 8000 ] && [ "$(available_memory)" -ge 12000 ] || return 0
  TMPDIR="$(mktemp -d "$shared/toygres.XXXXXX")"
  # For the user of PostgreSQL too, as /tmp is.
  chmod 1777 "$TMPDIR"
  # shellcheck disable=SC2064
  trap "rm -rf '$TMPDIR'" EXIT
  export TMPDIR TOYGRES_TEST_TEMPLATES="$TMPDIR/templates"
}
