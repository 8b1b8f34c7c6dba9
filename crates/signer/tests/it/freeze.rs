//! Two trees of one size under the log's signature: frozen until a person names the evidence.

use crate::cluster::Cluster;
use strongroom_journal::Body;
use strongroom_types::{ActBody, Code, Digest, Tighten, digest};
use strongroom_wire::frame::{AdminReply, AdminRequest, FromSigner, ToSigner};
use strongroom_wire::{JournalBatch, Role, open};

/// Another batch of the same writer, over a size that this cluster has.
fn losing_batch() -> Vec<u8> {
    let mut other = Cluster::ready();
    other.now = other.now.plus(1);
    other.authorized(310_000, &[]);
    other.batches.last().unwrap().1.clone()
}

/// A hostile witness contradicts itself so often that nothing else is kept, and then the writer shows
/// its second line.
#[test]
fn hole_a_witnesss_many_contradictions_do_not_thaw_a_split_view() {
    let mut cluster = Cluster::ready();
    cluster.authorized(300_000, &[]);
    let ours = cluster.writer().tip().body.clone();
    let id = cluster.signer_id(1);
    for n in 0..16 {
        let invented = ours.replace("state ", &format!("other{n} "));
        let sealed = cluster.cosigned(4, &invented);
        cluster.give(id, ToSigner::Cosignature(sealed));
    }
    assert!(cluster.signer(1).node().halted().is_none());
    cluster.give(id, ToSigner::Batch(losing_batch()));
    let evidence = cluster.status(1)["frozen"].clone();
    assert_ne!(evidence, "no");
    restart(&mut cluster);
    let halted = cluster.signer(1).node().halted().unwrap();
    assert_eq!(halted.code, Code::Conflict);
    assert_eq!(cluster.status(1)["frozen"], evidence);
}

/// A cluster whose signer 1 has met both lines.
fn split() -> Cluster {
    let mut cluster = Cluster::ready();
    cluster.authorized(300_000, &[]);
    let id = cluster.signer_id(1);
    cluster.give(id, ToSigner::Batch(losing_batch()));
    assert!(cluster.signer(1).node().halted().is_some());
    cluster
}

fn restart(cluster: &mut Cluster) {
    let now = cluster.now;
    cluster.signer(1).start(now).unwrap();
}

fn unfreeze(cluster: &mut Cluster, evidence: Digest) -> AdminReply {
    let now = cluster.now;
    let node = cluster.signer(1).node();
    node.admin(AdminRequest::Unfreeze(evidence), now)
}

#[test]
fn hole_1_9_a_split_view_is_not_forgotten_at_a_restart() {
    let mut cluster = split();
    let evidence = cluster.status(1)["frozen"].clone();
    for _ in 0..2 {
        restart(&mut cluster);
        let halted = cluster.signer(1).node().halted().unwrap();
        assert_eq!(halted.code, Code::Conflict);
        assert_eq!(cluster.status(1)["frozen"], evidence);
        assert_eq!(cluster.refused_commitments(1), Code::Conflict);

        cluster.now = cluster.now.plus(15_000);
        let now = cluster.now;
        let ticked = cluster.signer(1).node().tick(now).unwrap();
        let cosigns = |frame: &FromSigner| matches!(frame, FromSigner::Cosignature(_));
        assert!(!ticked.iter().any(cosigns));
    }
}

/// An operator who types it has looked at both bodies.
#[test]
fn the_evidence_of_a_freeze_names_both_bodies() {
    let mut cluster = split();
    let note = |record: &[u8]| {
        let registered = cluster.writer().state().registered();
        let envelope = open(record, registered.as_ref(), &[Role::Writer]).unwrap();
        envelope.payload::<JournalBatch>().unwrap().note
    };
    let body = |note: String| format!("{}\n", note.split_once("\n\n").unwrap().0);
    let ours = body(note(&cluster.batches.last().unwrap().1));
    let theirs = body(note(&losing_batch()));
    assert_ne!(ours, theirs);
    let parts = [ours.as_bytes(), theirs.as_bytes()];
    let evidence = digest("strongroom/split-view/v1", &parts).to_string();
    assert_eq!(cluster.status(1)["frozen"], evidence);
}

