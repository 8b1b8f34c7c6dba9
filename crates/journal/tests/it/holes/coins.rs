//! A coin of one payment in an attempt of another: confirmed first, it undoes what people signed.

use super::{again, share_at};
use crate::{LARGE, SMALL, TWO, ready, ready_under, ready_with};
use std::slice::from_ref;
use strongroom_journal::Body;
use strongroom_journal::keyspace as ks;
use strongroom_types::attempt::CONFLICT_KEYS_MAX;
use strongroom_types::{
    ActBody, Attempt, AttemptKind, Code, ConflictKey, Document as _, Intent, RegistryRecord,
    Tighten, UnixMs, Vault, VaultId,
};
use strongroom_world::{
    AuthorizationExt as _, FEE_MAX, FRIEND, INTENT_LIFE_MS, Ledger, PolicyOptions, Who,
};

use AttemptKind::{Bump, Cancel, Pay};

fn coin(name: &str) -> ConflictKey {
    ConflictKey::Coin(format!("{name}:0"))
}

/// An intent and its attempt 1, which spends these coins beside its anchor.
fn spending(ledger: &Ledger, others: &[ConflictKey]) -> (Intent, Attempt) {
    let intent = ledger.world.intent(ledger.now, SMALL, FRIEND);
    let mut first = ledger.world.attempt(&intent);
    spend(&mut first, others);
    (intent, first)
}

fn spend(attempt: &mut Attempt, others: &[ConflictKey]) {
    attempt.conflict_keys.extend_from_slice(others);
    attempt.conflict_keys.sort();
}

fn body(ledger: &Ledger, (intent, first): &(Intent, Attempt)) -> Body {
    let authorization = ledger.authorization_with(intent, &[], first.clone());
    authorization.into_body()
}

fn authorize(ledger: &mut Ledger, others: &[ConflictKey]) -> (Intent, Attempt) {
    let payment = spending(ledger, others);
    let body = body(ledger, &payment);
    ledger.push(body, ledger.now).unwrap();
    payment
}

/// What a further attempt is refused with that spends these coins, too.
fn refused(
    ledger: &Ledger,
    last: &Attempt,
    kind: AttemptKind,
    others: &[ConflictKey],
) -> Option<Code> {
    let mut attempt = ledger.world.next_attempt(last, kind, FEE_MAX);
    spend(&mut attempt, others);
    ledger.refused(attempt.into())
}

fn cancel(ledger: &mut Ledger, intent: &Intent) {
    let cancel = Tighten::Cancel(intent.digest());
    ledger.tighten(cancel, &[Who::Initiator]).unwrap();
}

#[test]
fn hole_attempt_spends_the_coin_of_another_payment() {
    let mut ledger = ready();
    let (_, of_q) = authorize(&mut ledger, &[coin("x")]);
    let (p, of_p) = authorize(&mut ledger, &[coin("y")]);

    for stolen in [of_q.anchor.clone(), coin("x")] {
        for kind in [Pay, Bump] {
            let code = refused(&ledger, &of_p, kind, from_ref(&stolen));
            assert_eq!(code, Some(Code::AnchorTaken), "{kind:?} {stolen}");
        }
        let new = spending(&ledger, from_ref(&stolen));
        let code = ledger.refused(body(&ledger, &new));
        assert_eq!(code, Some(Code::AnchorTaken), "attempt 1 {stolen}");

        let mut dead = ledger.clone();
        cancel(&mut dead, &p);
        let code = refused(&dead, &of_p, Cancel, from_ref(&stolen));
        assert_eq!(code, Some(Code::AnchorTaken), "cancel {stolen}");
    }

    // It is refused as an anchor, too, although no other intent has it as its anchor.
    let mut new = spending(&ledger, &[]);
    (new.1.anchor, new.1.conflict_keys) = (coin("x"), vec![coin("x")]);
    let code = ledger.refused(body(&ledger, &new));
    assert_eq!(code, Some(Code::AnchorTaken));

    // The intent's own coins and free ones pass.
    for kind in [Pay, Bump] {
        assert_eq!(refused(&ledger, &of_p, kind, &[]), None);
        assert_eq!(refused(&ledger, &of_p, kind, &[coin("z")]), None);
    }
    let new = spending(&ledger, &[coin("z")]);
    assert_eq!(ledger.refused(body(&ledger, &new)), None);
}

