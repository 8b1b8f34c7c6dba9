#!/usr/bin/env bash
# The cache of scripts/cache.sh: builds once, notices damage, lets one of two builders build.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=/dev/null
. scripts/lib.sh
# shellcheck source=/dev/null
. scripts/cache.sh

WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
export XDG_CACHE_HOME=$WORK/cache
BUILDS=$WORK/builds

# Every build leaves a line.
recipe() {
    echo "$2" >>"$3"
    mkdir "$1/bin"
    printf '#!/bin/sh\necho "tool %s"\n' "$2" >"$1/bin/tool"
    chmod 755 "$1/bin/tool"
}
slow_recipe() {
    echo "$2" >>"$3"
    sleep 0.7
    echo built >"$1/tool"
}
failing_recipe() {
    echo "$2" >>"$3"
    false
    echo "all the same" >"$1/tool"
}

builds() { if [ -f "$BUILDS" ]; then wc -l <"$BUILDS"; else echo 0; fi; }
get() { cached tool "${1:-recipe}" "${2:-1.0}" "$BUILDS" 2>>"$WORK/messages"; }
# The counter is a file among the arguments, so it must not be part of the key.
cache_entry() { (
    name=$1 made_by=$2 version=$3
    echo "$(cache_home)/$name/$({ declare -f "$made_by"; echo "$version"; } | sha256sum | cut -c1-32)"
); }

failed() {
    echo "cache test: $*" >&2
    [ -f "$WORK/messages" ] && cat "$WORK/messages" >&2
    exit 1
}
# expect WHAT HAVE WANT
expect() { [ "$2" = "$3" ] || failed "$1: have '$2', want '$3'"; }

tool=$(get)
expect "the result works" "$("$tool/bin/tool")" "tool 1.0"
get >/dev/null
expect "builds of one key" "$(builds)" 1
expect "the folder is ours alone" "$(stat -c %a "$XDG_CACHE_HOME/strongroom/tool")" 700

# damage NAME COMMAND…: after this the result is built again, with a message.
damage() {
    local what=$1 before
    before=$(builds)
    shift
    "$@"
    : >"$WORK/messages"
    expect "result after: $what" "$("$(get)/bin/tool")" "tool 1.0"
    expect "builds after: $what" "$(builds)" $((before + 1))
    grep -q "was changed since it was built" "$WORK/messages" || failed "no message after: $what"
}
append() { echo "$1" >>"$2"; }
other_hash() { cache_hash /etc/init.d >"$1.sha256"; }
swap_for_link() {
    cp -r "$1" "$WORK/elsewhere"
    rm -rf "$1"
    ln -s "$WORK/elsewhere" "$1"
}
damage "a changed byte" append '# x' "$tool/bin/tool"
damage "a foreign file" append x "$tool/bin/libevil.so"
damage "a missing file" sh -c "rm '$tool/bin/tool'"
damage "another mode" chmod 700 "$tool/bin/tool"
damage "a result that others may write" chmod 777 "$tool/bin"
damage "a link instead of a folder" swap_for_link "$tool"
damage "no hash beside it" rm "$tool.sha256"
damage "another hash beside it" append 0 "$tool.sha256"
cached_if_sound tool recipe 1.0 >/dev/null || failed "a sound result is not found"
append x "$tool/bin/tool"
if cached_if_sound tool recipe 1.0 >/dev/null; then failed "a damaged result is called sound"; fi
get >/dev/null

# Another version or recipe is another key; the first one stays.
before=$(builds)
expect "another version" "$("$(get recipe 2.0)/bin/tool")" "tool 2.0"
get slow_recipe >/dev/null
get >/dev/null
expect "builds of two other keys" "$(builds)" $((before + 2))

# Two builders at once.
before=$(builds)
get slow_recipe 3.0 >"$WORK/first" &
get slow_recipe 3.0 >"$WORK/second" &
wait
expect "builds by two at once" "$(builds)" $((before + 1))
expect "both use the same" "$(cat "$WORK/first")" "$(cat "$WORK/second")"
expect "nothing is left over" "$(find "$XDG_CACHE_HOME" -name '.building.*' | wc -l)" 0

# A build that fails leaves nothing that could be used.
if get failing_recipe 1.0 >/dev/null; then failed "a failed build is a result"; fi
if cached_if_sound tool failing_recipe 1.0 >/dev/null; then failed "half a build is called sound"; fi
expect "nothing is left of it" "$(find "$XDG_CACHE_HOME" -name '.building.*' | wc -l)" 0

# The real key follows from recipe, arguments, the content of files among them, and nothing random.
unset -f cache_entry
# shellcheck source=/dev/null
. scripts/cache.sh
echo one >"$WORK/lock"
key=$(cache_entry tool recipe 1.0 "$WORK/lock")
expect "a stable key" "$(cache_entry tool recipe 1.0 "$WORK/lock")" "$key"
for other in "tool recipe 1.1 $WORK/lock" "tool slow_recipe 1.0 $WORK/lock" "other recipe 1.0 $WORK/lock"; do
    # shellcheck disable=SC2086
    [ "$(cache_entry $other)" != "$key" ] || failed "the key does not follow from: $other"
done
echo two >"$WORK/lock"
[ "$(cache_entry tool recipe 1.0 "$WORK/lock")" != "$key" ] || failed "the key does not follow from a lock file"
(
    unset XDG_CACHE_HOME
    HOME=$WORK/home
    expect "without XDG_CACHE_HOME" "$(cache_home)" "$WORK/home/.cache/strongroom"
)
echo "cache: sound" >&2
