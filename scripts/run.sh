# ./x demo, sim, model, bench, attack: build what is needed, then hand over to the program.

help_demo() {
    cat <<'HELP'
usage: ./x demo [--check] [--out DIR]
Three signers and a witness as processes of their own, the services on embedded parts, a Bitcoin development chain whose
every spend goes through Bitcoin Core's script interpreter. Needs no server and no account.

  (no option)   shows the transfer and the refused attacks, then leaves the platform up with commands to try; Ctrl-C ends it
  --check       runs everything once; exit 0 only if all of it held; the last line is JSON
  --out DIR     keep the artefacts there; `strongroom verify DIR` recomputes the claim from them
HELP
}

cmd_demo() {
    ensure_build
    step "build" build_release
    exec "$TARGET/release/strongroom-dev" demo "$@"
}

# Cargo unifies features across the packages of one build. The same four are always named, so that demo, bench and shipped
# programs share one variant of each crate. Two more are built on purpose: the signer alone, because what runs is what ships
# and another package must not add a feature to it; and the simulator with its memo of verifications, below.
RELEASED=(--package strongroom-dev --package strongroom --package strongroom-sim --package strongroom-bench)

# The demo and its development parts, and the two shipped programs beside it.
build_release() {
    cargo build --release --locked "${RELEASED[@]}" --bin strongroom-dev --bin strongroom
    build_signer
}

build_signer() {
    cargo build --release --locked --package strongroom-signer
}

# Its replicas remember what another of them verified on the same thread: two fifths of a seed's time. The shipped programs do
# not compile with that feature, so it is asked for here alone.
build_sim() {
    cargo build --release --locked "${RELEASED[@]}" --features strongroom-sim/verified-memo --bin strongroom-sim
    SIM_PROGRAM=$TARGET/release/strongroom-sim
}

# The same with the guards' switch. Both builds leave their program under one name, so this one is copied away.
build_sim_mutants() {
    with_switch build_sim
    mkdir -p "$ATTACK_MUTANTS"
    cp "$TARGET/release/strongroom-sim" "$ATTACK_MUTANTS/"
    SIM_PROGRAM=$ATTACK_MUTANTS/strongroom-sim
}

help_sim() {
    cat <<'HELP'
usage: ./x sim [--seeds N] [--from SEED] [--json]
       ./x sim --seed SEED [--trace]
       ./x sim --seed SEED --step [--until EVENT]
       ./x sim --cases | --list-cases | --case NAME [--trace | --step]
       ./x sim --seeds N --from SEED --resume FILE [--slice N]
       ./x sim --mutants FILE [--guard NAME…] [--seeds N] [--from SEED]
The real state machines of all services and signers on virtual clocks, with drops, duplicates, reordering, delays, crashes
and restored disks drawn from the seed. A failing seed is printed and replays exactly. With --json the last line is JSON.

  --cases         every case, a plan made by hand for one situation; fails also where it became another situation
  --resume FILE   a line of JSON per slice (1000 seeds) is kept there, and what it has is not run again: a long run goes on
                  where it was interrupted
  --seed SEED     only this seed; --trace prints every event with its number and name
  --step          walk the seed event by event: Enter goes to the next turn in which something happens, s shows the state
                  of every part, c goes on to the end, q quits
  --until EVENT   do not ask, run to the event with this number or the first one of this name (share_released, kill,
                  violated, ...; a wrong name prints all names), print the state of every part after the turn in which it
                  happened and exit 0; 1 if the seed ends before it
  --mutants FILE  one guard after the other is switched off (docs/claims.md has their names), each in N seeds or until one
                  breaks a property; a line of JSON per guard is kept in FILE, and what it has is not run again

All options go to the simulator: `./x sim -- --help` shows its own list.
HELP
}

cmd_sim() {
    ensure_build
    strip_separator "$@"
    case " $* " in
        *" --mutants "* | *" --mutants="*) build_sim_mutants ;;
        *) build_sim ;;
    esac
    exec "$SIM_PROGRAM" "${REST[@]}"
}

# Alone: nothing that ships is ever built with the features that the checker asks for.
build_model() {
    cargo build --release --locked --package strongroom-journal-model
}

help_model() {
    cat <<'HELP'
usage: ./x model [FILTER] [--list] [--json]
Searches the model of the journal exhaustively: what must hold with every rule in force, and what must break with one rule
removed, with the shortest trace of each. docs/model.md says what this shows and what it does not.

  FILTER          only scenarios whose names contain this: `./x model time,`
  --list          print the names and what is expected, search nothing
  --json          the last line is JSON

Exit code 0 only if every scenario ended as expected and every search finished; 2 if no name contains FILTER.
All options go to the program: `./x model -- --help` shows its own list.
HELP
}

cmd_model() {
    ensure_build
    strip_separator "$@"
    build_model
    exec "$TARGET/release/strongroom-model" ${REST[@]+"${REST[@]}"}
}

help_bench() {
    cat <<'HELP'
usage: ./x bench core [--json]       threshold signing beside libsecp256k1 and ed25519-dalek, policy with 200 rules
       ./x bench journal [--json]    journal entries per second with three replaying signers and a witness
Measured in a release build; run it on a quiet machine. With --json the last line is JSON.
HELP
}

cmd_bench() {
    case ${1:-} in
        core | journal) ;;
        *) bad_usage "bench wants 'core' or 'journal'" ;;
    esac
    ensure_build
    cargo build --release --locked "${RELEASED[@]}" --bin strongroom-bench
    exec "$TARGET/release/strongroom-bench" "$@"
}

