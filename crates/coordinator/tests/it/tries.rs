//! Which signers a run asks next, and with which commitments.

use crate::signers::{Conduct, refusal};
use crate::site::{NEW_KEY, PACE, Site, release_new_key, sign_requests};
use strongroom_signing::request_digest;
use strongroom_types::Code;
use strongroom_wire::{
    CoordinatorMessage, NonceCommitment, Outcome, SignerMessage, SigningRequest,
};

/// One signer of the quorum that the first payment asks, and what it was asked.
fn one_asked(site: &mut Site) -> (u16, SigningRequest) {
    let asked = site.request_signing(&site.request(1));
    sign_requests(site.messages(&asked)).remove(0)
}

fn refuse(site: &mut Site, (signer, sent): &(u16, SigningRequest), code: Code) {
    let no = refusal(code, sent.session, request_digest(sent));
    site.give_said(*signer, &no);
}

fn contain(quorums: &[Vec<u16>], signer: u16) -> bool {
    quorums.iter().any(|quorum| quorum.contains(&signer))
}

#[test]
fn a_signer_with_exactly_one_commitment_per_slot_is_asked_and_then_no_more() {
    let mut site = Site::new();
    for index in [1, 2] {
        site.stock_of(index, 2);
    }
    let outcomes = site.sign(&site.request(1));
    assert!(matches!(outcomes.as_slice(), [Outcome::Signed(_)]));
    assert!(site.next_quorums(2..3).concat().is_empty());
}

#[test]
fn every_try_has_a_session_of_its_own() {
    let mut site = Site::new();
    site.stock_up();
    let (_, first) = one_asked(&mut site);
    site.wait(PACE.try_ms);
    let again = site.tick();
    let (_, second) = sign_requests(site.messages(&again)).remove(0);
    assert_ne!(first.session, second.session);
}

#[test]
fn two_attempts_of_one_payment_are_two_runs() {
    let mut site = Site::new();
    site.stock_up();
    let first = site.request(1);
    let mut second = first.clone();
    second.attempt.number = 2;
    second.unsigned[0] ^= 1;
    let asked = [&first, &second].map(|request| site.request_signing(request));
    let made: Vec<_> = asked
        .into_iter()
        .flat_map(|records| site.settle(records, &first.slots))
        .collect();
    let attempts: Vec<u32> = site.finished(&made).iter().map(|f| f.attempt).collect();
    assert_eq!(attempts, [1, 2]);
}

#[test]
fn a_signer_that_has_lost_its_nonces_is_not_asked_until_it_sends_new_ones() {
    for code in [Code::CommitmentUnknown, Code::NonceUsed] {
        let mut site = Site::new();
        site.stock_up();
        let one = one_asked(&mut site);
        refuse(&mut site, &one, code);
        assert!(!contain(&site.next_quorums(2..4), one.0), "{code}");
        site.wait(PACE.again_ms);
        assert!(!site.asked_at_tick().contains(&one.0), "{code}");

        site.stock_of(one.0, 16);
        assert!(contain(&site.next_quorums(4..7), one.0), "{code}");
    }
}

#[test]
fn a_refusal_for_another_reason_leaves_the_signers_commitments() {
    let mut site = Site::new();
    site.stock_up();
    let one = one_asked(&mut site);
    refuse(&mut site, &one, Code::LocalRule);
    assert!(contain(&site.next_quorums(2..5), one.0));
}

/// One that is down must not cost each run a whole wait, and one that is back must bear its part.
#[test]
fn a_suspect_that_says_anything_is_asked_like_the_others() {
    let mut site = Site::new();
    site.stock_up();
    let request = site.request(1);
    let asked = site.request_signing(&request);
    let silent = site.asked(&asked)[0];
    site.signers.conduct.insert(silent, Conduct::Silent);
    site.settle(asked, &request.slots);
    site.wait(PACE.try_ms);
    site.tick();
    assert!(!contain(&site.next_quorums(2..5), silent));

    site.stock_of(silent, 1);
    assert!(contain(&site.next_quorums(5..8), silent));
}

