//! Attacks on the journal's rules that once went through, each with its control.

mod asked_again;
mod cancels;
mod coins;
mod far_apart;
mod handed;
mod no;
mod quotas;
mod receivers;
mod removals;

use strongroom_journal::share::{ShareRequest, check};
use strongroom_types::{
    ActBody, AttemptKind, Code, Document as _, Intent, Refusal, RegistryRecord, UnixMs,
};
use strongroom_world::{FEE_MAX, Ledger};

/// What signer 1 refuses a share of an attempt with, by its own clock.
fn share_at(ledger: &Ledger, intent: &Intent, attempt: u32, now: UnixMs) -> Option<Code> {
    let asked = ShareRequest {
        tenant: ledger.world.tenant.id,
        intent: intent.digest(),
        attempt,
        signer: 1,
        now,
    };
    let checked = check(&ledger.state, &ledger.world.genesis, &asked);
    checked.err().map(|refusal| refusal.code)
}

/// As [`share_at`], of attempt 1 now.
fn share(ledger: &Ledger, intent: &Intent) -> Option<Code> {
    share_at(ledger, intent, 1, ledger.now)
}

/// Opens attempt 2.
fn again(ledger: &mut Ledger, intent: &Intent, kind: AttemptKind) -> Result<u64, Refusal> {
    let first = ledger.world.attempt(intent);
    let next = ledger.world.next_attempt(&first, kind, FEE_MAX);
    ledger.push(next.into(), ledger.now)
}

/// What attempts that pay are refused with now; the same for both kinds.
fn refused_again(ledger: &Ledger, intent: &Intent) -> Option<Code> {
    let refused = |kind| again(&mut ledger.clone(), intent, kind).err();
    let [pay, bump] = [AttemptKind::Pay, AttemptKind::Bump].map(refused);
    let code_of = |refusal: Option<Refusal>| refusal.map(|refusal| refusal.code);
    let pay = code_of(pay);
    assert_eq!(pay, code_of(bump));
    pay
}

/// Puts a policy in force that is provably tighter.
fn tighten_policy(ledger: &mut Ledger, policy: &strongroom_policy::Policy) {
    use strongroom_types::Document as _;
    let put = ActBody::Put(RegistryRecord::Policy(policy.to_text()));
    let before = ledger.state.map().len();
    ledger.act(put, &ledger.committee()).unwrap();
    // A proposal would be one record more.
    assert!(ledger.state.map().len() <= before + 2, "acts at once");
}
