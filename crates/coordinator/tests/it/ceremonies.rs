//! A key generation: started, relayed, offered to the journal.

use crate::signers::refusal_of;
use crate::site::{NEW_KEY, Site, new_ceremony};
use strongroom_journal::Body;
use strongroom_journal::state::Lookup as _;
use strongroom_types::{Code, Digest};
use strongroom_wire::{
    CeremonyMessage, CoordinatorMessage, JournalSubmitted, SignerMessage, decode, topics,
};
use strongroom_world::Ceremony;

/// Milliseconds until a run without result is followed by the next, and after a refusal.
const RUN_MS: u64 = 15_000;
const RETRY_MS: u64 = 500;

/// Runs that these records start, with the signers told.
fn started(site: &Site, records: &[strongroom_ports::bus::Record]) -> Vec<(u16, u32)> {
    let messages = site.messages(records).into_iter();
    messages
        .filter_map(|(index, message)| match message {
            CoordinatorMessage::Ceremony { key, run, .. } => {
                assert_eq!(key, NEW_KEY);
                Some((index, run))
            }
            CoordinatorMessage::Prepare { .. }
            | CoordinatorMessage::Sign(_)
            | CoordinatorMessage::Relay(_) => None,
        })
        .collect()
}

fn started_now(site: &mut Site) -> Vec<(u16, u32)> {
    let records = site.ticks();
    started(site, &records)
}

fn offered_after(site: &mut Site, index: u16, message: &SignerMessage) -> Vec<Body> {
    let records = site.give_said(index, message);
    offered(site, &records)
}

fn all(run: u32) -> Vec<(u16, u32)> {
    [1, 2, 3].map(|index| (index, run)).to_vec()
}

fn certificate(site: &Site, ceremony: &Ceremony, index: u16) -> SignerMessage {
    let certificates = &ceremony.finished.certificates;
    let (_, signature) = certificates.iter().find(|(by, _)| *by == index).unwrap();
    SignerMessage::Certificate {
        tenant: site.world.tenant.id,
        key: NEW_KEY,
        signature: signature.to_vec(),
        public: ceremony.finished.public.clone(),
        transcript: ceremony.finished.transcript,
    }
}

fn offered(site: &Site, records: &[strongroom_ports::bus::Record]) -> Vec<Body> {
    let submitted: Vec<JournalSubmitted> = site.world.payloads(records, topics::JOURNAL_SUBMITTED);
    submitted
        .iter()
        .map(|submitted| decode(&submitted.body).unwrap())
        .collect()
}

#[test]
fn a_released_ceremony_is_started_with_its_whole_roster() {
    let mut site = Site::with_ceremony();
    let records = site.ticks();
    assert_eq!(started(&site, &records), all(1));
}

#[test]
fn what_all_certified_is_offered_to_the_journal_which_takes_it() {
    let mut site = Site::with_ceremony();
    site.ticks();
    let ceremony = new_ceremony();
    for index in [1, 2] {
        let message = certificate(&site, ceremony, index);
        assert!(site.give_said(index, &message).is_empty());
    }
    let last = certificate(&site, ceremony, 3);
    let records = site.give_said(3, &last);
    let bodies = offered(&site, &records);
    assert_eq!(bodies, [ceremony.body()]);
    site.ledger.push(bodies[0].clone(), site.now).unwrap();
    site.catch_up();
    site.wait(RUN_MS);
    let later = site.ticks();
    assert!(started(&site, &later).is_empty(), "the journal has the key");
    let prepares = site.messages(&later).into_iter();
    let late = ceremony_message(&site, None);
    assert!(
        site.give_said(2, &late).is_empty(),
        "and its ceremony is over"
    );
    let of_new_key = prepares.filter(
        |(_, message)| matches!(message, CoordinatorMessage::Prepare { key, .. } if *key == NEW_KEY),
    );
    assert_eq!(of_new_key.count(), 3);
}

