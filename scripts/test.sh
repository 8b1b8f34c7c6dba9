# ./x test: what CI runs. Each check is one function, so that it can be read and run alone.

help_test() {
    cat <<'HELP'
usage: ./x test [fast|full] [--keep-going]
Does its own set-up (Debian packages if missing, tools into .cache/), then:

  full   (default, CI; under 45 minutes from a cold clone on 2 cores) all of ./x lint, every test of the workspace with a
         throw-away PostgreSQL, the formats recomputed in Python, 200 simulation seeds, ./x demo --check
  fast   (under 5 minutes warm) formatting, layers, the signer's dependency list, unit tests, formats in Python

  --keep-going   run every step even after one failed
HELP
}

cmd_test() {
    local tier=full
    case ${1:-} in
        fast | full)
            tier=$1
            shift
            ;;
    esac
    parse_keep_going "$@"
    ensure_build
    ensure_python
    "test_$tier"
    summary
}

test_fast() {
    step "formatting" fmt_check
    step "layers: which crate may depend on which" xtask check-layers
    step "signer: dependency list" xtask signer-deps
    formats_step
    step "unit tests" cargo test --workspace --locked --lib --bins
}

test_full() {
    lint_steps
    formats_step
    ensure_postgres
    step "tests of the whole workspace" cargo test --workspace --locked
    sim_step
    demo_step
}

formats_step() {
    step "formats, recomputed in Python" python3 testkit/formats-py/check.py
}

sim_step() {
    step "simulation, 200 seeds" cargo run --release --locked --package strongroom-sim -- --seeds 200 --json
}

demo_step() {
    step "release build" build_release
    step "demo --check" demo_check
}

demo_check() {
    rm -rf "$TARGET/demo-check"
    "$TARGET/release/strongroom-dev" demo --check --out "$TARGET/demo-check"
}
