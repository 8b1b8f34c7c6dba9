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
    intent_submitted_bytes_do_not_change "intent_submitted"
    approval_submitted_bytes_do_not_change "approval_submitted"
    intent_decided_bytes_do_not_change "intent_decided"
    intent_returned_bytes_do_not_change "intent_returned"
    signing_requested_bytes_do_not_change "signing_requested"
    coordinator_message_bytes_do_not_change "coordinator_message"
    signer_message_bytes_do_not_change "signer_message"
    signing_finished_bytes_do_not_change "signing_finished"
    transaction_changed_bytes_do_not_change "transaction_changed"
    journal_submitted_bytes_do_not_change "journal_submitted"
    journal_result_bytes_do_not_change "journal_result"
    journal_batch_bytes_do_not_change "journal_batch"
    witness_cosignature_bytes_do_not_change "witness_cosignature"
    envelope_bytes_do_not_change "envelope"
    to_signer_bytes_do_not_change "to_signer"
    from_signer_bytes_do_not_change "from_signer"
    admin_request_bytes_do_not_change "admin_request"
    admin_reply_bytes_do_not_change "admin_reply"
    public_record_bytes_do_not_change "public_record"
    marks_bytes_do_not_change "marks"
    node_key_bytes_do_not_change "node_key"
}
