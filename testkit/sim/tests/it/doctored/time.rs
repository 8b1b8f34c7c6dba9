//! Delays, locks, expiries and windows (i to r, w).

use super::story::{SCOPE, Story, authorized, doctored, name, released};
use strongroom_sim::history::{
    Attempted, Authorized, Fact, Loosening, Observation, Released, Share, Tightening,
};
use strongroom_types::{CredentialId, Scope};

const DELAY_MS: u64 = 20_000;

const ADMIN_KEY: CredentialId = CredentialId([5; 16]);

/// Digest of the act that proposes policy 77.
const PROPOSAL: u8 = 80;

fn policy() -> Loosening {
    Loosening::Policy(name(77))
}

/// A history with a proposal that a quorum has seen.
fn proposed(s: &mut Story) {
    s.entry(Fact::Proposed(name(PROPOSAL)));
    s.witnessed();
    witness(s);
}

/// The entry by which everything so far is vouched for.
fn witness(s: &mut Story) {
    s.vouched(0);
    s.witnessed();
}

fn release(s: &mut Story) {
    s.entry(released(policy(), Some(name(PROPOSAL))));
    s.witnessed();
}

/// A payment by the looser policy, with one share.
fn relied_on(s: &mut Story) {
    let mut other = authorized(2, s.at);
    other.policy = name(77);
    pay(s, other);
    s.witnessed();
    s.shared(of(2, s));
}

fn pay(s: &mut Story, mut authorized: Authorized) {
    authorized.anchor = format!("anchor:{}", s.size);
    s.entry(Fact::Authorized(Box::new(authorized)));
}

fn of(intent: u8, s: &Story) -> Share {
    let anchor = format!("anchor:{}", s.size - 1);
    Share {
        intent: name(intent),
        unsigned: name(100 + intent),
        conflicts: vec![anchor],
        ..s.share(1)
    }
}

/// The policy released after so long; what happens once the release is witnessed.
fn after(ms: u64, then: impl FnOnce(&mut Story)) -> Option<&'static str> {
    doctored(|s| {
        proposed(s);
        s.wait(ms);
        release(s);
        then(s);
    })
}

/// A credential of the platform, proposed and released after so long; what happens then.
fn admin_key_after(ms: u64, then: impl FnOnce(&mut Story)) -> Option<&'static str> {
    let admin_key = Loosening::AdminKey(ADMIN_KEY);
    doctored(|s| {
        proposed(s);
        s.wait(ms);
        let release = released(admin_key, Some(name(PROPOSAL)));
        s.entry_of(Scope::Platform, release);
        s.witnessed();
        then(s);
        s.entry_of(Scope::Platform, Fact::ProposedBy(ADMIN_KEY));
    })
}

#[test]
fn a_credential_of_the_platform_that_signs_too_early_breaks_what_a_policy_does() {
    let tighten = |scope: Scope, what: Tightening| {
        move |s: &mut Story| s.entry_of(scope, Fact::Tighten(what, name(70)))
    };
    assert_eq!(admin_key_after(DELAY_MS, witness), None);
    assert_eq!(admin_key_after(DELAY_MS - 12_000, witness), Some("i"));
    assert_eq!(admin_key_after(DELAY_MS, |_| {}), Some("k"));
    let vetoed = |s: &mut Story| {
        tighten(Scope::Platform, Tightening::Veto(name(PROPOSAL)))(s);
        witness(s);
    };
    assert_eq!(admin_key_after(DELAY_MS, vetoed), Some("o"));
    // Acts of another scope make it not void.
    let undone_by = |scope: Scope, what: Tightening| {
        admin_key_after(DELAY_MS, |s: &mut Story| {
            tighten(scope, what)(s);
            witness(s);
        })
    };
    assert_eq!(
        undone_by(Scope::Platform, Tightening::Quarantine(3)),
        Some("n")
    );
    assert_eq!(undone_by(SCOPE, Tightening::Stop), None);
    let unknown = |s: &mut Story| s.entry(Fact::ProposedBy(ADMIN_KEY));
    assert_eq!(doctored(unknown), Some("e"));
}

