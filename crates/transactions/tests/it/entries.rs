//! Entries by which the journal decides otherwise than a payment was offered.

use crate::fixture::{Payment, Service};
use strongroom_journal::Body;
use strongroom_ports::bus::Record;
use strongroom_types::{ActBody, Attempt, Document as _, Intent, RegistryRecord};
use strongroom_wire::{Decided, IntentDecided, Role, topics};
use strongroom_world::{AuthorizationExt as _, Ledger, PolicyOptions, Who};

impl Service {
    /// Witnesses vouch for the journal's tip.
    pub fn witness(&self) {
        self.world().witness_tip(&self.journal, self.now);
    }

    /// Another intent is authorized on the anchor of this payment.
    pub fn take_anchor(&mut self, payment: &Payment) {
        let other = self.intent();
        let body = authorization_on(&self.ledger, &other, payment);
        self.append(vec![body]);
        self.witness();
    }

    /// A tighter policy is in force: every decision has another digest.
    pub fn change_policy(&mut self) {
        self.append(vec![tighter_policy(&self.ledger)]);
        self.witness();
    }
}

/// An intent that one approver said yes to.
pub fn approved_by(service: &Service, intent: &Intent, approver: Who) -> Record {
    // The approvals service tells the same again in a record of its own.
    let mail = service.mail().again(service.now.0);
    let decision = IntentDecided {
        approvals: service.ledger.authorization(intent, &[approver]).approvals,
        ..mail.decision(intent, Decided::Approved)
    };
    let from = (Role::Approvals, topics::INTENT_DECIDED);
    mail.seal(from, &intent.digest(), &decision)
}

/// An intent's authorization on the anchor of a payment.
pub fn authorization_on(ledger: &Ledger, intent: &Intent, payment: &Payment) -> Body {
    let attempt = Attempt {
        intent: intent.digest(),
        ..payment.request.attempt.clone()
    };
    ledger.authorization_with(intent, &[], attempt).into_body()
}

/// A policy that locks every payment, put by the committee: it is provably tighter.
pub fn tighter_policy(ledger: &Ledger) -> Body {
    let options = PolicyOptions {
        time_lock_seconds: 60,
        ..PolicyOptions::default()
    };
    let policy = ledger.world.tenant.policy(&options).to_text();
    let put = ActBody::Put(RegistryRecord::Policy(policy));
    Body::Act(ledger.signed_act(put, &ledger.committee()))
}
