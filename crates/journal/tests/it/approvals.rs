//! Approvals: enough distinct eligible humans, each for exactly this intent and this decision.

use crate::{LARGE, MEDIUM, SMALL, TWO, forged, ready, ready_under, ready_with};
use strongroom_journal::apply::evaluate;
use strongroom_types::{
    Approval, Code, Credential, CredentialClass, DecisionCore, Digest, Document as _, GroupNeed,
    Intent, PlatformId, RegistryRecord, Signed, TenantId, Tier, Tighten, UnixMs,
};
use strongroom_world::{AuthorizationExt as _, FRIEND, Ledger, PolicyOptions, Who};

fn with_approvals(ledger: &Ledger, intent: &Intent, approvals: Vec<Signed>) -> Option<Code> {
    let core = ledger.decide(intent).unwrap();
    let attempt = ledger.world.attempt(intent);
    ledger.refused(
        ledger
            .world
            .authorization(intent, &core, approvals, attempt)
            .into_body(),
    )
}

/// Why a payment of `amount`, approved by these people, is refused.
fn approved_by(ledger: &Ledger, amount: u64, who: &[Who]) -> Option<Code> {
    let intent = ledger.world.intent(ledger.now, amount, FRIEND);
    ledger.refused(ledger.authorization(&intent, who).into_body())
}

/// Why a payment approved by approver 0, whose approval was changed before it was signed, is
/// refused.
fn changed(ledger: &Ledger, change: impl FnOnce(&mut Approval)) -> Option<Code> {
    let intent = ledger.world.intent(ledger.now, MEDIUM, FRIEND);
    let core = ledger.decide(&intent).unwrap();
    let mut approval = ledger.world.approval(Who::Approver(0), &intent, &core, &[]);
    change(&mut approval);
    with_approvals(
        ledger,
        &intent,
        vec![ledger.world.sign(&approval, &[Who::Approver(0)])],
    )
}

#[test]
fn as_many_approvals_are_needed_as_the_decision_says() {
    let ledger = ready();
    assert_eq!(
        approved_by(&ledger, MEDIUM, &[]),
        Some(Code::ApprovalMissing)
    );
    assert_eq!(approved_by(&ledger, MEDIUM, &TWO[..1]), None);
    assert_eq!(
        approved_by(&ledger, MEDIUM, &TWO),
        Some(Code::ApprovalMissing),
        "and no more"
    );
    assert_eq!(
        approved_by(&ledger, LARGE, &TWO[..1]),
        Some(Code::ApprovalMissing)
    );
    assert_eq!(approved_by(&ledger, LARGE, &TWO), None);
    assert_eq!(
        approved_by(&ledger, 1, &TWO[..1]),
        Some(Code::ApprovalMissing),
        "the automatic tier asks no one"
    );
}

#[test]
fn the_initiator_never_approves_by_whichever_credential() {
    let ledger = ready();
    for who in [Who::Initiator, Who::InitiatorKey] {
        assert_eq!(
            approved_by(&ledger, MEDIUM, &[who]),
            Some(Code::ApprovalByInitiator)
        );
    }
    let approver = ledger.world.person(Who::ApproverProgram(0)).credential.id;
    let intent = ledger
        .world
        .intent_with(ledger.now, MEDIUM, FRIEND, |i| i.initiator = approver);
    let body = |who| ledger.authorization(&intent, &[who]).into_body();
    assert_eq!(
        ledger.refused(body(Who::Approver(0))),
        Some(Code::ApprovalByInitiator),
        "although in the group"
    );
    assert_eq!(ledger.refused(body(Who::Approver(1))), None);
}

#[test]
fn one_human_counts_once_also_with_two_credentials() {
    let ledger = ready();
    let twice = [Who::Approver(0), Who::ApproverProgram(0)];
    assert_eq!(
        approved_by(&ledger, LARGE, &twice),
        Some(Code::ApprovalDuplicateHuman)
    );
    assert_eq!(
        approved_by(&ledger, LARGE, &[Who::Approver(0); 2]),
        Some(Code::ApprovalDuplicateHuman)
    );
    assert_eq!(
        approved_by(&ledger, LARGE, &[Who::Approver(0), Who::ApproverProgram(1)]),
        None
    );
}

