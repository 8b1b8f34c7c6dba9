//! Parameters that all signers of a ceremony agreed on before it starts.

use super::DkgFault;
use crate::SuiteId;
use crate::digest::digest;
use crate::encoding::encode;
use crate::record::{KEY_ID_LEN_MAX, SIGNERS_MAX};
use crate::seal::is_sealing_key;
use borsh::{BorshDeserialize, BorshSerialize};
use strongroom_guard::{G, guard};

/// One signer as the ceremony's roster names it.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct RosterMember {
    /// Non-zero roster index: the x coordinate of this signer's share.
    pub index: u16,
    /// Ed25519 key that certifies transcripts.
    pub signing_key: [u8; 32],
    /// X-Wing key that private messages are sealed to ([`crate::seal::SEALING_KEY_LEN`] bytes).
    pub sealing_key: Vec<u8>,
}

/// The parameters of one key generation; all of them enter the transcript.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct DkgParameters {
    /// Signature scheme of the key.
    pub suite: SuiteId,
    /// Unique id of this session, 32 bytes.
    pub session: [u8; 32],
    /// Hash of the pinned genesis.
    pub genesis: [u8; 32],
    /// Tenant and key, as the caller names them.
    pub key_id: Vec<u8>,
    /// Generation of the shares.
    pub epoch: u32,
    /// t: number of shares that make a signature, at least 2.
    pub min_signers: u16,
    /// All n signers, indices strictly ascending.
    pub roster: Vec<RosterMember>,
}

impl DkgParameters {
    /// The member with this roster index.
    #[must_use]
    pub fn member(&self, index: u16) -> Option<&RosterMember> {
        self.roster.iter().find(|member| member.index == index)
    }

    /// n: number of signers in the roster.
    #[must_use]
    pub fn max_signers(&self) -> u16 {
        u16::try_from(self.roster.len()).unwrap_or(u16::MAX)
    }

    /// Digest of all roster members with their keys.
    #[must_use]
    pub fn roster_hash(&self) -> [u8; 32] {
        digest("strongroom/dkg-roster/v1", &[&encode(&self.roster)])
    }

    /// Digest of all parameters; every message carries it.
    #[must_use]
    pub fn context(&self) -> [u8; 32] {
        digest(
            "strongroom/dkg-context/v1",
            &[
                &self.session,
                &self.genesis,
                &self.key_id,
                &self.epoch.to_be_bytes(),
                &[self.suite as u8],
                &self.min_signers.to_be_bytes(),
                &self.max_signers().to_be_bytes(),
                &self.roster_hash(),
            ],
        )
    }

    /// The HPKE `info` of a private message (RFC 9180 §5.1): session, genesis, epoch, direction,
    /// roster, t, n. A share replayed to another peer or ceremony does not open.
    pub(super) fn seal_info(&self, from: u16, to: u16) -> [u8; 32] {
        digest(
            "strongroom/dkg-seal/v1",
            &[
                &self.session,
                &self.genesis,
                &self.epoch.to_be_bytes(),
                &from.to_be_bytes(),
                &to.to_be_bytes(),
                &self.roster_hash(),
                &self.min_signers.to_be_bytes(),
                &self.max_signers().to_be_bytes(),
                &self.context(),
            ],
        )
    }

    /// Checks the parameters for the signer `me`.
    ///
    /// # Errors
    /// [`DkgFault::Parameters`] naming the first rule that is broken.
    pub(super) fn check(&self, me: u16) -> Result<(), DkgFault> {
        let refuse = |reason| Err(DkgFault::Parameters(reason));
        let (t, n) = (usize::from(self.min_signers), self.roster.len());

        // With t = 1 every signer alone could sign for the whole key.
        if t < 2 || t > n {
            return refuse("min_signers must be at least 2 and at most the roster's size");
        }

        if n > SIGNERS_MAX {
            return refuse("roster too large");
        }
        if self.key_id.len() > KEY_ID_LEN_MAX {
            return refuse("key id too long");
        }

        // At index 0 the polynomial has the secret itself as its value; two equal indices would get
        // the same share.
        let has_zero = self.roster.first().is_none_or(|member| member.index == 0);
        if guard(G::IndexNonZero, has_zero) || !self.roster.is_sorted_by(|a, b| a.index < b.index) {
            return refuse("roster indices must be non-zero and strictly ascending");
        }

        // Two members with one key could be one machine, which would then count twice towards the
        // threshold.
        for (position, member) in self.roster.iter().enumerate() {
            let mut others = self.roster.iter().skip(position + 1);
            if others
                .any(|o| o.signing_key == member.signing_key || o.sealing_key == member.sealing_key)
            {
                return refuse("two roster members share a key");
            }

            if !is_sealing_key(&member.sealing_key) {
                return refuse("malformed sealing key");
            }
        }

        if self.member(me).is_none() {
            return refuse("not a member of the roster");
        }

        Ok(())
    }
}
