//! Tightenings that do not take hold where and when they must (c, c2, c3, h).

use super::story::{
    APPROVER, HUMAN, KEY, SCOPE, Story, authorized, doctored, name, paid, released,
};
use strongroom_sim::history::{Cosigned, Fact, Loosening, Observation, Share, Tightening};
use strongroom_types::{CredentialId, KeyId};

#[test]
fn a_share_long_after_a_witnessed_tightening_breaks_c_and_within_the_bound_it_does_not() {
    let late = |ms: u64, what: Tightening| {
        doctored(move |s: &mut Story| {
            let stale = s.share(1);
            s.entry(Fact::Tighten(what, name(70)));
            let size = s.size;
            // Signer 1 has not seen it.
            (2..=4).for_each(|witness| s.cosigned(witness, size));
            s.wait(ms);
            s.shared(stale);
        })
    };
    let all = [
        Tightening::Credential(APPROVER),
        Tightening::User(HUMAN),
        Tightening::Member(HUMAN),
        Tightening::Cancel(name(1)),
        Tightening::Stop,
        Tightening::Key(KEY),
        Tightening::Quarantine(1),
        // Beside it in the package.
        Tightening::Quarantine(2),
    ];
    for what in all {
        assert_eq!(late(35_001, what.clone()), Some("c"), "{what:?}");
        assert_eq!(late(34_000, what.clone()), None, "{what:?}");
    }
    assert_eq!(late(70_000, Tightening::Cancel(name(5))), None);
}

#[test]
fn a_share_against_its_head_or_an_unwitnessed_one_breaks_c2() {
    let against = |s: &mut Story| {
        s.entry(Fact::Tighten(Tightening::Credential(APPROVER), name(70)));
        s.witnessed();
        s.signed();
    };
    assert_eq!(doctored(against), Some("c2"));
    let unwitnessed = |s: &mut Story| {
        s.entry(Fact::Other);
        let size = s.size;
        (1..=2).for_each(|witness| s.cosigned(witness, size));
        s.signed();
    };
    assert_eq!(doctored(unwitnessed), Some("c2"));
    let before_its_entry = |s: &mut Story| {
        s.shared(Share {
            head: 2,
            ..s.share(1)
        })
    };
    assert_eq!(doctored(before_its_entry), Some("c2"));
}

#[test]
fn a_share_against_the_signers_tip_or_below_the_floor_breaks_c3() {
    let own_tip = |s: &mut Story| {
        let before = s.share(1);
        s.entry(Fact::Tighten(Tightening::Stop, name(70)));
        let size = s.size;
        s.cosigned(1, size);
        s.see(Observation::Started { seat: 2 });
        s.shared(before);
    };
    assert_eq!(doctored(own_tip), Some("c3"));
    let tip_of_another_line = |s: &mut Story| {
        let before = s.share(1);
        s.entry(Fact::Tighten(Tightening::Stop, name(70)));
        let size = s.size;
        s.cosigned_as(1, size, name(199));
        s.shared(before);
    };
    assert_eq!(doctored(tip_of_another_line), None);
    let floor = |s: &mut Story| {
        let before = s.share(1);
        s.entry(Fact::Other);
        let size = s.size;
        s.cosigned(1, size);
        s.see(Observation::Started { seat: 1 });
        s.shared(before);
    };
    assert_eq!(doctored(floor), Some("c3"));
    let restored = |s: &mut Story| {
        s.see(Observation::Restored { seat: 1 });
        s.signed();
    };
    assert_eq!(doctored(restored), Some("c3"));
    let frozen = |is_lifted: bool| {
        doctored(move |s: &mut Story| {
            s.see(Observation::Frozen { seat: 1 });
            if is_lifted {
                s.see(Observation::Unfrozen { seat: 1 });
            }
            s.signed();
        })
    };
    assert_eq!(frozen(false), Some("c3"));
    assert_eq!(frozen(true), None);
}

/// The key of the receiving vault, not of the paying one.
#[test]
fn a_share_for_a_payment_into_a_vault_whose_key_is_revoked_breaks_c2() {
    let paid_into = |revoked: KeyId| {
        doctored(move |s: &mut Story| {
            let mut into = authorized(2, 1_000);
            (into.into, into.attempts[0].unsigned) = (vec![KeyId([3; 16])], name(101));
            s.entry(Fact::Authorized(Box::new(into)));
            s.entry(Fact::Tighten(Tightening::Key(revoked), name(70)));
            s.witnessed();
            s.shared(Share {
                intent: name(2),
                ..s.share(1)
            });
        })
    };
    assert_eq!(paid_into(KeyId([3; 16])), Some("c2"));
    assert_eq!(paid_into(KeyId([4; 16])), None);
}

#[test]
fn a_resume_lifts_a_stop_once_it_is_in_the_head() {
    let resumed = |head_has_it: bool| {
        doctored(move |s: &mut Story| {
            s.entry(Fact::Tighten(Tightening::Stop, name(70)));
            s.witnessed();
            let under_the_stop = s.share(1);
            s.entry(released(Loosening::Resume, None));
            s.vouched(0);
            s.witnessed();
            let share = if head_has_it {
                s.share(1)
            } else {
                under_the_stop
            };
            s.shared(share);
        })
    };
    assert_eq!(resumed(true), None);
    assert_eq!(resumed(false), Some("c2"));
}

