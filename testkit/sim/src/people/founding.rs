//! From genesis to the first coins, step by step, by what the journal shows.

use super::People;
use crate::event::Event;
use crate::kinds::Milestone;
use crate::plan::PlannedIntent;
use strongroom_journal::state::{Lookup as _, State};
use strongroom_ports::chain::{OwnPath, Registry as _};
use strongroom_replica::TenantVaults;
use strongroom_types::{Act, ActBody, Document as _, RegistryRecord, Signed, UnixMs};
use strongroom_world::ONE_OF_N_MAX;

/// Between the proposal of the ceremony and its release, milliseconds: above the delay that the
/// tenant's charter wants.
const RELEASE_AFTER_MS: u64 = 400;

/// How far the installation is.
#[derive(Default)]
pub(super) struct Founding {
    reached: Option<Milestone>,
    /// The proposal of the ceremony, once signed.
    proposal: Option<Signed>,
}

impl Founding {
    pub(super) fn reached(&self) -> Option<Milestone> {
        self.reached
    }
}

/// What people do about the next milestone.
enum Next {
    /// The journal shows it.
    Reached,
    /// An act that leads to it.
    Submit(Signed),
    Wait,
}

impl People {
    /// One look at the journal: the next milestone, or the act that leads to it.
    pub(super) fn take_setup_step(&mut self, now: u64, state: &State) {
        let (milestone, next) = match self.founding.reached {
            None => (Milestone::TenantCreated, self.tenant(now, state)),
            Some(Milestone::TenantCreated) => (Milestone::KeyProposed, self.proposal(now, state)),
            Some(Milestone::KeyProposed) => (Milestone::KeyReleased, self.release(now, state)),
            Some(Milestone::KeyReleased) => (Milestone::KeyFinished, self.key(state)),
            Some(Milestone::KeyFinished) => (Milestone::VaultCreated, self.vault(now, state)),
            Some(Milestone::VaultCreated) => {
                self.fund(state);
                self.ready_at = Some(now);
                (Milestone::Ready, Next::Reached)
            }
            Some(Milestone::Ready) => return,
        };

        match next {
            Next::Wait => {}
            Next::Submit(signed) => self.submit(signed, None),
            Next::Reached => {
                self.founding.reached = Some(milestone);
                self.rig.trace.log(Event::Founded(milestone));
            }
        }
    }

    fn tenant(&self, now: u64, state: &State) -> Next {
        let world = &self.rig.world;
        if state.tenant(world.tenant.id).is_ok() {
            return Next::Reached;
        }

        // The writer puts genesis first; before it there is no scope to sign for.
        let has_genesis = state.position().is_ok_and(|position| position.next_seq > 0);
        if has_genesis {
            Next::Submit(world.create_tenant(UnixMs(now)))
        } else {
            Next::Wait
        }
    }

    fn proposal(&mut self, now: u64, state: &State) -> Next {
        let tenant = &self.rig.world.tenant;
        if let Some(proposal) = &self.founding.proposal {
            let name = Act::digest_of(&proposal.text);
            let take_setup_step = state.proposal(tenant.id, &name);
            if take_setup_step.is_ok_and(|take_setup_step| take_setup_step.is_some()) {
                self.wait_until = now + RELEASE_AFTER_MS;
                return Next::Reached;
            }
        }

        // Signed again where it was refused, and remembered: its digest is what the release names.
        let put = ActBody::Put(self.rig.world.ceremony_record());
        let signed = self.sign(now, state, put, &tenant.committee_quorum());
        self.founding.proposal = Some(signed.clone());
        Next::Submit(signed)
    }

    fn release(&self, now: u64, state: &State) -> Next {
        let tenant = &self.rig.world.tenant;
        if state.threshold_key(tenant.id, tenant.key).is_ok() {
            return Next::Reached;
        }
        let Some(proposal) = &self.founding.proposal else {
            return Next::Wait;
        };
        let release = ActBody::Release(Act::digest_of(&proposal.text));
        Next::Submit(self.sign(now, state, release, &tenant.committee_quorum()))
    }

    fn key(&self, state: &State) -> Next {
        let tenant = &self.rig.world.tenant;
        let key = state.threshold_key(tenant.id, tenant.key);
        if key.is_ok_and(|key| key.public.is_some()) {
            Next::Reached
        } else {
            Next::Wait
        }
    }

    fn vault(&self, now: u64, state: &State) -> Next {
        let tenant = &self.rig.world.tenant;
        if state.vault(tenant.id, tenant.vault).is_ok() {
            return Next::Reached;
        }
        let put = ActBody::Put(RegistryRecord::Vault(tenant.first_vault()));
        Next::Submit(self.sign(now, state, put, &tenant.admin_quorum()))
    }

    fn fund(&self, state: &State) {
        // On three addresses, so that payments spend several inputs of several keys; enough for a
        // whole workload, none of which may end for want of money.
        let mut coins = vec![(0, 3_000_000, 10), (1, 1_500_000, 6), (2, 6_000_000, 4)];

        // A coin per payment under a lock: it is reserved for as long as the payment waits.
        if self.plan.lock_seconds > 0 {
            let large = |intent: &&PlannedIntent| intent.amount > ONE_OF_N_MAX;
            let count = self.plan.intents.iter().filter(large).count().max(1) as u32;
            coins.push((3, 3 * ONE_OF_N_MAX / 2, count));
        }

        for (index, amount, count) in coins {
            self.deposit(state, index, (amount, count));
        }
    }

    /// So many coins of an amount on an address of the vault.
    pub(super) fn deposit(&self, state: &State, index: u32, (amount, count): (u64, u32)) {
        let tenant = &self.rig.world.tenant;
        let vaults = TenantVaults::new(state, tenant.id);
        let key = vaults.vault_key(tenant.vault).unwrap();
        let path = OwnPath { change: 0, index };
        let address = self.codec.derive_address(&key, path).unwrap();
        self.chain.fund(&address, amount, count).unwrap();
    }
}
