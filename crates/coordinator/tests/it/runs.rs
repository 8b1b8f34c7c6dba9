//! One signing run, from the request to its outcome.

use crate::signers::{Conduct, refusal};
use crate::site::{PACE, Site, sign_requests};
use strongroom_signing::request_digest;
use strongroom_types::{Code, Digest, SessionId, UnixMs};
use strongroom_wire::{CoordinatorMessage, Outcome, SignerMessage, SigningRequested};

/// The refusals of a failed run.
fn refused(outcome: &Outcome) -> Vec<Code> {
    let Outcome::Failed(refusals) = outcome else {
        panic!("a failure wanted: {outcome:?}")
    };
    refusals.iter().map(|refusal| refusal.code).collect()
}

fn assert_signed(outcomes: &[Outcome]) {
    let [Outcome::Signed(signatures)] = outcomes else {
        panic!("one signed outcome wanted: {outcomes:?}")
    };
    // The coordinator verified them under the key's own children (BIP-340).
    assert_eq!(
        signatures.iter().map(Vec::len).collect::<Vec<_>>(),
        [64, 64]
    );
}

#[test]
fn a_quorums_shares_become_one_signature_per_slot() {
    let mut site = Site::stocked();
    let request = site.request(1);
    let asked = site.request_signing(&request);
    let messages = sign_requests(site.messages(&asked));
    assert_eq!(messages.len(), 2, "two of three");
    for (_, sent) in &messages {
        let participants: Vec<u16> = messages.iter().map(|(index, _)| *index).collect();
        assert_eq!(sent.commitments.len(), request.slots.len());
        for slot in &sent.commitments {
            let named: Vec<u16> = slot.iter().map(|(index, _)| *index).collect();
            assert_eq!(named, participants);
        }
    }
    let made = site.settle(asked, &request.slots);
    let [finished] = site.finished(&made).try_into().unwrap();
    assert_eq!(
        (finished.intent, finished.attempt, finished.vault),
        (request.attempt.intent, 1, request.vault)
    );
    assert_signed(&[finished.outcome]);
}

#[test]
fn without_stock_the_signers_are_asked_for_commitments_first() {
    let mut site = Site::new();
    let request = site.request(1);
    let first = site.request_signing(&request);
    assert!(site.asked(&first).is_empty());
    let prepares = site.messages(&first);
    assert_eq!(prepares.len(), 3);
    assert!(
        prepares
            .iter()
            .all(|(_, message)| matches!(message, CoordinatorMessage::Prepare { .. }))
    );
    assert_signed(&site.outcomes(first, &request.slots));
}

#[test]
fn a_reminder_of_the_same_transaction_asks_no_second_quorum() {
    let mut site = Site::stocked();
    let request = site.request(1);
    let first = site.request_signing(&request);
    assert_eq!(site.asked(&first).len(), 2);
    assert!(site.request_signing(&request).is_empty());
}

#[test]
fn another_transaction_for_the_same_attempt_replaces_the_run() {
    let mut site = Site::stocked();
    let first = site.request(1);
    let asked = site.request_signing(&first);
    let mut second = first.clone();
    second.unsigned[0] ^= 1;
    second
        .slots
        .iter_mut()
        .for_each(|slot| slot.message[0] ^= 1);
    let again = site.request_signing(&second);
    assert_eq!(site.asked(&again).len(), 2);
    let session = |records: &[_]| sign_requests(site.messages(records))[0].1.session;
    assert_ne!(session(&asked), session(&again));
    let late = site.settle(asked, &first.slots);
    assert!(
        site.finished(&late).is_empty(),
        "shares of what was replaced"
    );
    assert_signed(&site.outcomes(again, &second.slots));
}

#[test]
fn a_request_at_its_deadline_is_not_begun() {
    let mut site = Site::stocked();
    let request = site.request(1);
    for (deadline, begun) in [(site.now, false), (site.now.plus(1), true)] {
        let record = site.requested_until(&request, deadline);
        assert_eq!(!site.give(record).is_empty(), begun);
    }
}

/// A payment that is signed, with this signer asked at most once.
fn assert_signed_without(site: &mut Site, request: &SigningRequested, signer: u16) {
    let asked = site.request_signing(request);
    let made = site.settle(asked, &request.slots);
    let outcomes = site.finished(&made).into_iter().map(|f| f.outcome);
    assert_signed(&outcomes.collect::<Vec<_>>());
    let asked = site.asked(&made);
    let times = asked.iter().filter(|index| **index == signer).count();
    assert!(times <= 1, "asked again: {asked:?}");
}

