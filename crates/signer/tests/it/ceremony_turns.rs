//! Runs of a ceremony in their turn, and the requests of several coordinators.

use crate::ceremony::{refusal, start};
use crate::cluster::Cluster;
use strongroom_journal::Body;
use strongroom_journal::genesis::Registered;
use strongroom_types::{Act, ActBody, CeremonyPlan, Code, Document as _, KeyId, RegistryRecord};
use strongroom_wire::frame::ToSigner;
use strongroom_wire::{CoordinatorMessage, Role, SignerMessage, open};
use strongroom_world::WorldOptions;

#[test]
fn runs_are_one_to_sixteen() {
    let mut cluster = Cluster::new();
    cluster.release_ceremony();
    for run in [0, 17, u32::MAX] {
        cluster.to(1, &start(&cluster, run));
        assert_eq!(refusal(&cluster), Code::CeremonyFault, "{run}");
    }

    // The last run is taken when honest pauses lead to it.
    cluster.wait(16_384_000);
    let finished = cluster.run_ceremony(16);
    assert_eq!(finished.certificates.len(), 3);
}

/// One message of a hostile coordinator to one signer would use up all runs of a ceremony, and with
/// them the key id and another delay.
#[test]
fn hole_a_run_ahead_of_all_that_honest_pauses_allow_uses_up_no_earlier_one() {
    let mut cluster = Cluster::new();
    cluster.release_ceremony();
    for run in [16, 6] {
        cluster.to(1, &start(&cluster, run));
        assert_eq!(refusal(&cluster), Code::CeremonyFault, "{run}");
    }

    // Run 6 is due 15.5 s after the release at the earliest; clocks may be 10 s apart.
    cluster.wait(5_500);
    cluster.to(1, &start(&cluster, 7));
    assert_eq!(refusal(&cluster), Code::CeremonyFault);
    assert_eq!(cluster.run_ceremony(1).certificates.len(), 3);
    assert_eq!(cluster.run_ceremony(6).certificates.len(), 3);
}

/// Its copy under another coordinator's name, held first, would leave it without an answer.
#[test]
fn hole_a_request_that_waits_for_one_coordinator_waits_for_another_as_well() {
    let mut cluster = Cluster::with(WorldOptions {
        coordinators: 2,
        ..WorldOptions::default()
    });
    let message = start(&cluster, 1);
    let coordinators: Vec<_> = cluster
        .world
        .services
        .iter()
        .filter(|service| service.role == Role::Coordinator)
        .cloned()
        .collect();
    let id = cluster.signer_id(1);
    for coordinator in coordinators.iter().rev() {
        let sealed = cluster.seal_as(coordinator, Some(id), &message, 30_000);
        assert!(cluster.give(id, ToSigner::Inbox(sealed)).is_empty());
    }

    cluster.wait(30_000);
    let registered = Registered::of(&cluster.world.genesis);
    let answers = cluster.said.iter();
    let mut answered: Vec<_> = answers
        .filter(|(_, message, _)| matches!(message, SignerMessage::Refused(_)))
        .map(|(_, _, sealed)| open(sealed, &registered, &[Role::Signer]).unwrap().to)
        .collect();
    let mut asked: Vec<_> = coordinators.iter().map(|c| Some(c.node)).collect();
    answered.sort_unstable();
    asked.sort_unstable();
    assert_eq!(answered, asked);
}

#[test]
fn a_ceremony_whose_proposal_waits_for_witnessed_time_is_not_joined() {
    let mut cluster = Cluster::new();
    let committee = cluster.ledger().committee();
    let put = ActBody::Put(cluster.world.ceremony_record());
    let proposal = cluster.ledger().signed_act(put, &committee);
    cluster.order(Body::Act(proposal)).unwrap();
    cluster.pump();
    assert!(cluster.to(1, &start(&cluster, 1)).is_empty());
    cluster.wait(30_000);
    assert_eq!(refusal(&cluster), Code::CeremonyNotApproved);
}

/// The committee proposes and releases one more key; gives the start of its first run.
fn released(cluster: &mut Cluster, key: KeyId) -> CoordinatorMessage {
    let plan = CeremonyPlan {
        key,
        ..cluster.world.plan()
    };
    let committee = cluster.ledger().committee();
    let put = ActBody::Put(RegistryRecord::Ceremony(plan));
    let proposal = cluster.ledger().signed_act(put, &committee);
    cluster.submit(Body::Act(proposal.clone())).unwrap();
    let release = ActBody::Release(Act::digest_of(&proposal.text));
    cluster.act(release, &committee);
    CoordinatorMessage::Ceremony {
        tenant: cluster.world.tenant.id,
        key,
        run: 1,
    }
}

/// Each run holds secret polynomials in the signer's memory.
#[test]
fn no_more_than_thirty_two_ceremonies_run_at_once() {
    let mut cluster = Cluster::new();
    for n in 1..=32 {
        let start = released(&mut cluster, KeyId([n; 16]));
        cluster.to(1, &start);
    }
    assert_eq!(cluster.status(1)["ceremonies"], "32");

    let one_more = released(&mut cluster, KeyId([33; 16]));
    cluster.to(1, &one_more);
    assert_eq!(refusal(&cluster), Code::QuotaExceeded);
    assert_eq!(cluster.status(1)["ceremonies"], "32");
}