#[test]
fn a_stop_holds_until_a_later_resume_is_witnessed() {
    let mut story = paid();
    let is_stopped = |story: &Story| story.good().is_stopped(SCOPE);
    assert!(!is_stopped(&story));
    story.entry(Fact::Tighten(Tightening::Stop, name(70)));
    assert!(is_stopped(&story));
    story.entry(released(Loosening::Resume, None));
    assert!(is_stopped(&story));
    story.vouched(0);
    assert!(!is_stopped(&story));
    story.entry(Fact::Tighten(Tightening::Stop, name(71)));
    assert!(is_stopped(&story));
    assert!(story.good().is_tightened(&Tightening::Stop));
    assert!(!story.good().is_tightened(&Tightening::Cancel(name(1))));
}

#[test]
fn a_handed_tightening_without_effect_breaks_h() {
    let handed = |s: &mut Story| {
        let own_ms = s.at;
        s.see(Observation::Handed {
            seat: 1,
            scope: SCOPE,
            act: name(70),
            what: Tightening::Credential(APPROVER),
            by: Vec::new(),
            own_ms,
        });
    };
    let shared = |s: &mut Story| {
        handed(s);
        s.signed();
    };
    assert_eq!(doctored(shared), Some("h"));
    let cosigned = |ms: u64| {
        doctored(move |s: &mut Story| {
            handed(s);
            s.wait(ms);
            s.entry(Fact::Other);
            let size = s.size;
            s.cosigned(1, size);
        })
    };
    assert_eq!(cosigned(11_500), Some("h"));
    assert_eq!(cosigned(9_000), None);
    let repeated = |dated_before_ms: u64| {
        doctored(move |s: &mut Story| {
            s.entry(Fact::Other);
            let size = s.size;
            s.cosigned(1, size);
            handed(s);
            s.wait(20_000);
            s.see(Observation::Cosigned(Cosigned {
                witness: 1,
                size,
                body: name(200 + size as u8),
                dated_ms: s.at - dated_before_ms,
            }));
        })
    };
    assert_eq!(repeated(20_000), None, "as it was");
    assert_eq!(repeated(0), Some("h"), "under a new date");
    let clock_set_back = |is_same_date: bool| {
        doctored(move |s: &mut Story| {
            s.wait(700_000);
            s.entry(Fact::Other);
            let (size, body) = (s.size, name(200 + s.size as u8));
            let first = Cosigned {
                witness: 1,
                size,
                body,
                dated_ms: s.at,
            };
            s.see(Observation::Cosigned(first));
            let own_ms = s.at - 600_000;
            s.see(Observation::Handed {
                seat: 1,
                scope: SCOPE,
                act: name(70),
                what: Tightening::Credential(APPROVER),
                by: Vec::new(),
                own_ms,
            });
            s.wait(3_000);
            let dated_ms = if is_same_date { first.dated_ms } else { s.at };
            s.see(Observation::Cosigned(Cosigned { dated_ms, ..first }));
        })
    };
    assert_eq!(clock_set_back(true), None, "as it was");
    assert_eq!(clock_set_back(false), Some("h"), "under a new date");
    // The process died between its commit and the first frame, so the first time never left.
    let remembered = |owed_ms: u64| {
        doctored(move |s: &mut Story| {
            s.wait(700_000);
            s.entry(Fact::Other);
            let (size, dated_ms) = (s.size, s.at);
            let started = Observation::Remembered {
                seat: 1,
                size,
                dated_ms,
            };
            let own_ms = s.at - 600_000;
            let handed = Observation::Handed {
                seat: 1,
                scope: SCOPE,
                act: name(70),
                what: Tightening::Credential(APPROVER),
                by: Vec::new(),
                own_ms,
            };
            if owed_ms == 0 {
                s.see(started);
                s.see(handed);
            } else {
                s.see(handed);
                s.wait(owed_ms);
                s.see(started);
            }
            s.see(Observation::Cosigned(Cosigned {
                witness: 1,
                size,
                body: name(200 + size as u8),
                dated_ms,
            }));
        })
    };
    assert_eq!(remembered(0), None, "made before the act was handed");
    assert_eq!(remembered(20_000), Some("h"), "made while it was owed");
    let lapsed = |has_lapsed: bool| {
        doctored(move |s: &mut Story| {
            let own_ms = s.at;
            s.see(Observation::Handed {
                seat: 1,
                scope: SCOPE,
                act: name(70),
                what: Tightening::Cancel(name(9)),
                by: vec![(APPROVER, Some(HUMAN))],
                own_ms,
            });
            let who = if has_lapsed {
                APPROVER
            } else {
                CredentialId([1; 16])
            };
            s.entry(Fact::Tighten(Tightening::Credential(who), name(71)));
            s.witnessed();
            s.wait(20_000);
            s.entry(Fact::Other);
            let size = s.size;
            s.cosigned(1, size);
        })
    };
    assert_eq!(lapsed(true), None);
    assert_eq!(lapsed(false), Some("h"));
    let included = |s: &mut Story| {
        handed(s);
        s.wait(20_000);
        s.entry(Fact::Tighten(Tightening::Credential(APPROVER), name(70)));
        s.witnessed();
    };
    assert_eq!(doctored(included), None);
}
