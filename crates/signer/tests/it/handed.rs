//! Tightenings that the operator hands over past the writer.

use crate::cluster::Cluster;
use std::slice;
use strongroom_journal::Body;
use strongroom_journal::state::Lookup as _;
use strongroom_ports::db::Db as _;
use strongroom_types::json::TEXT_BYTES_MAX;
use strongroom_types::proof::{Assertion, Proof};
use strongroom_types::signed::{ENDORSEMENTS_MAX, Endorsement};
use strongroom_types::{
    Act, ActBody, CredentialId, Digest, Document as _, RegistryRecord, Signed, Tighten, UnixMs,
    User, UserId,
};
use strongroom_wire::frame::{AdminReply, AdminRequest, FromSigner, ToSigner};
use strongroom_wire::{JournalSubmitted, Role, decode, open};
use strongroom_world::Who;

fn mallory() -> UserId {
    UserId([9; 16])
}

/// The committee proposes a user; its delay is over.
fn propose(cluster: &mut Cluster) -> Digest {
    let put = ActBody::Put(RegistryRecord::User(User {
        id: mallory(),
        name: "Mallory".parse().unwrap(),
    }));
    let committee = cluster.ledger().committee();
    let proposal = cluster.ledger().signed_act(put, &committee);
    cluster.submit(Body::Act(proposal.clone())).unwrap();
    Act::digest_of(&proposal.text)
}

fn veto(cluster: &Cluster, proposal: Digest) -> Signed {
    let veto = ActBody::Tighten(Tighten::Veto(proposal));
    cluster.ledger().signed_act(veto, &[Who::Committee(0)])
}

fn hand(cluster: &mut Cluster, index: u16, signed: &Signed) -> AdminReply {
    let now = cluster.now;
    let request = AdminRequest::Hand(signed.to_json().to_text());
    cluster.signer(index).node().admin(request, now)
}

/// As many signatures as an act may have, each of the largest size.
#[test]
fn a_tightening_that_a_full_board_of_passkeys_signed_is_read() {
    let mut cluster = Cluster::ready();
    let proposal = propose(&mut cluster);
    let mut signed = veto(&cluster, proposal);
    let part = |bytes| vec![0xff; bytes];
    let assertion = Assertion::new(part(256), part(1_024), part(72)).unwrap();
    let more = (1..ENDORSEMENTS_MAX).map(|n| Endorsement {
        credential: CredentialId([n as u8; 16]),
        proof: Proof::WebAuthn(assertion.clone()),
    });
    signed.endorsements.extend(more);
    signed.endorsements.sort_by_key(|e| e.credential);
    assert!(signed.to_json().to_text().len() > TEXT_BYTES_MAX);

    // It is judged: the tenant does not know all who signed it.
    let AdminReply::Refused(why) = hand(&mut cluster, 1, &signed) else {
        panic!("strangers signed it")
    };
    assert!(why.starts_with("unknown_credential"), "{why}");
}

fn in_force(cluster: &Cluster) -> bool {
    let tenant = cluster.world.tenant.id;
    cluster.writer().state().user(tenant, mallory()).is_ok()
}

/// What a node submitted to the writer since the last call.
fn submitted(cluster: &mut Cluster) -> Vec<Body> {
    let registered = cluster.writer().state().registered().clone();
    let read = |(from, sealed): (strongroom_types::NodeId, Vec<u8>)| {
        let envelope = open(&sealed, registered.as_ref(), &[Role::Signer]).unwrap();
        assert_eq!((envelope.from, envelope.to), (from, None));
        let submitted: JournalSubmitted = envelope.payload().unwrap();
        decode(&submitted.body).unwrap()
    };
    cluster.submitted.drain(..).map(read).collect()
}

