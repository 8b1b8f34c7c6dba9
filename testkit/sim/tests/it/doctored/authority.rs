//! Forks, and signing without authority or with a nonce that was used (d, e, f).

use super::story::{APPROVER, KEY, SCOPE, Story, authorized, doctored, name, released};
use strongroom_sim::history::{
    Attempted, Fact, Loosening, Observation, Released, Share, Tightening,
};
use strongroom_types::KeyId;

#[test]
fn forks_and_witnesses_that_go_back_break_d() {
    type Doctored = (&'static str, fn(&mut Story));
    let cases: [Doctored; 7] = [
        ("two trees", |s| s.cosigned_as(1, s.size, name(1))),
        ("smaller", |s| s.cosigned(1, 2)),
        ("restored", |s| {
            s.see(Observation::Restored { seat: 4 });
            s.cosigned(4, s.size);
        }),
        ("frozen", |s| {
            s.see(Observation::Frozen { seat: 4 });
            s.cosigned(4, s.size);
        }),
        ("two entries", |s| {
            s.see(Observation::Entry {
                seq: 1,
                bytes: name(99),
                at_ms: 0,
                scope: SCOPE,
                fact: Fact::Other,
            });
        }),
        ("two checkpoints", |s| {
            s.see(Observation::Head {
                size: 3,
                body: name(99),
            })
        }),
        ("another line is witnessed", |s| {
            s.entry(Fact::Other);
            (1..=3).for_each(|witness| s.cosigned_as(witness, s.size, name(99)));
        }),
    ];
    for (what, doctor) in cases {
        assert_eq!(doctored(doctor), Some("d"), "{what}");
    }
    let minority = |s: &mut Story| {
        s.entry(Fact::Other);
        s.cosigned_as(1, s.size, name(99));
    };
    assert_eq!(doctored(minority), None);
}

#[test]
fn an_attempt_without_what_its_payment_rests_on_breaks_e() {
    let attempt = |s: &mut Story, is_cancel: bool| {
        s.entry(Fact::Attempt {
            intent: name(1),
            attempted: Attempted {
                number: 2,
                unsigned: name(102),
                is_cancel,
                at_ms: s.at,
            },
        });
    };
    let revoked = |s: &mut Story| {
        s.entry(Fact::Tighten(Tightening::Credential(APPROVER), name(70)));
    };
    assert_eq!(doctored(|s| attempt(s, false)), None);
    let after = |is_cancel: bool| {
        doctored(|s| {
            revoked(s);
            attempt(s, is_cancel);
        })
    };
    assert_eq!((after(false), after(true)), (Some("e"), None));

    // The approval ends at 1,000 s.
    let late = |s: &mut Story| {
        s.wait(1_000_000);
        attempt(s, false);
    };
    assert_eq!(doctored(late), Some("e"));
}

#[test]
fn a_share_on_an_approval_that_ended_breaks_e() {
    let shared = |until_ms: u64| {
        move |s: &mut Story| {
            let mut brief = authorized(2, 1_000);
            brief.approved_until_ms = until_ms;
            s.entry(Fact::Authorized(Box::new(brief)));
            s.witnessed();
            s.wait(5_000);
            s.shared(Share {
                intent: name(2),
                unsigned: name(102),
                ..s.share(1)
            });
        }
    };
    assert_eq!(doctored(shared(100)), Some("e"));
    // Within what clocks differ.
    assert_eq!(doctored(shared(1_000)), None);
}

#[test]
fn signing_what_was_not_authorized_or_released_breaks_e() {
    let unauthorized = |s: &mut Story| {
        s.shared(Share {
            intent: name(3),
            ..s.share(1)
        })
    };
    assert_eq!(doctored(unauthorized), Some("e"));
    let stranger = |s: &mut Story| {
        s.see(Observation::Started { seat: 4 });
        s.shared(s.share(4));
    };
    assert_eq!(doctored(stranger), Some("e"));
    let policy = |s: &mut Story| {
        let mut other = authorized(2, 1_000);
        other.policy = name(77);
        s.entry(Fact::Authorized(Box::new(other)));
        s.witnessed();
        s.shared(Share {
            intent: name(2),
            unsigned: name(102),
            ..s.share(1)
        });
    };
    assert_eq!(doctored(policy), Some("e"));
    let by_one = |what: Loosening| {
        Fact::Released(Box::new(Released {
            what,
            proposal: Some(name(78)),
            signed: 1,
            expires_ms: 1_000_000,
        }))
    };
    let boards: [Fact; 3] = [
        by_one(Loosening::Policy(name(78))),
        by_one(Loosening::Ceremony(KeyId([3; 16]), vec![1, 2])),
        Fact::Finished(KEY, 2),
    ];
    for fact in boards {
        assert_eq!(doctored(|s| s.entry(fact.clone())), Some("e"), "{fact:?}");
    }
    let twice = |s: &mut Story| s.entry(Fact::Authorized(Box::new(authorized(1, 2_000))));
    assert_eq!(doctored(twice), Some("e"));
}

/// Its life and what clocks differ by: 40 s and twice the skew.
#[test]
fn a_ceremony_that_finishes_after_its_life_breaks_e() {
    let finished_after = |ms: u64| {
        doctored(|s| {
            let key = KeyId([3; 16]);
            s.entry(released(Loosening::Ceremony(key, vec![1, 2, 3]), None));
            s.vouched(0);
            s.wait(ms);
            s.entry(Fact::Finished(key, 3));
        })
    };
    assert_eq!(finished_after(49_000), None);
    assert_eq!(finished_after(50_001), Some("e"));
}

#[test]
fn a_nonce_with_two_packages_breaks_f() {
    let doctor = |s: &mut Story| {
        s.signed();
        let mut again = s.share(1);
        again.nonces[0].package = name(61);
        again.request = name(51);
        s.shared(again);
    };
    assert_eq!(doctored(doctor), Some("f"));
    let other_share = |s: &mut Story| {
        s.signed();
        let mut again = s.share(1);
        again.nonces[0].share = vec![9];
        s.shared(again);
    };
    assert_eq!(doctored(other_share), Some("f"));
}