#[test]
fn hole_coin_that_a_bump_added_is_spent_by_another_payment() {
    let mut ledger = ready();
    let (_, of_q) = authorize(&mut ledger, &[]);
    let (_, of_p) = authorize(&mut ledger, &[]);
    let mut bump = ledger.world.next_attempt(&of_q, Bump, FEE_MAX);
    spend(&mut bump, &[coin("x")]);
    ledger.push(bump.into(), ledger.now).unwrap();
    let code = refused(&ledger, &of_p, Bump, &[coin("x")]);
    assert_eq!(code, Some(Code::AnchorTaken));
}

#[test]
fn hole_cancel_takes_further_coins_of_the_vault_with_it() {
    let mut ledger = ready();
    let (p, of_p) = authorize(&mut ledger, &[coin("y")]);
    cancel(&mut ledger, &p);
    let code = refused(&ledger, &of_p, Cancel, &[coin("z")]);
    assert_eq!(code, Some(Code::EffectsMismatch));

    // A cancel spends the anchor alone, or with what earlier attempts spent.
    assert_eq!(refused(&ledger, &of_p, Cancel, &[]), None);
    let mut bare = of_p.clone();
    bare.conflict_keys = vec![of_p.anchor.clone()];
    assert_eq!(refused(&ledger, &bare, Cancel, &[]), None);
}

#[test]
fn hole_coins_named_by_another_vault_are_taken_from_this_one() {
    let mut ledger = ready();
    let first = ledger.world.tenant.first_vault();
    let other = Vault {
        id: VaultId([77; 16]),
        account: first.account + 1,
        ..first
    };
    let put = ActBody::Put(RegistryRecord::Vault(other.clone()));
    ledger.act_in_force(put, &[Who::Admin(0)]).unwrap();

    // The other vault makes false attempts on this one's coins.
    let of_other = |i: &mut Intent| i.vault = other.id;
    let intent = ledger
        .world
        .intent_with(ledger.now, SMALL, FRIEND, of_other);
    let mut attempt = ledger.world.attempt(&intent);
    (attempt.anchor, attempt.conflict_keys) = (coin("x"), vec![coin("x"), coin("y")]);
    let false_claim = body(&ledger, &(intent, attempt));
    ledger.push(false_claim, ledger.now).unwrap();

    let mut new = spending(&ledger, &[]);
    (new.1.anchor, new.1.conflict_keys) = (coin("x"), vec![coin("x"), coin("y")]);
    assert_eq!(ledger.refused(body(&ledger, &new)), None);
}

/// An entry that changes nothing that matters here, and forgets some of what is due.
fn nudge(ledger: &mut Ledger) {
    let (user, group) = (
        ledger.world.person(Who::Clerk).user.id,
        ledger.world.tenant.risk,
    );
    let leave = Tighten::LeaveGroup { group, user };
    ledger.tighten(leave, &[Who::Admin(0)]).unwrap();
}