#[test]
fn a_signer_that_sends_wrong_shares_is_left_out() {
    let mut site = Site::stocked();
    site.signers.conduct.insert(2, Conduct::WrongShare);
    for n in 1..4 {
        let request = site.request(n);
        assert_signed_without(&mut site, &request, 2);
    }
}

#[test]
fn a_silent_quorum_is_replaced_and_the_silent_signer_is_asked_last() {
    let mut site = Site::stocked();
    site.signers.conduct.insert(2, Conduct::Silent);
    let mut replaced = 0;
    for n in 1..5 {
        let request = site.request(n);
        let mut outcomes = site.sign(&request);
        if outcomes.is_empty() {
            replaced += 1;
            site.wait(PACE.try_ms - 1);
            assert!(site.asked_at_tick().is_empty(), "there is time left");
            site.wait(1);
            let asked = site.tick();
            assert_eq!(site.asked(&asked), [1, 3]);
            outcomes = site.outcomes(asked, &request.slots);
        }
        assert_signed(&outcomes);
    }
    assert_eq!(replaced, 1, "the suspect costs one wait, not one per run");
}

#[test]
fn a_refusal_that_may_pass_is_followed_by_the_same_question_after_a_pause() {
    let mut site = Site::stocked();
    for index in [1, 2, 3] {
        let conduct = Conduct::Refuses(Code::AttemptUnknown);
        site.signers.conduct.insert(index, conduct);
    }
    let request = site.request(1);
    assert!(site.sign(&request).is_empty());
    site.signers.conduct.clear();
    site.wait(PACE.again_ms - 1);
    assert!(site.asked_at_tick().is_empty());
    site.wait(1);
    let asked = site.tick();
    assert_signed(&site.outcomes(asked, &request.slots));
}

#[test]
fn a_final_refusal_leaves_one_signer_out_and_others_are_asked() {
    let mut site = Site::stocked();
    for code in [Code::LocalRule, Code::StoppedLocally, Code::QuotaExceeded] {
        site.signers.conduct.insert(2, Conduct::Refuses(code));
        for n in 0..3 {
            let mut request = site.request(n);
            request.attempt.number = 1 + code as u32;
            assert_signed_without(&mut site, &request, 2);
        }
    }
}

#[test]
fn when_no_quorum_is_left_every_refusal_goes_out_as_it_was_signed() {
    let mut site = Site::stocked();
    site.signers
        .conduct
        .insert(1, Conduct::Refuses(Code::EffectsMismatch));
    site.signers
        .conduct
        .insert(2, Conduct::Refuses(Code::LocalRule));
    let request = site.request(1);
    let outcomes = site.sign(&request);
    assert_eq!(outcomes.len(), 1);
    assert_eq!(
        refused(&outcomes[0]),
        [Code::EffectsMismatch, Code::LocalRule]
    );
    let Outcome::Failed(refusals) = &outcomes[0] else {
        unreachable!()
    };
    for refusal in refusals {
        assert_eq!(refusal.detail, format!("because of {}", refusal.code));
        assert_eq!((refusal.evidence, refusal.head), (Digest([7; 32]), 9));
        assert_eq!(refusal.at, UnixMs(5));
    }
}

#[test]
fn a_restarted_signer_empties_its_stock_with_its_first_new_commitments() {
    let mut site = Site::stocked();
    let mut one = site.commitments(1, 1);
    one[0].boot = [99; 16];
    site.give_commitments(1, site.world.tenant.key, one);
    // One commitment for two slots is not enough: signer 1 cannot be asked now.
    for n in 1..4 {
        let request = site.request(n);
        let asked = site.request_signing(&request);
        assert_eq!(site.asked(&asked), [2, 3]);
    }
}

