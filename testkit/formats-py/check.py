#!/usr/bin/env python3
"""A second implementation of what people sign, and of the ids of conflict keys, written from docs/formats.md and sharing no line with the Rust one.

It reads the golden file of `strongroom-types` and computes for each case, from its text alone:

  1. that the text is canonical JSON (RFC 8785 restricted to strings, booleans, arrays, objects; no duplicate member),
  2. its digest: SHA-256 over u32be(len) || bytes of the domain tag, then of the text,
  3. the sixteen words: the first 176 bits of the digest, 11 bits a word, from the BIP-39 English list.

Of the golden file of `strongroom-journal` it computes the ids of conflict keys from their fields.

Python 3.11, standard library only. Exit 0: every case agrees. Exit 1: a difference, or nothing to compare.
"""

import hashlib
import json
import sys
import unicodedata
from pathlib import Path

VECTORS = Path(__file__).resolve().parents[2] / "crates" / "types" / "vectors"
GOLDEN = VECTORS / "golden.json"
JOURNAL_GOLDEN = VECTORS.parents[1] / "journal" / "vectors" / "golden.txt"
WORD_LIST = VECTORS / "bip39-english.txt"
WORD_LIST_SHA256 = "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda"
WORDS, BITS_PER_WORD = 16, 11
TEXT_BYTES_MAX, NESTING_MAX = 64 * 1024, 32
# The one version of each type that is read.
VERSIONS = {"intent": 2, "decision-core": 2, "approval": 2, "act": 2, "policy": 1}
MEMBERS = {"name", "text", "domain", "digest", "words"}

SHORT_ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}


class Refused(Exception):
    """The text is not canonical JSON of ours."""


def canonical(value):
    """RFC 8785 text of a value made of str, bool, list and dict."""
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, str):
        return '"' + "".join(escape(c) for c in value) + '"'
    if isinstance(value, list):
        return "[" + ",".join(canonical(item) for item in value) + "]"
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: name.encode("utf-16-be"))
        return "{" + ",".join(canonical(name) + ":" + canonical(value[name]) for name in names) + "}"
    raise Refused(f"a {type(value).__name__} is not allowed")


def check_nesting(value, depth=0):
    if depth > NESTING_MAX:
        raise Refused(f"nested deeper than {NESTING_MAX}")
    if isinstance(value, (list, dict)):
        for item in value if isinstance(value, list) else value.values():
            check_nesting(item, depth + 1)


NAMES = {"external_id", "label", "labels", "memo", "name", "purpose", "tags"}


# Characters of other categories that show nothing.
BLANK = [
    (0x34F, 0x34F), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x2800, 0x2800), (0x2D7F, 0x2D7F),
    (0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFFA0, 0xFFA0), (0x1107F, 0x1107F), (0x11A47, 0x11A47), (0x11A99, 0x11A99),
    (0x13440, 0x13442), (0x1BC9D, 0x1BC9D), (0x16FE4, 0x16FE4), (0x1D159, 0x1D159), (0xE0100, 0xE01EF),
]


def is_blank(c):
    return any(first <= ord(c) <= last for first, last in BLANK)


def is_name(text):
    """The rule of names, by this interpreter's table. It may be older than the pinned one of docs/formats.md: then it refuses the names
    that hold a character which only the pinned one knows, and judges all others alike. The golden names hold none."""
    hidden = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"}
    visible = all(c == " " or unicodedata.category(c) not in hidden and not is_blank(c) for c in text)
    sized = 1 <= len(text.encode("utf-8", "surrogatepass")) <= 128
    return sized and visible and text.strip(" ") == text and unicodedata.is_normalized("NFC", text)


ADDRESSES = {"address", "addresses"}


def is_address(text):
    return 1 <= len(text) <= 128 and all("!" <= c <= "~" for c in text)


def check_names(value):
    if isinstance(value, list):
        for item in value:
            check_names(item)
    elif isinstance(value, dict):
        for member, inner in value.items():
            for text in inner if isinstance(inner, list) else [inner]:
                if member in NAMES and isinstance(text, str) and not is_name(text):
                    raise Refused(f"{member} {text!r} is not a name")
                if member in ADDRESSES and isinstance(text, str) and not is_address(text):
                    raise Refused(f"{member} {text!r} is not an address")
            check_names(inner)


def escape(character):
    if character in SHORT_ESCAPES:
        return SHORT_ESCAPES[character]
    if character < " ":
        return f"\\u{ord(character):04x}"
    if "\ud800" <= character <= "\udfff":
        raise Refused("a lone surrogate")
    return character


def parse(text):
    """The value of a canonical text; anything else is refused."""

    if len(text.encode("utf-8", "surrogatepass")) > TEXT_BYTES_MAX:
        raise Refused(f"longer than {TEXT_BYTES_MAX} bytes")

    def no_number(_):
        raise Refused("a number")

    def no_duplicates(pairs):
        names = [name for name, _ in pairs]
        if len(set(names)) != len(names):
            raise Refused("a duplicate member")
        return dict(pairs)

    try:
        value = json.loads(
            text,
            object_pairs_hook=no_duplicates,
            parse_int=no_number,
            parse_float=no_number,
            parse_constant=no_number,
        )
    except (json.JSONDecodeError, RecursionError) as error:
        raise Refused(f"not JSON: {error}") from error
    check_nesting(value)
    if canonical(value) != text:
        raise Refused("not in canonical form")
    return value


def digest(domain, *fields):
    hashed = hashlib.sha256()
    for part in (domain.encode(), *fields):
        hashed.update(len(part).to_bytes(4, "big"))
        hashed.update(part)
    return hashed.digest()


