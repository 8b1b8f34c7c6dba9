//! Whether the other signers of a request may take part.

use super::case::Case;
use crate::verdict::CheckEnd;
use strongroom_guard::{G, guard};
use strongroom_journal::View;
use strongroom_journal::overlay::Overlay;
use strongroom_journal::state::Lookup as _;
use strongroom_types::{Code, Refusal};

/// No participant is in quarantine at this signer's tip, witnessed or not, nor under what was handed
/// to it.
///
/// A quarantined signer is believed to be in hostile hands. Its commitments in a package would make
/// it one of the t again, with this signer as the accomplice that it lacks.
pub(super) fn peers_in_service(case: &mut Case<'_>) -> Result<(), CheckEnd> {
    // No act takes a signer out of quarantine: the tip's list contains that of every earlier state,
    // the witnessed head's included.
    let tip = case.judge.follower.state();
    check_peers(case, tip)?;

    // A handed quarantine counts too: a writer that keeps the act back does not keep it from this
    // signer.
    for delta in case.judge.handed {
        if let Err(refusal) = check_peers(case, &Overlay::new(tip).with(delta))
            && guard(G::HandedCounts, true)
        {
            return Err(refusal.into());
        }
    }
    Ok(())
}

fn check_peers(case: &Case<'_>, view: &dyn View) -> Result<(), Refusal> {
    let quarantined = view.platform()?.quarantined;
    let mut peers = case.request.commitments.iter().flatten();
    if let Some((peer, _)) = peers.find(|(peer, _)| quarantined.contains(peer))
        && guard(G::PeersInService, true)
    {
        // This signer would share with others. A code that is final would have the coordinator
        // leave it out in place of the signer that is in quarantine.
        let detail = format!("signer {peer} is in quarantine: ask another quorum");
        return Err(Refusal::new(Code::NotReady, detail));
    }
    Ok(())
}
