//! The first tenant's payments: taken over HTTP, then moved on by the services' records.

use crate::fixture::{Request, Served, TENANT};
use strongroom_types::{Code, Document as _, Intent, TransactionId, UnixMs};
use strongroom_wire::{Decided, Marks, Role, TransactionChanged, TransactionState, topics};

/// The first tenant's transfers and the records about them.
impl Served {
    /// When the journal ends, and what the tests sign begins.
    pub fn now(&self) -> UnixMs {
        self.journal.ledger.now
    }

    /// A transfer that the API has taken.
    pub fn taken(&self, amount: u64, name: &str) -> Intent {
        let intent = self.journal.order(amount, name);
        let signed = self.journal.world.signed_intent(&intent);
        let body = signed.to_json().to_text();
        let request = Request {
            method: "POST",
            path: "/v1/transactions",
            key: Some(TENANT),
            body: Some(&body),
        };
        assert_eq!(self.raw(&request).status, 202);
        intent
    }

    /// The approvals service publishes an outcome; an intent that expired first has no core.
    pub fn decided(&self, intent: &Intent, decided: Decided) {
        let core = match &decided {
            Decided::Refused(Code::IntentExpired, _) => String::new(),
            Decided::Pending | Decided::Approved | Decided::Refused(..) => {
                self.journal.ledger.core(intent).to_text()
            }
        };
        let record = self.journal.world.intent_decided(intent, core, decided);
        self.says(Role::Approvals, topics::INTENT_DECIDED, &record);
    }

    /// The transactions service reports a state and nothing else.
    pub fn changed(&self, intent: &Intent, state: TransactionState) {
        let change = self.journal.world.transaction_changed(intent, state);
        self.reports(&change, Marks::default());
    }

    /// The transactions service publishes a report, with a timeline.
    pub fn reports(&self, change: &TransactionChanged, marks: Marks) {
        let topic = topics::TRANSACTION_CHANGED;
        self.says_with(Role::Transactions, topic, change, marks);
    }
}

/// Where clients ask for a payment.
pub fn path(intent: &Intent) -> String {
    format!("/v1/transactions/{}", TransactionId::from(intent.digest()))
}