#[test]
fn signers_that_certify_different_results_finish_nothing() {
    let mut site = Site::with_ceremony();
    site.ticks();
    let ceremony = new_ceremony();
    for index in [1, 2] {
        let message = certificate(&site, ceremony, index);
        site.give_said(index, &message);
    }
    let mut other = certificate(&site, ceremony, 3);
    let SignerMessage::Certificate { transcript, .. } = &mut other else {
        unreachable!()
    };
    *transcript = Digest([9; 32]);
    assert!(offered_after(&mut site, 3, &other).is_empty());
    // The third signer certifies the same result now, and its earlier certificate counts no more.
    let same = certificate(&site, ceremony, 3);
    assert_eq!(offered_after(&mut site, 3, &same).len(), 1);
    assert!(site.give_said(3, &same).is_empty(), "offered once");
}

/// What a signer certified before does not complete a result that it no longer stands for.
#[test]
fn a_certificate_takes_the_place_of_the_signers_earlier_one() {
    let mut site = Site::with_ceremony();
    site.ticks();
    let ceremony = new_ceremony();
    let same = certificate(&site, ceremony, 3);
    let mut other = same.clone();
    let SignerMessage::Certificate { transcript, .. } = &mut other else {
        unreachable!()
    };
    *transcript = Digest([9; 32]);
    for message in [&same, &other] {
        assert!(offered_after(&mut site, 3, message).is_empty());
    }
    for index in [1, 2] {
        let message = certificate(&site, ceremony, index);
        assert!(offered_after(&mut site, index, &message).is_empty());
    }
    assert_eq!(offered_after(&mut site, 3, &same).len(), 1);
}

#[test]
fn a_certificate_that_is_not_a_signature_or_of_no_ceremony_is_dropped() {
    let mut site = Site::with_ceremony();
    let ceremony = new_ceremony();
    let early = certificate(&site, ceremony, 1);
    assert!(site.give_said(1, &early).is_empty(), "no run was started");
    site.ticks();
    let mut short = certificate(&site, ceremony, 1);
    let SignerMessage::Certificate { signature, .. } = &mut short else {
        unreachable!()
    };
    signature.pop();
    assert!(site.give_said(1, &short).is_empty());
}

pub fn ceremony_message(site: &Site, to: Option<u16>) -> SignerMessage {
    SignerMessage::Ceremony(CeremonyMessage {
        tenant: site.world.tenant.id,
        key: NEW_KEY,
        run: 1,
        to,
        body: vec![1, 2, 3],
    })
}

#[test]
fn messages_go_to_all_peers_or_to_the_one_that_is_named_as_they_were_sealed() {
    let mut site = Site::with_ceremony();
    site.ticks();
    for (to, expected) in [(None, vec![1, 3]), (Some(3), vec![3]), (Some(2), vec![])] {
        let record = site.said(2, &ceremony_message(&site, to));
        let sealed = record.payload.clone();
        let relayed = site.give(record);
        let relayed = site.messages(&relayed);
        let peers: Vec<u16> = relayed.iter().map(|(index, _)| *index).collect();
        assert_eq!(peers, expected);
        for (_, message) in relayed {
            assert_eq!(message, CoordinatorMessage::Relay(sealed.clone()));
        }
    }
}

#[test]
fn a_run_without_a_result_is_followed_by_the_next() {
    let mut site = Site::with_ceremony();
    site.ticks();
    site.wait(RUN_MS - 1);
    assert!(started_now(&mut site).is_empty());
    site.wait(1);
    let records = site.ticks();
    assert_eq!(started(&site, &records), all(2));
}

#[test]
fn a_refusal_that_names_the_run_brings_the_next_one_soon() {
    let mut site = Site::with_ceremony();
    let first = site.ticks();
    let (_, message) = site
        .messages(&first)
        .into_iter()
        .find(|(_, message)| matches!(message, CoordinatorMessage::Ceremony { .. }))
        .unwrap();
    let no = refusal_of(Code::CeremonyFault, &message);
    assert!(site.give_said(2, &no).is_empty());
    site.wait(RETRY_MS - 1);
    assert!(started_now(&mut site).is_empty());
    site.wait(1);
    let records = site.ticks();
    assert_eq!(started(&site, &records), all(2));
    // The same refusal of the run that is over makes no next run come sooner.
    assert!(site.give_said(2, &no).is_empty());
    site.wait(RUN_MS - 1);
    assert!(started_now(&mut site).is_empty());
}

