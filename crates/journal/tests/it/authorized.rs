//! What makes an intent an authorized one, apart from approvals and windows.

use crate::{HOUR_MS, LARGE, MEDIUM, SMALL, TWO, code, forged, ready, ready_under, ready_with};
use strongroom_journal::Body;
use strongroom_journal::state::Lookup as _;
use strongroom_types::{
    ActBody, AttemptKind, Code, Destination, Digest, Document as _, Intent, IntentKind, PlatformId,
    RegistryRecord, Tighten, VaultId,
};
use strongroom_world::{
    AuthorizationExt as _, FRIEND, INTENT_LIFE_MS, Ledger, PolicyOptions, STRANGER, Who,
};

/// Why the intent, changed before it is signed, is refused.
fn refused(
    ledger: &Ledger,
    amount: u64,
    who: &[Who],
    change: impl FnOnce(&mut Intent),
) -> Option<Code> {
    let intent = ledger.world.intent_with(ledger.now, amount, FRIEND, change);
    ledger.refused(ledger.authorization(&intent, who).into_body())
}

#[test]
fn a_payment_of_each_tier_is_authorized_with_its_attempt_in_one_entry() {
    let mut ledger = ready();
    for (amount, who) in [(SMALL, &[][..]), (MEDIUM, &TWO[..1]), (LARGE, &TWO)] {
        let intent = ledger.world.intent(ledger.now, amount, FRIEND);
        let seq = ledger.authorize(&intent, who).unwrap();
        let record = ledger
            .state
            .intent(ledger.world.tenant.id, &intent.digest())
            .unwrap()
            .unwrap();
        assert_eq!(
            (record.seq, record.attempts.len(), record.attempts[0].number),
            (seq, 1, 1)
        );
        assert_eq!(record.approvals.len(), who.len());
    }
}

#[test]
fn an_external_id_is_used_once() {
    let mut ledger = ready();
    let first = ledger.world.intent(ledger.now, SMALL, FRIEND);
    ledger.authorize(&first, &[]).unwrap();
    let same = |i: &mut Intent| i.external_id = first.external_id.clone();
    assert_eq!(
        refused(&ledger, SMALL + 1, &[], same),
        Some(Code::DuplicateExternalId)
    );
}

#[test]
fn an_intent_is_authorized_once() {
    let mut ledger = ready();
    let intent = ledger.world.intent(ledger.now, SMALL, FRIEND);
    let body = ledger.authorization(&intent, &[]).into_body();
    ledger.push(body.clone(), ledger.now).unwrap();
    assert_eq!(ledger.refused(body), Some(Code::IntentAlreadyAuthorized));
}

#[test]
fn an_expired_intent_is_refused() {
    let mut ledger = ready();
    let intent = ledger.world.intent(ledger.now, SMALL, FRIEND);
    let body = ledger.authorization(&intent, &[]).into_body();
    ledger.wait(INTENT_LIFE_MS - 1);
    assert_eq!(ledger.refused(body.clone()), None);
    ledger.wait(1);
    assert_eq!(ledger.refused(body), Some(Code::IntentExpired));
}

#[test]
fn an_intent_that_lives_longer_than_the_bound_is_refused() {
    let ledger = ready();
    let life = |ms: u64| move |i: &mut Intent| i.expires = i.created.plus(ms);
    assert_eq!(refused(&ledger, SMALL, &[], life(24 * HOUR_MS)), None);
    assert_eq!(
        refused(&ledger, SMALL, &[], life(24 * HOUR_MS + 1)),
        Some(Code::IntentTooLongLived)
    );
}

#[test]
fn an_intent_from_the_future_is_refused_beyond_the_skew() {
    let ledger = ready();
    let created = |ms: u64| move |i: &mut Intent| i.created = i.created.plus(ms);
    assert_eq!(refused(&ledger, SMALL, &[], created(5_000)), None);
    assert_eq!(
        refused(&ledger, SMALL, &[], created(5_001)),
        Some(Code::IntentFromFuture)
    );
}

#[test]
fn an_intent_may_ask_for_at_most_as_many_attempts_as_the_bound() {
    let ledger = ready();
    assert_eq!(refused(&ledger, SMALL, &[], |i| i.attempts_max = 8), None);
    assert_eq!(
        refused(&ledger, SMALL, &[], |i| i.attempts_max = 9),
        Some(Code::AttemptsExhausted)
    );
    assert_eq!(
        refused(&ledger, SMALL, &[], |i| i.attempts_max = u64::MAX),
        Some(Code::AttemptsExhausted)
    );
}

