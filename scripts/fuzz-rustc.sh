#!/usr/bin/env bash
# RUSTC_WRAPPER of the fuzzing build: cargo puts it before rustc for every crate, and it adds coverage to those whose control
# flow depends on an input: our own, and the libraries that read bytes or texts for them. Cryptography stays as fast as it is.
# Generic code of a library is compiled, and so counted, in the crate that uses it.
set -euo pipefail

coverage=(
    -Cpasses=sancov-module
    -Cllvm-args=-sanitizer-coverage-level=4
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters
    -Cllvm-args=-sanitizer-coverage-pc-table
    # What a comparison wanted: libFuzzer puts it into the next input.
    -Cllvm-args=-sanitizer-coverage-trace-compares
    # One table of counters for each crate.
    -Ccodegen-units=1
)

case ${CARGO_PKG_NAME:-} in
    # It counts for the others.
    strongroom-libfuzzer) ;;
    strongroom-* | borsh | bitcoin | bitcoin-units | bech32 | base58ck | hex | hex-conservative | base64 | serde_json | \
        serde_urlencoded | form_urlencoded | percent-encoding | ruint)
        # A build script is a program of its own, without libFuzzer behind the counters.
        case ${CARGO_CRATE_NAME:-} in
            build_script_*) ;;
            *) exec "$@" "${coverage[@]}" ;;
        esac
        ;;
esac
exec "$@"