/// Near the end of a run its refusal must not put the next one off.
#[test]
fn a_refusal_does_not_lengthen_the_run() {
    let mut site = Site::with_ceremony();
    let first = site.ticks();
    let (_, message) = site.messages(&first).remove(0);
    site.wait(RUN_MS - 1);
    site.give_said(2, &refusal_of(Code::CeremonyFault, &message));
    site.wait(1);
    assert_eq!(started_now(&mut site), all(2));
}

fn submitted(site: &mut Site) -> CoordinatorMessage {
    let records = site.ticks();
    let messages = site.messages(&records).into_iter();
    let (_, start) = messages
        .into_iter()
        .find(|(_, message)| matches!(message, CoordinatorMessage::Ceremony { .. }))
        .unwrap();
    let ceremony = new_ceremony();
    let offers = [1, 2, 3].map(|index| {
        let message = certificate(site, ceremony, index);
        offered_after(site, index, &message).len()
    });
    assert_eq!(offers, [0, 0, 1]);
    start
}

/// The journal may refuse the result, or never get it.
#[test]
fn a_result_that_the_journal_does_not_take_is_followed_by_the_next_run() {
    let mut site = Site::with_ceremony();
    submitted(&mut site);
    site.wait(RUN_MS - 1);
    assert!(started_now(&mut site).is_empty());
    site.wait(1);
    assert_eq!(started_now(&mut site), all(2));
}

#[test]
fn a_refusal_after_the_result_was_offered_brings_the_next_run_soon() {
    let mut site = Site::with_ceremony();
    let start = submitted(&mut site);
    site.give_said(2, &refusal_of(Code::CeremonyFault, &start));
    site.wait(RETRY_MS);
    assert_eq!(started_now(&mut site), all(2));
}

#[test]
fn a_refused_prepare_is_not_taken_for_a_refused_ceremony() {
    let mut site = Site::with_ceremony();
    site.ticks();
    let prepare = CoordinatorMessage::Prepare {
        tenant: site.world.tenant.id,
        key: NEW_KEY,
        count: 1,
    };
    let no = refusal_of(Code::UnknownKey, &prepare);
    assert!(site.give_said(2, &no).is_empty());
    site.wait(RETRY_MS);
    assert!(started_now(&mut site).is_empty());
}

/// By its own clock alone it would give up what the journal can still take.
#[test]
fn hole_a_ceremony_is_given_up_when_the_witnessed_time_is_past_its_end() {
    let mut site = Site::with_ceremony();
    let tenant = site.world.tenant.id;
    let key = site.ledger.state.threshold_key(tenant, NEW_KEY).unwrap();
    site.ticks();
    site.now = key.until.plus(60_000);
    assert_eq!(
        started_now(&mut site),
        all(2),
        "the journal is not there yet"
    );

    site.ledger.push(Body::Tick, site.now).unwrap();
    site.catch_up();
    site.wait(RUN_MS);
    site.wait(RUN_MS);
    assert_eq!(started_now(&mut site), all(3), "nor do witnesses say so");

    site.world.witness_tip(&site.journal, site.now);
    site.wait(4 * RUN_MS);
    assert!(started_now(&mut site).is_empty());
    let late = ceremony_message(&site, None);
    assert!(site.give_said(2, &late).is_empty(), "nothing is relayed");
    for index in [1, 2, 3] {
        let message = certificate(&site, new_ceremony(), index);
        assert!(site.give_said(index, &message).is_empty());
    }
}

#[test]
fn a_ceremony_with_a_signer_in_quarantine_is_given_up() {
    let mut site = Site::with_ceremony();
    site.ticks();
    site.quarantine(2);
    site.wait(RUN_MS);
    assert!(started_now(&mut site).is_empty());
}