#[test]
fn the_same_approval_twice_is_one() {
    let ledger = ready();
    let intent = ledger.world.intent(ledger.now, LARGE, FRIEND);
    let core = ledger.decide(&intent).unwrap();
    let one = ledger.world.approve(Who::Approver(0), &intent, &core, &[]);
    assert_eq!(
        with_approvals(&ledger, &intent, vec![one.clone(), one]),
        Some(Code::ApprovalDuplicateHuman)
    );
}

/// Nonces are chosen by approvers and shown to all of them: one who takes another's uses up their
/// own approval alone, whether the payment is authorized before or with the other's.
#[test]
fn hole_approver_uses_up_the_nonce_of_another() {
    let mut ledger = ready();
    let world = ledger.world.clone();
    let with_nonce = |who, intent: &Intent, core: &DecisionCore| {
        let mut approval = world.approval(who, intent, core, &[]);
        approval.nonce.0 = [9; 16];
        world.sign(&approval, &[who])
    };

    let taken = world.intent(ledger.now, MEDIUM, FRIEND);
    let core = ledger.decide(&taken).unwrap();
    let first = with_nonce(Who::Approver(1), &taken, &core);
    let body = world.authorization(&taken, &core, vec![first], world.attempt(&taken));
    ledger.push(body.into_body(), ledger.now).unwrap();

    let intent = world.intent(ledger.now, MEDIUM, FRIEND);
    let core = ledger.decide(&intent).unwrap();
    let of = |who| with_approvals(&ledger, &intent, vec![with_nonce(who, &intent, &core)]);
    assert_eq!(of(Who::Approver(0)), None);
    assert_eq!(of(Who::Approver(1)), Some(Code::UsedAuthority));

    let ledger = ready();
    let intent = world.intent(ledger.now, LARGE, FRIEND);
    let core = ledger.decide(&intent).unwrap();
    let both = TWO.map(|who| with_nonce(who, &intent, &core));
    assert_eq!(with_approvals(&ledger, &intent, both.to_vec()), None);
}

#[test]
fn a_nonce_is_used_once() {
    let mut ledger = ready();
    let intent = ledger.world.intent(ledger.now, MEDIUM, FRIEND);
    let core = ledger.decide(&intent).unwrap();
    let used = ledger.world.approval(Who::Approver(0), &intent, &core, &[]);
    let signed = ledger.world.sign(&used, &[Who::Approver(0)]);
    let attempt = ledger.world.attempt(&intent);
    let body = ledger
        .world
        .authorization(&intent, &core, vec![signed], attempt)
        .into_body();
    ledger.push(body, ledger.now).unwrap();
    assert_eq!(
        changed(&ledger, |a| a.nonce = used.nonce),
        Some(Code::UsedAuthority)
    );
    assert_eq!(changed(&ledger, |_| {}), None);
}

#[test]
fn a_revoked_approver_approves_nothing() {
    let mut ledger = ready();
    let approver = ledger.world.person(Who::Approver(0)).credential;
    let mut by_user = ledger.clone();
    ledger
        .tighten(Tighten::revoke(approver.id), &[Who::Admin(0)])
        .unwrap();
    assert_eq!(
        approved_by(&ledger, MEDIUM, &[Who::Approver(0)]),
        Some(Code::CredentialRevoked)
    );
    assert_eq!(
        approved_by(&ledger, MEDIUM, &[Who::ApproverProgram(0)]),
        None,
        "their other credential still does"
    );
    by_user
        .tighten(Tighten::revoke(approver.user.unwrap()), &[Who::Admin(0)])
        .unwrap();
    for who in [Who::Approver(0), Who::ApproverProgram(0)] {
        assert_eq!(
            approved_by(&by_user, MEDIUM, &[who]),
            Some(Code::CredentialRevoked)
        );
    }
}

#[test]
fn who_is_not_in_the_group_is_not_eligible() {
    let mut ledger = ready();
    for who in [Who::Clerk, Who::Admin(0), Who::Committee(0), Who::Risk(0)] {
        assert_eq!(
            approved_by(&ledger, MEDIUM, &[who]),
            Some(Code::ApprovalNotEligible),
            "{who:?}"
        );
    }
    let leave = Tighten::LeaveGroup {
        group: ledger.world.tenant.approvers,
        user: ledger.world.person(Who::Approver(0)).user.id,
    };
    ledger.tighten(leave, &[Who::Admin(0)]).unwrap();
    assert_eq!(
        approved_by(&ledger, MEDIUM, &[Who::Approver(0)]),
        Some(Code::ApprovalNotEligible)
    );
}

