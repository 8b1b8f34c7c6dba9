//! The clients of people: they repeat what was not acknowledged, over every crash of the API.

use super::People;
use crate::api::{Ask, Reply, Shown};
use crate::event::Event;
use crate::service::Service;
use std::collections::BTreeSet;
use strongroom_journal::keyspace as ks;
use strongroom_journal::model::ActStanding;
use strongroom_journal::state::{Lookup as _, State};
use strongroom_ports::db::{Arg, Db};
use strongroom_types::{Act, Code, Cure, Digest, Document as _, Intent, Signed};

/// Requests under way, and those that were acknowledged.
#[derive(Default)]
pub(super) struct Clients {
    open: Vec<Ask>,
    acknowledged: Vec<Ask>,
    /// Intents that the API accepted: it must never forget one.
    accepted: BTreeSet<Digest>,
    /// How often the operator of the API has put a backup back, as far as clients were told.
    restores: u64,
}

impl Clients {
    pub(super) fn push(&mut self, ask: Ask) {
        self.open.push(ask);
    }

    /// Whether every request was answered.
    pub(super) fn is_idle(&self) -> bool {
        self.open.is_empty()
    }

    /// Intents that the API accepted and does not show.
    pub(super) fn missing(&self, rows: &[Shown]) -> Vec<Digest> {
        let shown: BTreeSet<Digest> = rows.iter().map(|row| row.digest).collect();
        self.accepted.difference(&shown).copied().collect()
    }

    fn on_acknowledged(&mut self, ask: Ask) {
        if let Ask::Intent(signed) = &ask {
            self.accepted.insert(Intent::digest_of(&signed.text));
        }
        self.acknowledged.push(ask);
    }
}

impl People {
    /// Sends every open request.
    pub(super) fn send(&mut self, api: &mut Service) {
        self.repeat_after_restore(api);
        for ask in std::mem::take(&mut self.clients.open) {
            match api.request(&ask) {
                Reply::Accepted => self.clients.on_acknowledged(ask),
                Reply::Silence => self.clients.open.push(ask),
                // What only time cures is sent again until its own end.
                Reply::Refused(code) if code.cure() == Cure::Wait => self.clients.open.push(ask),
                Reply::Refused(code) => self.on_submission_refused(&ask, code),
            }
        }
    }

    /// A backup knows nothing of what was acknowledged after it was made. Its operator tells the
    /// clients, who send everything again; what is known is taken once.
    fn repeat_after_restore(&mut self, api: &Service) {
        if api.restores() == self.clients.restores {
            return;
        }

        self.clients.restores = api.restores();
        let again = std::mem::take(&mut self.clients.acknowledged);
        let is_current = |signed: &Signed| {
            let mut under_way = self.under_way.iter();
            under_way.any(|act| act.signed == *signed)
        };

        // Acts that were answered are in the journal or refused.
        let again = again.into_iter().filter(|ask| match ask {
            Ask::Intent(_) | Ask::Approval(_) => true,
            Ask::Act(signed) => is_current(signed),
        });
        self.clients.open.extend(again);
    }

    fn on_submission_refused(&mut self, ask: &Ask, code: Code) {
        self.rig.trace.log(Event::SubmissionRefused(code));
        match ask {
            Ask::Intent(signed) => {
                // Accepted before a backup was put back, refused when it was sent again: its client
                // has an answer, and nothing is lost.
                let digest = Intent::digest_of(&signed.text);
                self.clients.accepted.remove(&digest);
            }
            Ask::Approval(_) => {}
            Ask::Act(signed) => {
                let mut under_way = self.under_way.iter();
                if let Some(at) = under_way.position(|act| act.signed == *signed) {
                    self.on_refused(at, code.as_str());
                }
            }
        }
    }
}

/// How an act stands in the journal, once it is there.
pub(super) fn standing(state: &State, signed: &Signed) -> Option<ActStanding> {
    let act = Act::parse(&signed.text).ok()?;
    let key = ks::used_act(act.scope, &Act::digest_of(&signed.text));
    state.record(&key).ok()?
}

/// The answer to an act.
pub(super) enum ActAnswer {
    /// Not yet: on its way, or in the journal and waiting for its witnesses.
    None,
    /// In force, ended since, or a proposal that waits for its release.
    Taken,
    /// Refused with this code, or void.
    Refused(String),
}

/// The answer to an act, from the journal or from the API's own table.
pub(super) fn answer(db: &dyn Db, state: &State, signed: &Signed) -> ActAnswer {
    // The journal is asked first: of an act that was submitted twice only one copy is taken, and
    // the answer to the other one says that it was used.
    if let Some(standing) = standing(state, signed) {
        return match standing {
            // Waits until witnesses have vouched for it, and may still become void there.
            ActStanding::Released => ActAnswer::None,
            ActStanding::Void => ActAnswer::Refused(Code::WrongScopeVersion.as_str().to_owned()),
            ActStanding::Proposed | ActStanding::InForce | ActStanding::Ended => ActAnswer::Taken,
        };
    }
    refusal(db, signed).map_or(ActAnswer::None, ActAnswer::Refused)
}

/// Code with which an act ended at the API, if it did.
fn refusal(db: &dyn Db, signed: &Signed) -> Option<String> {
    let mut tx = db.begin().ok()?;
    let sql = "SELECT done, code FROM act WHERE digest = $1";
    let name = Act::digest_of(&signed.text);
    let row = tx.query_opt(sql, &[Arg::from(&name.0)]).ok()??;
    let code = row.text(1).ok()?.to_owned();
    (row.bool(0).ok()? && !code.is_empty()).then_some(code)
}
