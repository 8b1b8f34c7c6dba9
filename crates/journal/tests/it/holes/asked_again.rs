//! Payments whose ground has changed between authorization, attempt and share.

use super::{again, refused_again, share, share_at, tighten_policy};
use crate::{HOUR_MS, LARGE, MEDIUM, SMALL, TWO, code, ready, ready_under};
use strongroom_journal::Body;
use strongroom_journal::state::Lookup as _;
use strongroom_policy::{
    Day, Guard, GuardKind, Hours, Initiators, Policy, VelocityScope, Window, is_tighter,
};
use strongroom_types::{
    ActBody, AttemptKind, Code, Document as _, GroupNeed, Intent, RegistryRecord, Tier, Tighten,
    UnixMs,
};
use strongroom_world::{FEE_MAX, FRIEND, Ledger, PolicyOptions, Who};

const HELD: u64 = 300_000 - FEE_MAX;

pub(super) fn an_hour(limit: u64, scope: VelocityScope) -> Window {
    Window {
        scope,
        window_seconds: HOUR_MS / 1000,
        amount_lte: Some(limit.into()),
        count_lte: None,
    }
}

/// The default policy, changed.
pub(super) fn policy(ledger: &Ledger, change: impl FnOnce(&mut Policy)) -> Policy {
    let mut policy = ledger.world.tenant.policy(&PolicyOptions::default());
    change(&mut policy);
    policy
}

/// Changes the rule of this place.
pub(super) fn edit_rule(
    policy: &mut Policy,
    at: usize,
    edit: impl FnOnce(&mut strongroom_policy::Rule),
) {
    let mut rules = policy.rules.to_vec();
    edit(&mut rules[at]);
    policy.rules = rules.into();
}

/// A tenant whose policy is the default one, changed.
pub(super) fn under(change: impl FnOnce(&mut Policy)) -> Ledger {
    let mut ledger = ready();
    let old = policy(&ledger, |_| {});
    let new = policy(&ledger, change);
    if is_tighter(&old, &new) {
        tighten_policy(&mut ledger, &new);
    } else {
        ledger.put_and_release(RegistryRecord::Policy(new.to_text()));
    }
    ledger
}

pub(super) fn guard(id: &str, kind: GuardKind) -> Guard {
    Guard {
        id: id.parse().unwrap(),
        kind,
    }
}

/// An intent that lives for most of a day.
pub(super) fn long_lived(ledger: &Ledger, amount: u64) -> Intent {
    ledger
        .world
        .intent_with(ledger.now, amount, FRIEND, |intent| {
            intent.expires = intent.created.plus(20 * HOUR_MS);
        })
}

/// One payment of 300,000 in each of three hours, none of them signed.
fn held_back(ledger: &mut Ledger) -> [Intent; 3] {
    [0, 1, 2].map(|_| {
        ledger.wait(HOUR_MS + 60_000);
        let intent = long_lived(ledger, HELD);
        ledger.authorize(&intent, &[]).unwrap();
        intent
    })
}

/// Three times the hourly limit is signed in one second.
fn is_limited(mut ledger: Ledger, scope: VelocityScope) {
    let [first, second, third] = held_back(&mut ledger);
    ledger.wait(HOUR_MS + 60_000);
    again(&mut ledger, &first, AttemptKind::Pay).unwrap();
    for held in [&second, &third] {
        assert_eq!(
            refused_again(&ledger, held),
            Some(Code::LimitExceeded),
            "{scope}"
        );
    }

    // The payment's own spend is not counted beside itself, and room comes with age.
    again(&mut ledger, &second, AttemptKind::Cancel).unwrap_err();
    ledger.wait(HOUR_MS + 60_000);
    again(&mut ledger, &second, AttemptKind::Bump).unwrap();
    assert_eq!(share_at(&ledger, &second, 2, ledger.now), None);
}

const SCOPES: [VelocityScope; 3] = [
    VelocityScope::Tenant,
    VelocityScope::Vault,
    VelocityScope::Initiator,
];

