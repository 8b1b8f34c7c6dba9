//! The journal as its writer publishes it, and the records around it.

use strongroom_types::NodeId;
use strongroom_wire::{JournalBatch, Role, open, topics};
use strongroom_world::{Ledger, Letter, Log, START, Sender, World, WorldOptions, small};

#[test]
fn a_published_ledger_gives_every_replica_the_state_of_the_ledger() {
    let ledger = Ledger::ready(World::new(6, WorldOptions::default()));
    let log = Log::of(&ledger);
    let shared = log.shared(ledger.now);
    let (root, fresh) = shared.read(|follower| {
        let fresh = follower.fresh(ledger.now).map(|head| head.size);
        (follower.state().root(), fresh)
    });
    assert_eq!(root, ledger.state.root());
    assert_eq!(fresh, Ok(ledger.entries.len() as u64));
}

#[test]
fn a_record_opens_under_its_senders_name_and_a_forged_one_does_not() {
    let world = small::world();
    let batch = small::log().tick(START);
    let letter = Letter::new(topics::JOURNAL_ENTRIES, START).to(NodeId([7; 16]));
    let writer = world.record(Sender::Service(Role::Writer), letter, &batch);
    let (envelope, read) = world.open::<JournalBatch>(&writer);
    assert_eq!(envelope.from, world.service(Role::Writer).node);
    assert_eq!((envelope.to, read), (Some(NodeId([7; 16])), batch.clone()));

    let forged = world.record(Sender::Forged(Role::Writer), letter, &batch);
    let senders = strongroom_journal::genesis::Registered::of(&world.genesis);
    assert!(open(&forged.payload, &senders, &[Role::Writer]).is_err());
    assert_ne!(writer.payload, forged.payload);
}