#[test]
fn a_delay_cut_short_breaks_i() {
    let in_force = |s: &mut Story| {
        witness(s);
        relied_on(s);
    };
    assert_eq!(after(DELAY_MS, in_force), None);
    // Clocks differ by the skew on both sides.
    assert_eq!(after(DELAY_MS - 10_000, in_force), None);
    assert_eq!(after(DELAY_MS - 12_000, in_force), Some("i"));
}

#[test]
fn a_proposal_that_a_quorum_does_not_show_breaks_j() {
    let hidden = |is_hidden: bool| {
        doctored(move |s| {
            let older = s.size;
            s.entry(Fact::Proposed(name(PROPOSAL)));
            let shown_to = if is_hidden { 1..=1 } else { 1..=4 };
            shown_to.for_each(|seat| s.cosigned(seat, older + 1));
            s.wait(DELAY_MS);
            if is_hidden {
                (2..=4).for_each(|seat| s.cosigned(seat, older));
            }
            witness(s);
            release(s);
            witness(s);
            relied_on(s);
        })
    };
    assert_eq!(hidden(false), None);
    assert_eq!(hidden(true), Some("j"));
}

#[test]
fn a_release_relied_on_too_early_or_too_late_breaks_k() {
    assert_eq!(after(DELAY_MS, relied_on), Some("k"), "not witnessed yet");
    let expired = |life_ms: u64| {
        doctored(move |s| {
            proposed(s);
            s.wait(DELAY_MS);
            let signed_at = s.at;
            s.wait(15_000);
            s.entry(Fact::Released(Box::new(Released {
                what: policy(),
                proposal: Some(name(PROPOSAL)),
                signed: 2,
                expires_ms: signed_at + life_ms,
            })));
            s.witnessed();
            witness(s);
            relied_on(s);
        })
    };
    assert_eq!(expired(6_000), None, "within 2 × skew");
    assert_eq!(expired(4_000), Some("k"));
}

#[test]
fn a_release_relied_on_before_it_took_effect_breaks_e() {
    let doctor = |s: &mut Story| {
        let mut other = authorized(2, s.at);
        other.policy = name(77);
        pay(s, other);
        let share = of(2, s);
        witness(s);
        s.shared(Share {
            head: s.size,
            ..share
        });
    };
    assert_eq!(after(DELAY_MS, doctor), Some("e"));
}

#[test]
fn a_tightening_undone_by_an_older_release_breaks_n() {
    let between = |what: Tightening| {
        after(DELAY_MS, move |s| {
            s.entry(Fact::Tighten(what, name(70)));
            witness(s);
            relied_on(s);
        })
    };
    let other = strongroom_types::CredentialId([1; 16]);
    assert_eq!(between(Tightening::Credential(other)), Some("n"));
    assert_eq!(between(Tightening::Cancel(name(9))), None);
}

#[test]
fn a_resume_undoes_no_later_stop() {
    let resumed = |stopped_again: bool| {
        doctored(move |s| {
            s.entry(Fact::Tighten(Tightening::Stop, name(70)));
            s.entry(released(Loosening::Resume, None));
            if stopped_again {
                s.entry(Fact::Tighten(Tightening::Stop, name(71)));
            }
            s.witnessed();
            witness(s);
            s.shared(s.share(1));
        })
    };
    assert_eq!(resumed(false), None);
    assert_eq!(resumed(true), Some("c2"));
}

