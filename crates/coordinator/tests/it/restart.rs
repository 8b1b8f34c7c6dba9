//! Everything is memory: a restart loses it, and the requester's reminder brings it back.

use crate::site::{NEW_KEY, Site};
use strongroom_wire::{CoordinatorMessage, Outcome};

#[test]
fn a_run_that_a_restart_interrupted_is_signed_after_its_reminder() {
    let mut site = Site::stocked();
    let request = site.request(1);
    let asked = site.request_signing(&request);
    site.restart();
    let late = site.settle(asked, &request.slots);
    assert!(
        site.finished(&late).is_empty(),
        "shares of before the restart"
    );
    let outcomes = site.sign(&request);
    assert!(matches!(outcomes.as_slice(), [Outcome::Signed(_)]));
}

#[test]
fn a_ceremony_goes_on_with_its_first_run_after_a_restart() {
    let mut site = Site::with_ceremony();
    site.ticks();
    site.restart();
    let records = site.ticks();
    let runs: Vec<u32> = site
        .messages(&records)
        .into_iter()
        .filter_map(|(_, message)| match message {
            CoordinatorMessage::Ceremony { key, run, .. } if key == NEW_KEY => Some(run),
            CoordinatorMessage::Ceremony { .. }
            | CoordinatorMessage::Prepare { .. }
            | CoordinatorMessage::Sign(_)
            | CoordinatorMessage::Relay(_) => None,
        })
        .collect();
    assert_eq!(runs, [1, 1, 1]);
}

#[test]
fn the_same_request_replayed_after_a_restart_leads_to_the_same_session() {
    let session = |site: &mut Site, record| {
        let asked = site.give(record);
        crate::site::sign_requests(site.messages(&asked))[0]
            .1
            .session
    };
    let mut site = Site::stocked();
    let record = site.requested(&site.request(1));
    let first = session(&mut site, record.clone());
    site.restart();
    site.stock_up();
    assert_eq!(session(&mut site, record), first);
}