/// The release that it forbids is appended within the ten seconds in which an honest writer would
/// include the veto.
#[test]
fn hole_handed_veto_is_not_outrun_by_the_release_it_forbids() {
    let mut control = Cluster::ready();
    let proposal = propose(&mut control);
    let committee = control.ledger().committee();
    control.act(ActBody::Release(proposal), &committee);
    assert!(in_force(&control), "without a veto it is in force at once");

    // w - k + 1 = 2 of 4 witnesses hold it, so every quorum has one of them.
    let mut cluster = Cluster::ready();
    let payment = cluster.authorized(300_000, &[]);
    let proposal = propose(&mut cluster);
    let veto = veto(&cluster, proposal);
    for index in [1, 2] {
        assert_eq!(hand(&mut cluster, index, &veto), AdminReply::Done);
    }
    cluster.act(ActBody::Release(proposal), &committee);
    assert!(!in_force(&cluster));
    for index in [1, 2] {
        let silent = &cluster.status(index)["silent"];
        assert!(
            silent.starts_with("tightening_pending: a release"),
            "{silent}"
        );
    }
    cluster.wait(60_000);
    assert!(!in_force(&cluster));

    // The writer can always go on by appending the veto.
    let entry = cluster.submit(Body::Act(veto.clone())).unwrap();
    assert!(!in_force(&cluster));
    let name = format!("tightening_{}", Act::digest_of(&veto.text));
    let status = cluster.status(1);
    assert_eq!(status[&name], format!("in the journal, entry {entry}"));
    assert_eq!(status["silent"], "no");
    cluster.assert_signs(1, &payment);
}

#[test]
fn handed_tightening_is_passed_on_to_the_writer_at_once_and_until_it_is_included() {
    let mut cluster = Cluster::ready();
    let proposal = propose(&mut cluster);
    let veto = veto(&cluster, proposal);
    hand(&mut cluster, 1, &veto);
    cluster.wait(200);
    let wanted = Body::Act(veto);
    assert_eq!(submitted(&mut cluster), slice::from_ref(&wanted));

    // The record may be lost, or meet a quota.
    cluster.wait(9_000);
    assert_eq!(submitted(&mut cluster), []);
    cluster.wait(1_000);
    assert_eq!(submitted(&mut cluster), slice::from_ref(&wanted));
    let now = cluster.now;
    cluster.signer(1).start(now).unwrap();
    cluster.wait(200);
    assert_eq!(submitted(&mut cluster), slice::from_ref(&wanted));

    cluster.submit(wanted).unwrap();
    cluster.wait(20_000);
    assert_eq!(submitted(&mut cluster), []);

    // Another one that is handed over soon after does not wait for its turn.
    for digest in [Digest([1; 32]), Digest([2; 32])] {
        let cancel = ActBody::Tighten(Tighten::Cancel(digest));
        let cancel = cluster.ledger().signed_act(cancel, &[Who::Initiator]);
        hand(&mut cluster, 1, &cancel);
        cluster.wait(200);
        assert!(submitted(&mut cluster).contains(&Body::Act(cancel)));
    }
}

/// The writer would otherwise see it only when the old time is reached again.
#[test]
fn handed_tightening_is_passed_on_after_the_clock_was_set_back() {
    let mut cluster = Cluster::ready();
    let proposal = propose(&mut cluster);
    let veto = veto(&cluster, proposal);
    hand(&mut cluster, 1, &veto);
    cluster.wait(200);
    assert_eq!(submitted(&mut cluster), slice::from_ref(&Body::Act(veto)));

    let (now, node) = (cluster.now, cluster.signer(1).node());
    let is_passed_on = |frames: Vec<FromSigner>| {
        let mut frames = frames.iter();
        frames.any(|frame| matches!(frame, FromSigner::Submission(_)))
    };
    let back = UnixMs(now.0 - 60_000);
    assert!(is_passed_on(node.tick(back).unwrap()));
    assert!(!is_passed_on(node.tick(back.plus(19_999)).unwrap()));
    assert!(is_passed_on(node.tick(back.plus(20_000)).unwrap()));
}

/// What time alone ended is not blamed on the entry that comes next.
#[test]
fn a_duty_that_time_ended_names_no_entry() {
    let mut cluster = Cluster::ready();
    let proposal = propose(&mut cluster);
    let mine = veto(&cluster, proposal);
    hand(&mut cluster, 1, &mine);
    cluster.now = cluster.now.plus(25 * 3_600_000);
    cluster.tighten(Tighten::Cancel(Digest([1; 32])));
    let name = format!("tightening_{}", Act::digest_of(&mine.text));
    let ended = "ended by time: authority_expired";
    assert_eq!(cluster.status(1)[&name], ended);
}

