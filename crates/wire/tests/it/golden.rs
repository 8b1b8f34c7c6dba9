//! Borsh bytes in `vectors/golden.txt`; `BLESS=1` rewrites them.

strongroom_golden::golden! {
    file: "vectors/golden.txt",
    cases: crate::cases::cases,
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