#[test]
fn hole_a_series_held_back_is_limited_by_every_ceiling() {
    for scope in SCOPES {
        let ceilings = vec![an_hour(350_000, scope)];
        let options = PolicyOptions {
            ceilings,
            ..PolicyOptions::default()
        };
        is_limited(ready_under(options), scope);
    }
}

#[test]
fn hole_a_series_held_back_is_limited_by_every_window_of_its_rule() {
    for scope in SCOPES {
        let ledger = under(|policy| {
            edit_rule(policy, 0, |rule| {
                rule.matches.velocity = vec![an_hour(350_000, scope)];
            });
        });
        is_limited(ledger, scope);
    }
}

/// A cancelled payment comes home in a full hour, and takes no room from anyone.
#[test]
fn the_way_home_asks_no_window_and_fills_none() {
    let ceilings = vec![an_hour(350_000, VelocityScope::Tenant)];
    let mut ledger = ready_under(PolicyOptions {
        ceilings,
        ..PolicyOptions::default()
    });
    let [first, second, _] = held_back(&mut ledger);
    ledger.wait(HOUR_MS + 60_000);
    again(&mut ledger, &first, AttemptKind::Pay).unwrap();
    ledger
        .tighten(Tighten::Cancel(second.digest()), &[Who::Initiator])
        .unwrap();
    again(&mut ledger, &second, AttemptKind::Cancel).unwrap();
    assert_eq!(share_at(&ledger, &first, 2, ledger.now), None);
}

/// Hours that contain `at` and the rest of its day, UTC.
pub(super) fn from_minute_of(at: UnixMs) -> Hours {
    let minute = at.0 / 60_000 % 1440;
    Hours {
        utc_offset_minutes: 0,
        days: vec![
            Day::Monday,
            Day::Tuesday,
            Day::Wednesday,
            Day::Thursday,
            Day::Friday,
            Day::Saturday,
            Day::Sunday,
        ],
        from: format!("{:02}:{:02}", minute / 60, minute % 60)
            .parse()
            .unwrap(),
        to: "24:00".parse().unwrap(),
    }
}

/// What is authorized a minute before closing is signed; what is opened after it is not.
#[test]
fn hole_closed_hours_bind_every_attempt_and_no_share() {
    let closing = ready().now.plus(2 * 60_000);
    let hours = from_minute_of(closing);
    let mut ledger =
        under(|policy| policy.guards = vec![guard("closed", GuardKind::ClosedHours(hours))]);
    let intent = ledger.world.intent(ledger.now, SMALL, FRIEND);
    ledger.authorize(&intent, &[]).unwrap();

    ledger.now = closing;
    ledger.push(Body::Tick, ledger.now).unwrap();
    assert_eq!(share(&ledger, &intent), None);
    assert_eq!(refused_again(&ledger, &intent), Some(Code::PolicyBlocked));
}

/// A policy that is tighter acts at once, on what is authorized too.
#[test]
fn hole_a_destination_that_is_blocked_since_gets_no_share() {
    let mut ledger = ready();
    let intent = ledger.world.intent(ledger.now, SMALL, FRIEND);
    ledger.authorize(&intent, &[]).unwrap();
    assert_eq!(share(&ledger, &intent), None);

    let blocked = GuardKind::BlockedDestinations(vec![FRIEND.to_owned()]);
    let tighter = policy(&ledger, |policy| policy.guards = vec![guard("g", blocked)]);
    tighten_policy(&mut ledger, &tighter);
    assert_eq!(share(&ledger, &intent), Some(Code::PolicyBlocked));
    assert_eq!(refused_again(&ledger, &intent), Some(Code::PolicyBlocked));
}

