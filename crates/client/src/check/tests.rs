#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]
//! A hostile server: whatever it changes in an answer is noticed.
use super::*;
use crate::fixture::{Journal, server};
use crate::proof::ProvedVaults;
use serde_json::{Value, json};
use strongroom_world::{FRIEND, Ledger, STRANGER, Who, World, WorldOptions};

struct Served {
    ledger: Ledger,
    intent: Intent,
    signed: Signed,
    answer: Value,
}

fn value(signed: &Signed) -> Value {
    serde_json::from_str(&signed.to_json().to_text()).unwrap()
}

/// The answer as the client reads it.
fn read(answer: &Value) -> Result<TransactionInfo, ClientError> {
    crate::http::answer(&answer.to_string())
}

/// What an honest server answers for a transfer that needs one approver.
fn served() -> Served {
    let ledger = Ledger::ready(World::new(1, WorldOptions::default()));
    let intent = ledger.world.intent(ledger.now, 5_000_000, FRIEND);
    let signed = ledger.world.signed_intent(&intent);
    let core = ledger.decide(&intent).unwrap();
    let digest = intent.digest();
    let answer = json!({
        "id": TransactionId::from(digest).to_string(), "state": "pending_approval", "digest": digest.to_string(),
        "tenant": intent.tenant.to_string(), "vault": intent.vault.to_string(),
        "external_id": intent.external_id.to_string(), "words": words(&digest), "intent": value(&signed),
        "decision": {"text": core.to_text(), "digest": core.digest().to_string(), "tier": core.tier.to_string(),
                     "rule": core.rule},
        "approvals": [], "refusals": [], "version": 1, "changed_ms": 1, "created_ms": 1, "expires_ms": 2,
    });
    Served {
        ledger,
        intent,
        signed,
        answer,
    }
}

#[test]
fn an_honest_answer_is_believed() {
    let served = served();
    let shown = echo(&read(&served.answer).unwrap(), &served.signed).unwrap();
    assert_eq!(
        (shown.digest, shown.intent),
        (served.intent.digest(), served.intent)
    );
}

#[test]
fn every_lie_about_a_transaction_is_noticed() {
    let served = served();
    let elsewhere = served
        .ledger
        .world
        .intent(served.ledger.now, 5_000_000, STRANGER);
    let other = elsewhere.digest();
    let lie = |pointer: &str, value: Value| {
        let mut answer = served.answer.clone();
        *answer.pointer_mut(pointer).unwrap() = value;
        answer
    };
    for answer in [
        lie("/digest", json!(other.to_string())),
        lie("/id", json!(TransactionId::from(other).to_string())),
        lie("/words", json!(words(&other))),
        lie("/words/3", json!("zoo")),
        lie("/words", json!([])),
        lie("/tenant", json!("tnt_00112233445566778899aabbccddeeff")),
        lie("/vault", json!("vlt_00112233445566778899aabbccddeeff")),
        lie("/external_id", json!("other")),
        lie(
            "/intent",
            value(&served.ledger.world.signed_intent(&elsewhere)),
        ),
        lie(
            "/intent/text",
            json!(served.signed.text.replace("5000000", "9000000")),
        ),
        lie("/intent/text", json!(format!(" {}", served.signed.text))),
        lie("/decision/digest", json!(other.to_string())),
        lie("/decision/tier", json!("auto")),
        lie("/decision/rule", json!("small")),
        json!({}),
        json!(null),
    ] {
        assert!(
            matches!(
                read(&answer).and_then(|info| transaction(&info)),
                Err(ClientError::Untrue(_))
            ),
            "{answer}"
        );
    }
    // An answer that is true of another intent is still not about the one that was sent.
    let sent = served.ledger.world.signed_intent(&elsewhere);
    assert!(matches!(
        echo(&read(&served.answer).unwrap(), &sent),
        Err(ClientError::Untrue(_))
    ));
}

/// A person who asked for one transaction would approve or cancel another one.
#[test]
fn an_answer_that_is_true_of_another_transaction_is_not_the_one_asked_for() {
    let served = served();
    let client = crate::Client::new(&server(&served.answer.to_string()), "key");
    let shown = TransactionId::from(served.intent.digest());
    assert!(client.transaction(shown, None, 0).is_ok());

    let other = (served.ledger.world).intent(served.ledger.now, 5_000_000, FRIEND);
    let asked = TransactionId::from(other.digest());
    assert!(matches!(
        client.transaction(asked, None, 0),
        Err(ClientError::Untrue(_))
    ));
}

#[test]
fn approvers_are_shown_what_this_client_reads_and_sign_that() {
    let (served, journal) = (served(), Journal::get());
    let platform = served.ledger.world.platform();
    let vaults = ProvedVaults::default();
    let pending = pending(
        &read(&served.answer).unwrap(),
        platform,
        journal.codec.as_ref(),
        &vaults,
    )
    .unwrap();
    assert_eq!(
        (
            pending.effects.moves.len(),
            pending.effects.moves[0].to.as_str()
        ),
        (1, FRIEND)
    );
    let approver = served.ledger.world.person(Who::Approver(0));
    let nonce = ApprovalNonce([1; 16]);
    let signed = pending.approval("as ordered", nonce, &approver.signing());
    let (approval, digest) = signed.open::<Approval>().unwrap();
    assert_eq!(
        (approval.intent, approval.core),
        (served.intent.digest(), pending.decision.core.digest())
    );
    assert_ne!(approval.rationale, Digest::default());
    assert!(strongroom_types::proof::verify(
        &approver.credential,
        &digest,
        &signed.endorsements[0].proof
    ));
}

