//! What ends the duty to see a handed tightening included, and what does not.

use super::{DUTY_MS, PENDING, Site};
use strongroom_journal::Body;
use strongroom_journal::witness::{HANDED_ENDED_MAX, Witness, WitnessMemory};
use strongroom_types::{
    Act, ActBody, Code, Digest, Document as _, RegistryRecord, Signed, Tighten, VaultId,
};
use strongroom_world::{AuthorizationExt as _, FRIEND, Who};

/// A revoked signer takes the act along only if too few are left.
#[test]
fn hole_revocation_of_one_signer_does_not_end_a_handed_act() {
    let (mut site, _) = Site::proposed();
    let all = [Who::Admin(0), Who::Admin(1), Who::Admin(2)];
    let stop = site.tightening(Tighten::Stop, &all);
    site.hand(1, &stop).unwrap();
    let revoke = |site: &Site, who| {
        let id = site.ledger.world.person(who).credential.id;
        site.tightening(Tighten::revoke(id), &all[..2])
    };
    let (first, second) = (revoke(&site, all[0]), revoke(&site, all[2]));
    site.act(&second);
    assert_eq!((site.cosign(1), site.owed(1)), (Ok(()), 1));
    let entry = site.act(&first);
    assert_eq!((site.cosign(1), site.owed(1)), (Ok(()), 0));
    let ended = format!("ended by entry {entry}: quorum_missing");
    assert_eq!(site.ended(1)[0].to_string(), ended);
}

/// The board bears the loss of either member and not of both: the other revocation can be appended
/// by no writer.
#[test]
fn handed_revocation_that_another_one_leaves_no_quorum_for_is_owed_no_more() {
    let (mut site, _) = Site::proposed();
    let [first, second] = [0, 1].map(|n| {
        let id = site.ledger.world.person(Who::Committee(n)).user.id;
        site.tightening(Tighten::revoke(id), &[Who::Admin(0), Who::Admin(1)])
    });
    for seat in 1..=3 {
        assert_eq!(site.hand(seat, &first), Ok(true));
        assert_eq!(site.hand(seat, &second), Ok(true));
    }
    let entry = site.act(&first);
    let refused = site.append(Body::Act(second)).unwrap_err();
    assert_eq!(refused.code, Code::BoardBelowQuorum);

    site.now = site.now.plus(DUTY_MS);
    assert_eq!(site.round(), [Ok(()); 3]);
    let ended = format!("ended by entry {entry}: board_below_quorum");
    assert_eq!(site.ended(1).last().unwrap().to_string(), ended);
}

/// The writer brings other tightenings by the same credential, until its room of this minute is
/// used up and the handed one is refused.
#[test]
fn hole_quota_does_not_end_a_handed_tightening() {
    let (mut site, proposal) = Site::proposed_with(|b| b.tightenings_per_minute = 2);
    let veto = site.tightening(Tighten::Veto(proposal), &[Who::Committee(0)]);
    site.hand(1, &veto).unwrap();
    for n in [1, 2] {
        let cancel = Tighten::Cancel(Digest([n; 32]));
        let cancel = site.tightening(cancel, &[Who::Committee(0)]);
        site.act(&cancel);
    }
    let full = site.append(Body::Act(veto.clone())).unwrap_err();
    assert_eq!(full.code, Code::QuotaExceeded);

    // The veto is owed as before, and another witness takes it, too, also one that has just
    // started.
    assert_eq!(site.hand(2, &veto), Ok(true));
    let seat = site.ledger.world.seat(1);
    let memory = WitnessMemory {
        handed: site.witnesses[0].handed().cloned().collect(),
        ..WitnessMemory::default()
    };
    let seed = seat.witness.to_bytes();
    site.witnesses[0] = Witness::new(&site.log.follower, seat.node, &seed, memory).unwrap();
    let deltas = site.witnesses[0].handed_overlay(&site.log.follower, site.now);
    assert!(deltas.map(|delta| delta.changes.len()).all(|keys| keys > 0));
    let release = site.release(proposal);
    site.act(&release);
    assert_eq!(site.round(), [PENDING, PENDING, Ok(())]);
    site.now = site.now.plus(DUTY_MS);
    assert_eq!(site.round(), [PENDING, PENDING, Ok(())]);

    site.now = site.now.plus(60_000);
    site.act(&veto);
    assert_eq!(site.round(), [Ok(()); 3]);
    assert!(!site.in_force());
}

/// What is kept of cancels is bounded for longer than a minute. A witness that insisted would be
/// silent for as long; one that forgot the cancel would let the payment pass.
#[test]
fn handed_tightening_that_has_no_room_for_long_waits_for_it_without_being_owed() {
    let (mut site, _) = Site::proposed_with(|b| b.ended_open_max = 2);
    let intent = site.ledger.world.intent(site.now, crate::SMALL, FRIEND);
    let payment = site.ledger.authorization(&intent, &[]).into_body();
    let cancel = Tighten::Cancel(intent.digest());
    let cancel = site.tightening(cancel, &[Who::Initiator]);
    site.hand(1, &cancel).unwrap();
    let other = Tighten::Cancel(Digest([1; 32]));
    let other = site.tightening(other, &[Who::Initiator]);
    site.act(&other);
    site.now = site.now.plus(DUTY_MS);
    site.append(Body::Tick).unwrap();
    assert_eq!((site.cosign(1), site.owed(1)), (Ok(()), 1));
    assert_eq!(site.hand(2, &cancel), Err(Code::QuotaExceeded));

    // Every share is judged under the act's change, which must contain the records of now.
    let deltas = site.witnesses[0].handed_overlay(&site.log.follower, site.now);
    assert_eq!(deltas.map(|d| d.changes.len()).collect::<Vec<_>>(), [0]);

    // The intent is authorized after all, so the cancel needs no room now.
    site.append(payment).unwrap();
    assert_eq!(site.cosign(1), PENDING);
    site.act(&cancel);
    assert_eq!((site.cosign(1), site.owed(1)), (Ok(()), 0));
}

