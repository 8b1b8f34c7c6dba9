//! Records from senders that may not say this are poison, and leave memory as it was.

use crate::site::Site;
use strongroom_ports::bus::Record;
use strongroom_stage::StageErrorKind;
use strongroom_types::{Code, Digest, SessionId};
use strongroom_wire::{Role, topics};
use strongroom_world::Sender;

fn assert_poison(site: &mut Site, record: Record) {
    let error = site.deliver(vec![record]).unwrap_err();
    assert_eq!(error.kind(), StageErrorKind::Poison, "{}", error.chain());
}

#[test]
fn a_signing_request_of_any_other_role_is_poison() {
    let mut site = Site::new();
    let request = site.request(1);
    let wrong = [
        Sender::Service(Role::Api),
        Sender::Service(Role::Approvals),
        Sender::Service(Role::Coordinator),
        Sender::Service(Role::Writer),
        Sender::Seat(1),
        Sender::Forged(Role::Transactions),
    ];
    for sender in wrong {
        let record = site.record(sender, topics::SIGNING_REQUESTED, &request);
        assert_poison(&mut site, record);
    }
}

#[test]
fn a_signers_word_on_another_signers_topic_is_poison() {
    let mut site = Site::new();
    let no = crate::signers::refusal(Code::LocalRule, SessionId([0; 16]), Digest([1; 32]));
    let topic = topics::signer_outbox(site.world.signer(1).node);
    for sender in [
        Sender::Seat(2),
        Sender::Seat(4),
        Sender::Service(Role::Transactions),
    ] {
        let record = site.record(sender, &topic, &no);
        assert_poison(&mut site, record);
    }
}

#[test]
fn a_poison_record_in_a_batch_leaves_memory_as_it_was() {
    let mut site = Site::stocked();
    let request = site.request(1);
    let good = site.requested(&request);
    let wrong = site.record(
        Sender::Service(Role::Api),
        topics::SIGNING_REQUESTED,
        &request,
    );
    assert!(site.deliver(vec![good.clone(), wrong]).is_err());
    // No run was begun before: else this request would be a reminder.
    let asked = site.give(good);
    assert_eq!(site.asked(&asked).len(), 2);
}