#[test]
fn an_intent_with_an_amount_of_zero_is_refused() {
    let ledger = ready();
    assert_eq!(refused(&ledger, 0, &[], |_| {}), Some(Code::Malformed));
}

#[test]
fn the_sum_of_all_transfers_decides_the_tier() {
    let ledger = ready();
    let twice = |i: &mut Intent| {
        let IntentKind::Transfer(transfers) = &mut i.kind;
        transfers.push(transfers[0].clone());
    };
    let intent = ledger
        .world
        .intent_with(ledger.now, SMALL + 1, FRIEND, twice);
    assert_eq!(ledger.decide(&intent).unwrap().rule, "medium");
    let mut alone = ledger.authorization(&intent, &[]);
    assert_eq!(
        ledger.refused(alone.clone().into_body()),
        Some(Code::ApprovalMissing)
    );
    let small = ledger.world.intent(ledger.now, SMALL + 1, FRIEND);
    alone.core = ledger.decide(&small).unwrap().to_text();
    assert_eq!(
        ledger.refused(alone.into_body()),
        Some(Code::DecisionChanged),
        "another decision's core"
    );
}

#[test]
fn what_the_policy_blocks_is_refused_with_its_reason() {
    let ledger = ready();
    assert_eq!(
        refused(&ledger, SMALL, &[], |i| i.fee_max = 1_000_001.into()),
        Some(Code::FeeCapExceeded)
    );
    let elsewhere = |i: &mut Intent| {
        let IntentKind::Transfer(transfers) = &mut i.kind;
        transfers[0].destination = Destination::Vault(VaultId([9; 16]));
    };
    assert_eq!(
        refused(&ledger, SMALL, &[], elsewhere),
        Some(Code::UnknownVault)
    );
}

#[test]
fn a_destination_off_the_allow_list_is_another_decision() {
    let ledger = ready_under(PolicyOptions {
        auto_allow_listed: true,
        ..PolicyOptions::default()
    });
    let rule = |address| {
        ledger
            .decide(&ledger.world.intent(ledger.now, SMALL, address))
            .unwrap()
            .rule
    };
    assert_eq!(
        (rule(FRIEND), rule(STRANGER)),
        ("small".to_owned(), "medium".to_owned())
    );
}

#[test]
fn an_unknown_chain_is_refused() {
    let ledger = ready();
    let elsewhere = |i: &mut Intent| {
        i.chain = "bip122:000000000019d6689c085ae165831e93".parse().unwrap();
        let IntentKind::Transfer(transfers) = &mut i.kind;
        transfers[0].asset = "bip122:000000000019d6689c085ae165831e93/slip44:0"
            .parse()
            .unwrap();
    };
    assert_eq!(
        refused(&ledger, SMALL, &[], elsewhere),
        Some(Code::UnknownChain)
    );
}

#[test]
fn an_unknown_vault_is_refused() {
    let ledger = ready();
    assert_eq!(
        refused(&ledger, SMALL, &[], |i| i.vault = VaultId([9; 16])),
        Some(Code::UnknownVault)
    );
}

#[test]
fn a_decision_that_changed_since_it_was_signed_is_refused() {
    let mut ledger = ready();
    let intent = ledger.world.intent(ledger.now, MEDIUM, FRIEND);
    let body = ledger.authorization(&intent, &TWO[..1]).into_body();
    assert_eq!(ledger.refused(body.clone()), None);
    let raised = ledger.world.tenant.policy(&PolicyOptions {
        time_lock_seconds: 60,
        ..PolicyOptions::default()
    });
    ledger
        .act(
            ActBody::Put(RegistryRecord::Policy(raised.to_text())),
            &ledger.committee(),
        )
        .unwrap();
    assert_eq!(
        ledger.refused(body),
        Some(Code::DecisionChanged),
        "the same rule of another policy version"
    );
    let intent = ledger.world.intent(ledger.now, MEDIUM, FRIEND);
    assert_eq!(
        ledger.refused(ledger.authorization(&intent, &TWO[..1]).into_body()),
        None
    );
}

#[test]
fn a_core_that_differs_in_any_field_is_refused() {
    let ledger = ready();
    let intent = ledger.world.intent(ledger.now, MEDIUM, FRIEND);
    let good = ledger.authorization(&intent, &TWO[..1]);
    let mut core = ledger.decide(&intent).unwrap();
    core.groups.clear();
    for text in [
        core.to_text(),
        String::new(),
        good.core.replace("medium", "small"),
    ] {
        let mut bad = good.clone();
        bad.core = text;
        assert_eq!(ledger.refused(bad.into_body()), Some(Code::DecisionChanged));
    }
}

