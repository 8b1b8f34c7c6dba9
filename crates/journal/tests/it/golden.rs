//! Borsh bytes in `vectors/golden.txt`; `BLESS=1` rewrites them.

strongroom_golden::golden! {
    file: "vectors/golden.txt",
    cases: crate::cases::cases,
    genesis_bytes_do_not_change "genesis"
    entry_bytes_do_not_change "entry"
    sealed_entry_bytes_do_not_change "sealed_entry"
    leaf_bytes_do_not_change "leaf"
    state_record_bytes_do_not_change "state_record"
    state_conflict_bytes_do_not_change "state_conflict"
}