#[test]
fn a_veto_without_effect_breaks_o() {
    let veto = || Tightening::Veto(name(PROPOSAL));
    let in_the_journal = |s: &mut Story| {
        s.entry(Fact::Tighten(veto(), name(70)));
        witness(s);
        relied_on(s);
    };
    assert_eq!(after(DELAY_MS, in_the_journal), Some("o"));

    let held_by = |witnesses: u16| {
        doctored(move |s| {
            proposed(s);
            s.wait(DELAY_MS);
            for seat in 1..=witnesses {
                let own_ms = s.at;
                s.see(Observation::Handed {
                    seat,
                    scope: SCOPE,
                    act: name(70),
                    what: veto(),
                    by: Vec::new(),
                    own_ms,
                });
            }
            s.wait(2_000);
            release(s);
            witness(s);
            relied_on(s);
        })
    };
    assert_eq!(held_by(1), None, "fewer than w - k + 1");
    assert_eq!(held_by(2), Some("o"));
}

fn locked(lock_ms: u64, shown_to: u16, then: impl FnOnce(&mut Story)) -> Option<&'static str> {
    doctored(|s| {
        let older = s.size;
        let mut other = authorized(2, s.at);
        other.lock_ms = lock_ms;
        other.spend = 100;
        pay(s, other);
        (1..=shown_to).for_each(|seat| s.cosigned(seat, older + 1));
        s.wait(12_000);
        (shown_to + 1..=4).for_each(|seat| s.cosigned(seat, older));
        let mut share = of(2, s);
        s.witnessed();
        then(s);
        share.head = s.size;
        s.shared(share);
    })
}

#[test]
fn a_lock_cut_short_breaks_l_and_one_that_was_hidden_m() {
    assert_eq!(locked(21_000, 4, |_| ()), None);
    assert_eq!(locked(23_000, 4, |_| ()), Some("l"));
    assert_eq!(locked(21_000, 1, |_| ()), Some("m"));
}

#[test]
fn old_heads_and_items_break_q_and_r() {
    let lag = |ms: u64, has_tick: bool| {
        locked(1_000, 4, move |s| {
            s.wait(ms);
            if has_tick {
                s.entry(Fact::Other);
                s.witnessed();
            }
        })
    };
    assert_eq!(lag(60_000, false), None);
    assert_eq!(lag(90_000, false), Some("q"));
    assert_eq!(lag(90_000, true), Some("r"));
}

#[test]
fn payments_signed_together_break_w_whatever_their_stamps_say() {
    // The window is 60 s, an attempt's life and 2 × skew are 30 s.
    let signed = |wait_ms: u64| {
        doctored(move |s| {
            let mut other = authorized(2, 500_000);
            other.attempts = vec![Attempted {
                number: 1,
                unsigned: name(102),
                is_cancel: false,
                at_ms: 500_000,
            }];
            pay(s, other);
            let share = of(2, s);
            s.witnessed();
            s.signed();
            s.wait(wait_ms);
            for signer in [1, 2] {
                s.shared(Share {
                    signer,
                    head: s.size,
                    request: name(55),
                    nonces: Vec::new(),
                    ..share.clone()
                });
            }
        })
    };
    assert_eq!(signed(31_000), None);
    assert_eq!(signed(1_000), Some("w"));
}

#[test]
fn a_payment_counts_where_the_signed_attempt_stands() {
    let doctor = |s: &mut Story| {
        let attempt = |number, at_ms| Attempted {
            number,
            unsigned: name(102),
            is_cancel: false,
            at_ms,
        };
        let mut other = authorized(2, 500_000);
        other.attempts = vec![attempt(1, 500_000)];
        pay(s, other);
        let share = of(2, s);
        s.entry(Fact::Attempt {
            intent: name(2),
            attempted: attempt(2, 2_000),
        });
        s.witnessed();
        s.signed();
        s.wait(40_000);
        for signer in [1, 2] {
            s.shared(Share {
                signer,
                head: s.size,
                request: name(55),
                nonces: Vec::new(),
                ..share.clone()
            });
        }
    };
    assert_eq!(doctored(doctor), Some("b"));
}
