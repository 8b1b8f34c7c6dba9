//! A good history, and one doctored history for every way in which a property can break.

use std::collections::BTreeMap;
use strongroom_sim::history::{
    Authorized, Cosigned, Fact, NonceUse, Observation, Share, Tightening,
};
use strongroom_sim::properties::{Checker, Terms};
use strongroom_types::{CredentialId, Digest, KeyId, UserId};

const KEY: KeyId = KeyId([9; 16]);
const POLICY: Digest = Digest([8; 32]);
const APPROVER: CredentialId = CredentialId([7; 16]);
const HUMAN: UserId = UserId([6; 16]);

fn name(n: u8) -> Digest {
    Digest([n; 32])
}

fn terms() -> Terms {
    Terms {
        quorum: 3,
        min_signers: 2,
        freshness_ms: 25_000,
        skew_ms: 5_000,
        duty_ms: 10_000,
        limit: 1_000,
        window_ms: 60_000,
        committee_quorum: 2,
        policy: POLICY,
        promised: BTreeMap::from([(name(1), vec![("a".to_owned(), 400)])]),
    }
}

fn authorized(intent: u8, at_ms: u64) -> Authorized {
    Authorized {
        intent: name(intent),
        at_ms,
        spend: 600,
        anchor: "anchor:0".into(),
        pays: vec![("a".into(), 400)],
        attempts: vec![(1, name(100 + intent))],
        credentials: vec![APPROVER],
        users: vec![HUMAN],
        members: vec![HUMAN],
        policy: POLICY,
        key: KEY,
        expires_ms: 1_000_000,
    }
}

/// A history under construction: time, and what happened so far.
struct Story {
    at: u64,
    size: u64,
    seen: Vec<(u64, Observation)>,
}

impl Story {
    /// Ceremony released and finished, every witness cosigned it, signers started.
    fn begun() -> Self {
        let mut story = Self {
            at: 0,
            size: 0,
            seen: Vec::new(),
        };
        (1..=4).for_each(|seat| story.see(Observation::Started { seat }));
        story.entry(Fact::Ceremony(KEY, 2, vec![1, 2, 3]));
        story.entry(Fact::Finished(KEY, 3));
        story
    }

    /// Intent 1 authorized and witnessed.
    fn paid() -> Self {
        let mut story = Self::begun();
        story.entry(Fact::Authorized(Box::new(authorized(1, 1_000))));
        story.witnessed();
        story
    }

    fn see(&mut self, observation: Observation) {
        self.at += 10;
        self.seen.push((self.at, observation));
    }

    fn wait(&mut self, ms: u64) {
        self.at += ms;
    }

    fn entry(&mut self, fact: Fact) {
        let seq = self.size;
        self.size += 1;
        self.see(Observation::Entry {
            seq,
            bytes: name(seq as u8),
            fact,
        });
        self.see(Observation::Head {
            size: self.size,
            body: name(200 + self.size as u8),
        });
    }

    fn cosigned(&mut self, witness: u16, size: u64) {
        self.cosigned_as(witness, size, name(200 + size as u8));
    }

    fn cosigned_as(&mut self, witness: u16, size: u64, body: Digest) {
        let own_ms = self.at;
        self.see(Observation::Cosigned(Cosigned {
            witness,
            size,
            body,
            own_ms,
        }));
    }

    fn witnessed(&mut self) {
        let size = self.size;
        (1..=4).for_each(|witness| self.cosigned(witness, size));
    }

    fn share(&self, signer: u16) -> Share {
        Share {
            signer,
            head: self.size,
            request: name(50),
            intent: name(1),
            unsigned: name(101),
            conflicts: vec!["anchor:0".into(), "b:1".into()],
            pays: vec![("a".into(), 400)],
            nonces: vec![NonceUse {
                boot: [signer as u8; 16],
                number: 1,
                package: name(60),
                share: vec![signer as u8],
            }],
        }
    }

    fn shared(&mut self, share: Share) {
        self.see(Observation::Shared(Box::new(share)));
    }

