//! Payments that exclude each other no more, exceed the limit, pay something else or
//! spend a coin of another payment (a, b, x, coins).

use super::story::{SCOPE, Story, authorized, doctored, name};
use strongroom_sim::history::{Attempted, Fact, NonceUse, Observation, Share, Tightening};

#[test]
fn a_payment_without_the_anchor_breaks_a() {
    let doctor = |s: &mut Story| {
        s.shared(Share {
            conflicts: vec!["b:1".into()],
            ..s.share(1)
        })
    };
    assert_eq!(doctored(doctor), Some("a"));
}

#[test]
fn two_payments_that_share_no_input_break_a() {
    let doctor = |s: &mut Story| {
        s.signed();
        // The journal itself was made to name another anchor: the payments still exclude each other
        // no more.
        s.seen.retain(|(_, seen)| {
            !matches!(
                seen,
                Observation::Entry {
                    fact: Fact::Authorized(_),
                    ..
                }
            )
        });
        let mut other = authorized(1, 1_000);
        other.anchor = "anchor:0".into();
        s.seen.insert(
            12,
            (
                s.at,
                Observation::Entry {
                    seq: 4,
                    bytes: name(4),
                    at_ms: s.at,
                    scope: SCOPE,
                    fact: Fact::Authorized(Box::new(other)),
                },
            ),
        );
        for signer in [1, 3] {
            let nonces = vec![NonceUse {
                boot: [90; 16],
                number: 9,
                package: name(61),
                share: vec![1],
            }];
            let conflicts = vec!["c:2".into()];
            s.shared(Share {
                request: name(51),
                conflicts,
                nonces,
                ..s.share(signer)
            });
        }
    };
    assert_eq!(doctored(doctor), Some("a"));
}

/// Intent 1 signed, and 60 s later intent 2 with this anchor, whose entry bears this stamp.
fn second(at_ms: u64, anchor: &'static str) -> Option<&'static str> {
    doctored(|s: &mut Story| {
        s.signed();
        sign_second(s, at_ms, &[anchor]);
    })
}

/// 60 s later, intent 2 is authorized under this stamp, and signed with these coins.
fn sign_second(s: &mut Story, at_ms: u64, coins: &[&str]) {
    // As far from the first in true time as the window may be.
    s.wait(60_000);
    let mut authorized = authorized(2, at_ms);
    authorized.anchor = coins[0].into();
    s.entry(Fact::Authorized(Box::new(authorized)));
    s.witnessed();

    for signer in [1, 2] {
        let nonces = vec![NonceUse {
            boot: [91; 16],
            number: 9,
            package: name(61),
            share: vec![1],
        }];
        let (request, intent, unsigned) = (name(52), name(2), name(102));
        s.shared(Share {
            request,
            intent,
            unsigned,
            nonces,
            conflicts: coins.iter().map(|coin| (*coin).into()).collect(),
            ..s.share(signer)
        });
    }
}

#[test]
fn signing_above_the_limit_within_the_window_breaks_b_and_outside_it_does_not() {
    assert_eq!(second(60_999, "anchor:2"), Some("b"));
    assert_eq!(second(61_000, "anchor:2"), None);
}

#[test]
fn signing_a_coin_of_another_payment_breaks_coins() {
    // A coin of it that is not its anchor.
    assert_eq!(second(61_000, "b:1"), Some("coins"));
}

#[test]
fn signing_other_effects_breaks_x() {
    let cases: [fn(&mut Story); 3] = [
        |s| {
            s.shared(Share {
                unsigned: name(33),
                ..s.share(1)
            })
        },
        |s| {
            s.shared(Share {
                pays: vec![("thief".into(), 400)],
                ..s.share(1)
            })
        },
        |s| {
            // The journal was made to say something else than the client signed.
            for (_, seen) in &mut s.seen {
                if let Observation::Entry {
                    fact: Fact::Authorized(authorized),
                    ..
                } = seen
                {
                    authorized.pays = vec![("thief".into(), 400)];
                }
            }
            s.shared(Share {
                pays: vec![("thief".into(), 400)],
                ..s.share(1)
            });
        },
    ];
    for doctor in cases {
        assert_eq!(doctored(doctor), Some("x"));
    }
}

/// Intent 1 cancelled, and shares for a cancel that pays this.
fn cancelled(pays: Vec<(String, u64)>, conflicts: &[&str]) -> Option<&'static str> {
    doctored(|s: &mut Story| cancel(s, pays, conflicts))
}

fn cancel(s: &mut Story, pays: Vec<(String, u64)>, conflicts: &[&str]) {
    s.entry(Fact::Tighten(Tightening::Cancel(name(1)), name(70)));
    s.entry(Fact::Attempt {
        intent: name(1),
        attempted: Attempted {
            number: 2,
            unsigned: name(33),
            is_cancel: true,
            at_ms: s.at,
        },
    });
    s.witnessed();
    s.shared(Share {
        unsigned: name(33),
        conflicts: conflicts.iter().map(|key| (*key).into()).collect(),
        pays,
        ..s.share(1)
    });
}

/// Its own time is over by then: the coin is the other payment's.
#[test]
fn a_cancel_that_spends_the_coin_of_a_later_payment_breaks_coins() {
    let of_second = |coin: &'static str| {
        doctored(|s: &mut Story| {
            for (_, seen) in &mut s.seen {
                if let Observation::Entry {
                    fact: Fact::Authorized(authorized),
                    ..
                } = seen
                {
                    authorized.expires_ms = 2_000;
                }
            }
            sign_second(s, 61_000, &["anchor:2", coin]);
            cancel(s, vec![], &["anchor:0"]);
        })
    };
    assert_eq!(of_second("b:2"), None);
    assert_eq!(of_second("anchor:0"), Some("coins"));
}

#[test]
fn a_cancel_of_an_ended_intent_pays_no_one_and_spends_the_anchor() {
    assert_eq!(cancelled(vec![], &["anchor:0"]), None);
    let paid = vec![("a".into(), 400)];
    assert_eq!(cancelled(paid, &["anchor:0"]), Some("x"));
    assert_eq!(cancelled(vec![], &["b:1"]), Some("a"));
}
