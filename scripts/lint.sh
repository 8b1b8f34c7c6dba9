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
}

help_lint() {
    cat <<'HELP'
usage: ./x lint [--keep-going]
Formatting, clippy with warnings as errors, cargo-deny (licences, banned and fenced crates, advisories from the
committed snapshot; no network), which of our crates may depend on which, the signer's dependency list, error pages, file sizes.

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
lint_steps() {
    step "shell scripts parse" shell_syntax
    step "formatting" fmt_check
    step "layers: which crate may depend on which" xtask check-layers
    step "signer: dependency list" xtask signer-deps
    step "errors: each code has its page" xtask error-pages
    step "file sizes" xtask file-sizes
    step "dependencies: licences, bans, advisories" deny_check
    step "clippy" clippy_check
}

xtask() { cargo run --quiet --locked --package xtask -- "$@"; }

shell_syntax() {
    local script
    for script in x .ci/run scripts/*.sh; do bash -n "$script"; done
}

fmt_check() {
    ensure_component fmt rustfmt
    cargo fmt --all --check
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
    "$CACHE/tools/bin/cargo-deny" --locked --offline check --hide-inclusion-graph
}
