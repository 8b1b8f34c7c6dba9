//! A signer's certificate of a ceremony's result.

use crate::ceremony::{CeremonyEvent, Certificate};
use crate::stage::{CoordinatorStage, Records, SignerContext};
use crate::stock::KeyName;

impl CoordinatorStage {
    /// Offers the result to the journal once all n have certified the same one. The journal
    /// verifies every signature; here they are only collected.
    pub(crate) fn on_certificate(
        &mut self,
        from: SignerContext<'_>,
        key: KeyName,
        certificate: Certificate,
    ) -> Records {
        // A signature of another length cannot verify; the run ends without it and starts again.
        let Ok(signature) = certificate.signature.as_slice().try_into() else {
            return Ok(Vec::new());
        };
        let Some(ceremony) = self.ceremonies.get_mut(&key) else {
            return Ok(Vec::new());
        };

        let taken = ceremony.take_certificate(from.signer, signature, certificate.result);
        let Some(finished) = taken else {
            return Ok(Vec::new());
        };

        ceremony.apply(CeremonyEvent::Certified)?;
        let tenant = ceremony.tenant;
        self.publish_ceremony_end(from.now, tenant, finished)
    }
}