/// A batch that is too old to be cosigned ends a duty all the same, with its entry.
#[test]
fn a_duty_ends_with_the_batch_that_is_not_cosigned() {
    let mut cluster = Cluster::ready();
    let proposal = propose(&mut cluster);
    let mine = veto(&cluster, proposal);
    hand(&mut cluster, 1, &mine);
    let other = ActBody::Tighten(Tighten::Veto(proposal));
    let other = cluster.ledger().signed_act(other, &[Who::Committee(1)]);
    let entry = cluster.order(Body::Act(other)).unwrap();

    cluster.now = cluster.now.plus(61_000);
    let late = cluster.batches.last().unwrap().1.clone();
    let id = cluster.signer_id(1);
    cluster.give(id, ToSigner::Batch(late));
    let status = cluster.status(1);
    assert!(status["silent"].starts_with("time_out_of_bounds"));
    let name = format!("tightening_{}", Act::digest_of(&mine.text));
    let ended = format!("ended by entry {entry}: unknown_proposal");
    assert_eq!(status[&name], ended);
}

/// What a writer that is down has not read needs no copies; as soon as it appends, they count again.
#[test]
fn handed_tightening_is_passed_on_ever_more_rarely_to_a_writer_that_appends_nothing() {
    let mut cluster = Cluster::ready();
    cluster.quiet = true;
    let proposal = propose(&mut cluster);
    let veto = veto(&cluster, proposal);
    hand(&mut cluster, 1, &veto);
    let mut sent = Vec::new();
    for second in (0..3_600).step_by(10) {
        cluster.wait(10_000);
        sent.extend(submitted(&mut cluster).iter().map(|_| second));
    }
    assert_eq!(
        sent,
        [0, 10, 30, 70, 150, 310, 630, 1_230, 1_830, 2_430, 3_030]
    );

    cluster.submit(Body::Tick).unwrap();
    for _ in 0..2 {
        cluster.wait(10_000);
        assert_eq!(submitted(&mut cluster), [Body::Act(veto.clone())]);
        cluster.submit(Body::Tick).unwrap();
    }
}

/// Another member's veto comes before: its position is named, at once and after a restart.
#[test]
fn status_and_hand_name_the_entry_that_ended_a_handed_tightening() {
    let mut cluster = Cluster::ready();
    let proposal = propose(&mut cluster);
    let mine = veto(&cluster, proposal);
    let name = format!("tightening_{}", Act::digest_of(&mine.text));
    hand(&mut cluster, 1, &mine);
    let owed = format!("owed since {}", cluster.now);
    assert_eq!(cluster.status(1)[&name], owed);

    let other = ActBody::Tighten(Tighten::Veto(proposal));
    let other = cluster.ledger().signed_act(other, &[Who::Committee(1)]);
    cluster.submit(Body::Tick).unwrap();
    let entry = cluster.submit(Body::Act(other)).unwrap();
    cluster.submit(Body::Tick).unwrap();
    let ended = format!("ended by entry {entry}: unknown_proposal");
    assert_eq!(cluster.status(1)[&name], ended);
    let now = cluster.now;
    cluster.signer(1).start(now).unwrap();
    assert_eq!(cluster.status(1)[&name], ended);

    let AdminReply::Refused(why) = hand(&mut cluster, 1, &mine) else {
        panic!("it can never be included");
    };
    assert!(why.ends_with(&format!("handed before, {ended}")), "{why}");
}

/// No entry comes in between, so only the act that is refused shows that an earlier one has ended.
#[test]
fn an_end_that_a_refused_tightening_shows_is_on_disk_at_once() {
    let mut cluster = Cluster::ready();
    let proposal = propose(&mut cluster);
    let (now, world) = (cluster.now, cluster.world.clone());
    let body = ActBody::Tighten(Tighten::Veto(proposal));
    let mut act = world.act(now, world.scope(), body, 0);
    act.expires = now.plus(5_000);
    let veto = world.sign(&act, &[Who::Committee(0)]);
    assert_eq!(hand(&mut cluster, 1, &veto), AdminReply::Done);

    let ended_at = |cluster: &mut Cluster| {
        let disk = cluster.signer(1).disk.clone();
        let mut tx = disk.begin().unwrap();
        let rows = tx
            .query("SELECT ended_ms FROM journal_handed", &[])
            .unwrap();
        let [row] = rows.as_slice() else {
            panic!("one act")
        };
        row.u64_opt(0).unwrap()
    };
    assert_eq!(ended_at(&mut cluster), None);
    cluster.now = now.plus(6_000);
    let AdminReply::Refused(why) = hand(&mut cluster, 1, &veto) else {
        panic!("it has expired");
    };
    assert!(why.contains("ended by time"), "{why}");
    assert_eq!(ended_at(&mut cluster), Some(now.0 + 6_000));
}
