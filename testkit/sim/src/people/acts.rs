//! Acts of admins, until the journal has them.

use super::People;
use super::clients::answer;
use crate::dice::between;
use crate::event::Event;
use crate::plan::PlannedAct;
use crate::service::Service;
use crate::signer::SignerHost;
use strongroom_journal::state::State;
use strongroom_types::{ActBody, Code, Document as _, RegistryRecord, Signed, Tighten, UnixMs};
use strongroom_world::{PolicyOptions, Who};

/// An act that people want the journal to take.
pub(super) struct Wish {
    pub(super) act: PlannedAct,
    /// True time before which it is not signed.
    pub(super) not_before: u64,
}

impl People {
    /// Takes in the answer to the act under way, if there is one.
    pub(super) fn settle(&mut self, api: &Service, state: &State) {
        let Some((signed, planned)) = &self.current else {
            return;
        };
        match answer(api.disk.content(), state, signed) {
            None => {}
            Some(Err(code)) => {
                self.on_refused(&code);
                self.rig.trace.log(Event::ActRefused(code));
            }
            Some(Ok(())) => {
                match planned {
                    Some(PlannedAct::Stop) => self.stopped = true,
                    Some(PlannedAct::Resume) => self.stopped = false,
                    Some(PlannedAct::RevokeInitiator) => self.initiator_revoked = true,
                    _ => {}
                }
                self.current = None;
            }
        }
    }

    /// The act under way was refused, by the API or by the journal.
    pub(super) fn on_refused(&mut self, code: &str) {
        let now = self.rig.now();
        self.wait_until = now + 200;
        // The scope moved on: it is signed again.
        if let Some((_, Some(act))) = self.current.take()
            && code == Code::WrongScopeVersion.as_str()
        {
            self.wishes.push(Wish {
                act,
                not_before: now,
            });
        }
    }

    /// Acts of the plan that are due become wishes.
    pub(super) fn plan_acts(&mut self, now: u64, since: u64) {
        let due = self.plan.acts.iter().skip(self.planned);
        let due: Vec<PlannedAct> = due
            .take_while(|(at, _)| *at <= since)
            .map(|(_, act)| *act)
            .collect();
        self.planned += due.len();
        self.wishes.extend(due.into_iter().map(|act| Wish {
            act,
            not_before: now,
        }));
    }

    /// Signs and submits the first wish that is due.
    pub(super) fn act(&mut self, now: u64, state: &State, signers: &mut [SignerHost]) {
        let is_due = |wish: &Wish| wish.not_before <= now;
        let Some(at) = self.wishes.iter().position(is_due) else {
            return;
        };
        let act = self.wishes.remove(at).act;
        let Some((body, who)) = self.body(now, act) else {
            return;
        };
        let is_tightening = matches!(body, ActBody::Tighten(_));
        let signed = self.sign(now, state, body, &who);
        self.rig.trace.log(Event::ActSigned(act));
        if is_tightening {
            self.hand(&signed, signers);
        }
        self.submit(signed, Some(act));
    }

    /// An act's body, and who signs it; none when there is nothing to act upon.
    fn body(&self, now: u64, act: PlannedAct) -> Option<(ActBody, Vec<Who>)> {
        let world = &self.rig.world;
        let tenant = &world.tenant;
        let credential = |who| world.person(who).credential;
        let admins = tenant.admin_quorum();
        let by_admins = |what| (ActBody::Tighten(what), admins.clone());
        Some(match act {
            PlannedAct::RevokeApprover(n) => {
                by_admins(Tighten::revoke(credential(Who::Approver(n)).id))
            }
            PlannedAct::LeaveGroup(n) => by_admins(Tighten::LeaveGroup {
                group: tenant.approvers,
                user: world.person(Who::Approver(n)).user.id,
            }),
            PlannedAct::RevokeInitiator => {
                by_admins(Tighten::revoke(credential(Who::Initiator).id))
            }
            PlannedAct::Stop => by_admins(Tighten::Stop),
            PlannedAct::Resume => (ActBody::Resume, admins),
            PlannedAct::Pause(ms) => {
                let until = UnixMs(now).plus(ms);
                let vault = Some(tenant.vault);
                let pause = Tighten::Pause { vault, until };
                (ActBody::Tighten(pause), vec![Who::Admin(1)])
            }
            PlannedAct::LooserPolicy => {
                let looser = tenant.policy(&PolicyOptions::default()).to_text();
                let put = ActBody::Put(RegistryRecord::Policy(looser));
                (put, tenant.committee_quorum())
            }
            PlannedAct::Reject(number) => {
                let reject = Tighten::Reject(self.made.get(&number)?.digest());
                (ActBody::Tighten(reject), vec![Who::Approver(number % 3)])
            }
            PlannedAct::Cancel(number) => {
                let cancel = Tighten::Cancel(self.made.get(&number)?.digest());
                let mut planned = self.plan.intents.get(number).into_iter();
                let by_client = planned.any(|intent| intent.cancel_after_ms.is_some());
                let who = if by_client {
                    vec![Who::InitiatorKey]
                } else {
                    admins
                };
                (ActBody::Tighten(cancel), who)
            }
        })
    }

    /// Where the writer is hostile, people hand tightenings to some signers directly.
    fn hand(&mut self, signed: &Signed, signers: &mut [SignerHost]) {
        let Some(ms) = self.plan.withhold_ms else {
            return;
        };
        if !self.rig.hostile.withhold(ms) {
            return;
        }
        for signer in signers {
            if between(&mut self.rng, 0, 2) > 0 {
                signer.hand(signed);
            }
        }
    }
}
