//! Locked payments whose stamps lie windows apart, and whose locks begin in one second: the writer
//! appended nothing for hours and stamped them as it liked, or the witnesses were away.

use super::asked_again::{an_hour, edit_rule, from_minute_of, guard, long_lived, under};
use super::{again, share_at};
use crate::{HOUR_MS, LARGE, TWO, code, ready_under};
use strongroom_journal::apply::TenantView;
use strongroom_journal::model::IntentRecord;
use strongroom_journal::state::Lookup as _;
use strongroom_policy::GuardKind;
use strongroom_types::{AttemptKind, Code, Document as _, Intent, Tighten, UnixMs};
use strongroom_world::{FEE_MAX, Ledger, PolicyOptions, START, Who};

const LOCK_MS: u64 = 60_000;
/// Room for one payment.
const LIMIT: u64 = LARGE + FEE_MAX + 1;
/// An hour and the minute by which a window may be late.
const WINDOW_MS: u64 = HOUR_MS + 60_000;
const SCOPE: strongroom_policy::VelocityScope = strongroom_policy::VelocityScope::Tenant;

/// A tenant that may pay one large payment in an hour, by a ceiling or by the windows of a rule.
fn limited() -> [Ledger; 2] {
    limited_under(LOCK_MS)
}

fn limited_under(lock_ms: u64) -> [Ledger; 2] {
    let ceiling = ready_under(PolicyOptions {
        ceilings: vec![an_hour(LIMIT, SCOPE)],
        time_lock_seconds: lock_ms / 1_000,
        ..PolicyOptions::default()
    });
    let rule = under(|policy| {
        edit_rule(policy, 2, |rule| {
            rule.matches.velocity = vec![an_hour(LIMIT, SCOPE)];
            rule.then.time_lock_seconds = lock_ms / 1_000;
        });
    });
    [ceiling, rule]
}

/// One payment in each of so many windows, none of them witnessed.
fn authorized<const N: usize>(ledger: &mut Ledger) -> [Intent; N] {
    std::array::from_fn(|n| {
        if n > 0 {
            ledger.wait(WINDOW_MS);
        }
        let intent = long_lived(ledger, LARGE);
        ledger.authorize(&intent, &TWO).unwrap();
        intent
    })
}

/// Time passes until the locks that began now end, and the journal says so.
fn after_lock(ledger: &mut Ledger) {
    ledger.wait(LOCK_MS);
    ledger
        .push(strongroom_journal::Body::Tick, ledger.now)
        .unwrap();
}

fn shares<const N: usize>(ledger: &Ledger, intents: &[Intent; N]) -> [Option<Code>; N] {
    std::array::from_fn(|n| share_at(ledger, &intents[n], 1, ledger.now))
}

fn record(ledger: &Ledger, intent: &Intent) -> IntentRecord {
    let tenant = ledger.world.tenant.id;
    let record = ledger.state.intent(tenant, &intent.digest());
    record.unwrap().unwrap()
}

fn counted_at(ledger: &Ledger, intent: &Intent) -> UnixMs {
    record(ledger, intent).spend.at
}

const TOO_OLD: Option<Code> = Some(Code::AttemptTooOld);

#[test]
fn hole_locked_payments_of_many_windows_do_not_leave_in_one_second() {
    for mut ledger in limited() {
        let intents = authorized::<3>(&mut ledger);
        ledger.witness();
        after_lock(&mut ledger);
        assert_eq!(shares(&ledger, &intents), [TOO_OLD, TOO_OLD, None]);

        // A further attempt counts again.
        assert_eq!(
            code(again(&mut ledger, &intents[0], AttemptKind::Pay)),
            Code::LimitExceeded
        );
        ledger.wait(WINDOW_MS);
        again(&mut ledger, &intents[0], AttemptKind::Pay).unwrap();
        assert_eq!(share_at(&ledger, &intents[0], 2, ledger.now), None);
        assert_eq!(
            code(again(&mut ledger, &intents[1], AttemptKind::Bump)),
            Code::LimitExceeded
        );
    }
}

