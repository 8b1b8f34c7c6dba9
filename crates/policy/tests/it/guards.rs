use crate::world::*;
use strongroom_policy::*;
use strongroom_types::*;

fn guarded(kind: GuardKind) -> Policy {
    policy(vec![guard("g", kind)], vec![every("r", auto())])
}

fn passes(kind: GuardKind, intent: &Intent) -> bool {
    ask(&guarded(kind), &world(), intent).block.is_none()
}

fn denied(kind: GuardKind, world: &World, intent: &Intent) -> Code {
    let (by, code) = blocked(&guarded(kind), world, intent);
    assert_eq!(by, "g");
    code
}

#[test]
fn a_blocked_destination_is_denied_among_others_and_in_any_case() {
    let kind = || GuardKind::BlockedDestinations(vec![STRANGER.to_owned()]);
    assert!(passes(kind(), &plain()));
    assert_eq!(
        denied(kind(), &world(), &intent(1, &[to(STRANGER)])),
        Code::PolicyBlocked
    );
    assert_eq!(
        denied(kind(), &world(), &intent(1, &[to(FRIEND), to(STRANGER)])),
        Code::PolicyBlocked
    );
    assert_eq!(
        denied(
            kind(),
            &world(),
            &intent(1, &[to(&STRANGER.to_uppercase())])
        ),
        Code::PolicyBlocked
    );
}

fn ceiling(amount_lte: Option<u64>, count_lte: Option<u64>) -> GuardKind {
    let window = Window {
        scope: VelocityScope::Tenant,
        window_seconds: 60,
        amount_lte: amount_lte.map(units),
        count_lte,
    };
    GuardKind::Ceiling {
        asset: asset(),
        window,
    }
}

#[test]
fn a_ceiling_counts_amount_and_fee_cap_and_holds_at_its_edge() {
    // 1000 are spent; the intent pays 100 with a fee cap of 10.
    let world = world().spent_before(1000, 1);
    assert!(
        ask(&guarded(ceiling(Some(1110), None)), &world, &plain())
            .block
            .is_none()
    );
    assert_eq!(
        denied(ceiling(Some(1109), None), &world, &plain()),
        Code::LimitExceeded
    );
    assert!(
        ask(&guarded(ceiling(None, Some(2))), &world, &plain())
            .block
            .is_none()
    );
    assert_eq!(
        denied(ceiling(None, Some(1)), &world, &plain()),
        Code::LimitExceeded
    );
    // With both limits, each must hold.
    assert_eq!(
        denied(ceiling(Some(1110), Some(1)), &world, &plain()),
        Code::LimitExceeded
    );
    assert_eq!(
        denied(ceiling(Some(1109), Some(2)), &world, &plain()),
        Code::LimitExceeded
    );
}

#[test]
fn a_ceiling_is_of_its_own_asset() {
    let GuardKind::Ceiling { window, .. } = ceiling(Some(0), None) else {
        panic!("a ceiling")
    };
    let other = "bip122:0f9188f13cb7b2c71f2a335e3a4fc328/slip44:0"
        .parse()
        .unwrap();
    assert!(passes(
        GuardKind::Ceiling {
            asset: other,
            window
        },
        &plain()
    ));
}

#[test]
fn a_largest_amount_is_per_intent_and_without_the_fee() {
    let kind = |lte| GuardKind::AmountMax {
        asset: asset(),
        lte: units(lte),
    };
    assert!(passes(kind(100), &plain()));
    assert_eq!(denied(kind(99), &world(), &plain()), Code::PolicyBlocked);
    assert_eq!(
        denied(kind(199), &world(), &intent(100, &[to(FRIEND), to(FRIEND)])),
        Code::PolicyBlocked
    );
    let other = "bip122:0f9188f13cb7b2c71f2a335e3a4fc328/slip44:0"
        .parse()
        .unwrap();
    assert!(passes(
        GuardKind::AmountMax {
            asset: other,
            lte: units(1)
        },
        &plain()
    ));
}

#[test]
fn other_chains_and_assets_are_denied() {
    assert!(passes(GuardKind::Chains(vec![chain()]), &plain()));
    assert_eq!(
        denied(
            GuardKind::Chains(vec!["eip155:1".parse().unwrap()]),
            &world(),
            &plain()
        ),
        Code::UnknownChain
    );
    assert!(passes(GuardKind::Assets(vec![asset()]), &plain()));
    let other = "eip155:1/slip44:60".parse().unwrap();
    assert_eq!(
        denied(GuardKind::Assets(vec![other]), &world(), &plain()),
        Code::PolicyBlocked
    );
}

#[test]
fn a_fee_cap_above_the_guard_is_denied_on_its_chain() {
    let kind = |chain: ChainId, lte| GuardKind::FeeMax {
        chain,
        lte: units(lte),
    };
    assert!(passes(kind(chain(), 10), &plain()));
    assert_eq!(
        denied(kind(chain(), 9), &world(), &plain()),
        Code::FeeCapExceeded
    );
    assert!(passes(kind("eip155:1".parse().unwrap(), 9), &plain()));
}

#[test]
fn nothing_goes_out_in_closed_hours() {
    let hours = Hours {
        utc_offset_minutes: 0,
        days: vec![Day::Thursday],
        from: "00:00".parse().unwrap(),
        to: "06:00".parse().unwrap(),
    };
    let table = guarded(GuardKind::ClosedHours(hours));
    let at = |hours: u64| {
        ask_at(&table, &world(), &plain(), NOW.plus(hours * 3_600_000))
            .block
            .map(|b| b.code)
    };
    assert_eq!(at(0), Some(Code::PolicyBlocked));
    assert_eq!(at(5), Some(Code::PolicyBlocked));
    assert_eq!(at(6), None);
}

#[test]
fn guards_deny_whatever_the_rules_say_and_in_any_order() {
    let chains = guard("chains", GuardKind::Chains(vec![chain()]));
    let amount = guard(
        "amount",
        GuardKind::AmountMax {
            asset: asset(),
            lte: units(1),
        },
    );
    for guards in [vec![chains.clone(), amount.clone()], vec![amount, chains]] {
        assert_eq!(
            blocked(
                &policy(guards, vec![every("r", auto())]),
                &world(),
                &plain()
            )
            .0,
            "amount"
        );
    }
}