#[test]
fn hole_a_ceiling_set_since_holds_what_is_authorized() {
    let mut ledger = ready();
    let intent = ledger.world.intent(ledger.now, SMALL, FRIEND);
    ledger.authorize(&intent, &[]).unwrap();
    let kind = |limit| GuardKind::Ceiling {
        asset: strongroom_world::NATIVE.parse().unwrap(),
        window: an_hour(limit, VelocityScope::Tenant),
    };

    // The payment is counted once and not beside itself.
    let enough = policy(&ledger, |policy| {
        policy.guards = vec![guard("g", kind(SMALL + FEE_MAX))]
    });
    tighten_policy(&mut ledger, &enough);
    assert_eq!(share(&ledger, &intent), None);

    let too_low = policy(&ledger, |policy| {
        policy.guards = vec![guard("g", kind(SMALL + FEE_MAX)), guard("h", kind(SMALL))]
    });
    tighten_policy(&mut ledger, &too_low);
    assert_eq!(share(&ledger, &intent), Some(Code::LimitExceeded));
    assert_eq!(refused_again(&ledger, &intent), Some(Code::LimitExceeded));
}

#[test]
fn hole_a_rule_raised_since_holds_what_is_authorized() {
    let mut ledger = ready();
    let intent = ledger.world.intent(ledger.now, MEDIUM, FRIEND);
    ledger.authorize(&intent, &TWO[..1]).unwrap();
    let approvers = ledger.world.tenant.approvers;
    let raised = policy(&ledger, |policy| {
        edit_rule(policy, 1, |rule| {
            rule.then.tier = Tier::MOfN;
            rule.then.groups = vec![GroupNeed {
                group: approvers,
                approvals: 2,
            }];
        });
    });
    tighten_policy(&mut ledger, &raised);
    assert_eq!(share(&ledger, &intent), Some(Code::DecisionChanged));
    assert_eq!(refused_again(&ledger, &intent), Some(Code::DecisionChanged));
}

/// The rule names a group; the initiator has left it since.
#[test]
fn hole_an_initiator_who_left_the_group_of_the_rule_gets_no_share() {
    for falls_through in [false, true] {
        let mut ledger = ready();
        let risk = ledger.world.tenant.risk;
        let initiator = ledger.world.person(Who::Initiator).user;
        let group = ledger
            .world
            .tenant
            .group("risk", risk, &[Who::Initiator, Who::Risk(0)]);
        ledger.put_and_release(RegistryRecord::Group(group));
        let of_group = policy(&ledger, |policy| {
            edit_rule(policy, 0, |rule| {
                rule.matches.initiators = Some(Box::new(Initiators {
                    users: None,
                    groups: Some(vec![risk]),
                }));
            });
            if !falls_through {
                let only: Vec<_> = policy.rules.iter().take(1).cloned().collect();
                policy.rules = only.into();
            }
        });
        ledger.put_and_release(RegistryRecord::Policy(of_group.to_text()));
        let intent = ledger.world.intent(ledger.now, SMALL, FRIEND);
        ledger.authorize(&intent, &[]).unwrap();
        assert_eq!(share(&ledger, &intent), None);

        let leave = Tighten::LeaveGroup {
            group: risk,
            user: initiator.id,
        };
        ledger.tighten(leave, &[Who::Admin(0)]).unwrap();
        let expected = if falls_through {
            Code::DecisionChanged
        } else {
            Code::PolicyBlocked
        };
        assert_eq!(share(&ledger, &intent), Some(expected));
        assert_eq!(refused_again(&ledger, &intent), Some(expected));
    }
}