/// What had no room when its lock began leaves with the others when it ends: it has to have room
/// there.
#[test]
fn hole_attempts_opened_under_a_long_lock_let_many_windows_leave_at_its_end() {
    for mut ledger in limited_under(3 * WINDOW_MS) {
        let intents = authorized::<3>(&mut ledger);
        ledger.witness();
        let end = record(&ledger, &intents[0]).locked_until;
        let opened = |mut ledger: Ledger, at: UnixMs| {
            ledger.now = at;
            again(&mut ledger, &intents[0], AttemptKind::Pay).unwrap();
            share_at(&ledger, &intents[0], 2, end.max(at))
        };

        // Each payment is in an hour of its own.
        let quiet = ledger.clone();
        for intent in &intents[..2] {
            ledger.wait(WINDOW_MS);
            again(&mut ledger, intent, AttemptKind::Pay).unwrap();
        }
        ledger.now = end;
        ledger
            .push(strongroom_journal::Body::Tick, ledger.now)
            .unwrap();
        let second = |intent| share_at(&ledger, intent, 2, end);
        assert_eq!([&intents[0], &intents[1]].map(second), [TOO_OLD; 2]);
        assert_eq!(share_at(&ledger, &intents[2], 1, end), None);

        // Within what honest clocks differ by, an attempt is opened at the end.
        let first = UnixMs(end.0 - ledger.world.genesis.bounds.skew_ms - 1_000);
        assert_eq!(opened(quiet.clone(), UnixMs(first.0 - 1)), TOO_OLD);
        assert_eq!(opened(quiet.clone(), first), None);
        assert_eq!(opened(quiet, end.plus(1)), None);
    }
}

/// The locks of three payments end a window apart, in this order, and each gets its share then.
fn leave_apart(ledger: &Ledger, last_attempts: [(&Intent, u32); 3]) {
    let ends = last_attempts.map(|(intent, _)| record(ledger, intent).locked_until);
    assert!(
        ends.is_sorted_by(|a, b| b.since(*a) >= WINDOW_MS),
        "{ends:?}"
    );
    let mut ledger = ledger.clone();
    for (n, end) in ends.into_iter().enumerate() {
        ledger.push(strongroom_journal::Body::Tick, end).unwrap();
        let share = |(intent, attempt): &(&Intent, u32)| share_at(&ledger, intent, *attempt, end);
        let (first, later) = last_attempts[n..].split_first().unwrap();
        assert_eq!(share(first), None);
        assert!(later.iter().all(|l| share(l) == Some(Code::TimeLocked)));
    }
}

/// The cosignatures of `witnessed` can be of hours ago: an attempt after them counts in time.
#[test]
fn hole_attempts_before_old_cosignatures_let_many_windows_leave_in_one_second() {
    for mut ledger in limited_under(5 * WINDOW_MS) {
        let intents = authorized::<3>(&mut ledger);
        let kept = ledger.witnessed();
        for intent in &intents[..2] {
            ledger.wait(WINDOW_MS);
            again(&mut ledger, intent, AttemptKind::Pay).unwrap();
        }
        let kept = strongroom_journal::Body::Witnessed(kept);
        ledger.push(kept, ledger.now).unwrap();
        let [a, b, c] = &intents;
        leave_apart(&ledger, [(c, 1), (a, 2), (b, 2)]);
    }
}

/// One `witnessed` entry each, in a window of its own, all with cosignatures of one second.
#[test]
fn hole_kept_cosignatures_let_many_windows_leave_in_one_second() {
    for mut ledger in limited_under(5 * WINDOW_MS) {
        let heads = [0; 3].map(|_| {
            ledger.wait(WINDOW_MS);
            let intent = long_lived(&ledger, LARGE);
            ledger.authorize(&intent, &TWO).unwrap();
            (intent, ledger.checkpoint())
        });
        let (seats, cosigned_at) = (ledger.world.quorum_seats(), UnixMs(ledger.now.0 - 1_000));
        for (_, head) in &heads {
            ledger.wait(WINDOW_MS);
            let kept = ledger.world.witnessed(head, &seats, cosigned_at);
            let kept = strongroom_journal::Body::Witnessed(kept);
            ledger.push(kept, ledger.now).unwrap();
        }
        let [(a, _), (b, _), (c, _)] = &heads;
        leave_apart(&ledger, [(c, 1), (a, 1), (b, 1)]);
    }
}

