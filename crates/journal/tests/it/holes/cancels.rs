//! Attempts that return the anchor to the vault: they pay no one but the miner, and need no signature
//! of people.

use super::asked_again::{guard, policy};
use super::{again, share_at, tighten_policy};
use crate::{HOUR_MS, SMALL, ready};
use strongroom_journal::Body;
use strongroom_policy::GuardKind;
use strongroom_types::{ActBody, Attempt, AttemptKind, Code, Document as _, Intent, Tighten};
use strongroom_world::{AuthorizationExt as _, CHAIN, FEE_MAX, FRIEND, Ledger, Who};

use AttemptKind::Cancel;

const ADMIN: [Who; 1] = [Who::Admin(0)];

/// An authorized intent and its attempt 1, which costs this much.
fn authorized(ledger: &mut Ledger, fee_max: u64) -> (Intent, Attempt) {
    let intent = ledger.world.intent(ledger.now, SMALL, FRIEND);
    let mut first = ledger.world.attempt(&intent);
    first.fee_max = fee_max.into();
    let authorization = ledger.authorization_with(&intent, &[], first.clone());
    ledger.push(authorization.into_body(), ledger.now).unwrap();
    (intent, first)
}

/// The same, cancelled by its client.
fn cancelled(ledger: &mut Ledger, fee_max: u64) -> (Intent, Attempt) {
    let (intent, first) = authorized(ledger, fee_max);
    let cancel = Tighten::Cancel(intent.digest());
    ledger.tighten(cancel, &[Who::Initiator]).unwrap();
    (intent, first)
}

/// What a cancel that costs this much is refused with.
fn offered(ledger: &Ledger, last: &Attempt, fee_max: u64) -> Option<Code> {
    let next = ledger.world.next_attempt(last, Cancel, fee_max);
    ledger.refused(next.into())
}

/// An incident stops what costs a fee and moves coins, too, before its cause is known.
#[test]
fn hole_cancel_is_signed_under_a_stop_or_a_pause() {
    let mut ledger = ready();
    let (intent, _) = cancelled(&mut ledger, FEE_MAX / 2);
    again(&mut ledger, &intent, Cancel).unwrap();
    let share = |ledger: &Ledger| share_at(ledger, &intent, 2, ledger.now);
    assert_eq!(share(&ledger), None);

    for vault in [None, Some(ledger.world.tenant.vault)] {
        let mut paused = ledger.clone();
        let until = ledger.now.plus(HOUR_MS);
        let pause = Tighten::Pause { vault, until };
        paused.tighten(pause, &ADMIN).unwrap();
        assert_eq!(share(&paused), Some(Code::Paused));
    }
    let mut stopped = ledger.clone();
    stopped.tighten(Tighten::Stop, &ADMIN).unwrap();
    assert_eq!(share(&stopped), Some(Code::TenantStopped));
    let stop = ActBody::Tighten(Tighten::Stop);
    ledger.platform_act(stop).unwrap();
    assert_eq!(share(&ledger), Some(Code::PlatformStopped));
}

/// An ended intent whose attempts were cheap must not cost its whole cap.
#[test]
fn hole_cancel_costs_the_cap_of_an_intent_that_never_offered_it() {
    let mut ledger = ready();
    let (_, first) = cancelled(&mut ledger, 100);
    let exceeded = Some(Code::FeeCapExceeded);
    assert_eq!(offered(&ledger, &first, 200), None);
    assert_eq!(offered(&ledger, &first, 202), exceeded);
    assert_eq!(offered(&ledger, &first, FEE_MAX), exceeded);

    // Nor does one cancel make room for the next.
    let second = ledger.world.next_attempt(&first, Cancel, 200);
    ledger.push(Body::from(second.clone()), ledger.now).unwrap();
    assert_eq!(offered(&ledger, &second, 200), None);
    assert_eq!(offered(&ledger, &second, 202), exceeded);
}

#[test]
fn hole_cancels_of_intents_that_ended_long_ago_cost_their_fees_at_once() {
    let mut ledger = ready();
    let life = ledger.world.genesis.bounds.intent_life_ms;
    let (expired, of_expired) = authorized(&mut ledger, FEE_MAX / 2);
    let (_, of_cancelled) = cancelled(&mut ledger, FEE_MAX / 2);
    let both =
        |ledger: &Ledger| [&of_expired, &of_cancelled].map(|last| offered(ledger, last, FEE_MAX));
    ledger.now = expired.expires.plus(life - 1);
    assert_eq!(both(&ledger), [None; 2]);
    ledger.wait(1);
    assert_eq!(both(&ledger), [Some(Code::IntentExpired); 2]);
}

/// Its intent ended under a policy that let fees rise; the one in force does not.
#[test]
fn hole_cancel_costs_more_than_the_policy_in_force_lets_a_payment_cost() {
    let mut ledger = ready();
    let (intent, _) = cancelled(&mut ledger, FEE_MAX / 2);
    again(&mut ledger, &intent, Cancel).unwrap();
    let under = |guards: &[(&str, u64)]| {
        let mut ledger = ledger.clone();
        let tighter = policy(&ledger, |policy| {
            let fee_max = |(n, (chain, lte)): (usize, &(&str, u64))| {
                let (chain, lte) = (chain.parse().unwrap(), (*lte).into());
                guard(&format!("fees-{n}"), GuardKind::FeeMax { chain, lte })
            };
            policy.guards.extend(guards.iter().enumerate().map(fee_max));
        });
        tighten_policy(&mut ledger, &tighter);
        share_at(&ledger, &intent, 2, ledger.now)
    };
    let other = "bip122:000000000019d6689c085ae165831e93";
    let exceeded = Some(Code::FeeCapExceeded);
    assert_eq!(share_at(&ledger, &intent, 2, ledger.now), None);
    assert_eq!(under(&[(CHAIN, FEE_MAX), (other, 1)]), None);
    assert_eq!(under(&[(CHAIN, FEE_MAX - 1)]), exceeded);
    let two = [(CHAIN, FEE_MAX), (CHAIN, FEE_MAX - 1)];
    assert_eq!(under(&two), exceeded, "the smallest of them binds");
}