#[test]
fn the_intent_carries_exactly_its_initiators_valid_signature() {
    let ledger = ready();
    let intent = ledger.world.intent(ledger.now, SMALL, FRIEND);
    let good = ledger.authorization(&intent, &[]);
    let mut bad = good.clone();
    bad.intent = forged(bad.intent);
    assert_eq!(ledger.refused(bad.into_body()), Some(Code::BadSignature));
    let mut anothers = good.clone();
    anothers.intent = ledger.world.sign(&intent, &[Who::InitiatorKey]);
    assert_eq!(
        ledger.refused(anothers.into_body()),
        Some(Code::BadSignature)
    );
    let mut renamed = good.clone();
    renamed.intent.endorsements[0].credential.0 = [9; 16];
    assert_eq!(
        ledger.refused(renamed.into_body()),
        Some(Code::BadSignature)
    );
    let mut two = good.clone();
    two.intent = ledger
        .world
        .sign(&intent, &[Who::Initiator, Who::InitiatorKey]);
    assert_eq!(ledger.refused(two.into_body()), Some(Code::Malformed));
    let unknown = |i: &mut Intent| i.initiator = ledger.world.person(Who::Stranger).credential.id;
    assert_eq!(
        refused(&ledger, SMALL, &[], unknown),
        Some(Code::UnknownCredential)
    );
}

#[test]
fn a_revoked_initiator_asks_for_nothing() {
    let mut ledger = ready();
    let initiator = ledger.world.person(Who::Initiator).credential;
    let mut by_user = ledger.clone();
    ledger
        .tighten(Tighten::revoke(initiator.id), &[Who::Admin(0)])
        .unwrap();
    by_user
        .tighten(Tighten::revoke(initiator.user.unwrap()), &[Who::Admin(0)])
        .unwrap();
    for ledger in [ledger, by_user] {
        assert_eq!(
            refused(&ledger, SMALL, &[], |_| {}),
            Some(Code::CredentialRevoked)
        );
    }
}

#[test]
fn an_intent_for_another_platform_or_tenant_is_refused() {
    let mut ledger = ready();
    assert_eq!(
        refused(&ledger, SMALL, &[], |i| i.platform = PlatformId([9; 16])),
        Some(Code::WrongScope)
    );
    let body = ledger
        .authorization(&ledger.world.intent(ledger.now, SMALL, FRIEND), &[])
        .into_body();
    ledger.world = ledger.world.for_tenant(1);
    ledger.create_tenant();
    assert_eq!(
        ledger.refused(body),
        Some(Code::WrongScope),
        "in an entry of the other tenant's scope"
    );
}

#[test]
fn a_credential_of_another_tenant_asks_for_nothing_here() {
    let mut ledger = ready();
    let home = ledger.world.clone();
    ledger.world = home.for_tenant(1);
    ledger.create_tenant();
    let foreign = ledger.world.person(Who::Initiator);
    let intent = home.intent_with(ledger.now, SMALL, FRIEND, |i| {
        i.initiator = foreign.credential.id
    });
    let authorization = strongroom_journal::Authorization {
        intent: strongroom_types::Signed::by(&intent, &foreign.signing()),
        core: String::new(),
        approvals: vec![],
        attempt: home.attempt(&intent),
        facts: vec![],
    };
    ledger.world = home;
    assert_eq!(
        ledger.refused(authorization.into_body()),
        Some(Code::UnknownCredential)
    );
}

#[test]
fn the_same_external_id_of_two_tenants_does_not_meet() {
    let mut ledger = ready();
    let first = ledger.world.intent(ledger.now, SMALL, FRIEND);
    ledger.authorize(&first, &[]).unwrap();
    let home = ledger.world.clone();
    ledger.world = home.for_tenant(1);
    ledger.create_tenant();
    ledger.make_key();
    let vault = ledger.world.tenant.first_vault();
    ledger
        .act_in_force(ActBody::Put(RegistryRecord::Vault(vault)), &ledger.admins())
        .unwrap();
    let second = ledger.world.intent_with(ledger.now, SMALL, FRIEND, |i| {
        i.external_id = first.external_id
    });
    ledger.authorize(&second, &[]).unwrap();
}