/// Counted when its lock began, it needs no room at its end: a replacement may be opened at any time.
#[test]
fn a_payment_that_had_room_when_its_lock_began_takes_attempts_under_it() {
    for mut ledger in limited_under(3 * WINDOW_MS) {
        let [intent] = authorized(&mut ledger);
        ledger.wait(2 * WINDOW_MS);
        ledger.witness();
        let end = record(&ledger, &intent).locked_until;
        ledger.wait(WINDOW_MS);
        again(&mut ledger, &intent, AttemptKind::Bump).unwrap();
        assert_eq!(share_at(&ledger, &intent, 2, end), None);
    }
}

/// All of them are older than the window when they are witnessed: the first one has its room.
#[test]
fn hole_locked_payments_of_one_witnessed_entry_share_one_window() {
    for mut ledger in limited() {
        let intents = authorized::<3>(&mut ledger);
        ledger.wait(2 * WINDOW_MS);
        ledger.witness();
        after_lock(&mut ledger);
        assert_eq!(shares(&ledger, &intents), [None, TOO_OLD, TOO_OLD]);
    }
}

/// An honest writer waits for its witnesses at times: what has room goes out, and no one has to ask
/// for it again.
#[test]
fn a_locked_payment_that_is_witnessed_hours_later_is_counted_then() {
    for mut ledger in limited() {
        let [intent] = authorized(&mut ledger);
        ledger.wait(2 * WINDOW_MS);
        ledger.witness();
        assert_eq!(counted_at(&ledger, &intent), ledger.now);
        after_lock(&mut ledger);
        assert_eq!(shares(&ledger, &[intent]), [None]);

        let next = long_lived(&ledger, LARGE);
        let refused = code(ledger.clone().authorize(&next, &TWO));
        assert!(
            matches!(refused, Code::LimitExceeded | Code::PolicyBlocked),
            "{refused}"
        );
        ledger.wait(WINDOW_MS);
        ledger.authorize(&next, &TWO).unwrap();
    }
}

/// A payment under a lock of two hours that is authorized and witnessed at these hours of a day, of
/// which the last four are closed: whether it was counted when it was witnessed, and why it gets no
/// share at the end of its lock.
fn across_closing(authorized: u64, witnessed: u64) -> (bool, Option<Code>) {
    let closing = START.plus(20 * HOUR_MS);
    let closed = GuardKind::ClosedHours(from_minute_of(closing));
    let mut ledger = under(|policy| {
        policy.guards = vec![guard("closed", closed)];
        edit_rule(policy, 2, |rule| rule.then.time_lock_seconds = 2 * 3_600);
    });
    ledger.now = START.plus(authorized * HOUR_MS);
    let intent = long_lived(&ledger, LARGE);
    ledger.authorize(&intent, &TWO).unwrap();
    ledger.now = START.plus(witnessed * HOUR_MS);
    ledger.witness();

    let is_counted = counted_at(&ledger, &intent) == ledger.now;
    ledger.now = record(&ledger, &intent).locked_until;
    ledger
        .push(strongroom_journal::Body::Tick, ledger.now)
        .unwrap();
    (is_counted, share_at(&ledger, &intent, 1, ledger.now))
}

/// It leaves at the end of its lock. Room that it took for hours in which it cannot leave would be
/// taken from others.
#[test]
fn a_lock_that_is_witnessed_late_is_judged_by_the_hours_of_its_end() {
    assert_eq!(across_closing(18, 23), (true, None), "closed until its end");
    assert_eq!(across_closing(13, 17), (true, None), "open throughout");
    assert_eq!(
        across_closing(13, 19),
        (false, TOO_OLD),
        "closed at its end"
    );
}

