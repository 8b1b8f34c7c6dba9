//! Borsh bytes in `vectors/golden.txt`, one `name hex` a line; `BLESS=1` writes it anew.

use crate::cases::cases;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/golden.txt");

fn blessed() -> bool {
    std::env::var_os("BLESS").is_some()
}

/// Compares the cases whose name starts so with the file, which must have exactly these.
fn compare(prefix: &str) {
    let kept = std::fs::read_to_string(FILE).unwrap();
    let kept: Vec<String> = kept
        .lines()
        .filter(|line| line.starts_with(prefix))
        .map(str::to_owned)
        .collect();
    let made = cases()
        .into_iter()
        .map(|(name, bytes)| format!("{name} {}", hex::encode(bytes)));
    let made: Vec<String> = made.filter(|line| line.starts_with(prefix)).collect();
    assert!(!made.is_empty(), "{prefix}");
    assert_eq!(made, kept);
}

#[test]
fn golden_file_has_every_case() {
    if blessed() {
        let lines = cases()
            .into_iter()
            .map(|(name, bytes)| format!("{name} {}\n", hex::encode(bytes)));
        std::fs::write(FILE, lines.collect::<String>()).unwrap();
    }
    compare("");
}

macro_rules! bytes_do_not_change {
    ($($test:ident $prefix:literal)*) => {$(
        #[test]
        fn $test() {
            if !blessed() {
                compare($prefix);
            }
        }
    )*};
}

bytes_do_not_change! {
    genesis_bytes_do_not_change "genesis"
    entry_bytes_do_not_change "entry"
    sealed_entry_bytes_do_not_change "sealed_entry"
    leaf_bytes_do_not_change "leaf"
    state_record_bytes_do_not_change "state_record"
}
