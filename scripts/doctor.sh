# ./x doctor: looks, changes nothing.

DISK_FREE_MIN_GB=12
MEMORY_MIN_GB=4

help_doctor() {
    cat <<'HELP'
usage: ./x doctor
Checks toolchain, packages, disk, memory and clock, then, if a profile (strongroom.toml) lies at the root of this repository,
asks `strongroom doctor` about the server that it names. Installs nothing.
Exit 1 if something that ./x test needs is missing; a warning (!) never fails.
HELP
}

cmd_doctor() {
    [ $# -eq 0 ] || bad_usage "doctor takes no arguments"
    DOCTOR_BAD=0
    doctor_toolchain
    doctor_packages
    doctor_machine
    if ! [ -x "$TARGET/release/strongroom" ]; then
        warn "strongroom is not built yet: ./x demo builds it"
    elif [ -f strongroom.toml ]; then
        "$TARGET/release/strongroom" doctor || DOCTOR_BAD=1
    else
        good "strongroom is built; no profile here, so no server is asked"
    fi
    exit "$DOCTOR_BAD"
}

good() { say "${GREEN}✓${OFF} $*"; }
warn() { say "! $*"; }
bad() {
    say "${RED}✗${OFF} $*"
    DOCTOR_BAD=1
}

doctor_toolchain() {
    local have
    have=$(rustc --version 2>/dev/null | cut -d' ' -f2) || have=
    if [ -z "$have" ]; then
        bad "no Rust toolchain: https://rustup.rs"
    elif version_at_least "${have%%-*}" "$RUST_MIN"; then
        good "rustc $have"
    else
        bad "rustc $have is older than $RUST_MIN: rustup update stable"
    fi
    local component
    for component in fmt clippy; do
        if cargo "$component" --version >/dev/null 2>&1; then good "cargo $component"; else bad "cargo $component is missing"; fi
    done
    local deny
    if deny=$(cached_if_sound cargo-deny make_cargo_deny "$CARGO_DENY_VERSION"); then
        good "$("$deny/bin/cargo-deny" --version), cached in $(cache_home)"
    else
        warn "cargo-deny $CARGO_DENY_VERSION is not built yet: ./x lint builds it once into $(cache_home)"
    fi
}

doctor_packages() {
    local program
    for program in cc c++ python3 git tar setpriv flock; do
        if command -v "$program" >/dev/null; then good "$program"; else bad "$program is missing"; fi
    done
    if [ -x "$POSTGRES_BIN/initdb" ]; then good "PostgreSQL 15"; else warn "PostgreSQL 15: ./x test installs it"; fi
}

doctor_machine() {
    local free_gb memory_gb
    free_gb=$(($(df --output=avail -k . | tail -n 1) / 1024 / 1024))
    if [ "$free_gb" -ge "$DISK_FREE_MIN_GB" ]; then
        good "disk: $free_gb GB free"
    else
        bad "disk: $free_gb GB free, a full build wants $DISK_FREE_MIN_GB"
    fi
    memory_gb=$(($(sed -n 's/^MemTotal: *\([0-9]*\).*/\1/p' /proc/meminfo) / 1024 / 1024))
    if [ "$memory_gb" -ge "$MEMORY_MIN_GB" ]; then
        good "memory: $memory_gb GB, $(nproc) cores"
    else
        warn "memory: $memory_gb GB; use CARGO_BUILD_JOBS=1 if a compile is killed"
    fi
    # A signer whose clock is off by more than 5 s refuses (clock_skew).
    if [ "$(timedatectl show --property=NTPSynchronized --value 2>/dev/null)" = yes ]; then
        good "clock is synchronised"
    else
        warn "no proof that the clock is synchronised (timedatectl); signers refuse beyond 5 s of skew"
    fi
    # Everything the demo opens is on the loopback address; `strongroom doctor` checks the configured ports themselves.
    if (exec 3<>/dev/udp/127.0.0.1/9) 2>/dev/null; then good "loopback is up"; else bad "no loopback interface"; fi
}
