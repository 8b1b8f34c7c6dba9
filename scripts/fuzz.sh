# ./x fuzz: every decoder of bytes from outside, guided by coverage, on the stable compiler.

help_fuzz() {
    cat <<'HELP'
usage: ./x fuzz [--minutes N] [--target T]… [--json] [--keep]
       ./x fuzz --list | --report [--json] | --target T --replay FILE | --self-test
Runs each fuzz target of testkit/fuzz under libFuzzer, two at a time on two cores. Corpora, logs and results are kept in
~/.cache/strongroom/fuzz, so that the next run goes on where this one ended. A target fails when it panics, takes memory that
its input did not pay for, takes more than 10 s for one input, or accepts no input at all; the input is then printed in hex
with its file and the command that runs it again.

  --minutes N   for all chosen targets together (10); each gets at least 5 seconds
  --target T    only this target; may be given again
  --json        a line of JSON for each target; the last line adds them up
  --keep        afterwards write a small corpus of each target, chosen by coverage, to testkit/fuzz/corpus (README there)
  --list        print the names of all targets
  --report      print what all runs of this build came to, with the least seconds that any target had
  --replay FILE run one target on one input
  --self-test   run the targets that are broken on purpose; each must be found (about a minute)

Exit code 0 only if no target failed; 2 for an unknown target or a wrong number. The first call builds
the targets with coverage, which takes some minutes.
HELP
}

cmd_fuzz() {
    ensure_build
    step "build with coverage" build_fuzz
    local commit
    commit=$(git rev-parse --short=12 HEAD 2>/dev/null) || commit=unknown
    exec "$TARGET/libfuzzer/release/strongroom-libfuzzer" \
        --work "$(cache_home)/fuzz" --repository "$PWD" --commit "$commit" "$@"
}

# In a folder of its own: no crate is compiled here as it is for the other commands.
build_fuzz() {
    CARGO_TARGET_DIR=$TARGET/libfuzzer RUSTC_WRAPPER=$PWD/scripts/fuzz-rustc.sh \
        cargo build --release --locked --manifest-path testkit/fuzz/libfuzzer/Cargo.toml
}