#[test]
fn handed_act_that_is_early_or_superseded_or_of_revoked_signers_is_refused_by_code() {
    let (mut site, proposal) = Site::proposed();

    // These acts come out of order: for a version, or about a proposal, that this witness has not
    // met yet.
    let mut ahead = Act::parse(&site.tightening(Tighten::Stop, &[]).text).unwrap();
    ahead.version += 1;
    let ahead = site.ledger.world.sign(&ahead, &site.ledger.admins());
    assert_eq!(site.hand(1, &ahead), Err(Code::WrongScopeVersion));
    let unknown = site.tightening(Tighten::Veto(Digest([7; 32])), &[Who::Committee(0)]);
    assert_eq!(site.hand(1, &unknown), Err(Code::UnknownProposal));

    // The veto is handed twice, then superseded by the other member's, then offered once more.
    let veto = |site: &Site, n| site.tightening(Tighten::Veto(proposal), &[Who::Committee(n)]);
    let (mine, other) = (veto(&site, 0), veto(&site, 1));
    assert_eq!(site.hand(1, &mine), Ok(true));
    assert_eq!(site.hand(1, &mine), Ok(false));
    let entry = site.act(&other);
    assert_eq!((site.cosign(1), site.owed(1)), (Ok(()), 0));
    let ended = format!("ended by entry {entry}: unknown_proposal");
    assert_eq!(site.ended(1)[0].to_string(), ended);
    assert_eq!(site.hand(1, &mine), Err(Code::UnknownProposal));

    // These acts are signed by revoked people alone, or by none who count.
    let clerk = site.ledger.world.person(Who::Clerk).credential.id;
    let cancel = site.tightening(Tighten::Cancel(Digest([7; 32])), &[Who::Clerk]);
    let revoke = site.tightening(Tighten::revoke(clerk), &site.ledger.admins());
    site.act(&revoke);
    assert_eq!(site.hand(1, &cancel), Err(Code::CredentialRevoked));
    let refused = site.append(Body::Act(cancel)).unwrap_err();
    assert_eq!(refused.code, Code::CredentialRevoked);
}

/// A credential that lapsed counts for nothing, and still has to be one, with its signature.
#[test]
fn lapsed_signatures_are_verified_and_count_for_nothing() {
    let (mut site, _) = Site::proposed();
    let id = site.ledger.world.person(Who::Admin(2)).credential.id;
    let revoke = site.tightening(Tighten::revoke(id), &[Who::Admin(0), Who::Admin(1)]);
    site.act(&revoke);
    let stop = |site: &Site, who: &[Who]| site.tightening(Tighten::Stop, who);
    let refused =
        |site: &mut Site, signed: Signed| site.append(Body::Act(signed)).unwrap_err().code;

    let with_one = stop(&site, &[Who::Admin(0), Who::Admin(2)]);
    assert_eq!(refused(&mut site, with_one), Code::QuorumMissing);
    let mut forged = stop(&site, &[Who::Admin(2), Who::Admin(0), Who::Admin(1)]);
    let lapsed = |e: &&mut strongroom_types::Endorsement| e.credential == id;
    strongroom_world::forge(forged.endorsements.iter_mut().find(lapsed).unwrap());
    assert_eq!(refused(&mut site, forged), Code::BadSignature);

    // A loosening stays strict.
    let put = ActBody::Put(RegistryRecord::Vault(strongroom_types::Vault {
        id: VaultId([9; 16]),
        ..site.ledger.world.tenant.first_vault()
    }));
    let all = [Who::Admin(0), Who::Admin(1), Who::Admin(2)];
    let loosening = site.signed(put, &all);
    assert_eq!(refused(&mut site, loosening), Code::CredentialRevoked);
    let three = stop(&site, &all);
    site.act(&three);
}

/// Ends are remembered, the newest of them.
#[test]
fn the_ends_that_a_witness_remembers_are_bounded() {
    let (mut site, _) = Site::proposed();
    for n in 0..HANDED_ENDED_MAX + 2 {
        let cancel = Tighten::Cancel(Digest([n as u8; 32]));
        let cancel = site.tightening(cancel, &[Who::Initiator]);
        site.hand(1, &cancel).unwrap();
        site.now = site.now.plus(1_000);
        site.act(&cancel);
        site.cosign(1).unwrap();
    }
    let ended = site.ended(1);
    assert_eq!(ended.len(), HANDED_ENDED_MAX);
    assert_eq!(
        ended.last().unwrap().entry,
        Some(site.log.follower.size() - 1)
    );
}