#[test]
fn coins_are_kept_an_attempts_life_beyond_the_intents_end_and_not_longer() {
    let mut ledger = ready();
    let life = ledger.world.genesis.bounds.attempt_life_ms;
    let (p, of_p) = authorize(&mut ledger, &[coin("x")]);
    let end = p.expires.plus(life);

    let take = |ledger: &Ledger| {
        let taken = [of_p.anchor.clone(), coin("x")].map(|taken| {
            let new = spending(ledger, &[taken]);
            ledger.refused(body(ledger, &new))
        });
        assert_eq!(taken[0], taken[1]);
        taken[0]
    };
    ledger.now = UnixMs(end.0 - 1);
    assert_eq!(take(&ledger), Some(Code::AnchorTaken));
    assert_eq!(refused(&ledger, &of_p, Cancel, &[]), None);

    // The coin is free by its time and not when it is forgotten: there was no entry in between.
    ledger.now = end;
    assert_eq!(take(&ledger), None);

    // As an anchor the coin stays the first intent's, whose cancel spends that one alone.
    let mut new = spending(&ledger, &[]);
    (new.1.anchor, new.1.conflict_keys) = (of_p.anchor.clone(), vec![of_p.anchor.clone()]);
    let code = ledger.refused(body(&ledger, &new));
    assert_eq!(code, Some(Code::AnchorTaken));
    assert_eq!(
        refused(&ledger, &of_p, Cancel, &[]),
        Some(Code::EffectsMismatch)
    );
    let mut bare = of_p.clone();
    bare.conflict_keys = vec![of_p.anchor.clone()];
    assert_eq!(refused(&ledger, &bare, Cancel, &[]), None);

    // What another payment spends since then stays with that payment, also once the first is
    // forgotten.
    authorize(&mut ledger, from_ref(&of_p.anchor));
    (0..4).for_each(|_| nudge(&mut ledger));
    assert_eq!(held(&ledger), 2, "the two coins of that payment");
    assert_eq!(
        refused(&ledger, &bare, Cancel, &[]),
        Some(Code::AnchorTaken)
    );
}

/// A cancel is opened after its intent's end, when the journal kept its coins no longer.
#[test]
fn hole_cancel_spends_the_coin_of_a_payment_that_came_after_it() {
    let mut ledger = ready();
    let bounds = ledger.world.genesis.bounds.clone();
    let (p, of_p) = authorize(&mut ledger, &[coin("x"), coin("y")]);
    let end = p.expires.plus(bounds.attempt_life_ms);
    let take = |ledger: &Ledger, at: UnixMs, taken: ConflictKey| {
        let mut ledger = ledger.clone();
        ledger.now = at;
        let new = spending(&ledger, &[taken]);
        ledger.refused(body(&ledger, &new))
    };

    // It leaves one of its coins out, which is free in time.
    ledger.now = UnixMs(end.0 - 1);
    let mut bare = of_p.clone();
    bare.conflict_keys.retain(|key| *key != coin("y"));
    let home = ledger.world.next_attempt(&bare, Cancel, FEE_MAX);
    ledger.push(home.into(), ledger.now).unwrap();
    let share = |at| share_at(&ledger, &p, 2, at);
    let last = ledger.now.plus(bounds.attempt_life_ms);
    assert_eq!(share(last), None);
    assert_eq!(share(last.plus(1)), Some(Code::AttemptTooOld));

    let free = last.plus(2 * bounds.skew_ms);
    for kept in [of_p.anchor.clone(), coin("x")] {
        let taken = |at| take(&ledger, at, kept.clone());
        assert_eq!(taken(end), Some(Code::AnchorTaken), "{kept}");
        assert_eq!(taken(UnixMs(free.0 - 1)), Some(Code::AnchorTaken));
        assert_eq!(taken(free), None, "{kept}");
    }
    assert_eq!(take(&ledger, end, coin("y")), None);

    // Its own next cancel may spend them all that time, and keeps them on.
    ledger.now = UnixMs(free.0 - 1);
    (0..4).for_each(|_| nudge(&mut ledger));
    assert_eq!(held(&ledger), 2, "the coins of the cancel");
    bare.number = 2;
    assert_eq!(refused(&ledger, &bare, Cancel, &[]), None);
    ledger.wait(1);
    (0..4).for_each(|_| nudge(&mut ledger));
    assert_eq!(held(&ledger), 0);
}

