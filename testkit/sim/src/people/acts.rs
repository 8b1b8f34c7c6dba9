//! Acts of admins, until the journal has them.

use super::clients::{ActAnswer, answer, standing};
use super::keys::{key_of, vault_of};
use super::{People, UnderWay};
use crate::dice::between;
use crate::event::Event;
use crate::plan::{Answers, PlannedAct, PlannedIntent, SKEW_MS};
use crate::service::Service;
use crate::signer::SignerHost;
use strongroom_journal::model::ActStanding;
use strongroom_journal::state::State;
use strongroom_types::{
    Act, ActBody, Code, Document as _, RegistryRecord, Scope, Signed, Tighten, UnixMs,
};
use strongroom_world::{ONE_OF_N_MAX, Who};

/// Before a release that came too early is asked for again, milliseconds: often enough to meet the
/// first second in which the journal takes it.
const RELEASE_AGAIN_MS: u64 = 500;

/// An act that people want the journal to take.
pub(super) struct Wish {
    pub(super) act: PlannedAct,
    /// True time before which it is not signed.
    pub(super) not_before: u64,
}

/// Whether an act is over on every clock: the journal forgets how it stood, that of a pause once
/// the pause has ended.
fn is_over(now: u64, signed: &Signed) -> bool {
    let Ok(act) = Act::parse(&signed.text) else {
        return false;
    };
    let until = match act.body {
        ActBody::Tighten(Tighten::Pause { until, .. }) => until.min(act.expires),
        _ => act.expires,
    };

    // Journal time may be the skew behind true time, and the API's clock as much behind that.
    now > until.0 + 2 * SKEW_MS
}

impl People {
    /// Takes in the answers to acts under way.
    pub(super) fn settle(&mut self, api: &Service, state: &State) {
        let mut at = 0;
        while let Some(UnderWay { signed, planned }) = self.under_way.get(at) {
            match answer(api.disk.content(), state, signed) {
                // An answer that was forgotten never comes: without this the seed would be "lost".
                ActAnswer::None if is_over(self.rig.now(), signed) => {
                    self.refuse(at, Code::AuthorityExpired.as_str().to_owned());
                }
                ActAnswer::None => at += 1,
                ActAnswer::Refused(code) => self.refuse(at, code),
                ActAnswer::Taken => {
                    if *planned == Some(PlannedAct::NewVault) {
                        self.vaults.extend(vault_of(signed));
                    }
                    self.under_way.remove(at);
                }
            }
        }
    }

    /// An act under way ends with this code of the journal.
    fn refuse(&mut self, at: usize, code: String) {
        self.on_refused(at, &code);
        self.rig.trace.log(Event::ActRefused(code));
    }

