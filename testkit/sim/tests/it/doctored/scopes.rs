//! What one tenant, or the platform, does for whom; vaults and policies that are made on the way.

use super::story::{SCOPE, Story, TENANT, VAULT, authorized, doctored, name, released};
use strongroom_sim::history::{Authorized, Fact, Loosening, Share, Tightening};
use strongroom_types::{Digest, Scope, TenantId, VaultId};

const OTHER: Scope = Scope::Tenant(TenantId([55; 16]));
const SECOND: VaultId = VaultId([44; 16]);
const TIGHTER: Digest = Digest([66; 32]);

/// Intent 2, and the first share of it under a head with everything so far.
fn pays(s: &mut Story, change: impl FnOnce(&mut Authorized)) {
    let mut other = authorized(2, s.at);
    other.anchor = "anchor:2".into();
    change(&mut other);
    let pays = other.pays.clone();
    s.entry(Fact::Authorized(Box::new(other)));
    s.witnessed();
    let share = Share {
        intent: name(2),
        unsigned: name(102),
        conflicts: vec!["anchor:2".into()],
        pays,
        ..s.share(1)
    };
    s.shared(share);
}

#[test]
fn a_stop_binds_its_own_tenant_and_one_of_the_platform_all() {
    let stopped = |scope: Scope| {
        doctored(|s| {
            s.entry_of(scope, Fact::Tighten(Tightening::Stop, name(70)));
            s.witnessed();
            s.signed();
        })
    };
    assert_eq!(stopped(SCOPE), Some("c2"));
    assert_eq!(stopped(Scope::Platform), Some("c2"));
    assert_eq!(stopped(OTHER), None);
}

#[test]
fn a_resume_ends_the_stop_of_its_own_scope() {
    let resumed = |scope: Scope| {
        doctored(|s| {
            s.entry_of(Scope::Platform, Fact::Tighten(Tightening::Stop, name(70)));
            s.entry_of(scope, released(Loosening::Resume, None));
            s.vouched(0);
            s.witnessed();
            s.signed();
        })
    };
    assert_eq!(resumed(Scope::Platform), None);
    assert_eq!(resumed(SCOPE), Some("c2"));
}

#[test]
fn a_limit_counts_one_tenant() {
    let together = |tenant: TenantId| {
        doctored(|s| {
            s.signed();
            pays(s, |other| other.tenant = tenant);
            let second = match s.seen.last() {
                Some((_, strongroom_sim::history::Observation::Shared(share))) => Share {
                    signer: 2,
                    nonces: Vec::new(),
                    ..(**share).clone()
                },
                _ => unreachable!(),
            };
            // The request of intent 2, answered by both.
            for signer in [1, 2] {
                s.shared(Share {
                    signer,
                    request: name(51),
                    nonces: Vec::new(),
                    ..second.clone()
                });
            }
        })
    };
    assert_eq!(together(TENANT), Some("b"));
    assert_eq!(together(TenantId([55; 16])), None);
}

#[test]
fn a_vault_used_before_it_is_witnessed_breaks_k() {
    let second = || released(Loosening::Vault(SECOND), None);
    let into = |other: &mut Authorized| other.vaults = vec![VAULT, SECOND];
    let out_of = |other: &mut Authorized| other.vaults = vec![SECOND];
    let used = |change: fn(&mut Authorized), is_witnessed: bool| {
        doctored(|s| {
            s.entry(second());
            s.witnessed();
            if is_witnessed {
                s.vouched(0);
                s.witnessed();
            }
            pays(s, change);
        })
    };
    for change in [into, out_of] {
        assert_eq!(used(change, true), None);
        assert_eq!(used(change, false), Some("k"));
    }
    assert_eq!(doctored(|s| pays(s, into)), Some("e"), "never made");

    let undone = |scope: Scope| {
        doctored(|s| {
            s.entry(second());
            s.entry_of(scope, Fact::Tighten(Tightening::Stop, name(70)));
            s.entry_of(scope, released(Loosening::Resume, None));
            s.vouched(0);
            s.witnessed();
            pays(s, into);
        })
    };
    assert_eq!(undone(SCOPE), Some("n"));
    assert_eq!(undone(Scope::Platform), Some("n"));
    assert_eq!(undone(OTHER), None);
}

/// A policy that is put in force at once, which allows no payment of more.
fn tighter(s: &mut Story, most: u64) {
    let what = Tightening::Policy {
        policy: TIGHTER,
        most,
    };
    s.entry(Fact::Tighten(what, name(70)));
    s.witnessed();
}

#[test]
fn a_share_above_a_tighter_policy_breaks_c2() {
    let signed = |most: u64| {
        doctored(|s| {
            tighter(s, most);
            s.signed();
        })
    };
    assert_eq!(signed(400), None, "it still passes");
    assert_eq!(signed(399), Some("c2"));
}

#[test]
fn a_tighter_policy_decides_from_its_position_on() {
    let decided = |is_put: bool| {
        doctored(|s| {
            if is_put {
                tighter(s, 1_000);
            }
            pays(s, |other| other.policy = TIGHTER);
        })
    };
    assert_eq!(decided(true), None);
    assert_eq!(decided(false), Some("e"));
}
