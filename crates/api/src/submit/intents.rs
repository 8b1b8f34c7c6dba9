//! Taking intents.

use super::{Intake, SubmitError, TakenIntent, intent_record};
use crate::store::{self, ReceivedIntent};
use strongroom_journal::apply::{Admitted, admissible};
use strongroom_journal::state::Lookup as _;
use strongroom_replica::TenantVaults;
use strongroom_types::{Code, Document as _, Intent, Refusal, Signed, UnixMs};
use strongroom_wire::{Layer, Marks};

/// Takes a signed intent. The same intent again is taken once.
///
/// # Errors
/// The reason the journal would give; `duplicate_external_id`; the store's.
pub fn intent(intake: &Intake, signed: &Signed) -> Result<TakenIntent, SubmitError> {
    let now = intake.now();
    let digest = Intent::digest_of(&signed.text);

    // Signatures are verified before the write transaction opens: it holds up the stage. What was
    // taken before stays taken, even if it would be refused by now.
    let checked = check(intake, signed, now);

    let mut tx = intake.db.begin()?;
    if let Some(row) = store::by_digest(tx.as_mut(), &digest)? {
        return Ok(TakenIntent { row, record: None });
    }
    let (intent, size) = checked?;

    let marks = Marks::default().with(Layer::Received, now.micros());
    let received = ReceivedIntent {
        digest: &digest,
        intent: &intent,
        signed,
        size,
    };
    if !store::insert_tx(tx.as_mut(), received, &marks, now)? {
        return Err(Refusal::new(Code::DuplicateExternalId, &intent.external_id).into());
    }

    let row = store::by_digest(tx.as_mut(), &digest)?.ok_or(Code::Internal)?;
    tx.commit()?;

    // The clock is read again, so that the API's layer includes the commit.
    let marks = marks.with(Layer::Api, intake.now().micros());
    let record = intent_record(&mut intake.post(), now, &row, marks)?;
    Ok(TakenIntent {
        row,
        record: Some(record),
    })
}

/// Everything that can be known before policy: the journal's rules for the intent itself, its
/// vault, and that its addresses are addresses of the chain. Gives the number of the journal's
/// entries as well by which it is known.
fn check(intake: &Intake, signed: &Signed, now: UnixMs) -> Result<(Intent, u64), Refusal> {
    intake.journal.read(|f| {
        let Admitted { intent, .. } = admissible(f.state(), f.genesis(), signed, now)?;
        f.state().vault(intent.tenant, intent.vault)?;

        let codec = intake
            .codecs
            .iter()
            .find(|codec| codec.manifest().chain == intent.chain)
            .ok_or_else(|| Refusal::new(Code::UnknownChain, &intent.chain))?;

        // An address that is not one of the chain is refused now, not after people have approved
        // it.
        codec.expected(&intent, &TenantVaults::new(f.state(), intent.tenant))?;
        Ok((intent, f.size()))
    })
}
