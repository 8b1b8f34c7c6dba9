//! Whether the other signers of a request may take part.

use super::case::Case;
use crate::verdict::Stop;
use strongroom_journal::View;
use strongroom_journal::overlay::Overlay;
use strongroom_journal::state::Lookup as _;
use strongroom_types::{Code, Refusal};

/// No participant is in quarantine, in any state of the journal that this signer knows from the
/// head on, nor under what was handed to it.
///
/// A quarantined signer is believed to be in hostile hands. Its commitments in a package would make
/// it one of the t again, with this signer as the accomplice that it lacks.
pub(super) fn peers_in_service(case: &mut Case<'_>) -> Result<(), Stop> {
    let follower = case.judge.follower;
    let head = case.head()?;
    check_peers(case, &follower.head_view(head)?)?;

    // Witnessed or not: a tightening counts at once.
    for size in follower.sizes_beyond(head) {
        check_peers(case, &follower.head_view(size)?)?;
    }
    check_peers(case, follower.state())?;
    for delta in case.judge.handed {
        let view = Overlay::new(follower.state()).with(delta);
        check_peers(case, &view).map_err(|why| Refusal::new(Code::TighteningPending, why))?;
    }
    Ok(())
}

fn check_peers(case: &Case<'_>, view: &dyn View) -> Result<(), Refusal> {
    let quarantined = view.platform()?.quarantined;
    let mut peers = case.request.commitments.iter().flatten();
    match peers.find(|(peer, _)| quarantined.contains(peer)) {
        Some((peer, _)) => {
            let detail = format!("signer {peer} is in quarantine");
            Err(Refusal::new(Code::NotInRoster, detail))
        }
        None => Ok(()),
    }
}