help_attack() {
    cat <<'HELP'
usage: ./x attack [ROW…] [--mutants [--sixth K] [--keep]] [--json] [--out DIR]
       ./x attack --list | --direct [GUARD…] | --pages

Attacks that must fail, against the shipped signers and witnesses as processes, with every service, the log's key and the
network in the attacker's hands. Each row of docs/attacks.md is made beside an honest payment, which is signed. Evidence
goes to DIR (target/attack), a folder a run: what the attacker brought, the refusals, the honest signature. A folder that
lacks one of them, or that `strongroom verify` does not recompute, fails its row.

  ROW         only these rows, as 29 or C1: the story, who refused by which code, and what happens without the guard
  --mutants   make each attack again with the one guard off that stops it: now it must succeed
  --sixth K   only every sixth attack that has a guard, beginning with number K (0 to 5)
  --keep      keep the results as those of this commit (testkit/attack/results.jsonl), for docs/claims.md
  --json      a line of JSON for each run, with code, mutant and harm
  --list      the rows in words, and the guards of each
  --direct    instead: the direct test of each guard, which must go red with the guard off (about 15 minutes, most of it building)
  --pages     instead: write docs/attacks.md and docs/claims.md again

The last line is {"attacks", "defended", "mutations", "red", "needs"}: rows that were made, rows of which every attack failed,
attacks made again without their guard, those that then succeeded, and ids of docs/attacks.md that wait for a part as a whole
(what waits of a row that is made is not counted). Exit code 0 only if attacks = defended and mutations = red; 2 for a row
that is not there.
HELP
}

cmd_attack() {
    local mutants=no direct=no alone=no arguments=() rows=() argument before='' commit
    for argument in "$@"; do
        case $argument in
            --mutants) mutants=yes ;;
            --keep)
                mutants=yes
                commit=$(attacked_commit)
                arguments+=(--keep "$commit")
                ;;
            --direct) direct=yes ;;
            --pages) alone=yes arguments+=(--pages .) ;;
            --list) alone=yes arguments+=(--list) ;;
            -*) arguments+=("$argument") ;;
            *)
                arguments+=("$argument")
                case $before in --out | --sixth) ;; *) rows+=("$argument") ;; esac
                ;;
        esac
        before=$argument
    done
    # Said before anything is built; the program says it as well.
    if [ "$direct" = no ]; then
        for argument in ${rows[@]+"${rows[@]}"}; do
            is_attack "$argument" || bad_usage "no row '$argument': ./x attack --list shows them"
        done
    fi
    ensure_build

    if [ "$alone" = yes ]; then
        step "build" attack_program "$ATTACK_PLAIN"
        exec "$ATTACK_PLAIN/strongroom-attack" "${arguments[@]}"
    fi
    if [ "$direct" = yes ]; then
        step "build" attack_program "$ATTACK_PLAIN"
        step "build with the guards' switch" attack_tests "$ATTACK_MUTANTS"
        exec "$ATTACK_PLAIN/strongroom-attack" --direct "$ATTACK_MUTANTS/tests.json" ${arguments[@]+"${arguments[@]}"}
    fi
    step "build" build_attack
    if [ "$mutants" = yes ]; then
        step "build with the guards' switch" build_attack_mutants
        arguments+=(--mutants "$ATTACK_MUTANTS")
    fi
    exec "$ATTACK_PLAIN/strongroom-attack" ${arguments[@]+"${arguments[@]}"}
}

# Whether docs/attacks.md has an attack of this id.
is_attack() {
    # The first column of a row's own table has names of guards.
    [[ $1 =~ ^C?[0-9]+$ ]] || return 1
    grep -qxF "## $1" docs/attacks.md || grep -qF "| $1 | " docs/attacks.md
}

# What a kept result is of: the commit and the day. What is not committed has no name, new files among it.
attacked_commit() {
    local changed
    changed=$(git status --porcelain -- crates testkit Cargo.toml Cargo.lock ':!testkit/attack/results.jsonl')
    [ -z "$changed" ] || die "--keep: commit what is attacked first:"$'\n'"$changed"
    echo "\`$(git rev-parse --short HEAD)\`, $(date -u +%F)"
}

# Builds with and without the switch leave their programs under one name, so each is copied away.
ATTACK_PLAIN=$TARGET/attack-programs/plain
ATTACK_MUTANTS=$TARGET/attack-programs/mutants

# The attacker's own program.
attack_program() {
    cargo build --workspace --locked --bin strongroom-attack
    mkdir -p "$1"
    cp "$TARGET/debug/strongroom-attack" "$1/"
}

# What is attacked is what ships.
build_attack() {
    build_signer
    attack_program "$ATTACK_PLAIN"
    cp "$TARGET/release/strongroom-signer" "$ATTACK_PLAIN/"
}

# With the switch both are of the development profile: nothing of them ships.
build_attack_mutants() {
    with_switch cargo build --workspace --locked --bin strongroom-attack --bin strongroom-signer
    mkdir -p "$ATTACK_MUTANTS"
    cp "$TARGET/debug/strongroom-attack" "$TARGET/debug/strongroom-signer" "$ATTACK_MUTANTS/"
}

# The tests of processes start the program beside them, which must have the switch, too.
attack_tests() {
    mkdir -p "$1"
    with_switch cargo test --workspace --locked --lib --test it --no-run --message-format=json >"$1/tests.json"
}

# Only our own crates are compiled again: cargo puts the wrapper before rustc for no other.
with_switch() {
    RUSTC_WORKSPACE_WRAPPER=$PWD/scripts/mutants-rustc.sh "$@"
}

# Drops one leading `--`, used to pass --help through to the program.
strip_separator() {
    if [ "${1:-}" = -- ]; then shift; fi
    REST=("$@")
}