/// Of a quorum in which one was silent, the others are not to blame.
#[test]
fn a_signer_that_answered_is_not_suspected() {
    let mut site = Site::new();
    site.stock_up();
    let request = site.request(1);
    let asked = site.request_signing(&request);
    let quorum = site.asked(&asked);
    site.signers.conduct.insert(quorum[1], Conduct::Silent);
    site.settle(asked, &request.slots);
    site.wait(PACE.try_ms);
    site.tick();
    for next in site.next_quorums(2..6) {
        assert!(next.contains(&quorum[0]), "{next:?} after {quorum:?}");
    }
}

#[test]
fn a_revoked_key_signs_nothing_and_gets_no_new_commitments() {
    let mut site = Site::new();
    site.stock_up();
    site.revoke_key();
    assert!(site.request_signing(&site.request(1)).is_empty());
    site.wait(1_000);
    assert!(site.ticks().is_empty());
}

#[test]
fn a_key_revoked_while_its_quorum_signs_gives_no_signature() {
    let mut site = Site::new();
    site.stock_up();
    let request = site.request(1);
    let asked = site.request_signing(&request);
    site.revoke_key();
    let made = site.settle(asked, &request.slots);
    assert!(site.finished(&made).is_empty());
}

/// Its requester need not wait for the run's time: no quorum of this key is left.
#[test]
fn a_refusal_under_a_key_revoked_since_ends_the_run() {
    let mut site = Site::new();
    site.stock_up();
    for index in [1, 2, 3] {
        let conduct = Conduct::Refuses(Code::KeyRevoked);
        site.signers.conduct.insert(index, conduct);
    }
    let request = site.request(1);
    let asked = site.request_signing(&request);
    site.revoke_key();
    let made = site.settle(asked, &request.slots);
    let [finished] = site.finished(&made).try_into().unwrap();
    let Outcome::Failed(refusals) = finished.outcome else {
        panic!("a failure wanted: {:?}", finished.outcome)
    };
    assert_eq!(refusals[0].code, Code::KeyRevoked);
}

/// After the run's time its requester asks again; until then a reminder changes nothing.
#[test]
fn a_run_lives_for_its_time_and_no_longer() {
    let mut site = Site::new();
    site.stock_up();
    let request = site.request(1);
    site.request_signing(&request);
    site.wait(PACE.run_ms - 1);
    assert_eq!(site.asked_at_tick().len(), 2, "another quorum");
    assert!(site.request_signing(&request).is_empty());
    site.wait(1);
    assert!(site.asked_at_tick().is_empty());
    let again = site.request_signing(&request);
    assert_eq!(site.asked(&again).len(), 2);
}

#[test]
fn a_run_ends_at_the_deadline_of_its_request() {
    let mut site = Site::new();
    site.stock_up();
    let request = site.request(1);
    let record = site.requested_until(&request, site.now.plus(PACE.try_ms + 1));
    site.give(record);
    site.wait(PACE.try_ms);
    assert_eq!(site.asked_at_tick().len(), 2, "another quorum");
    site.wait(1);
    assert!(site.asked_at_tick().is_empty());
    let again = site.request_signing(&request);
    assert_eq!(site.asked(&again).len(), 2, "begun again, not reminded");
}

/// Only what a signer of the roster prepared counts as its stock.
#[test]
fn a_message_without_commitments_changes_nothing() {
    let mut site = Site::new();
    site.stock_up();
    let none = SignerMessage::Commitments {
        tenant: site.world.tenant.id,
        key: site.world.tenant.key,
        commitments: vec![],
    };
    for index in 1..=3 {
        assert!(site.give_said(index, &none).is_empty());
    }
    assert_eq!(site.next_quorums(1..2)[0].len(), 2);
}