#[test]
fn an_unknown_approver_is_refused() {
    assert_eq!(
        approved_by(&ready(), MEDIUM, &[Who::Stranger]),
        Some(Code::UnknownCredential)
    );
}

#[test]
fn an_approval_for_another_intent_or_decision_is_refused() {
    let ledger = ready();
    let changes: [fn(&mut Approval); 2] =
        [|a| a.intent = Digest([9; 32]), |a| a.core = Digest([9; 32])];
    for change in changes {
        assert_eq!(changed(&ledger, change), Some(Code::ApprovalWrongDigest));
    }
}

#[test]
fn an_approval_for_another_platform_or_tenant_is_refused() {
    let ledger = ready();
    assert_eq!(
        changed(&ledger, |a| a.platform = PlatformId([9; 16])),
        Some(Code::WrongScope)
    );
    assert_eq!(
        changed(&ledger, |a| a.tenant = TenantId([9; 16])),
        Some(Code::WrongScope)
    );
}

#[test]
fn an_expired_approval_is_refused() {
    let ledger = ready();
    let now = ledger.now;
    assert_eq!(
        changed(&ledger, |a| a.expires = now),
        Some(Code::AuthorityExpired)
    );
    assert_eq!(changed(&ledger, |a| a.expires = now.plus(1)), None);
    assert_eq!(changed(&ledger, |a| a.expires = UnixMs(u64::MAX)), None);
}

#[test]
fn an_approval_without_a_written_reason_is_refused() {
    assert_eq!(
        changed(&ready(), |a| a.rationale = Digest::default()),
        Some(Code::ApprovalNotEligible)
    );
}

fn under_anothers_name(mut signed: Signed) -> Signed {
    signed.endorsements[0].credential.0 = [9; 16];
    signed
}

#[test]
fn an_approval_carries_exactly_its_approvers_valid_signature() {
    let ledger = ready();
    let intent = ledger.world.intent(ledger.now, MEDIUM, FRIEND);
    let core = ledger.decide(&intent).unwrap();
    let approval = ledger.world.approval(Who::Approver(0), &intent, &core, &[]);
    let sign = |who: &[Who]| ledger.world.sign(&approval, who);
    for (signed, expected) in [
        (forged(sign(&[Who::Approver(0)])), Some(Code::BadSignature)),
        (sign(&[Who::Approver(1)]), Some(Code::BadSignature)),
        (
            under_anothers_name(sign(&[Who::Approver(0)])),
            Some(Code::BadSignature),
        ),
        (
            sign(&[Who::Approver(0), Who::Approver(1)]),
            Some(Code::Malformed),
        ),
        (sign(&[Who::Approver(0)]), None),
    ] {
        assert_eq!(with_approvals(&ledger, &intent, vec![signed]), expected);
    }
}

/// Programs alone do not approve a large payment, and one person's key beside a program does.
fn needs_a_key(ledger: &Ledger) {
    let programs = [Who::ApproverProgram(0), Who::ApproverProgram(1)];
    let refused = approved_by(ledger, LARGE, &programs);
    assert_eq!(refused, Some(Code::ApprovalMissing));
    let mixed = [Who::ApproverProgram(0), Who::Approver(1)];
    assert_eq!(approved_by(ledger, LARGE, &mixed), None);
}

#[test]
fn above_one_of_n_one_approval_is_by_a_credential_of_class_key() {
    let ledger = ready();
    needs_a_key(&ledger);
    assert_eq!(
        approved_by(&ledger, MEDIUM, &[Who::ApproverProgram(0)]),
        None,
        "one_of_n asks for no class"
    );
}

/// Programs' keys can be stolen together from the disks that hold them.
#[test]
fn the_committee_tier_asks_for_a_credential_of_class_key_as_m_of_n_does() {
    let ledger = ready_with(|options| {
        options.charter = |charter, tenant| {
            let mut policy = tenant.policy(&PolicyOptions::default());
            let mut rules = policy.rules.to_vec();
            rules[2].then.tier = Tier::Committee;
            rules[2].then.time_lock_seconds = 60;
            policy.rules = rules.into();
            charter.policy = policy.to_text();
        };
    });
    let intent = ledger.world.intent(ledger.now, LARGE, FRIEND);
    assert_eq!(ledger.decide(&intent).unwrap().tier, Tier::Committee);

    needs_a_key(&ledger);
}

