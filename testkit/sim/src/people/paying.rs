//! Intents, and the answers of approvers.

use super::People;
use super::acts::Wish;
use crate::api::{Ask, Shown};
use crate::dice::between;
use crate::event::Event;
use crate::plan::{Answers, Payee, PlannedAct};
use strongroom_types::{
    DecisionCore, Destination, Document as _, Intent, IntentKind, UnixMs, VaultId,
};
use strongroom_wire::TransactionState;
use strongroom_world::{FRIEND, STRANGER, Who};

impl People {
    /// Makes the intents that are due.
    pub(super) fn pay(&mut self, now: u64, since: u64) {
        for number in 0..self.plan.intents.len() {
            let planned = self.plan.intents[number];
            if since < planned.at_ms || self.made.contains_key(&number) {
                continue;
            }

            let first = self.rig.world.tenant.vault;
            let asked = self.asked.filter(|_| planned.from_new);
            let way = (asked.unwrap_or(first), self.destination(planned.to));
            let who = planned.by_approver.map_or(Who::Initiator, Who::Approver);
            let intent = self.sign_intent(now, (planned.amount, who), way, planned.life_ms);

            if let Some(after) = planned.cancel_after_ms {
                self.wishes.push(Wish {
                    act: PlannedAct::Cancel(number),
                    not_before: now + after,
                });
            }
            self.made.insert(number, intent);
        }
    }

    fn destination(&self, to: Payee) -> Destination {
        let vault = match to {
            Payee::Friend | Payee::Stranger => None,
            Payee::Vault => self.vaults.last().copied(),
            Payee::NewVault => self.asked,
        };
        let address = if to == Payee::Friend {
            FRIEND
        } else {
            STRANGER
        };
        vault.map_or(Destination::Address(address.to_owned()), Destination::Vault)
    }

    pub(super) fn sign_intent(
        &mut self,
        now: u64,
        (amount, who): (u64, Who),
        (from, to): (VaultId, Destination),
        life_ms: u64,
    ) -> Intent {
        let (world, at) = (&self.rig.world, UnixMs(now));
        let intent = world.intent_with(at, amount, FRIEND, |intent| {
            intent.vault = from;
            intent.initiator = world.person(who).credential.id;
            intent.expires = at.plus(life_ms);
            let IntentKind::Transfer(transfers) = &mut intent.kind;
            transfers[0].destination = to;
        });

        // The observer hears it from the client (property x): what the journal says of an intent is
        // compared with what its client signed.
        self.rig.trace.log(Event::IntentSigned {
            intent: intent.digest(),
            amount,
        });
        self.rig.observer.on_intent(&intent);
        self.clients.push(Ask::Intent(world.signed_intent(&intent)));
        intent
    }

    /// Approvers answer what they are shown, each decision core once.
    pub(super) fn approve(&mut self, now: u64, rows: &[Shown]) {
        let waits = |row: &&Shown| row.state == TransactionState::PendingApproval;
        for row in rows.iter().filter(waits) {
            let Ok(core) = DecisionCore::parse(&row.core) else {
                continue;
            };

            let mut made = self.made.iter();
            let planned = made.find(|(_, intent)| intent.digest() == row.digest);
            let Some(number) = planned.map(|(number, _)| *number) else {
                continue;
            };

            // A core that changed is another question: it may name more approvers than the last
            // one.
            if self.answered.insert((row.digest, core.digest())) {
                self.answer(now, number, row, &core);
            }
        }
    }

    fn answer(&mut self, now: u64, number: usize, row: &Shown, core: &DecisionCore) {
        let Some(planned) = self.plan.intents.get(number) else {
            return;
        };
        let who = match planned.answers {
            Answers::Silence => return,
            Answers::No => {
                self.wishes.push(Wish {
                    act: PlannedAct::Reject(number),
                    not_before: now,
                });
                return;
            }
            Answers::Yes | Answers::YesFor(_) => Who::Approver(2),
            Answers::Own => Who::InitiatorKey,
            Answers::YesAndRevoked => Who::Approver(number % 2),
        };
        if planned.answers == Answers::YesAndRevoked {
            self.wishes.push(Wish {
                act: PlannedAct::RevokeApprover(number % 2),
                not_before: now + between(&mut self.rng, 0, 1_500),
            });
        }

        // Where two are needed, a second approver says yes, too.
        let needed: u32 = core.groups.iter().map(|need| need.approvals).sum();
        let second = (needed > 1).then_some(Who::Approver((number + 1) % 2));
        for who in std::iter::once(who).chain(second) {
            let world = &self.rig.world;
            let mut approval = world.approval(who, &row.intent, core, &[]);
            if let Answers::YesFor(ms) = planned.answers {
                approval.expires = UnixMs(now).plus(ms);
            }
            let signed = world.sign(&approval, &[who]);
            self.clients.push(Ask::Approval(signed));
        }
    }
}