    /// An act under way was refused, by the API or by the journal.
    pub(super) fn on_refused(&mut self, at: usize, code: &str) {
        let now = self.rig.now();
        self.wait_until = now + 200;
        let Some(act) = self.under_way.remove(at).planned else {
            return;
        };

        // The scope moved on, so it is signed again at once; too early, a little later. For every
        // other code the same act would be refused for the same reason.
        let moved_on = [Code::WrongScopeVersion, Code::ActWaiting];
        let too_early = [Code::NotWitnessed, Code::ReleaseTooEarly];
        let is_one = |of: &[Code]| of.iter().any(|one| one.as_str() == code);

        let not_before = if is_one(&moved_on) {
            now
        } else if is_one(&too_early) {
            now + RELEASE_AGAIN_MS
        } else {
            return;
        };
        self.wishes.push(Wish { act, not_before });
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

    /// What is planned for a release that waits becomes wishes once one does.
    pub(super) fn on_waiting(&mut self, now: u64, state: &State) {
        let waits = |act: &UnderWay| {
            matches!(act.planned, Some(PlannedAct::Release(_)))
                && standing(state, &act.signed) == Some(ActStanding::Released)
        };
        if self.plan.on_release.is_empty() || !self.under_way.iter().any(waits) {
            return;
        }
        let acts = std::mem::take(&mut self.plan.on_release);
        self.wishes.extend(acts.into_iter().map(|act| Wish {
            act,
            not_before: now,
        }));

        // A payment under a lock waits beside it, if one is still to come.
        let is_to_come = |intent: &&mut PlannedIntent| intent.at_ms < u64::MAX;
        let to_come = self.plan.intents.iter_mut().filter(is_to_come);
        for intent in to_come.filter(|intent| intent.amount > ONE_OF_N_MAX) {
            (intent.at_ms, intent.answers) = (0, Answers::Yes);
        }
    }

    /// Signs and submits the first wish that is due.
    pub(super) fn act(&mut self, now: u64, state: &State, signers: &mut [SignerHost]) {
        // A tightening waits for nothing; anything else for the version that is left by what is
        // under way.
        let moves_on = |act: &UnderWay| act.planned.is_none_or(PlannedAct::changes_version);
        let is_free = !self.under_way.iter().any(moves_on);
        let is_due = |wish: &Wish| wish.not_before <= now && (is_free || wish.act.is_tightening());

        let Some(at) = self.wishes.iter().position(is_due) else {
            return;
        };
        let act = self.wishes.remove(at).act;
        let Some((body, who)) = self.body(now, act) else {
            return;
        };

        let is_tightening = matches!(body, ActBody::Tighten(_));
        let life_ms = match act {
            PlannedAct::Release(life_ms) | PlannedAct::ReleaseAdminKey(life_ms) => Some(life_ms),
            _ => None,
        };
        let scope = if act.is_of_platform() {
            Scope::Platform
        } else {
            self.rig.world.scope()
        };
        let signed = self.sign_for(now, state, (scope, body, life_ms), &who);
        self.on_signed(act, &signed);
        self.rig.trace.log(Event::ActSigned(act));

        // Handed over before it is submitted: people who distrust the writer do not wait for it.
        if is_tightening {
            self.hand(&signed, signers);
        }
        self.submit(signed, Some(act));
    }

    /// An act's body, and who signs it; none when there is nothing to act upon.
    fn body(&self, now: u64, act: PlannedAct) -> Option<(ActBody, Vec<Who>)> {
        let tenant = &self.rig.world.tenant;
        Some(match act {
            PlannedAct::RevokeApprover(_)
            | PlannedAct::LeaveGroup(_)
            | PlannedAct::RevokeInitiator
            | PlannedAct::Stop
            | PlannedAct::PlatformStop
            | PlannedAct::Pause(_)
            | PlannedAct::Veto
            | PlannedAct::Reject(_)
            | PlannedAct::Cancel(_) => {
                let (what, who) = self.tightening(now, act)?;
                (ActBody::Tighten(what), who)
            }
            PlannedAct::Resume => (ActBody::Resume, tenant.admin_quorum()),
            PlannedAct::PlatformResume => (ActBody::Resume, vec![Who::PlatformAdmin]),
            PlannedAct::TighterPolicy => {
                let tighter = tenant.policy(&self.plan.tighter_policy()).to_text();
                let put = ActBody::Put(RegistryRecord::Policy(tighter));
                (put, tenant.committee_quorum())
            }
            PlannedAct::LooserPolicy => {
                let looser = tenant
                    .policy(&self.plan.policy(self.loosened + 1))
                    .to_text();
                let put = ActBody::Put(RegistryRecord::Policy(looser));
                (put, tenant.committee_quorum())
            }
            PlannedAct::Release(_) => {
                let release = ActBody::Release(*self.proposals.last()?);
                (release, tenant.committee_quorum())
            }
            PlannedAct::NewVault | PlannedAct::NewKey | PlannedAct::RevokeKey => {
                return self.key_body(now, act);
            }
            PlannedAct::RevokePerson(_)
            | PlannedAct::Unlist
            | PlannedAct::List
            | PlannedAct::ApproversPolicy
            | PlannedAct::PauseAll(_) => return self.trust_body(now, act),
            PlannedAct::Quarantine(_)
            | PlannedAct::NewAdminKey
            | PlannedAct::ReleaseAdminKey(_)
            | PlannedAct::VetoAdminKey
            | PlannedAct::UseAdminKey => return self.platform_body(act),
        })
    }

    /// What a tightening of people takes away, and who signs it: as few as may.
    fn tightening(&self, now: u64, act: PlannedAct) -> Option<(Tighten, Vec<Who>)> {
        let world = &self.rig.world;
        let tenant = &world.tenant;
        let credential = |who| world.person(who).credential;
        let admins = tenant.admin_quorum();
        Some(match act {
            PlannedAct::RevokeApprover(n) => {
                (Tighten::revoke(credential(Who::Approver(n)).id), admins)
            }
            PlannedAct::LeaveGroup(n) => {
                let (group, user) = (tenant.approvers, world.person(Who::Approver(n)).user.id);
                (Tighten::LeaveGroup { group, user }, admins)
            }
            PlannedAct::RevokeInitiator => (Tighten::revoke(credential(Who::Initiator).id), admins),
            PlannedAct::Stop => (Tighten::Stop, admins),
            PlannedAct::PlatformStop => (Tighten::Stop, vec![Who::PlatformAdmin]),
            PlannedAct::Pause(ms) => {
                let (vault, until) = (Some(tenant.vault), UnixMs(now).plus(ms));
                (Tighten::Pause { vault, until }, vec![Who::Admin(1)])
            }
            PlannedAct::Veto => {
                let veto = Tighten::Veto(*self.proposals.last()?);
                (veto, vec![Who::Committee(2)])
            }
            PlannedAct::Reject(number) => {
                let reject = Tighten::Reject(self.made.get(&number)?.digest());
                (reject, vec![Who::Approver(number % 3)])
            }
            PlannedAct::Cancel(number) => {
                let cancel = Tighten::Cancel(self.made.get(&number)?.digest());

                // A client cancels what is its own; of another's intent the admins do.
                let mut planned = self.plan.intents.get(number).into_iter();
                let by_client = planned.any(|intent| intent.cancel_after_ms.is_some());
                let who = if by_client {
                    vec![Who::InitiatorKey]
                } else {
                    admins
                };
                (cancel, who)
            }
            _ => return None,
        })
    }

    /// An act was signed: later ones name what it proposes.
    fn on_signed(&mut self, act: PlannedAct, signed: &Signed) {
        let digest = Act::digest_of(&signed.text);
        match act {
            PlannedAct::LooserPolicy => {
                self.loosened += 1;
                self.proposals.push(digest);
            }
            PlannedAct::NewKey => {
                self.keys.extend(key_of(signed));
                self.proposals.push(digest);
            }
            PlannedAct::List | PlannedAct::ApproversPolicy => self.proposals.push(digest),
            PlannedAct::NewVault => self.asked = vault_of(signed),
            PlannedAct::NewAdminKey => self.platform_proposals.push(digest),
            PlannedAct::Release(_) => {
                if let Some(ms) = self.plan.hold_ms.take() {
                    self.rig.hostile.hold_release(ms);
                }
            }
            _ => {}
        }
    }

    /// Where the writer is hostile, people hand tightenings to some signers directly.
    fn hand(&mut self, signed: &Signed, signers: &mut [SignerHost]) {
        if self.rig.hostile.is_withholding() {
            signers.iter_mut().for_each(|signer| signer.hand(signed));
            return;
        }

        let Some(ms) = self.plan.withhold_ms else {
            return;
        };
        if !self.rig.hostile.withhold(ms) {
            return;
        }

        // To each with two chances of three: enough witnesses for the duty in most seeds (property
        // h), too few of them in others.
        for signer in signers {
            if between(&mut self.rng, 0, 2) > 0 {
                signer.hand(signed);
            }
        }
    }
}