const MINUTE_MS: u64 = 60_000;

/// Runs of a ceremony in its life of a day, by the minute in which each starts; signer 2 answers as
/// it is told.
fn runs_of_a_day(answer: impl Fn(&mut Site, &CoordinatorMessage)) -> Vec<u64> {
    let mut site = Site::with_ceremony();
    let mut started = Vec::new();
    for minute in 0..24 * 60 {
        let records = site.ticks();
        let messages = site.messages(&records).into_iter();
        let starts = messages
            .filter(|(index, message)| {
                *index == 2 && matches!(message, CoordinatorMessage::Ceremony { .. })
            })
            .collect::<Vec<_>>();
        for (_, message) in starts {
            started.push(minute);
            answer(&mut site, &message);
        }
        site.wait(MINUTE_MS);
    }
    started
}

/// The other members of the roster wait: the same committee would need another key id, and another
/// day.
#[test]
fn hole_a_signer_that_is_away_for_hours_does_not_end_a_ceremony() {
    let runs = runs_of_a_day(|_, _| {});
    assert_eq!(runs.len(), 16, "signers take no more");
    assert!(
        runs[3] <= 5,
        "soon, while it may be a matter of moments: {runs:?}"
    );
    assert!(runs[15] >= 18 * 60, "{runs:?}");
}

#[test]
fn hole_a_signer_that_refuses_for_an_hour_does_not_end_a_ceremony() {
    let runs = runs_of_a_day(|site, message| {
        site.give_said(2, &refusal_of(Code::CeremonyFault, message));
    });
    assert_eq!(runs.len(), 16, "signers take no more");
    assert!(runs[15] >= 4 * 60, "{runs:?}");
}

/// Key ids are unique within a tenant alone.
#[test]
fn hole_a_ceremony_concerns_only_its_own_tenant_when_two_tenants_share_a_key_id() {
    let mut site = Site::with_twin_key();
    let (own, twin) = (site.world.tenant.id, site.world.for_tenant(1).tenant.id);
    let runs_of_twin = |site: &mut Site| {
        let records = site.ticks();
        let messages = site.messages(&records).into_iter();
        let runs = messages.filter_map(|(index, message)| match message {
            CoordinatorMessage::Ceremony { tenant, run, .. } => {
                assert_eq!(tenant, twin);
                (index == 1).then_some(run)
            }
            CoordinatorMessage::Prepare { tenant, .. } => {
                assert_eq!(tenant, own);
                None
            }
            CoordinatorMessage::Sign(_) | CoordinatorMessage::Relay(_) => None,
        });
        runs.collect::<Vec<u32>>()
    };
    assert_eq!(runs_of_twin(&mut site), [1]);
    assert!(runs_of_twin(&mut site).is_empty(), "the run goes on");

    let key = site.world.tenant.key;
    let key = site.ledger.state.threshold_key(twin, key).unwrap();
    site.now = key.until.plus(60_000);
    site.ledger.push(Body::Tick, site.now).unwrap();
    site.catch_up();
    site.world.witness_tip(&site.journal, site.now);
    for _ in 0..3 {
        assert!(runs_of_twin(&mut site).is_empty(), "it is given up");
    }

    // The first tenant's key signs on.
    site.wait(1_000);
    site.stock_up();
    let request = site.request(1);
    let outcomes = site.sign(&request);
    assert!(matches!(
        outcomes[..],
        [strongroom_wire::Outcome::Signed(_)]
    ));
}

#[test]
fn a_ceremony_whose_key_is_revoked_is_given_up() {
    let mut site = Site::with_ceremony();
    site.ticks();
    let message = ceremony_message(&site, None);
    assert_eq!(site.give_said(2, &message).len(), 2);
    let (revoke, who) = (
        strongroom_types::Tighten::revoke(NEW_KEY),
        site.ledger.committee(),
    );
    site.ledger.tighten(revoke, &who).unwrap();
    site.catch_up();
    site.ticks();
    assert!(site.give_said(2, &message).is_empty());
}