/// An approver who agreed for an hour did not agree to what is made twenty hours later.
#[test]
fn hole_an_approval_that_expired_since_carries_nothing() {
    let mut ledger = ready();
    let intent = long_lived(&ledger, MEDIUM);
    let core = ledger.core(&intent);
    let until = ledger.now.plus(HOUR_MS);
    let mut approval = ledger.world.approval(Who::Approver(0), &intent, &core, &[]);
    approval.expires = until;
    let approvals = vec![ledger.world.sign(&approval, &[Who::Approver(0)])];
    let attempt = ledger.world.attempt(&intent);
    let authorization = ledger
        .world
        .authorization(&intent, &core, approvals, attempt);
    ledger
        .push(Body::Authorized(Box::new(authorization)), ledger.now)
        .unwrap();
    assert_eq!(share(&ledger, &intent), None);

    ledger.now = UnixMs(until.0 - 1);
    let mut control = ledger.clone();
    again(&mut control, &intent, AttemptKind::Bump).unwrap();
    assert_eq!(share_at(&control, &intent, 2, control.now), None);
    let over = Some(Code::ApprovalNoLongerInForce);
    assert_eq!(share_at(&control, &intent, 2, until), over);
    ledger.now = until;
    assert_eq!(refused_again(&ledger, &intent), over);
}

/// A pause holds further attempts as it holds authorizations.
#[test]
fn a_pause_holds_further_attempts() {
    let mut ledger = ready();
    let intent = ledger.world.intent(ledger.now, SMALL, FRIEND);
    ledger.authorize(&intent, &[]).unwrap();
    let until = ledger.now.plus(HOUR_MS);
    let pause = Tighten::Pause { vault: None, until };
    ledger.tighten(pause, &[Who::Admin(0)]).unwrap();
    assert_eq!(refused_again(&ledger, &intent), Some(Code::Paused));
}

/// A window of a rule that another rule's payments filled since holds no share: the payment on its
/// way had its room at its own entry.
#[test]
fn a_window_filled_by_another_rule_holds_no_share_on_its_way() {
    let mut ledger = under(|policy| {
        edit_rule(policy, 0, |rule| {
            rule.matches.velocity = vec![an_hour(1_000_000, VelocityScope::Tenant)];
        });
    });
    let intent = ledger.world.intent(ledger.now, SMALL, FRIEND);
    ledger.authorize(&intent, &[]).unwrap();
    let other = ledger.world.intent(ledger.now, MEDIUM, FRIEND);
    ledger.authorize(&other, &TWO[..1]).unwrap();
    assert_eq!(share(&ledger, &intent), None);
    assert_eq!(refused_again(&ledger, &intent), Some(Code::LimitExceeded));
}

#[test]
fn an_attempt_lives_from_the_end_of_its_lock() {
    let lock_s = 3600;
    let mut ledger = ready_under(PolicyOptions {
        time_lock_seconds: lock_s,
        ..PolicyOptions::default()
    });
    let intent = long_lived(&ledger, LARGE);
    ledger.authorize(&intent, &TWO).unwrap();
    ledger.witness();
    let end = ledger.now.plus(lock_s * 1000);
    let life = ledger.world.genesis.bounds.attempt_life_ms;
    let at = |now| share_at(&ledger, &intent, 1, now);
    assert_eq!(at(UnixMs(end.0 - 1)), Some(Code::TimeLocked));
    assert_eq!(at(end), None);
    assert_eq!(at(end.plus(life)), None);
    assert_eq!(at(end.plus(life + 1)), Some(Code::AttemptTooOld));
}

/// A lock that outlasts every intent blocks for good and does not say so.
#[test]
fn a_policy_whose_lock_leaves_no_time_to_sign_is_refused() {
    let mut ledger = ready();
    let bounds = ledger.world.genesis.bounds.clone();
    let most = (bounds.intent_life_ms - bounds.attempt_life_ms) / 1000;
    let put = |ledger: &mut Ledger, seconds| {
        let locked = policy(ledger, |policy| {
            edit_rule(policy, 2, |rule| rule.then.time_lock_seconds = seconds);
        });
        let put = ActBody::Put(RegistryRecord::Policy(locked.to_text()));
        ledger.act(put, &ledger.committee())
    };
    for tighter in [most + 1, 2 * most] {
        assert_eq!(code(put(&mut ledger, tighter)), Code::TimeLockTooLong);
    }

    // A proposal is refused when it is made, not when it is released.
    let looser = policy(&ledger, |policy| {
        edit_rule(policy, 1, |rule| rule.matches.amount = None);
        edit_rule(policy, 2, |rule| rule.then.time_lock_seconds = most + 1);
    });
    let looser = ActBody::Put(RegistryRecord::Policy(looser.to_text()));
    let refused = ledger.act(looser, &ledger.committee());
    assert_eq!(code(refused), Code::TimeLockTooLong);
    put(&mut ledger, most).unwrap();
}

