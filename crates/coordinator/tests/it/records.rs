//! What the coordinator's records carry besides their payload: order, deadline, name, timeline.

use crate::site::{NEW_KEY, PACE, Site, new_ceremony};
use std::collections::BTreeSet;
use strongroom_ports::bus::Record;
use strongroom_stage::post::message_id;
use strongroom_types::UnixMs;
use strongroom_wire::{CoordinatorMessage, JournalSubmitted, Layer, Marks, SignerMessage, topics};

const RUN_MS: u64 = 15_000;

fn on<'a>(records: &'a [Record], topic: &str) -> Vec<&'a Record> {
    let is_on = |record: &&Record| record.topic.as_str() == topic;
    records.iter().filter(is_on).collect()
}

fn ids(records: &[Record]) -> BTreeSet<[u8; 16]> {
    records.iter().map(message_id).collect()
}

/// A signer's clock may be ahead by the skew; no one waits for what is signed after the deadline.
#[test]
fn a_quorum_may_answer_as_long_as_its_try_lasts_and_its_request_is_wanted() {
    let skew_ms = 5_000;
    let deadline = |requested: fn(UnixMs) -> UnixMs| {
        let mut site = Site::new();
        site.stock_up();
        let request = site.request(1);
        let record = site.requested_until(&request, requested(site.now));
        let asked = site.give(record);
        assert_eq!(site.asked(&asked).len(), 2);
        asked[0].headers.deadline_ms - site.now.0
    };
    assert_eq!(deadline(|now| now.plus(60_000)), PACE.try_ms + skew_ms);
    assert_eq!(deadline(|now| now.plus(100)), 100);
}

/// Signers drop a message id that they know: a question asked again must not look like the first.
#[test]
fn each_request_for_commitments_is_a_new_message() {
    let mut site = Site::new();
    let first = ids(&site.ticks());
    assert_eq!(first.len(), 3);
    site.wait(1_000);
    let second = ids(&site.ticks());
    assert_eq!(second.len(), 3);
    assert!(first.is_disjoint(&second));
}

#[test]
fn the_start_of_a_ceremony_after_a_restart_is_a_new_message() {
    let mut site = Site::with_ceremony();
    let first = ids(&site.ticks());
    site.restart();
    site.wait(1);
    assert!(first.is_disjoint(&ids(&site.ticks())));
}

#[test]
fn the_start_of_a_ceremony_can_still_be_read() {
    let mut site = Site::with_ceremony();
    let records = site.ticks();
    let now = site.now.0;
    assert!(records.iter().all(|r| r.headers.deadline_ms > now));
}

/// One vault's results keep their order; the timeline shows when the signers saw the attempt.
#[test]
fn an_outcome_is_ordered_by_vault_and_shows_when_the_journal_covered_it() {
    let mut site = Site::new();
    site.stock_up();
    let request = site.request(1);
    let asked = site.request_signing(&request);
    let quorum = site.asked(&asked);
    let made = site.settle(asked, &request.slots);
    let [finished] = on(&made, topics::SIGNING_FINISHED).try_into().unwrap();
    assert_eq!(finished.key, request.vault.0);
    let marks = Marks::from_bytes(&finished.headers.marks);
    let last = quorum.iter().max().unwrap();
    // The scripted signers report this time: a thousand and their index.
    assert_eq!(marks.at(Layer::Journal), Some(1_000 + u64::from(*last)));
}

fn offered(site: &mut Site) -> Record {
    site.ticks();
    let finished = &new_ceremony().finished;
    let mut records = Vec::new();
    for (index, signature) in &finished.certificates {
        let certificate = SignerMessage::Certificate {
            tenant: site.world.tenant.id,
            key: NEW_KEY,
            signature: signature.to_vec(),
            public: finished.public.clone(),
            transcript: finished.transcript,
        };
        records.extend(site.give_said(*index, &certificate));
    }
    let [offer] = records.try_into().unwrap();
    offer
}

/// The journal takes it once, however often it is offered; each offer must reach the writer.
#[test]
fn a_result_offered_again_is_the_same_submission_in_a_new_message() {
    let mut site = Site::with_ceremony();
    let first = offered(&mut site);
    site.wait(RUN_MS);
    let second = offered(&mut site);
    assert_ne!(message_id(&first), message_id(&second));
    let submission = |record| site.world.open::<JournalSubmitted>(record).1.submission;
    assert_eq!(submission(&first), submission(&second));
    for record in [first, second] {
        assert_eq!(record.key, site.world.tenant.id.0);
        assert!(record.headers.deadline_ms > site.now.0 - RUN_MS);
    }
}

/// What is asked of a quorum is asked of each of its signers in the same bytes.
#[test]
fn all_of_a_quorum_get_the_same_request() {
    let mut site = Site::new();
    site.stock_up();
    let asked = site.request_signing(&site.request(1));
    let messages: Vec<CoordinatorMessage> = site
        .messages(&asked)
        .into_iter()
        .map(|(_, message)| message)
        .collect();
    assert_eq!(messages.len(), 2);
    assert_eq!(messages[0], messages[1]);
}