#[test]
fn attempt_1_is_numbered_1_pays_and_names_this_intent() {
    let ledger = ready();
    let intent = ledger.world.intent(ledger.now, SMALL, FRIEND);
    let good = ledger.world.attempt(&intent);
    let changes: [fn(&mut strongroom_types::Attempt); 5] = [
        |a| a.number = 2,
        |a| a.number = 0,
        |a| a.kind = AttemptKind::Bump,
        |a| a.kind = AttemptKind::Cancel,
        |a| a.intent = Digest([9; 32]),
    ];
    for change in changes {
        let mut attempt = good.clone();
        change(&mut attempt);
        let body = ledger.authorization_with(&intent, &[], attempt).into_body();
        assert_eq!(ledger.refused(body), Some(Code::AttemptNumberWrong));
    }
    assert_eq!(
        ledger.refused(ledger.authorization_with(&intent, &[], good).into_body()),
        None
    );
}

#[test]
fn attempt_1_spends_its_anchor() {
    let ledger = ready();
    let intent = ledger.world.intent(ledger.now, SMALL, FRIEND);
    let key = |n: u8| strongroom_types::ConflictKey::Coin(format!("{n}:0"));
    for keys in [
        vec![],
        vec![key(1)],
        vec![key(2), key(1)],
        vec![key(1), key(1)],
    ] {
        let mut attempt = ledger.world.attempt(&intent);
        attempt.anchor = key(if keys.len() == 1 { 9 } else { 1 });
        attempt.conflict_keys = keys;
        let body = ledger.authorization_with(&intent, &[], attempt).into_body();
        assert_eq!(ledger.refused(body), Some(Code::AnchorMissing));
    }
}

#[test]
fn an_anchor_belongs_to_one_intent() {
    let mut ledger = ready();
    let first = ledger.world.intent(ledger.now, SMALL, FRIEND);
    ledger.authorize(&first, &[]).unwrap();
    let second = ledger.world.intent(ledger.now, SMALL, FRIEND);
    let mut attempt = ledger.world.attempt(&second);
    attempt.anchor = ledger.world.attempt(&first).anchor;
    attempt.conflict_keys.push(attempt.anchor.clone());
    attempt.conflict_keys.sort();
    let body = ledger.authorization_with(&second, &[], attempt).into_body();
    assert_eq!(ledger.refused(body), Some(Code::AnchorTaken));
    ledger.authorize(&second, &[]).unwrap();
}

#[test]
fn attempt_1_uses_at_most_half_of_the_fee_cap() {
    let ledger = ready();
    for (cap, fee, expected) in [
        (1001, 500, None),
        (1001, 501, Some(Code::FeeCapTooLow)),
        (0, 0, None),
    ] {
        let intent = ledger
            .world
            .intent_with(ledger.now, SMALL, FRIEND, |i| i.fee_max = cap.into());
        let attempt = strongroom_types::Attempt {
            fee_max: u64::into(fee),
            ..ledger.world.attempt(&intent)
        };
        assert_eq!(
            ledger.refused(ledger.authorization_with(&intent, &[], attempt).into_body()),
            expected
        );
    }
}

#[test]
fn a_time_lock_runs_from_the_witnessed_authorization() {
    let mut ledger = ready_under(PolicyOptions {
        time_lock_seconds: 60,
        ..PolicyOptions::default()
    });
    ledger.wait(1234);
    for (amount, who, locked) in [(LARGE, &TWO[..], 71_234), (MEDIUM, &TWO[..1], 0)] {
        let intent = ledger.world.intent(ledger.now, amount, FRIEND);
        ledger.authorize(&intent, who).unwrap();
        if locked > 0 {
            ledger.wait(10_000);
            ledger.witness();
        }
        let record = ledger
            .state
            .intent(ledger.world.tenant.id, &intent.digest())
            .unwrap()
            .unwrap();
        let expected = if locked == 0 {
            0
        } else {
            strongroom_world::START.0 + locked
        };
        assert_eq!(record.locked_until.0, expected);
    }
}

#[test]
fn a_foreign_core_or_text_is_refused_without_harm() {
    let mut ledger = ready_with(|o| o.allow_list = false);
    let intent = ledger.world.intent(ledger.now, SMALL, FRIEND);
    let mut authorization = ledger.authorization(&intent, &[]);
    authorization.intent.text = authorization.intent.text.replace(":", ": ");
    assert_eq!(
        code(ledger.push(authorization.into_body(), ledger.now)),
        Code::Malformed
    );
    let act = ledger.signed_act(ActBody::Resume, &[Who::Admin(0)]);
    let mut authorization = ledger.authorization(&intent, &[]);
    authorization.intent = act;
    assert_eq!(
        ledger.refused(Body::Authorized(Box::new(authorization))),
        Some(Code::Malformed)
    );
}
