use crate::world::*;
use strongroom_policy::*;
use strongroom_types::*;

fn table() -> Policy {
    let window = |amount| Window {
        scope: VelocityScope::Vault,
        window_seconds: 60,
        amount_lte: Some(units(amount)),
        count_lte: None,
    };
    let small = Match {
        amount: Some(Box::new(AmountRange {
            gt: None,
            lte: Some(units(1)),
        })),
        ..Match::default()
    };
    let slow = Match {
        velocity: vec![window(109)],
        ..Match::default()
    };
    policy(
        vec![
            guard("chains", GuardKind::Chains(vec![chain()])),
            guard(
                "ceiling",
                GuardKind::Ceiling {
                    asset: asset(),
                    window: window(200),
                },
            ),
        ],
        vec![
            rule("small", small, auto()),
            rule("slow", slow, auto()),
            every("rest", auto()),
            every("never", auto()),
        ],
    )
}

fn evidence(table: &Policy, world: &World) -> Evidence {
    let intent = plain();
    let payment = Payment::from(&intent);
    let question = Question {
        payment: &payment,
        intent_digest: intent.digest(),
        moment: Moment::Entry(NOW),
        decoder: "bitcoin/1",
    };
    explain(table, table.digest(), world, &question).1
}

#[test]
fn evidence_shows_windows_guards_and_rules_up_to_the_match() {
    let evidence = evidence(&table(), &world().spent_before(7, 1));
    let rules: Vec<_> = evidence
        .rules
        .iter()
        .map(|fact| (fact.id.as_str(), fact.unmet))
        .collect();
    let expected = [
        ("small", Some(Condition::Amount)),
        ("slow", Some(Condition::Velocity)),
        ("rest", None),
    ];
    assert_eq!(rules, expected);
    let windows: Vec<_> = evidence
        .windows
        .iter()
        .map(|w| (w.owner.as_str(), w.within, w.adding))
        .collect();
    assert_eq!(
        windows,
        [
            ("ceiling", Some(true), units(110)),
            ("slow", Some(false), units(110))
        ]
    );
    assert_eq!(
        evidence.windows[0].spent,
        Some(Spent {
            amount: units(7),
            count: 1
        })
    );
    assert_eq!(evidence.guards.len(), 2);
    assert!(evidence.guards.iter().all(|fact| fact.denial.is_none()));
    assert_eq!(evidence.evaluated_at, NOW);
}

#[test]
fn evidence_shows_every_guard_even_after_a_denial() {
    let mut table = table();
    table.guards.insert(
        0,
        guard(
            "first",
            GuardKind::AmountMax {
                asset: asset(),
                lte: units(1),
            },
        ),
    );
    let evidence = evidence(&table, &world().spent_before(1000, 1));
    let denials: Vec<_> = evidence
        .guards
        .iter()
        .map(|fact| fact.denial.as_ref().map(|d| d.code))
        .collect();
    assert_eq!(
        denials,
        [Some(Code::PolicyBlocked), None, Some(Code::LimitExceeded)]
    );
    assert_eq!(evidence.rules, []);
    assert_eq!(evidence.core.rule, "first");
}

#[test]
fn evidence_bytes_do_not_change() {
    let mut world = world();
    assert_eq!(
        evidence(&table(), &world).digest().to_string(),
        "83ec731d26d38e9dde43b64a125506d8abfbc09eeb02d30a24ce0f946589b022"
    );
    world.windows_unknown = true;
    let text = evidence(&table(), &world).to_text();
    assert!(
        text.contains(r#""outcome":"unknown""#) && text.contains(r#""code":"policy_blocked""#),
        "{text}"
    );
    assert_eq!(json::Json::parse(&text).unwrap().to_text(), text);
}
