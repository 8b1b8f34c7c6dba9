//! A signer that takes no part in a ceremony has no say in it.

use crate::ceremonies::ceremony_message;
use crate::signers::refusal_of;
use crate::site::{NEW_KEY, Site};
use strongroom_journal::Body;
use strongroom_ports::bus::Record;
use strongroom_types::{Code, Digest};
use strongroom_wire::{CoordinatorMessage, JournalSubmitted, SignerMessage, decode, topics};

const RETRY_MS: u64 = 500;

/// Not in the roster of the ceremony.
const STRANGER: u16 = 3;

/// The start of the ceremony's first run.
fn started(site: &mut Site) -> CoordinatorMessage {
    let records = site.ticks();
    let starts = starts(site, &records);
    let signers: Vec<u16> = starts.iter().map(|(index, _)| *index).collect();
    assert_eq!(signers, [1, 2]);
    starts.into_iter().next().unwrap().1
}

fn starts(site: &Site, records: &[Record]) -> Vec<(u16, CoordinatorMessage)> {
    let messages = site.messages(records).into_iter();
    messages
        .filter(|(_, message)| matches!(message, CoordinatorMessage::Ceremony { .. }))
        .collect()
}

#[test]
fn a_strangers_refusal_does_not_cut_a_run_short() {
    for (signer, next) in [(STRANGER, 0), (2, 2)] {
        let mut site = Site::with_ceremony_of_two();
        let start = started(&mut site);
        site.give_said(signer, &refusal_of(Code::CeremonyFault, &start));
        site.wait(RETRY_MS);
        let records = site.ticks();
        assert_eq!(starts(&site, &records).len(), next, "signer {signer}");
    }
}

#[test]
fn a_strangers_message_is_not_relayed() {
    for (signer, relayed) in [(STRANGER, 0), (2, 1)] {
        let mut site = Site::with_ceremony_of_two();
        started(&mut site);
        let message = ceremony_message(&site, None);
        let records = site.give_said(signer, &message);
        assert_eq!(site.messages(&records).len(), relayed, "signer {signer}");
    }
}

/// The coordinator only counts certificates; that they hold is for the journal to say.
#[test]
fn a_strangers_certificate_does_not_complete_a_result() {
    let mut site = Site::with_ceremony_of_two();
    started(&mut site);
    let certificate = SignerMessage::Certificate {
        tenant: site.world.tenant.id,
        key: NEW_KEY,
        signature: vec![1; 64],
        public: vec![1],
        transcript: Digest([9; 32]),
    };
    assert!(site.give_said(1, &certificate).is_empty());
    assert!(site.give_said(STRANGER, &certificate).is_empty());

    let records = site.give_said(2, &certificate);
    let submitted: Vec<JournalSubmitted> = site.world.payloads(&records, topics::JOURNAL_SUBMITTED);
    let Body::Finished(finished) = decode(&submitted[0].body).unwrap() else {
        panic!("the end of a ceremony")
    };
    let signers: Vec<u16> = finished.certificates.iter().map(|(by, _)| *by).collect();
    assert_eq!(signers, [1, 2]);
}