/// The cancel of a payment that ended early keeps its coins no shorter.
#[test]
fn a_cancel_before_its_intents_end_shortens_nothing() {
    let mut ledger = ready();
    let (p, of_p) = authorize(&mut ledger, &[coin("x")]);
    cancel(&mut ledger, &p);
    let home = ledger.world.next_attempt(&of_p, Cancel, FEE_MAX);
    ledger.push(home.into(), ledger.now).unwrap();
    let end = p.expires.plus(ledger.world.genesis.bounds.attempt_life_ms);
    for (at, expected) in [(end.0 - 1, Some(Code::AnchorTaken)), (end.0, None)] {
        ledger.now = UnixMs(at);
        let new = spending(&ledger, &[coin("x")]);
        assert_eq!(ledger.refused(body(&ledger, &new)), expected);
    }
}

/// No lock holds it back, so none makes it young: its coins are free long before the lock ends.
#[test]
fn hole_cancel_under_a_lock_is_signed_when_that_ends() {
    let lock_ms = 1_800_000;
    let mut ledger = ready_under(PolicyOptions {
        time_lock_seconds: lock_ms / 1_000,
        ..PolicyOptions::default()
    });
    let intent = ledger.world.intent(ledger.now, LARGE, FRIEND);
    ledger.authorize(&intent, &TWO).unwrap();
    ledger.witness();
    cancel(&mut ledger, &intent);
    again(&mut ledger, &intent, Cancel).unwrap();
    let share = |ms| share_at(&ledger, &intent, 2, ledger.now.plus(ms));
    let life = ledger.world.genesis.bounds.attempt_life_ms;
    assert_eq!([share(0), share(life)], [None; 2]);
    let too_old = Some(Code::AttemptTooOld);
    assert_eq!([share(life + 1), share(lock_ms)], [too_old; 2]);
}

fn many(from: usize, count: usize) -> Vec<ConflictKey> {
    (from..from + count)
        .map(|n| coin(&format!("{n:05}")))
        .collect()
}

#[test]
fn attempts_of_one_intent_hold_so_many_coins_together() {
    let mut ledger = ready();
    let most = CONFLICT_KEYS_MAX - 1;
    let (p, of_p) = authorize(&mut ledger, &many(0, most));
    let mut bump = of_p.clone();
    bump.conflict_keys = vec![of_p.anchor.clone()];
    assert_eq!(refused(&ledger, &bump, Bump, &many(0, most)), None);
    assert_eq!(
        refused(&ledger, &bump, Bump, &many(1, most)),
        Some(Code::QuotaExceeded)
    );

    // A cancel keeps them for longer, and they are no more by that.
    ledger.now = p.expires;
    assert_eq!(refused(&ledger, &of_p, Cancel, &[]), None);
}

fn held(ledger: &Ledger) -> usize {
    let prefix = ks::conflicts_prefix(ledger.world.tenant.id);
    let conflicts = ledger.state.under(&prefix);
    conflicts.filter(|(key, _)| ks::is_held(key)).count()
}

#[test]
fn one_entry_frees_few_coins_and_a_flood_of_them_stays_bounded() {
    const COINS: usize = 200;
    let mut ledger = ready_with(|o| o.tune = |b| b.attempt_life_ms = 1_000);
    for round in 0..20 {
        authorize(&mut ledger, &many(round * COINS, COINS));
    }
    ledger.wait(INTENT_LIFE_MS + 1_000);
    let before = held(&ledger);
    assert_eq!(before, 20 * (COINS + 1));

    // All records are due. The intents' own markers come first, then one holder after the other.
    (0..3).for_each(|_| nudge(&mut ledger));
    let most = 3 * (16 + CONFLICT_KEYS_MAX);
    assert!(held(&ledger) < before && before - held(&ledger) <= most);

    // Each entry that brings more frees more than it brings.
    for round in 20..40 {
        authorize(&mut ledger, &many(round * COINS, COINS));
    }
    assert!(held(&ledger) <= before + 200, "{}", held(&ledger));
}
