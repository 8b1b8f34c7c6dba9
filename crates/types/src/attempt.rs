//! Attempts: one unsigned transaction offered for an intent.

use crate::amount::MinorUnits;
use crate::digest::{Digest, digest};
use crate::time::canonical_u64;
use borsh::{BorshDeserialize, BorshSerialize};
use std::fmt;
use std::str::FromStr;
use strongroom_guard::{G, guard};

/// Resource that two transactions cannot both spend. The journal reads the variant and compares the
/// text inside, but never interprets it: which transaction replaces which is for the chain's codec
/// to decide.
///
/// The text form, in tables and on screens, is `coin:<text>`, `sequence:<number>:<account>` or
/// `once:<digest>`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, BorshSerialize, BorshDeserialize)]
pub enum ConflictKey {
    /// An output that one transaction spends, in the chain's own text form (Bitcoin: `txid:vout`).
    Coin(String),
    /// The place of one transaction among those of an account.
    Sequence {
        /// The account, in the chain's own text form.
        account: String,
        /// Number of the transaction, as the chain counts.
        number: u64,
    },
    /// The digest of exactly these bytes, for chains whose transactions exclude nothing except
    /// their own repetition.
    Once(Digest),
}

impl ConflictKey {
    /// Whether its text is visible ASCII of 1 to [`CONFLICT_KEY_BYTES_MAX`] bytes. A digest is
    /// always well-formed.
    #[must_use]
    pub fn well_formed(&self) -> bool {
        match self {
            Self::Coin(text) | Self::Sequence { account: text, .. } => {
                let sized = (1..=CONFLICT_KEY_BYTES_MAX).contains(&text.len());

                // Services store it in text columns, which cannot hold a zero byte.
                sized && text.bytes().all(|byte| byte.is_ascii_graphic())
            }
            Self::Once(_) => true,
        }
    }
}

impl fmt::Display for ConflictKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Coin(text) => write!(f, "coin:{text}"),
            // The account is written last, because it may contain colons and a number cannot.
            Self::Sequence { account, number } => write!(f, "sequence:{number}:{account}"),
            Self::Once(digest) => write!(f, "once:{digest}"),
        }
    }
}

/// Text that is not a [`ConflictKey`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a conflict key is coin:TEXT, sequence:NUMBER:ACCOUNT or once:DIGEST")]
pub struct NotAConflictKey;

impl FromStr for ConflictKey {
    type Err = NotAConflictKey;

    fn from_str(text: &str) -> Result<Self, NotAConflictKey> {
        let (variant, rest) = text.split_once(':').ok_or(NotAConflictKey)?;
        let key = match variant {
            "coin" => Self::Coin(rest.to_owned()),
            "sequence" => {
                let (number, account) = rest.split_once(':').ok_or(NotAConflictKey)?;
                Self::Sequence {
                    account: account.to_owned(),
                    number: canonical_u64(number).map_err(|_| NotAConflictKey)?,
                }
            }
            "once" => Self::Once(rest.parse().map_err(|_| NotAConflictKey)?),
            _ => return Err(NotAConflictKey),
        };

        // A key is compared and stored as text, so it must have one that both can hold.
        key.well_formed().then_some(key).ok_or(NotAConflictKey)
    }
}

/// Longest text of a conflict key in bytes, without its variant and number.
pub const CONFLICT_KEY_BYTES_MAX: usize = 128;
/// Largest number of conflict keys (inputs) of one attempt.
pub const CONFLICT_KEYS_MAX: usize = 256;

/// Purpose of an attempt.
#[derive(Clone, Copy, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum AttemptKind {
    /// Makes the payments of the intent.
    Pay = 0,
    /// Makes the same payments with a higher fee.
    Bump = 1,
    /// Moves the anchor back to the vault itself.
    Cancel = 2,
    /// Spends an output of an earlier attempt, its parent, so that miners take both for one fee. Not
    /// accepted yet.
    Child = 3,
}

/// An attempt, named permanently by (intent, number).
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct Attempt {
    /// Digest of the intent text.
    pub intent: Digest,
    /// 1 for the attempt inside the authorization, then +1 each.
    pub number: u32,
    /// Payment, replacement with a higher fee, cancellation, or child.
    pub kind: AttemptKind,
    /// Number of the attempt whose output a child spends; `None` for every other kind.
    pub parent: Option<u32>,
    /// Conflict key that every attempt of the intent contains, except a child.
    pub anchor: ConflictKey,
    /// Conflict keys that the transaction spends, ascending, the anchor among them (except in a
    /// child, whose parent spends the anchor).
    pub conflict_keys: Vec<ConflictKey>,
    /// Digest of the unsigned transaction ([`unsigned_digest`]).
    pub unsigned_digest: Digest,
    /// Largest fee this attempt can cost, base units of the chain's native asset.
    pub fee_max: MinorUnits,
}