def words(of, word_list):
    bits = int.from_bytes(of, "big") >> (256 - WORDS * BITS_PER_WORD)
    shifts = range((WORDS - 1) * BITS_PER_WORD, -1, -BITS_PER_WORD)
    return [word_list[bits >> shift & (1 << BITS_PER_WORD) - 1] for shift in shifts]


def load_words():
    raw = WORD_LIST.read_bytes()
    if hashlib.sha256(raw).hexdigest() != WORD_LIST_SHA256:
        raise SystemExit(f"{WORD_LIST} is not the BIP-39 English list")
    return raw.decode("ascii").split()


def differences(case, word_list):
    """What this implementation and the golden case disagree about, in words."""
    if set(case) != MEMBERS:
        return [f"members {sorted(case)} instead of {sorted(MEMBERS)}"]
    found = []
    try:
        value = parse(case["text"])
        check_names(value)
        if isinstance(value, dict) and "type" in value and value["type"] != case["domain"]:
            found.append(f"domain {case['domain']!r} is not the text's own type {value['type']!r}")
        if case["domain"] not in {f"strongroom/{kind}/v{version}" for kind, version in VERSIONS.items()}:
            found.append(f"{case['domain']!r} is of no type or version that is read")
    except Refused as reason:
        found.append(f"text refused: {reason}")
    expected = digest(case["domain"], case["text"].encode())
    if expected.hex() != case["digest"]:
        found.append(f"digest {case['digest']}, here {expected.hex()}")
    if words(expected, word_list) != case["words"]:
        found.append(f"words {case['words']}, here {words(expected, word_list)}")
    return found


def borsh_text(text):
    return len(text.encode()).to_bytes(4, "little") + text.encode()


# Vault, chain and conflict key (borsh: variant, fields) of each golden id of `strongroom/state-conflict/v1`.
CONFLICT_CHAIN = "bip122:0f9188f13cb7b2c71f2a335e3a4fc328"
CONFLICT_KEYS = {
    "state_conflict_coin": b"\x00" + borsh_text("a:0"),
    "state_conflict_sequence": b"\x01" + borsh_text("eip155:1:0xab") + (7).to_bytes(8, "little"),
    "state_conflict_once": b"\x02" + b"\x02" * 32,
}


def conflict_differences():
    """What this implementation and the journal's golden file disagree about, by name."""
    lines = JOURNAL_GOLDEN.read_text(encoding="utf-8").splitlines()
    golden = dict(line.split(" ", 1) for line in lines if line.startswith("state_conflict"))
    here = {
        name: digest("strongroom/state-conflict/v1", b"\x03" * 16, CONFLICT_CHAIN.encode(), key).hex()
        for name, key in CONFLICT_KEYS.items()
    }
    names = sorted(golden.keys() | here.keys())
    return [f"{name}: {golden.get(name)}, here {here.get(name)}" for name in names if golden.get(name) != here.get(name)]


# A check that cannot fail is a defect: these must be refused, each for its own reason.
NEVER_CANONICAL = [
    '{"a":1}', '{"a":-0.5}', '{"a":null}', '{"a":NaN}', '{"a":"1","a":"2"}', '{"b":"1","a":"2"}', '{ "a":"1"}', '{"a":"1"}\n',
    '{"a":"\\u0041"}', '{"a":"\\u00e9"}', '{"a":"\\/"}', '{"a":"\\u001F"}', '{"a":"\\ud800"}', '{"a":"\t"}', '["a",]', "", "{",
    # UTF-16 order: U+1F600 (d83d…) sorts before U+FB33, unlike in UTF-8.
    '{"\ufb33":"","\U0001f600":""}',
    "[" * 34 + "]" * 34, '"' + "a" * TEXT_BYTES_MAX + '"',
]
ALWAYS_CANONICAL = ["[" * 33 + "]" * 33, '{}', '[]', '""', "true", '{"a":"\\u001f\\b","b":[true,{"c":"é"}]}', '{"\U0001f600":"","\ufb33":""}']


def self_check(word_list):
    for text in NEVER_CANONICAL:
        try:
            parse(text)
        except Refused:
            continue
        raise SystemExit(f"self-check: {text!r} should have been refused")
    for text in ALWAYS_CANONICAL:
        parse(text)
    for text in ["", " a", "a ", "a\u202eb", "a\u2066b", "a\u200bb", "a\u00a0b", "e\u0301", "\u0378", "\ue000", "a" * 129]:
        assert not is_name(text), text
    for text in ["Caf\u00e9", "\u05db\u05e1\u05e4\u05ea", "\u062e\u0632\u064a\u0646\u0629", "\u91d1\u5eab", "a b"]:
        assert is_name(text), text
    for text in ["", "a b", "a\u202eb", "\u0430", "a\x7f", "a" * 129]:
        assert not is_address(text), text
    assert is_address("a" * 128)
    assert words(b"\x00" * 32, word_list) == ["abandon"] * 16
    assert words(b"\xff" * 32, word_list) == ["zoo"] * 16
    assert digest("d", b"ab", b"c") != digest("d", b"a", b"bc")


def main():
    try:
        word_list = load_words()
        cases = json.loads(GOLDEN.read_text(encoding="utf-8"))
    except OSError as error:
        raise SystemExit(f"nothing to compare: {error}") from error
    self_check(word_list)
    if not isinstance(cases, list) or not cases:
        raise SystemExit(f"nothing to compare: {GOLDEN} is not a list of cases")
    wrong = 0
    for case in cases:
        found = differences(case, word_list)
        wrong += bool(found)
        for difference in found:
            print(f"{case.get('name', '(no name)')}: {difference}", file=sys.stderr)
    conflicts = conflict_differences()
    wrong += len(conflicts)
    for difference in conflicts:
        print(difference, file=sys.stderr)
    print(f"formats: {len(cases) + len(CONFLICT_KEYS)} golden cases, {wrong} differ")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