    /// Both shares of intent 1 in their honest form.
    fn signed(&mut self) {
        for signer in [1, 2] {
            let share = self.share(signer);
            self.shared(share);
        }
    }

    fn broken(self) -> Option<&'static str> {
        let mut checker = Checker::new(terms());
        let broken = |(at, seen): &(u64, Observation)| checker.observe(*at, seen).err();
        self.seen
            .iter()
            .find_map(broken)
            .map(|violation| violation.property.name())
    }
}

fn doctored(doctor: impl FnOnce(&mut Story)) -> Option<&'static str> {
    let mut story = Story::paid();
    doctor(&mut story);
    story.broken()
}

#[test]
fn a_good_history_breaks_nothing() {
    assert_eq!(doctored(Story::signed), None);
    // A retry of the same package with the same share is the same use of its nonce.
    assert_eq!(
        doctored(|s| {
            s.signed();
            s.signed();
        }),
        None
    );
}

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
            8,
            (
                s.at,
                Observation::Entry {
                    seq: 2,
                    bytes: name(2),
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

#[test]
fn signing_above_the_limit_within_the_window_breaks_b_and_outside_it_does_not() {
    let second = |at_ms: u64| {
        doctored(move |s: &mut Story| {
            s.signed();
            s.entry(Fact::Authorized(Box::new(authorized(2, at_ms))));
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
                    ..s.share(signer)
                });
            }
        })
    };
    assert_eq!(second(60_999), Some("b"));
    assert_eq!(second(61_000), None);
}

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
    ];
    for what in all {
        assert_eq!(late(35_001, what.clone()), Some("c"), "{what:?}");
        assert_eq!(late(34_000, what.clone()), None, "{what:?}");
    }
    assert_eq!(late(100_000, Tightening::Cancel(name(5))), None);
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
}

#[test]
fn a_resume_lifts_a_stop_once_it_is_in_the_head() {
    let resumed = |head_has_it: bool| {
        doctored(move |s: &mut Story| {
            s.entry(Fact::Tighten(Tightening::Stop, name(70)));
            s.witnessed();
            let under_the_stop = s.share(1);
            s.entry(Fact::Resume);
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
fn forks_and_witnesses_that_go_back_break_d() {
    type Doctored = (&'static str, fn(&mut Story));
    let cases: [Doctored; 6] = [
        ("two trees", |s| s.cosigned_as(1, 3, name(1))),
        ("smaller", |s| s.cosigned(1, 2)),
        ("restored", |s| {
            s.see(Observation::Restored { seat: 4 });
            s.cosigned(4, 3);
        }),
        ("two entries", |s| {
            s.see(Observation::Entry {
                seq: 1,
                bytes: name(99),
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
            (1..=3).for_each(|witness| s.cosigned_as(witness, 4, name(99)));
        }),
    ];
    for (what, doctor) in cases {
        assert_eq!(doctored(doctor), Some("d"), "{what}");
    }
    let minority = |s: &mut Story| {
        s.entry(Fact::Other);
        s.cosigned_as(1, 4, name(99));
    };
    assert_eq!(doctored(minority), None);
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
    let boards: [Fact; 3] = [
        Fact::Policy(name(78), 1),
        Fact::Ceremony(KeyId([3; 16]), 1, vec![1, 2]),
        Fact::Finished(KEY, 2),
    ];
    for fact in boards {
        assert_eq!(doctored(|s| s.entry(fact.clone())), Some("e"), "{fact:?}");
    }
    let twice = |s: &mut Story| s.entry(Fact::Authorized(Box::new(authorized(1, 2_000))));
    assert_eq!(doctored(twice), Some("e"));
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

#[test]
fn a_handed_tightening_without_effect_breaks_h() {
    let handed = |s: &mut Story| {
        let own_ms = s.at;
        s.see(Observation::Handed {
            seat: 1,
            act: name(70),
            what: Tightening::Credential(APPROVER),
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
    let included = |s: &mut Story| {
        handed(s);
        s.wait(20_000);
        s.entry(Fact::Tighten(Tightening::Credential(APPROVER), name(70)));
        s.witnessed();
    };
    assert_eq!(doctored(included), None);
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