/// An ordered decision with one answer of each group; the second names `after`.
fn in_order(ledger: &Ledger, swap: bool, after: impl Fn(Digest) -> Vec<Digest>) -> Option<Code> {
    let intent = ledger.world.intent(ledger.now, LARGE, FRIEND);
    let core: DecisionCore = ledger.decide(&intent).unwrap();
    let first = ledger.world.approve(Who::Risk(0), &intent, &core, &[]);
    let after = after(Approval::digest_of(&first.text));
    let second = ledger
        .world
        .approve(Who::Approver(0), &intent, &core, &after);
    with_approvals(
        ledger,
        &intent,
        if swap {
            vec![second, first]
        } else {
            vec![first, second]
        },
    )
}

#[test]
fn ordered_groups_approve_in_order_and_name_what_they_follow() {
    let ledger = ready_under(PolicyOptions {
        ordered: true,
        ..PolicyOptions::default()
    });
    assert_eq!(in_order(&ledger, false, |first| vec![first]), None);
    assert_eq!(
        in_order(&ledger, false, |_| vec![]),
        Some(Code::ApprovalOutOfOrder),
        "signed before the first group"
    );
    assert_eq!(
        in_order(&ledger, false, |first| vec![first, first]),
        Some(Code::ApprovalOutOfOrder),
        "named twice"
    );
    assert_eq!(
        in_order(&ledger, false, |_| vec![Digest([9; 32])]),
        Some(Code::ApprovalOutOfOrder)
    );
    assert_eq!(
        in_order(&ledger, true, |first| vec![first]),
        Some(Code::ApprovalNotEligible)
    );
}

#[test]
fn groups_without_an_order_approve_without_naming_one_another() {
    let mut ledger = ready();
    let (risk, approvers) = (ledger.world.tenant.risk, ledger.world.tenant.approvers);
    let mut policy = ledger.world.tenant.policy(&PolicyOptions::default());
    let mut rules: Vec<_> = policy.rules.iter().cloned().collect();
    let one_of = |group| GroupNeed {
        group,
        approvals: 1,
    };
    rules[2].then.groups = vec![one_of(risk), one_of(approvers)];
    policy.rules = rules.into();
    ledger.put_and_release(RegistryRecord::Policy(policy.to_text()));

    assert_eq!(in_order(&ledger, false, |_| vec![]), None);
    assert_eq!(
        in_order(&ledger, false, |first| vec![first]),
        Some(Code::ApprovalOutOfOrder),
        "this decision has no order"
    );
}

#[test]
fn an_unordered_approval_follows_nothing() {
    assert_eq!(
        changed(&ready(), |a| a.after = vec![Digest([9; 32])]),
        Some(Code::ApprovalOutOfOrder)
    );
}

/// A registered key of no human, which the test world's stranger holds.
fn with_key_of_no_human(class: CredentialClass) -> Ledger {
    let mut ledger = ready();
    let stranger = ledger.world.person(Who::Stranger).credential;
    ledger.put_and_release(RegistryRecord::Credential(Credential {
        user: None,
        class,
        ..stranger
    }));
    ledger
}

#[test]
fn a_key_of_no_human_neither_asks_nor_approves() {
    for class in [CredentialClass::Watch, CredentialClass::Feed] {
        let ledger = with_key_of_no_human(class);
        assert_eq!(
            approved_by(&ledger, MEDIUM, &[Who::Stranger]),
            Some(Code::WrongCredentialClass)
        );
        let world = &ledger.world;
        let intent = world.intent_with(ledger.now, SMALL, FRIEND, |i| {
            i.initiator = world.person(Who::Stranger).credential.id;
        });
        let signed = world.sign(&intent, &[Who::Stranger]);
        let refused = evaluate(&ledger.state, &ledger.state, &signed, ledger.now);
        assert_eq!(refused.err().unwrap().code, Code::WrongCredentialClass);
    }
}
