# Progress and small tools for ./x. Progress goes to stderr: stdout belongs to the command that was asked for
# (several end in one line of JSON).

# Of this clone: the advisory database, where deny.toml looks for it. Built tools live outside, see cache.sh.
CACHE=$PWD/.cache
TARGET=${CARGO_TARGET_DIR:-$PWD/target}

if [ -t 2 ] && [ -z "${NO_COLOR:-}" ]; then
    GREEN=$'\e[32m' RED=$'\e[31m' GREY=$'\e[90m' OFF=$'\e[0m'
else
    GREEN='' RED='' GREY='' OFF=''
fi

say() { echo "$*" >&2; }

die() {
    say "${RED}✗${OFF} $*"
    exit 1
}

# A wrong call of ./x itself: exit code 2, as for an unknown command.
bad_usage() {
    say "./x: $*"
    exit 2
}

# Before a `--`, which hands the rest to the program behind the command.
wants_help() {
    local argument
    for argument in "$@"; do
        case $argument in
            --) return 1 ;;
            -h | --help) return 0 ;;
        esac
    done
    return 1
}

STEPS=()
FAILED_STEPS=()
KEEP_GOING=no

# step NAME COMMAND…: runs it, prints ✓ or ✗ with the seconds it took. The first failure ends the run unless KEEP_GOING=yes.
# Never call it inside `if`, `&&` or `||`: bash would switch `set -e` off inside the step.
step() {
    local name=$1 start=$EPOCHREALTIME rc
    shift
    say "${GREY}▸ $name${OFF}"
    set +e
    (
        set -e
        "$@"
    )
    rc=$?
    set -e
    local line
    line="$name  $(seconds_since "$start") s"
    if [ "$rc" -eq 0 ]; then
        say "${GREEN}✓${OFF} $line"
        STEPS+=("✓ $line")
        return
    fi
    say "${RED}✗${OFF} $line  (exit $rc)"
    STEPS+=("✗ $line")
    FAILED_STEPS+=("$name")
    if [ "$KEEP_GOING" != yes ]; then summary; fi
}

# Prints what ran; exits 1 if any step failed.
summary() {
    local line
    say ""
    for line in "${STEPS[@]}"; do say "  $line"; done
    if [ "${#FAILED_STEPS[@]}" -gt 0 ]; then die "failed: ${FAILED_STEPS[*]}"; fi
    say "${GREEN}✓${OFF} all passed in $SECONDS s"
}

# Deciseconds are enough; bash has no floats, so the sum is done on microseconds.
seconds_since() {
    local start=${1/[.,]/} now=${EPOCHREALTIME/[.,]/}
    local tenths=$(((now - start) / 100000))
    echo "$((tenths / 10)).$((tenths % 10))"
}

# version_at_least HAVE WANT
version_at_least() {
    [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]
}