#[test]
fn words_from_outside_of_the_quorum_change_nothing() {
    let mut site = Site::stocked();
    let request = site.request(1);
    let mut asked = site.request_signing(&request);
    let messages = sign_requests(site.messages(&asked));
    let inside: Vec<u16> = messages.iter().map(|(index, _)| *index).collect();
    let outside = (1..=3).find(|index| !inside.contains(index)).unwrap();
    let sent = &messages[0].1;
    let shares = SignerMessage::Shares {
        session: sent.session,
        request: request_digest(sent),
        shares: vec![vec![1; 32]; 2],
        head: 9,
        covered_us: 0,
    };
    let no = refusal(Code::LocalRule, sent.session, request_digest(sent));
    for message in [shares, no] {
        assert!(site.give_said(outside, &message).is_empty());
    }
    // Its shares do not take the place of the missing ones either: both signers of the quorum are
    // waited for.
    let last = asked.split_off(1);
    let made = site.settle(asked, &request.slots);
    assert_eq!(made.len(), 1, "nothing but the request itself");
    assert_signed(&site.outcomes(last, &request.slots));
}

#[test]
fn an_answer_to_a_request_that_was_never_made_changes_nothing() {
    let mut site = Site::stocked();
    let request = site.request(1);
    let asked = site.request_signing(&request);
    for index in 1..=3 {
        let no = refusal(Code::LocalRule, SessionId([1; 16]), Digest([3; 32]));
        assert!(site.give_said(index, &no).is_empty());
    }
    let made = site.settle(asked, &request.slots);
    assert_eq!(site.finished(&made).len(), 1);
}

#[test]
fn a_run_ends_without_a_word_when_its_time_is_over_and_a_reminder_begins_it_again() {
    let mut site = Site::stocked();
    for index in [1, 2, 3] {
        site.signers.conduct.insert(index, Conduct::Silent);
    }
    let request = site.request(1);
    assert!(site.sign(&request).is_empty());
    site.wait(PACE.run_ms);
    let records = site.tick();
    assert!(site.finished(&records).is_empty());
    assert!(site.asked(&records).is_empty(), "not even once more");
    site.signers.conduct.clear();
    assert_signed(&site.sign(&request));
}

/// No honest signer shares in a quorum with one of them: asking would spend nonces for nothing.
#[test]
fn quarantined_signer_is_in_no_quorum() {
    let mut site = Site::stocked();
    site.quarantine(2);
    for quorum in site.next_quorums(0..6) {
        assert_eq!(quorum, [1, 3]);
    }
}

/// The refuser is honest: without it no one could sign with signer 3.
#[test]
fn quorum_refused_for_a_quarantined_peer_is_replaced_by_one_without_it() {
    let mut site = Site::stocked();
    let mut payments = (0..6)
        .map(|n| site.request(n))
        .collect::<Vec<_>>()
        .into_iter();
    let (request, sent) = payments
        .find_map(|request| {
            let sent = site.request_signing(&request);
            (site.asked(&sent) == [1, 2]).then_some((request, sent))
        })
        .expect("each signer gets its turn");
    site.quarantine(2);

    let conduct = Conduct::Refuses(Code::NotReady);
    site.signers.conduct.insert(1, conduct);
    site.signers.conduct.insert(2, Conduct::Silent);
    assert!(site.outcomes(sent, &request.slots).is_empty());
    site.signers.conduct.clear();

    site.wait(PACE.again_ms);
    let asked = site.tick();
    assert_eq!(site.asked(&asked), [1, 3]);
    assert_signed(&site.outcomes(asked, &request.slots));
}

/// Signer 2 is not one of those left: the requester hears at once that no quorum is.
#[test]
fn run_ends_when_refusals_and_quarantines_leave_too_few_signers() {
    let mut site = Site::stocked();
    site.quarantine(2);
    let conduct = Conduct::Refuses(Code::LocalRule);
    site.signers.conduct.insert(1, conduct);
    let request = site.request(1);
    let outcomes = site.sign(&request);
    assert_eq!(outcomes.len(), 1);
    assert_eq!(refused(&outcomes[0]), [Code::LocalRule]);
}

#[test]
fn quarantined_signer_is_asked_for_no_commitments() {
    let mut site = Site::new();
    site.quarantine(2);
    let prepares = site.ticks();
    let asked: Vec<u16> = site.messages(&prepares).iter().map(|(n, _)| *n).collect();
    assert_eq!(asked, [1, 3]);
}

/// It may name any of the signers.
#[test]
fn while_the_platform_record_cannot_be_read_no_signer_is_asked() {
    let mut site = Site::stocked();
    site.spoil_platform_record();
    assert!(site.next_quorums(0..6).iter().all(Vec::is_empty));
    assert!(site.ticks().is_empty());
}
