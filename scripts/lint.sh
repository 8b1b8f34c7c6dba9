# ./x lint and ./x fmt: everything that is decided by reading, not by running.

help_fmt() {
    cat <<'HELP'
usage: ./x fmt
Formats all Rust sources in place (rustfmt.toml).
HELP
}

cmd_fmt() {
    [ $# -eq 0 ] || bad_usage "fmt takes no arguments"
    ensure_rust
    ensure_component fmt rustfmt
    cargo fmt --all
    rustfmt "${FUZZ_SOURCES[@]}"
}

# The fuzzing build is a workspace of its own, which cargo does not look into from here.
FUZZ_SOURCES=(--edition 2024 testkit/fuzz/libfuzzer/src/main.rs)

help_lint() {
    cat <<'HELP'
usage: ./x lint [--keep-going]
Formatting, clippy with warnings as errors, cargo-deny (licences, banned and fenced crates, advisories from the
committed snapshot; no network), which of our crates may depend on which, the signer's dependency list, error pages, the
paths, domains and tests that pages name, file sizes, words and paragraphs, shell syntax, the cache of built tools. Each check is also a step of its own: `./x test --help` lists them.

  --keep-going   run every check even after one failed
HELP
}

cmd_lint() {
    parse_keep_going "$@"
    ensure_build
    lint_steps
    summary
}

parse_keep_going() {
    local argument
    for argument in "$@"; do
        [ "$argument" = --keep-going ] || bad_usage "unknown option '$argument'"
        KEEP_GOING=yes
    done
}

# Cheap checks first.
LINT_STEPS=(shell fmt layers signer-deps error-pages file-sizes prose cache deny clippy)

lint_steps() {
    local name
    for name in "${LINT_STEPS[@]}"; do named_step "$name"; done
}

step_shell() { shell_syntax; }
step_fmt() { fmt_check; }
step_layers() { xtask check-layers; }
step_signer-deps() { xtask signer-deps; }
step_error-pages() { xtask error-pages; }
step_file-sizes() { xtask file-sizes; }
step_cache() { scripts/tests/cache.sh; }
step_deny() { deny_check; }
step_clippy() { clippy_check; }

# Built as a part of the workspace: alone it would compile a second variant of what it shares with the other crates.
xtask() {
    cargo build --quiet --locked --workspace --bin xtask
    "$TARGET/debug/xtask" "$@"
}

shell_syntax() {
    local script
    for script in x .ci/run scripts/*.sh scripts/tests/*.sh; do bash -n "$script"; done
}

fmt_check() {
    ensure_component fmt rustfmt
    cargo fmt --all --check
    rustfmt --check "${FUZZ_SOURCES[@]}"
}

clippy_check() {
    ensure_component clippy clippy
    cargo clippy --workspace --all-targets --locked -- -D warnings
}

# Offline on purpose: the answer depends on the commit, not on the day. Sources are fetched first, as any build would.
deny_check() {
    ensure_cargo_deny
    ensure_advisories
    cargo fetch --locked --quiet
    # The fuzzing build has a lock file of its own, which a change of a manifest must not leave behind.
    cargo fetch --locked --quiet --manifest-path testkit/fuzz/libfuzzer/Cargo.toml
    "$CARGO_DENY" --locked --offline check --hide-inclusion-graph
}
