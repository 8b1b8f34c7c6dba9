//! A signer's certificate of a ceremony's result.

use crate::ceremony::{CeremonyEvent, CertifiedResult};
use crate::stage::{CoordinatorStage, Records, Step};
use strongroom_types::KeyId;

impl CoordinatorStage {
    /// Offers the result to the journal once all n have certified the same one. The journal
    /// verifies every signature; here they are only collected.
    pub(crate) fn on_certificate(
        &mut self,
        step: Step<'_>,
        key: KeyId,
        signature: &[u8],
        result: CertifiedResult,
    ) -> Records {
        let Ok(signature) = signature.try_into() else {
            return Ok(Vec::new());
        };
        let Some(ceremony) = self.ceremonies.get_mut(&key) else {
            return Ok(Vec::new());
        };
        let transcript = result.transcript;
        let Some(body) = ceremony.take_certificate(step.signer, signature, result) else {
            return Ok(Vec::new());
        };

        ceremony.apply(CeremonyEvent::Certified)?;
        let tenant = ceremony.tenant;
        self.publish_ceremony_end(step.now, tenant, transcript, &body)
    }
}
