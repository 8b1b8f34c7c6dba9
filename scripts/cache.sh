# Tools and nodes that are built from source, once per machine instead of once per clone: CI starts from a fresh clone
# each time, and what lies in here is then executed. So:
#
# - the key is the SHA-256 of everything the result follows from: the recipe's text, its arguments and lock files, the
#   compiler, the machine;
# - the SHA-256 of the result is kept beside it and compared before each use; a result that was damaged, that others may
#   write to, or that someone else made, is built again;
# - a result appears by a rename, complete or not at all; one builder at a time (flock), the others wait and use it.

cache_home() { echo "${XDG_CACHE_HOME:-$HOME/.cache}/strongroom"; }

# cached NAME RECIPE [ARGUMENT…]: prints the folder with what RECIPE makes, after making it if need be.
#
# RECIPE is a function: `RECIPE FOLDER ARGUMENT…` fills the empty FOLDER. Its text and its arguments are part of the key,
# and of an argument that is a file (a lock file, a patch) the content: so it takes versions and checksums as arguments.
# It runs in a shell of its own, which knows no other function of these scripts and ends at the first error. It may use
# the network, and must then compare what it fetched with a checksum among its arguments.
cached() {
    local name=$1 result lock
    result=$(cache_entry "$@")
    (
        umask 077
        mkdir -p "${result%/*}" || exit
        exec {lock}>"$result.lock"
        flock "$lock" || exit
        if cache_is_sound "$result"; then exit 0; fi
        if [ -e "$result" ] || [ -L "$result" ]; then
            say "cache: $name was changed since it was built: building it again"
        else
            say "cache: building $name into $result (once)"
        fi
        cache_build "$result" "${@:2}"
    ) || return
    echo "$result"
}

# cached_if_sound NAME RECIPE [ARGUMENT…]: as `cached`, but fails where that would build.
cached_if_sound() {
    local result
    result=$(cache_entry "$@")
    cache_is_sound "$result" || return
    echo "$result"
}

# cache_build RESULT RECIPE [ARGUMENT…]. Each command is checked by hand: bash ignores `set -e` left of an `||`.
cache_build() {
    local result=$1 recipe=$2 fresh
    shift 2
    # What a killed builder left; a live one is younger.
    find "${result%/*}" -maxdepth 1 -name '.building.*' -mmin +720 -exec rm -rf {} +
    fresh=$(mktemp -d "${result%/*}/.building.XXXXXX") || return
    # The lock is not handed on: a process that the recipe leaves behind must not keep it.
    if ! bash -euo pipefail -c "$(declare -f "$recipe"); \"\$@\"" cached "$recipe" "$fresh" "$@" >&2 {lock}>&-; then
        rm -rf "$fresh"
        say "cache: $recipe failed"
        return 1
    fi
    chmod -R go-w "$fresh" || return
    # The hash first: a result without one is not used, so a crash between the two costs another build only.
    rm -rf "$result" || return
    cache_hash "$fresh" >"$result.sha256" || return
    mv -T "$fresh" "$result"
}

# cache_entry NAME RECIPE [ARGUMENT…]: where the result belongs.
cache_entry() {
    local name=$1 recipe=$2 argument key
    shift 2
    key=$(
        {
            echo "strongroom cache 1"
            declare -f "$recipe"
            for argument in "$@"; do
                printf 'argument %s\n' "$argument"
                if [ -f "$argument" ]; then sha256sum <"$argument"; fi
            done
            rustc -vV
            uname -sm
            getconf GNU_LIBC_VERSION 2>/dev/null || echo "no glibc"
        } | sha256sum
    )
    echo "$(cache_home)/$name/${key:0:32}"
}

# Whether a result is as it was built, and no one else can change it.
cache_is_sound() {
    local result=$1 foreign
    [ -d "$result" ] && [ ! -L "$result" ] && [ -f "$result.sha256" ] || return 1
    foreign=$(find "$result" "$result.sha256" \( ! -user "$(id -u)" -o ! -type l -perm /022 \) -print -quit)
    [ -z "$foreign" ] || return 1
    [ "$(cache_hash "$result")" = "$(cat "$result.sha256")" ]
}

# One hash over names, kinds, modes and contents of everything in a folder.
cache_hash() {
    (
        cd "$1"
        find . -mindepth 1 -printf '%P %y %m %l\0' | LC_ALL=C sort -z | tr '\0' '\n'
        find . -type f -print0 | LC_ALL=C sort -z | xargs -0 -r sha256sum
    ) | sha256sum | cut -c1-64
}
