//! When a duty lasts, waits and ends.

use super::*;
use crate::SKEW_MS;

const MINUTE_MS: u64 = 60_000;

/// A veto that still applies holds up the release; the writer may date that back by a minute, and its
/// `witnessed` entry counts until the skew has passed after the proposal's end.
#[test]
fn hole_handed_veto_outlasts_the_last_second_of_its_proposal() {
    for late_ms in [0, 1_000, SKEW_MS - 1] {
        let (mut site, proposal) = Site::proposed();
        let until = last_seconds(&mut site, proposal);
        let veto = site.tightening(Tighten::Veto(proposal), &[Who::Committee(0)]);
        for seat in [1, 2] {
            assert_eq!(site.hand(seat, &veto), Ok(true));
        }
        let release = site.release(proposal);

        // By the witnesses' clocks the proposal's end comes before the release does.
        site.now = until.plus(late_ms);
        for seat in [1, 2] {
            site.witnesses[seat - 1].settle_handed(&site.log.follower, site.now);
        }
        site.log.order(UnixMs(until.0 - 1), &[Body::Act(release)]);
        assert_eq!(site.round(), [PENDING, PENDING, Ok(())], "{late_ms}");
        assert!(!site.in_force());
        site.act(&veto);
        assert_eq!(site.round(), [Ok(()); 3]);
        assert!(!site.in_force());
    }

    // From then on the release is void.
    let (mut site, proposal) = Site::proposed();
    let until = last_seconds(&mut site, proposal);
    let veto = site.tightening(Tighten::Veto(proposal), &[Who::Committee(0)]);
    for seat in 1..=3 {
        site.hand(seat, &veto).unwrap();
    }
    let release = site.release(proposal);
    site.now = until.plus(SKEW_MS + 1_000);
    for seat in 1..=3 {
        site.witnesses[seat - 1].settle_handed(&site.log.follower, site.now);
        let ended = site.ended(seat)[0].to_string();
        assert_eq!(ended, "ended by time: unknown_proposal");
    }
    site.log.order(UnixMs(until.0 - 1), &[Body::Act(release)]);
    assert_eq!(site.round(), [Ok(()); 3]);
    assert!(!site.in_force());
}

/// End of the proposal; the journal is cosigned 20 s before.
fn last_seconds(site: &mut Site, proposal: Digest) -> UnixMs {
    let tenant = site.ledger.world.tenant.id;
    let record = site.log.follower.state().proposal(tenant, &proposal);
    let until = record.unwrap().unwrap().until().unwrap();
    site.now = UnixMs(until.0 - 20_000);
    site.append(Body::Tick).unwrap();
    assert_eq!(site.round(), [Ok(()); 3]);
    until
}

/// One tightening in a minute for each credential.
fn scarce() -> (Site, Digest) {
    let (mut site, proposal) = Site::proposed_with(|b| b.tightenings_per_minute = 1);
    site.now.0 = (site.now.0 / MINUTE_MS + 1) * MINUTE_MS;
    site.append(Body::Tick).unwrap();
    assert_eq!(site.round(), [Ok(()); 3]);
    (site, proposal)
}

/// A tightening by one person that lives for so long.
fn brief(site: &Site, what: Tighten, expires_ms: u64, who: Who) -> Signed {
    let mut act = Act::parse(&site.tightening(what, &[]).text).unwrap();
    act.expires = site.now.plus(expires_ms);
    site.ledger.world.sign(&act, &[who])
}

/// The member's room is used up by another act of theirs that the writer had kept for this.
#[test]
fn hole_handed_veto_without_room_in_this_minute_holds_up_its_release() {
    for expires_ms in [HOUR_MS, 30_000] {
        let (mut site, proposal) = scarce();
        let spent = Tighten::Cancel(Digest([7; 32]));
        let spent = site.tightening(spent, &[Who::Committee(0)]);

        // With the shorter life it does not apply a minute later either, and is not owed.
        let veto = Tighten::Veto(proposal);
        let veto = brief(&site, veto, expires_ms, Who::Committee(0));
        for seat in [1, 2] {
            assert_eq!(site.hand(seat, &veto), Ok(true));
        }
        site.act(&spent);
        let refused = site.append(Body::Act(veto.clone())).unwrap_err();
        assert_eq!(refused.code, Code::QuotaExceeded);
        assert_eq!((site.cosign(1), site.owed(1)), (Ok(()), 1));

        let release = site.release(proposal);
        site.act(&release);
        assert_eq!(site.round(), [PENDING, PENDING, Ok(())], "{expires_ms}");
        assert!(!site.in_force());
    }
}