impl Attempt {
    /// Whether the number is at least 1, the conflict keys are sorted, distinct and within their
    /// bounds, and they contain the anchor or, for a child, an earlier attempt is its parent.
    #[must_use]
    pub fn well_formed(&self) -> bool {
        let keys = &self.conflict_keys;

        // A child can confirm only after its parent, which spends the anchor.
        let bound = match (self.kind, self.parent) {
            (AttemptKind::Child, Some(parent)) => (1..self.number).contains(&parent),
            (AttemptKind::Pay | AttemptKind::Bump | AttemptKind::Cancel, None) => {
                !guard(G::Anchor, !keys.contains(&self.anchor))
            }
            (AttemptKind::Child, None)
            | (AttemptKind::Pay | AttemptKind::Bump | AttemptKind::Cancel, Some(_)) => false,
        };

        // An attempt without the anchor could confirm beside an earlier one of the intent, and the
        // recipient would be paid twice. The keys are ascending, so that one set has one encoding.
        (1..=CONFLICT_KEYS_MAX).contains(&keys.len())
            && keys.is_sorted_by(|a, b| a < b)
            && keys.iter().all(ConflictKey::well_formed)
            && self.anchor.well_formed()
            && bound
            && self.number >= 1
    }
}

/// Digest of an unsigned transaction in the chain codec's own encoding.
#[must_use]
pub fn unsigned_digest(unsigned: &[u8]) -> Digest {
    digest("strongroom/unsigned-transaction/v1", &[unsigned])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn keys() -> [ConflictKey; 3] {
        [
            ConflictKey::Coin("ab:0".to_owned()),
            ConflictKey::Sequence {
                account: "a:b".to_owned(),
                number: 7,
            },
            ConflictKey::Once(Digest([1; 32])),
        ]
    }

    #[test]
    fn conflict_keys_have_one_text_each_and_read_back() {
        let texts = keys().map(|key| key.to_string());
        let once = format!("once:{}", "01".repeat(32));
        assert_eq!(texts, ["coin:ab:0", "sequence:7:a:b", &once]);
        assert_eq!(
            texts.map(|text| text.parse::<ConflictKey>().unwrap()),
            keys()
        );
        for bad in [
            "",
            "ab",
            "ab:0",
            "coin:",
            "coin:a b",
            "coin:a\0",
            "Coin:a",
            "sequence:7",
            "sequence:7:",
            "sequence:07:a",
            "sequence:a:7",
            "once:01",
        ] {
            assert_eq!(bad.parse::<ConflictKey>(), Err(NotAConflictKey), "{bad}");
        }
        let long = format!("coin:{}", "a".repeat(CONFLICT_KEY_BYTES_MAX + 1));
        assert_eq!(long.parse::<ConflictKey>(), Err(NotAConflictKey));
    }

    fn attempt(kind: AttemptKind, parent: Option<u32>) -> Attempt {
        let [anchor, other, _] = keys();
        Attempt {
            intent: Digest([1; 32]),
            number: 3,
            kind,
            parent,
            anchor: anchor.clone(),
            conflict_keys: vec![anchor, other],
            unsigned_digest: Digest([2; 32]),
            fee_max: 1.into(),
        }
    }

    #[test]
    fn child_names_an_earlier_parent_and_every_other_kind_none() {
        use AttemptKind::{Bump, Cancel, Child, Pay};
        for kind in [Pay, Bump, Cancel] {
            assert!(attempt(kind, None).well_formed());
            assert!(!attempt(kind, Some(1)).well_formed());
        }
        for (parent, good) in [(0, false), (1, true), (2, true), (3, false), (4, false)] {
            assert_eq!(attempt(Child, Some(parent)).well_formed(), good, "{parent}");
        }
        assert!(!attempt(Child, None).well_formed());
    }

    #[test]
    fn only_child_may_leave_the_anchor_to_its_parent() {
        let [anchor, other, _] = keys();
        for (kind, parent, good) in [
            (AttemptKind::Bump, None, false),
            (AttemptKind::Child, Some(2), true),
        ] {
            let mut attempt = attempt(kind, parent);
            attempt.conflict_keys = vec![other.clone()];
            assert_eq!(attempt.well_formed(), good, "{kind:?}");
        }
        let mut child = attempt(AttemptKind::Child, Some(2));
        child.conflict_keys = vec![other, anchor];
        assert!(!child.well_formed(), "not ascending");
    }

    #[test]
    fn variants_with_one_text_are_different_keys() {
        let coin = ConflictKey::Coin("7:a".to_owned());
        let sequence = ConflictKey::Sequence {
            account: "a".to_owned(),
            number: 7,
        };
        assert_ne!(coin, sequence);
        assert_ne!(coin.to_string(), sequence.to_string());
        assert!(coin < sequence, "by variant first");
    }
}
