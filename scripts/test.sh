# ./x test: what CI runs. Each check is a named step, so that it can be read and run alone.

# name | seconds on 2 idle cores when everything is built | what it checks
STEPS_TABLE="
shell       |   1 | shell scripts parse
fmt         |   1 | rustfmt
layers      |   1 | which crate may depend on which; circles of modules; what the shipped programs contain
signer-deps |   1 | the signer's dependencies are those of the committed list
error-pages |   1 | each refusal code has its page, each domain of a digest its row
file-sizes  |   1 | no Rust file is over 500 lines, no function over 70
cache       |   2 | built tools: damage is noticed, two builders build once
deny        |   1 | licences, banned and fenced crates, advisories of the committed snapshot
clippy      |  12 | clippy, warnings are errors
prose       |   1 | comments, paragraphs and words of the production code; refuses what misses the measures
formats     |   1 | the formats, recomputed in Python
build       |   1 | every crate and test is compiled, once; the steps below only run
unit        |   3 | unit tests of all crates
crates      | 140 | tests/it of all crates, with a throw-away PostgreSQL
roles       |   3 | the services as roles of several processes sign a transfer
chain-probe |  38 | a chain is added to a copy of the tree, and how many files that takes
docs        |  50 | examples in doc comments; links in them lead somewhere
cases       |  48 | every named case of the simulation, and each without what goes wrong in it
sim-1       |  78 | the simulation: the first 250 of 1000 seeds, drawn from the commit id
sim-2       |  78 | the next 250
sim-3       |  78 | the next 250
sim-4       |  78 | the last 250; each kind of fault must have been hit often enough in all
attacks     |  88 | every listed attack fails against the signer that ships
mutants     |  55 | a sixth of the attacks, drawn from the commit id, each succeeds without its guard
model       |  85 | every scenario of the model: what must hold, and what must break without a rule
demo        |  61 | ./x demo --check; the shipped programs hold nothing of the guards' switch
"

# Tiers.
WORKSPACE_STEPS=(build unit crates roles chain-probe docs)
SIM_STEPS=(cases sim-1 sim-2 sim-3 sim-4)
FAST_STEPS=(fmt layers signer-deps formats unit)
ATTACK_STEPS=(attacks mutants)
FULL_STEPS=("${LINT_STEPS[@]}" formats "${WORKSPACE_STEPS[@]}" "${SIM_STEPS[@]}" model "${ATTACK_STEPS[@]}" demo)

help_test() {
    cat <<'HELP'
usage: ./x test [fast|full] [--keep-going]
       ./x test STEP… [--keep-going]      one or more of the steps below; `lint` is all of ./x lint,
                                          `workspace` every test: build, unit, crates, roles, chain-probe, docs;
                                          `sim` the cases and the 1000 seeds: cases, sim-1 to sim-4
Does its own set-up: Debian packages if missing; tools that are built from source go to ~/.cache/strongroom, once per machine.

  full   (default, CI) lint, formats, workspace, sim, model, attacks, mutants, demo
  fast   fmt, layers, signer-deps, formats, unit

  --keep-going   run every step even after one failed

One uninterrupted run from a fresh clone, nothing built before, on 2 idle cores:
  full   with a warm cache      2450 s: half of it compiles
  full   with an empty cache    135 s more: cargo-deny is built once

HELP
    echo "step          seconds  (everything built, 2 idle cores)"
    local name seconds what
    while IFS='|' read -r name seconds what; do
        if [ -n "$name" ]; then printf '%-12s %8s  %s\n' "${name// /}" "${seconds// /}" "${what# }"; fi
    done <<<"$STEPS_TABLE"
}

cmd_test() {
    local names=() options=() argument
    for argument in "$@"; do
        case $argument in
            --*) options+=("$argument") ;;
            fast) names+=("${FAST_STEPS[@]}") ;;
            full) names+=("${FULL_STEPS[@]}") ;;
            lint) names+=("${LINT_STEPS[@]}") ;;
            workspace) names+=("${WORKSPACE_STEPS[@]}") ;;
            sim) names+=("${SIM_STEPS[@]}") ;;
            *)
                [ -n "$(step_field 3 "$argument")" ] || bad_usage "unknown step '$argument': ./x test --help lists them"
                names+=("$argument")
                ;;
        esac
    done
    parse_keep_going ${options[@]+"${options[@]}"}
    [ "${#names[@]}" -gt 0 ] || names=("${FULL_STEPS[@]}")
    ensure_build
    for argument in "${names[@]}"; do named_step "$argument"; done
    summary
}

# named_step NAME: runs `step_NAME` and prints its seconds.
named_step() {
    step "$1: $(step_field 3 "$1")" "step_$1"
}

# step_field FIELD NAME: a column of the table.
step_field() {
    local name seconds what
    while IFS='|' read -r name seconds what; do
        [ "${name// /}" = "$2" ] || continue
        case $1 in
            2) echo "${seconds// /}" ;;
            3) echo "${what# }" ;;
        esac
    done <<<"$STEPS_TABLE"
}

step_prose() { xtask prose --check; }

step_formats() {
    ensure_python
    python3 testkit/formats-py/check.py
}

# Always all of the workspace: a selection by package resolves other features, and compiles what is shared once more.
# What runs alone is therefore selected by the name of its test binary.
workspace_test() { cargo test --workspace --locked "$@"; }

step_build() { workspace_test --no-run; }

step_unit() { workspace_test --lib --bins; }

step_crates() {
    ensure_postgres
    ensure_python
    workspace_test --test it
}

step_roles() { workspace_test --test roles; }

step_chain-probe() { workspace_test --test chain-probe; }

step_docs() {
    workspace_test --doc
    RUSTDOCFLAGS="-D warnings -A rustdoc::private-intra-doc-links" cargo doc --workspace --no-deps --locked --quiet
}

step_cases() {
    build_sim
    "$TARGET/release/strongroom-sim" --cases
}

# Another commit draws other seeds, and the same commit the same: `./x sim --seeds 1000 --from` the number that is printed.
# What an earlier step ran is read from its line; the last one sums up. The first one starts again.
sim_slice() {
    build_sim
    local base kept=$TARGET/sim-slices.jsonl
    base=$((16#$(git rev-parse HEAD | cut -c1-7)))
    if [ "$1" -eq 1 ]; then rm -f "$kept"; fi
    echo "seeds from $base"
    "$TARGET/release/strongroom-sim" --seeds $(($1 * 250)) --from "$base" --slice 250 --resume "$kept" --json
}

step_sim-1() { sim_slice 1; }
step_sim-2() { sim_slice 2; }
step_sim-3() { sim_slice 3; }
step_sim-4() { sim_slice 4; }

step_model() {
    build_model
    "$TARGET/release/strongroom-model" --json
}

step_attacks() {
    build_attack
    "$ATTACK_PLAIN/strongroom-attack" --json --out "$TARGET/attack"
}

# Each commit draws its own sixth, so that a few commits try every guard.
step_mutants() {
    build_attack
    build_attack_mutants
    local sixth=$((16#$(git rev-parse HEAD | cut -c1-7) % 6))
    echo "sixth $sixth"
    "$ATTACK_PLAIN/strongroom-attack" --json --out "$TARGET/attack" --mutants "$ATTACK_MUTANTS" --sixth "$sixth"
}

step_demo() {
    build_release
    xtask guard-names "$TARGET/release/strongroom" "$TARGET/release/strongroom-signer"
    rm -rf "$TARGET/demo-check"
    "$TARGET/release/strongroom-dev" demo --check --out "$TARGET/demo-check"
}