/// A witness that catches up sees many entries before it asks: the end is the first of those after
/// which the act never applied again.
#[test]
fn the_entry_that_is_named_is_the_first_after_which_it_never_applied() {
    let ledger = ready_with(|o| o.admins = (3, 2));
    let tenant = &ledger.world.tenant;
    let (id, member) = (tenant.approvers, Who::Approver(0));
    let group = tenant.group("approvers", id, &[member, Who::Approver(1)]);
    let (mut site, proposal) = Site::proposing(ledger, RegistryRecord::Group(group));
    let reject = site.tightening(Tighten::Reject(Digest([7; 32])), &[member]);
    site.hand(1, &reject).unwrap();
    let leave = |site: &mut Site| {
        let user = site.ledger.world.person(member).user.id;
        let leave = Tighten::LeaveGroup { group: id, user };
        let leave = site.tightening(leave, &[Who::Admin(0), Who::Admin(1)]);
        site.act(&leave)
    };
    leave(&mut site);

    // The committee takes the member back. (The first witness asks nothing yet.)
    let release = site.release(proposal);
    site.act(&release);
    for seat in [2, 3] {
        site.cosign(seat).unwrap();
    }
    let world = site.ledger.world.clone();
    world.cosign_tip(&mut site.log.follower, &[4], site.now);
    site.now = site.now.plus(1_000);
    let due = strongroom_journal::writer::Orderer::witnessed_due(&site.log.follower).unwrap();
    site.append(due.body).unwrap();

    let entry = leave(&mut site);
    leave(&mut site);
    site.cosign(1).unwrap();
    let ended = format!("ended by entry {entry}: approval_not_eligible");
    assert_eq!(site.ended(1)[0].to_string(), ended);
}

/// Only a quota is waited for. What is refused for another reason now, and would not be in a minute, is
/// owed by no writer yet: a witness that held it would stop the journal.
#[test]
fn handed_pause_that_reaches_too_far_for_now_is_not_taken() {
    let (mut site, _) = Site::proposed();
    for (more_ms, taken) in [(30_000, Err(Code::PauseTooLong)), (0, Ok(true))] {
        let until = site.now.plus(4 * HOUR_MS + more_ms);
        let pause = Tighten::Pause { vault: None, until };
        let pause = site.tightening(pause, &[Who::Admin(0)]);
        assert_eq!(site.hand(1, &pause), taken, "{more_ms}");
    }
}

/// Any credential can hand an act that is not owed for want of room: it must not hide what is.
#[test]
fn hole_handed_stop_behind_an_act_without_room_is_owed() {
    let (mut site, _) = scarce();
    let unowed = Tighten::Cancel(Digest([8; 32]));
    let unowed = brief(&site, unowed, 30_000, Who::Clerk);
    assert_eq!(site.hand(1, &unowed), Ok(true));
    let spent = site.tightening(Tighten::Cancel(Digest([7; 32])), &[Who::Clerk]);
    site.act(&spent);
    let stop = site.tightening(Tighten::Stop, &[Who::Admin(0), Who::Admin(1)]);
    assert_eq!(site.hand(1, &stop), Ok(true));
    assert_eq!(site.cosign(1), Ok(()));

    site.now = site.now.plus(DUTY_MS);
    assert_eq!((site.cosign(1), site.owed(1)), (PENDING, 2));
    site.act(&stop);
    assert_eq!((site.cosign(1), site.owed(1)), (Ok(()), 1));
}

/// Each try verifies every signature of every open act, and each share and cosignature asks for one.
#[test]
fn handed_acts_are_tried_once_in_a_second_at_one_tip() {
    let (mut site, _) = Site::proposed();
    assert!(site.now.0.is_multiple_of(1_000));
    let cancel = Tighten::Cancel(Digest([7; 32]));
    let cancel = brief(&site, cancel, 500, Who::Clerk);
    site.hand(1, &cancel).unwrap();
    let open = [0, 499, 500, 999, 1_000].map(|ms| {
        let now = site.now.plus(ms);
        site.witnesses[0].settle_handed(&site.log.follower, now);
        site.owed(1)
    });
    assert_eq!(
        open,
        [1, 1, 1, 1, 0],
        "its end within the second is not seen"
    );
}