/// Bound to the intent alone: a decision that changes, or that a writer delays, voids no no.
#[test]
fn rejection_is_a_tightening_that_the_journal_takes() {
    let served = served();
    let shown = transaction(&read(&served.answer).unwrap()).unwrap();
    let approver = served.ledger.world.person(Who::Approver(0)).signing();
    let expires = served.ledger.now.plus(60_000);
    let signed = rejection(&shown, ActId([1; 16]), expires, &approver);

    let act = signed.open::<Act>().unwrap().0;
    assert!(act.is_tightening());
    assert_eq!(
        act.body,
        ActBody::Tighten(Tighten::Reject(served.intent.digest()))
    );
    let body = strongroom_journal::Body::Act(signed);
    assert_eq!(served.ledger.refused(body), None);
}

#[test]
fn another_installation_decoder_or_no_decision_is_not_signed() {
    let (served, journal) = (served(), Journal::get());
    let platform = served.ledger.world.platform();
    let vaults = ProvedVaults::default();
    let codec = journal.codec.as_ref();
    assert!(
        pending(
            &read(&served.answer).unwrap(),
            PlatformId([9; 16]),
            codec,
            &vaults
        )
        .is_err()
    );
    let mut undecided = served.answer.clone();
    undecided["decision"] = Value::Null;
    assert!(pending(&read(&undecided).unwrap(), platform, codec, &vaults).is_err());
    let mut core = served.ledger.decide(&served.intent).unwrap();
    core.decoder = "bitcoin/2".to_owned();
    let mut other = served.answer.clone();
    other["decision"]["text"] = json!(core.to_text());
    other["decision"]["digest"] = json!(core.digest().to_string());
    let error = pending(&read(&other).unwrap(), platform, codec, &vaults).unwrap_err();
    let text = crate::with_causes(&error);
    assert!(text.contains("bitcoin/2"), "{text}");
    core.decoder = "bitcoin/1".to_owned();
    core.intent = Digest([1; 32]);
    other["decision"]["text"] = json!(core.to_text());
    other["decision"]["digest"] = json!(core.digest().to_string());
    let error = pending(&read(&other).unwrap(), platform, codec, &vaults).unwrap_err();
    let text = crate::with_causes(&error);
    assert!(text.contains("another intent"), "{text}");
}

/// Whatever the order in which the server lists them: the shipped client and the services that count
/// must not differ, or an ordered decision could never be approved.
#[test]
fn hole_an_ordered_answer_names_the_approvals_of_earlier_groups_only() {
    let served = served();
    let shown = transaction(&read(&served.answer).unwrap()).unwrap();
    let mut decision = shown.decision.clone().unwrap();
    let group = decision.core.groups[0].group;
    let need = |approvals| strongroom_types::GroupNeed { group, approvals };
    decision.core.groups = vec![need(1), need(2), need(1)];
    let approver = served.ledger.world.person(Who::Approver(0)).signing();
    let mut pending = PendingApproval {
        shown,
        decision,
        effects: Effects::default(),
        answered: Vec::new(),
    };

    let mut named = Vec::new();
    for ordered in [false, true] {
        pending.decision.core.ordered = ordered;
        pending.answered.clear();
        for n in 0..4 {
            let signed = pending.approval("why", ApprovalNonce([n; 16]), &approver);
            let (approval, digest) = signed.open::<Approval>().unwrap();
            named.push(approval.after.len());
            let mut earlier: Vec<Digest> = pending.answered.iter().map(|(d, _)| *d).collect();
            earlier.retain(|digest| approval.after.contains(digest));
            assert_eq!(earlier.len(), approval.after.len());
            // The server lists the newest answer first.
            pending.answered.insert(0, (digest, approval));
        }
    }
    assert_eq!(named, [0, 0, 0, 0, 0, 1, 1, 3]);
}

/// The journal counts approvals of this decision alone: an answer that names another one in `after`
/// is never counted.
#[test]
fn an_ordered_answer_names_no_approval_of_another_decision() {
    let (mut served, journal) = (served(), Journal::get());
    let world = served.ledger.world.clone();
    let mut core = served.ledger.decide(&served.intent).unwrap();
    let group = core.groups[0].group;
    let need = strongroom_types::GroupNeed {
        group,
        approvals: 1,
    };
    (core.groups, core.ordered) = (vec![need, need], true);
    served.answer["decision"]["text"] = json!(core.to_text());
    served.answer["decision"]["digest"] = json!(core.digest().to_string());

    let stale = served.ledger.decide(&served.intent).unwrap();
    let elsewhere = world.intent(served.ledger.now, 5_000_000, STRANGER);
    let yes = |intent: &Intent, core| world.approve(Who::Approver(1), intent, core, &[]);
    let counted = yes(&served.intent, &core);
    served.answer["approvals"] = json!([
        value(&yes(&served.intent, &stale)),
        value(&yes(&elsewhere, &core)),
        value(&counted),
    ]);

    let (info, vaults) = (read(&served.answer).unwrap(), ProvedVaults::default());
    let pending = pending(&info, world.platform(), journal.codec.as_ref(), &vaults).unwrap();
    let approver = world.person(Who::Approver(0)).signing();
    let signed = pending.approval("as ordered", ApprovalNonce([1; 16]), &approver);
    let approval = signed.open::<Approval>().unwrap().0;
    assert_eq!(approval.after, [Approval::digest_of(&counted.text)]);
}