/// They would make the request too large for a record, or honest signers refuse it.
#[test]
fn hole_commitments_that_no_signer_can_decode_are_not_kept() {
    let mut site = Site::new();
    for index in [2, 3] {
        site.stock_of(index, 16);
    }
    let key = site.world.tenant.key;
    let right = site.commitments(1, 2);
    let spoiled: [fn(&mut Vec<u8>); 4] = [
        |bytes| *bytes = vec![2; 100_000],
        |bytes| bytes.truncate(65),
        |bytes| bytes.push(0),
        |bytes| *bytes = vec![0; 66],
    ];
    for spoil in spoiled {
        let mut bad = right.clone();
        bad.iter_mut().for_each(|one| spoil(&mut one.commitment));
        site.give_commitments(1, key, bad);
    }
    assert_eq!(site.next_quorums(1..4).concat(), [2, 3, 2, 3, 2, 3]);

    site.give_commitments(1, key, right);
    assert!(contain(&site.next_quorums(4..7), 1));
}

/// Each one costs the decoding of two points, whatever its bytes are.
#[test]
fn of_one_message_no_more_commitments_are_read_than_the_stock_holds() {
    let most = usize::try_from(PACE.stock).unwrap();
    for (nonsense, asked) in [(most - 2, 2), (most - 1, 0)] {
        let mut site = Site::new();
        site.stock_of(2, 2);
        let right = site.commitments(1, 2);
        let wrong = NonceCommitment {
            commitment: Vec::new(),
            ..right[0].clone()
        };
        let sent = [vec![wrong; nonsense], right].concat();
        site.give_commitments(1, site.world.tenant.key, sent);
        assert_eq!(site.next_quorums(1..2)[0].len(), asked, "{nonsense}");
    }
}

/// A signer that names keys which do not exist must not fill the coordinator's memory.
#[test]
fn hole_commitments_for_a_key_that_the_journal_does_not_have_are_not_kept() {
    for (known_before, asked) in [(false, 0), (true, 2)] {
        let mut site = Site::new();
        release_new_key(&mut site.ledger, &[1, 2]);
        if known_before {
            site.catch_up();
        }
        for index in [1, 2] {
            let commitments = site.commitments(index, 2);
            site.give_commitments(index, NEW_KEY, commitments);
        }
        site.catch_up();

        let mut request = site.request(1);
        request.key = NEW_KEY;
        let records = site.request_signing(&request);
        assert_eq!(site.asked(&records).len(), asked);
    }
}

#[test]
fn hole_a_signers_long_refusal_does_not_fill_the_outcome() {
    let mut site = Site::stocked();
    let request = site.request(1);
    let mut records = site.request_signing(&request);
    for _ in 0..2 {
        let (signer, sent) = sign_requests(site.messages(&records)).remove(0);
        let SignerMessage::Refused(mut no) =
            refusal(Code::EffectsMismatch, sent.session, request_digest(&sent))
        else {
            unreachable!()
        };
        no.detail = "\u{e9}".repeat(100_000);
        records = site.give_said(signer, &SignerMessage::Refused(no));
    }

    let [finished] = site.finished(&records).try_into().unwrap();
    let Outcome::Failed(refusals) = finished.outcome else {
        panic!("it failed");
    };
    let sizes: Vec<usize> = refusals.iter().map(|no| no.detail.len()).collect();
    assert_eq!(sizes, [512, 512]);
}

/// A run that waits for commitments goes on with the first that make a quorum.
#[test]
fn a_waiting_run_asks_as_soon_as_two_signers_have_commitments() {
    let mut site = Site::new();
    let first = site.request_signing(&site.request(1));
    let is_prepare =
        |(_, message): &(u16, _)| matches!(message, CoordinatorMessage::Prepare { .. });
    assert!(site.messages(&first).iter().all(is_prepare));
    let one = site.stock_of(1, 2);
    assert!(site.asked(&one).is_empty());
    let two = site.stock_of(3, 2);
    assert_eq!(site.asked(&two), [1, 3]);
}
