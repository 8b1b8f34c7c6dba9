#!/usr/bin/env bash
# RUSTC_WORKSPACE_WRAPPER of the build whose guards can be switched off: cargo puts it before rustc for our own crates only,
# so that no dependency is compiled twice.
exec "$@" --cfg mutants