/// What passes is asked before each share, and must not end a payment for good.
#[test]
fn a_pause_while_it_is_witnessed_takes_no_room() {
    for mut ledger in limited() {
        let [intent] = authorized(&mut ledger);
        ledger.wait(2 * WINDOW_MS);
        let until = ledger.now.plus(LOCK_MS);
        let pause = Tighten::Pause { vault: None, until };
        ledger.tighten(pause, &[Who::Admin(0)]).unwrap();
        ledger.witness();
        after_lock(&mut ledger);
        assert_eq!(shares(&ledger, &[intent]), [None]);
    }
}

/// It could never be signed: its client is told at once and keeps its coins.
#[test]
fn a_payment_whose_lock_outlasts_its_intent_is_refused() {
    let [mut ledger, _] = limited();
    let [lasts, outlasted] = [LOCK_MS + 1, LOCK_MS].map(|life_ms| {
        let live = |intent: &mut Intent| intent.expires = ledger.now.plus(life_ms);
        let world = &ledger.world;
        world.intent_with(ledger.now, LARGE, strongroom_world::FRIEND, live)
    });
    let refused = ledger.authorize(&outlasted, &TWO);
    assert_eq!(code(refused), Code::TimeLockTooLong);
    ledger.authorize(&lasts, &TWO).unwrap();
}

/// Within what honest clocks differ by, it counts where its authorization stands.
#[test]
fn a_locked_payment_that_is_witnessed_at_once_stays_counted_at_its_entry() {
    for mut ledger in limited() {
        let [intent] = authorized(&mut ledger);
        let stamp = ledger.now;
        let second = 1_000;
        let within = ledger.world.genesis.bounds.skew_ms + second;
        ledger.now.0 = (stamp.0 + within) / second * second;
        let mut late = ledger.clone();
        ledger.witness();
        assert_eq!(counted_at(&ledger, &intent), stamp);

        late.wait(second);
        late.witness();
        assert_eq!(counted_at(&late, &intent), late.now);
        for mut ledger in [ledger, late] {
            after_lock(&mut ledger);
            assert_eq!(share_at(&ledger, &intent, 1, ledger.now), None);
        }
    }
}

/// What operators cap is what can leave: nothing while a lock has no end, then at its end, and at
/// that of the last attempt.
#[test]
fn a_locked_payment_is_counted_where_it_can_leave() {
    let [mut ledger, _] = limited_under(3 * WINDOW_MS);
    let vault = ledger.world.tenant.vault;
    let asset = ledger.world.genesis.chains[0].native.clone();
    let left = |ledger: &Ledger, at: UnixMs| {
        let view = TenantView::new(&ledger.state, ledger.world.tenant.id);
        view.left(vault, &asset, HOUR_MS, at).unwrap().amount
    };
    let scope: Vec<u8> = [3].into_iter().chain(vault.0).collect();
    let buckets = |ledger: &Ledger| {
        let keys = ledger.state.map().keys();
        let of_scope = |key: &&Vec<u8>| key.windows(17).any(|bytes| bytes == scope);
        keys.filter(of_scope).count()
    };

    let [intent] = authorized(&mut ledger);
    assert_eq!(left(&ledger, ledger.now), 0.into());
    assert_eq!(buckets(&ledger), 0, "no end of its lock is known");
    ledger.witness();

    let (end, all) = (record(&ledger, &intent).locked_until, LARGE + FEE_MAX);
    assert_eq!(left(&ledger, UnixMs(end.0 - 60_000)), 0.into());
    assert_eq!(left(&ledger, end), all.into());

    ledger.now = end.plus(WINDOW_MS);
    again(&mut ledger, &intent, AttemptKind::Bump).unwrap();
    assert_eq!(left(&ledger, end), 0.into());
    assert_eq!(left(&ledger, ledger.now), all.into());
}
