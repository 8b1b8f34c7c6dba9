//! What a signer refused, as it signed it.

use super::Answer;
use std::collections::BTreeMap;
use strongroom_wire::{JournalBatch, SignerRefusal};

/// A signed refusal.
#[derive(Clone)]
pub struct Refused {
    /// The signer's seat.
    pub seat: u16,
    /// What it says.
    pub refusal: SignerRefusal,
    /// The record as it was signed.
    pub sealed: Vec<u8>,
    /// The batch that stopped the signer, if one did.
    pub stopped_by: Option<JournalBatch>,
}

impl Refused {
    /// The refusals among these answers.
    pub fn among(answers: &BTreeMap<u16, Answer>) -> Vec<Self> {
        let refused = |(seat, answer): (&u16, &Answer)| match answer {
            Answer::Shares(_) => None,
            Answer::Refused(refusal, sealed) => Some(Self {
                seat: *seat,
                refusal: refusal.clone(),
                sealed: sealed.clone(),
                stopped_by: None,
            }),
        };
        answers.iter().filter_map(refused).collect()
    }
}
