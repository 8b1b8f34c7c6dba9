//! Attacks that no row makes: what waits for a part, and what is stopped where no attempt shows it.

/// Rows, and halves of rows, that wait for a part which is not there yet: id, what, the part.
pub const NEEDS: &[(&str, &str, &str)] = &[
    (
        "5",
        "\"attempt 1 is dead\", on a chain with durable nonces",
        "Solana",
    ),
    ("7", "a price that is false, stale, or jumps", "prices"),
    (
        "11",
        "words and notices when a credential is enrolled",
        "notices",
    ),
    (
        "12",
        "the dashboard shows one thing, the passkey signs another",
        "dashboard",
    ),
    ("17", "a contract's decoding is forged", "EVM"),
    ("18", "a forged webhook or deposit event", "webhooks"),
    (
        "32",
        "a witness set is changed by the new set alone",
        "changes of the witness set",
    ),
    (
        "46",
        "a stolen service key is revoked",
        "service keys as records",
    ),
    ("C12", "selective abort of the oblivious transfer", "ECDSA"),
    (
        "C13",
        "a base transfer whose discrete logarithm is known",
        "ECDSA",
    ),
    ("C14", "a forged check of the multiplication", "ECDSA"),
    (
        "C15",
        "a member under two names uses the seeds again",
        "ECDSA",
    ),
    (
        "C16",
        "a presignature beside a raw hash or a derived key",
        "ECDSA",
    ),
    (
        "C17",
        "a presignature is used twice, or by two quorums",
        "ECDSA",
    ),
    ("C18", "a stale presignature after a refresh", "refresh"),
    (
        "C19",
        "old and new shares are mixed; a removed member returns",
        "refresh",
    ),
    (
        "C20",
        "a share is repaired with a wrong term, or for a wrong target",
        "refresh",
    ),
    (
        "C29",
        "a high s, a wrong recovery id, an r beyond the order",
        "ECDSA",
    ),
    ("C30", "rogue keys of BLS", "BLS"),
    (
        "C31",
        "the time that our own arithmetic takes tells of a share",
        "measurements of time",
    ),
];

/// Attacks that no row makes, since what stops them is seen without an attempt: id, what, how it is
/// seen.
pub const ELSEWHERE: &[(&str, &str, &str)] = &[
    (
        "19",
        "a mistake in the parser of the bus's client opens the signer",
        "the process that holds shares links no client of a bus, of TLS, of HTTP or of SQL: `xtask signer-deps`, in `./x lint`",
    ),
    (
        "C26",
        "two transcripts have one digest",
        "each field of a digest has its length before it: `moving_a_byte_between_fields_changes_the_digest`",
    ),
    (
        "C32",
        "*t* shares of a derived key and the chain code leak",
        "*t* shares are the key itself, which is the bound of [threat-model.md](threat-model.md); fewer say nothing about it",
    ),
];