#[test]
fn a_freeze_is_lifted_by_its_own_evidence_alone_and_the_losing_head_stays_refused() {
    let mut cluster = split();
    let evidence: Digest = cluster.status(1)["frozen"].parse().unwrap();
    let AdminReply::Refused(why) = unfreeze(&mut cluster, Digest([7; 32])) else {
        panic!("refused")
    };
    assert!(why.contains("not_found"), "{why}");
    restart(&mut cluster);
    assert!(cluster.signer(1).node().halted().is_some());

    assert_eq!(unfreeze(&mut cluster, evidence), AdminReply::Done);
    assert!(
        cluster.signer(1).node().halted().is_some(),
        "from the next start on"
    );
    restart(&mut cluster);
    assert_eq!(cluster.status(1)["frozen"], "no");
    let again = unfreeze(&mut cluster, evidence);
    assert!(matches!(again, AdminReply::Refused(why) if why.contains("not_found")));
    cluster.pump();
    cluster.wait(15_000);

    let id = cluster.signer_id(1);
    cluster.give(id, ToSigner::Batch(losing_batch()));
    assert!(cluster.signer(1).node().halted().is_none());
    let payment = cluster.authorized(320_000, &[]);
    cluster.assert_signs(1, &payment);
}

/// Until its restart the process holds the evidence, and keeps it again with every batch that it
/// refuses.
#[test]
fn a_batch_that_comes_before_the_restart_does_not_undo_a_lifted_freeze() {
    let mut cluster = split();
    let evidence: Digest = cluster.status(1)["frozen"].parse().unwrap();
    assert_eq!(unfreeze(&mut cluster, evidence), AdminReply::Done);
    let id = cluster.signer_id(1);
    let batch = cluster.batches.last().unwrap().1.clone();
    cluster.give(id, ToSigner::Batch(batch));
    restart(&mut cluster);
    assert_eq!(cluster.status(1)["frozen"], "no");
}

/// Memory keeps the tip alone after a start: the stored heads show the contradiction, when memory has
/// applied the batch already.
#[test]
fn a_witnessed_entry_over_another_tree_than_the_stored_one_halts_the_signer_and_not_the_process() {
    let mut cluster = Cluster::ready();
    cluster.tighten(Tighten::Stop);
    let resume = cluster
        .ledger()
        .signed_act(ActBody::Resume, &cluster.ledger().admins());
    cluster.order(Body::Act(resume)).unwrap();
    cluster.pump();
    let ours = cluster.writer().tip().clone();

    // The writer's memory forgets the head over which its witnesses are said to have vouched.
    cluster.order(Body::Tick).unwrap();
    cluster.pump();
    assert!(cluster.writer().head(ours.size).is_none());
    restart(&mut cluster);

    let other = ours.body.replace("state ", "other ");
    let seats = cluster.world.quorum_seats();
    let witnessed = cluster.world.witnessed(&other, &seats, cluster.now);
    cluster.now = cluster.now.plus(1_000);
    cluster.order(Body::Witnessed(witnessed)).unwrap();
    let batch = cluster.batches.last().unwrap().1.clone();
    let id = cluster.signer_id(1);
    cluster.give(id, ToSigner::Batch(batch));

    let halted = cluster.signer(1).node().halted().unwrap();
    assert_eq!(halted.code, Code::Conflict);
    assert!(halted.detail.contains("vouch for another tree"), "{halted}");
    assert_eq!(cluster.refused_commitments(1), Code::Conflict);
    cluster.now = cluster.now.plus(15_000);
    let now = cluster.now;
    assert!(cluster.signer(1).node().tick(now).unwrap().is_empty());
}
