# What must be on the machine before anything is built, and how it gets there.

RUST_MIN=1.95.0
CARGO_DENY_VERSION=0.20.2
POSTGRES_BIN=/usr/lib/postgresql/15/bin
ADVISORY_SNAPSHOT=deploy/advisory-db/advisory-db-2026-08-20.tar.gz
ADVISORY_DATE=2026-08-20
# cargo-deny names the folder of a database by its URL: this is https://github.com/rustsec/advisory-db.
ADVISORY_DIR=$CACHE/advisory-db/advisory-db-3157b0e258782691

ensure_rust() {
    command -v rustc >/dev/null && command -v cargo >/dev/null ||
        die "no Rust toolchain: install Rust ≥ $RUST_MIN from https://rustup.rs, then run this again"
    local have
    have=$(rustc --version | cut -d' ' -f2)
    version_at_least "${have%%-*}" "$RUST_MIN" ||
        die "Rust $have is too old: this workspace needs ≥ $RUST_MIN (rustup update stable)"
}

# ensure_component BINARY COMPONENT
ensure_component() {
    cargo "$1" --version >/dev/null 2>&1 && return
    command -v rustup >/dev/null || die "cargo $1 is missing and there is no rustup to install it with"
    rustup component add "$2"
}

# ensure_packages WHY PACKAGE…: Debian packages, installed only when asked for because something is missing.
ensure_packages() {
    local why=$1
    shift
    command -v apt-get >/dev/null || die "$why is missing: install what Debian calls: $*"
    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || die "$why is missing: run as root: apt-get install -y $*"
        as_root=(sudo)
    fi
    say "installing $* ($why)"
    "${as_root[@]}" apt-get update -q >&2
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" >&2
}

# The C and C++ in the tree: SQLite, libsecp256k1, Bitcoin Core's script interpreter.
ensure_compiler() {
    command -v cc >/dev/null && command -v c++ >/dev/null || ensure_packages "a C and C++ compiler" build-essential
}

# The store suite runs on SQLite and on a throw-away PostgreSQL that the test itself starts and stops.
ensure_postgres() {
    [ -x "$POSTGRES_BIN/initdb" ] || ensure_packages "PostgreSQL 15" postgresql-15
    command -v setpriv >/dev/null || ensure_packages "setpriv" util-linux
}

ensure_python() {
    command -v python3 >/dev/null || ensure_packages "Python 3" python3-minimal
}

ensure_build() {
    ensure_rust
    ensure_compiler
}

# Recipe for `cached`. Its lock file is inside the crate of that version, which the registry never changes and cargo checks against
# the index.
make_cargo_deny() {
    local into=$1 version=$2
    cargo install cargo-deny --version "$version" --locked --quiet --root "$into"
}

# Sets CARGO_DENY to the program; builds it on this machine's first run, several minutes.
ensure_cargo_deny() {
    local folder
    folder=$(cached cargo-deny make_cargo_deny "$CARGO_DENY_VERSION")
    CARGO_DENY=$folder/bin/cargo-deny
}

# Unpacks the committed snapshot where cargo-deny looks, with the snapshot's own date as its age.
ensure_advisories() {
    if [ "$(cat "$ADVISORY_DIR/.snapshot" 2>/dev/null)" != "$ADVISORY_DATE" ]; then
        rm -rf "$ADVISORY_DIR"
        mkdir -p "$ADVISORY_DIR/.git"
        tar -xzf "$ADVISORY_SNAPSHOT" -C "$ADVISORY_DIR"
        touch -d "$ADVISORY_DATE" "$ADVISORY_DIR/.git/FETCH_HEAD"
        echo "$ADVISORY_DATE" >"$ADVISORY_DIR/.snapshot"
    fi
    local age=$((($(date +%s) - $(date -d "$ADVISORY_DATE" +%s)) / 86400))
    say "advisory database: snapshot of $ADVISORY_DATE, $age days old (deploy/advisory-db/README.md says how to renew it)"
}
