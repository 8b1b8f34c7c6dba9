//! The steps after the share is durable: the certificates of all signers, and the end of the
//! session.

use super::inbox::Received;
use super::{DkgSession, Phase};
use crate::dkg::certificate::verify_certificate;
use crate::dkg::{DkgEffect, IgnoredReason};

impl DkgSession {
    pub(super) fn on_persisted(&mut self) -> Vec<DkgEffect> {
        match std::mem::replace(&mut self.phase, Phase::Finished) {
            Phase::Persisting(outcome) => {
                let transcript = outcome.transcript;
                self.phase = Phase::Certifying(outcome);
                // The inbox holds peers' shares. They are no longer needed, and a share that is
                // dropped cannot leak.
                self.inbox = Received::default();

                // Certificates of faster peers are checked now: before this step the transcript was
                // not known.
                self.certificates.retain(|index, signature| {
                    let member = self
                        .parameters
                        .roster
                        .iter()
                        .find(|member| member.index == *index);
                    member
                        .is_some_and(|m| verify_certificate(&m.signing_key, &transcript, signature))
                });

                let mut effects = vec![DkgEffect::Done { transcript }];
                effects.extend(self.finish());
                effects
            }
            other => {
                self.phase = other;
                vec![DkgEffect::Ignored(IgnoredReason::NothingToPersist)]
            }
        }
    }

    pub(super) fn on_certificate(&mut self, from: u16, signature: [u8; 64]) -> Vec<DkgEffect> {
        let Some(member) = self.parameters.member(from) else {
            return vec![DkgEffect::Ignored(IgnoredReason::UnknownSender)];
        };

        match &self.phase {
            Phase::Rounds { .. } | Phase::Persisting(_) => {
                // The transcript is not known yet, so the certificate is kept unchecked. There is
                // at most one per member, so memory stays bounded.
                self.certificates.insert(from, signature);
                Vec::new()
            }
            Phase::Certifying(outcome) => {
                if !verify_certificate(&member.signing_key, &outcome.transcript, &signature) {
                    return vec![DkgEffect::Ignored(IgnoredReason::BadCertificate)];
                }

                if self.certificates.insert(from, signature).is_some() {
                    return vec![DkgEffect::Ignored(IgnoredReason::Duplicate)];
                }

                self.finish().into_iter().collect()
            }
            Phase::Finished | Phase::Failed(_) => vec![DkgEffect::Ignored(IgnoredReason::Closed)],
        }
    }

    /// Finishes the session when it has all n certificates.
    fn finish(&mut self) -> Option<DkgEffect> {
        // All n signers must have certified: funds that a key receives before every share is
        // durable can be lost.
        if self.certificates.len() != self.parameters.roster.len() {
            return None;
        }

        match std::mem::replace(&mut self.phase, Phase::Finished) {
            Phase::Certifying(mut outcome) => {
                outcome.certificates = std::mem::take(&mut self.certificates);
                Some(DkgEffect::Finished(outcome))
            }
            other => {
                self.phase = other;
                None
            }
        }
    }
}
