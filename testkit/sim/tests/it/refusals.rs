//! What every signer refuses by itself, whatever the services around it know.

use std::collections::{BTreeMap, BTreeSet};
use strongroom_sim::cases::Case;
use strongroom_sim::run::run_watched;
use strongroom_sim::walk::{Flow, Turned, Watch};
use strongroom_sim::{Event, NodeName, Settings};

/// Signers by the codes with which they refuse.
#[derive(Default)]
struct Refusals(BTreeMap<String, BTreeSet<NodeName>>);

impl Watch for Refusals {
    fn on_turn(&mut self, turned: &Turned<'_>) -> Flow {
        for logged in turned.events {
            if let Event::Refused { node, code, .. } = &logged.event {
                self.0.entry(code.to_string()).or_default().insert(*node);
            }
        }
        Flow::Go
    }
}

fn refusals(case: &str) -> Refusals {
    let mut refusals = Refusals::default();
    let plan = case.parse::<Case>().unwrap().plan();
    let outcome = run_watched(plan, &Settings::default(), &mut refusals);
    assert!(outcome.violation.is_none(), "{:?}", outcome.violation);
    refusals
}

#[test]
fn hole_every_signer_refuses_money_into_a_vault_whose_key_is_revoked() {
    let refusals = refusals("key_of_a_paid_vault_is_revoked");
    assert_eq!(refusals.0["key_revoked"], NodeName::SIGNERS.into());
}

#[test]
fn hole_every_signer_refuses_to_share_beside_one_in_quarantine() {
    let refusals = refusals("signer_in_quarantine_is_asked_along");
    let others = [NodeName::Signer1, NodeName::Signer3].into();
    assert_eq!(refusals.0["not_ready"], others);
    assert_eq!(refusals.0["not_in_roster"], [NodeName::Signer2].into());
}