#[test]
fn a_charter_whose_lock_leaves_no_time_to_sign_is_refused() {
    let options = strongroom_world::WorldOptions {
        policy: PolicyOptions {
            time_lock_seconds: 24 * 3600,
            ..PolicyOptions::default()
        },
        ..strongroom_world::WorldOptions::default()
    };
    let world = strongroom_world::World::new(1, options);
    let genesis = Body::Genesis(world.genesis.hash());
    let create = Body::Act(world.create_tenant(strongroom_world::START));
    let mut ledger = Ledger::empty(world);
    ledger.push(genesis, ledger.now).unwrap();
    let refused = ledger.push(create, ledger.now);
    assert_eq!(code(refused), Code::TimeLockTooLong);
}

/// The shares of a locked payment leave when its lock ends: hours that are closed then are closed
/// for it, however open they were when it was authorized.
#[test]
fn hole_a_lock_that_ends_in_closed_hours_gets_no_share() {
    let lock_s = 3600;
    let closing = ready().now.plus(30 * 60_000);
    let closed = guard("closed", GuardKind::ClosedHours(from_minute_of(closing)));
    let locked = |guards: Vec<Guard>| {
        let mut ledger = under(|policy| {
            policy.guards = guards;
            edit_rule(policy, 2, |rule| rule.then.time_lock_seconds = lock_s);
        });
        let intent = long_lived(&ledger, LARGE);
        ledger.authorize(&intent, &TWO).unwrap();
        ledger.witness();
        ledger.wait(lock_s * 1000 + 1_000);
        ledger.push(Body::Tick, ledger.now).unwrap();
        share(&ledger, &intent)
    };
    assert_eq!(locked(vec![]), None);
    assert_eq!(locked(vec![closed]), Some(Code::PolicyBlocked));
}

/// Without a lock it leaves at its attempt: hours that are closed at any other minute, the first of
/// all time among them, are not its own.
#[test]
fn a_payment_without_a_lock_gets_its_share_by_the_hours_of_its_attempt() {
    let hours = Hours {
        to: "01:00".parse().unwrap(),
        ..from_minute_of(UnixMs(0))
    };
    let closed = guard("closed", GuardKind::ClosedHours(hours));
    let mut ledger = under(|policy| policy.guards = vec![closed]);
    ledger.wait(2 * HOUR_MS);
    let intent = ledger.world.intent(ledger.now, SMALL, FRIEND);
    ledger.authorize(&intent, &[]).unwrap();
    assert_eq!(share(&ledger, &intent), None);
}

/// Authorized by a later rule because the window of an earlier one was full, a payment needs no one
/// whom the earlier rule names.
#[test]
fn a_payment_that_an_earlier_rule_had_no_room_for_gets_its_share() {
    let mut ledger = under(|policy| {
        let risk = ready().world.tenant.risk;
        edit_rule(policy, 0, |rule| {
            rule.then.tier = Tier::OneOfN;
            rule.then.groups = vec![GroupNeed {
                group: risk,
                approvals: 1,
            }];
            rule.matches.velocity = vec![an_hour(1, VelocityScope::Tenant)];
        });
    });
    let intent = ledger.world.intent(ledger.now, SMALL, FRIEND);
    ledger.authorize(&intent, &TWO[..1]).unwrap();
    assert_eq!(
        ledger
            .state
            .intent(ledger.world.tenant.id, &intent.digest())
            .unwrap()
            .unwrap()
            .approvals
            .len(),
        1
    );
    assert_eq!(share(&ledger, &intent), None);
}
