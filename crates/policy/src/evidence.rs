//! Evidence: the facts behind a decision. It is recomputed from the journal on request, so it is
//! not part of the decision and costs nothing unless it is requested.

use crate::facts::{IntentFacts, WindowSum};
use crate::form::Members;
use crate::guard::Guard;
use crate::question::Decision;
use crate::rule::{Condition, Rule};
use crate::view::Spent;
use crate::window::Window;
use strongroom_types::json::Json;
use strongroom_types::{
    AllowListId, AssetId, DecisionCore, Digest, Document, MinorUnits, Name, Refusal, UnixMs, digest,
};

/// One window that the evaluation read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WindowFact {
    /// Id of the guard or rule that has the window.
    pub owner: String,
    /// The window with its limits.
    pub window: Window,
    /// The asset that is summed, CAIP-19.
    pub asset: AssetId,
    /// Sum before this intent; `None` when it is not known.
    pub spent: Option<Spent>,
    /// Amount and fee cap of this intent, in base units.
    pub adding: MinorUnits,
    /// Whether the sum with this intent is within the limits; `None` when it is not known.
    pub within: Option<bool>,
}

/// Outcome of one guard.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GuardFact {
    /// Id of the guard in the table.
    pub id: Name,
    /// Reason of the denial; `None` when the guard does not deny.
    pub denial: Option<Refusal>,
}

/// Outcome of one rule, up to the match.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RuleFact {
    /// Id of the rule in the table.
    pub id: Name,
    /// The first condition that does not hold; `None` for the match.
    pub unmet: Option<Condition>,
}

/// All facts behind one decision.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Evidence {
    /// Text that approvers sign.
    pub core: DecisionCore,
    /// Reason of the block, if the decision is one.
    pub block: Option<Refusal>,
    /// Allow-list entries the decision relies on.
    pub relied_on: Vec<AllowListId>,
    /// Journal time of the evaluation.
    pub evaluated_at: UnixMs,
    /// Windows, in the order in which they were read.
    pub windows: Vec<WindowFact>,
    /// All guards in table order; empty when the intent was blocked before them.
    pub guards: Vec<GuardFact>,
    /// Rules up to the match; empty when a guard denies.
    pub rules: Vec<RuleFact>,
}

/// Observer of an evaluation.
pub(crate) trait Trace {
    /// Whether the evaluation continues after the first denial and without probes.
    const FULL: bool;
    fn window(&mut self, owner: &str, window: &Window, facts: &IntentFacts<'_>, reading: WindowSum);
    fn guard(&mut self, guard: &Guard, denial: Option<&Refusal>);
    fn rule(&mut self, rule: &Rule, unmet: Option<Condition>);
}

/// Observer for [`evaluate`](crate::evaluate()). It keeps nothing.
pub(crate) struct Silent;

impl Trace for Silent {
    const FULL: bool = false;
    fn window(&mut self, _: &str, _: &Window, _: &IntentFacts<'_>, _: WindowSum) {}
    fn guard(&mut self, _: &Guard, _: Option<&Refusal>) {}
    fn rule(&mut self, _: &Rule, _: Option<Condition>) {}
}

/// Observer for [`explain`](crate::explain). It keeps every fact.
#[derive(Default)]
pub(crate) struct Recorder {
    windows: Vec<WindowFact>,
    guards: Vec<GuardFact>,
    rules: Vec<RuleFact>,
}

impl Trace for Recorder {
    const FULL: bool = true;

    fn window(
        &mut self,
        owner: &str,
        window: &Window,
        facts: &IntentFacts<'_>,
        reading: WindowSum,
    ) {
        // The worst case is what counts: amount and whole fee cap, whatever the attempt pays.
        self.windows.push(WindowFact {
            owner: owner.to_owned(),
            window: window.clone(),
            asset: facts.asset.clone(),
            spent: reading.spent,
            adding: facts.worst,
            within: reading.within,
        });
    }

    fn guard(&mut self, guard: &Guard, denial: Option<&Refusal>) {
        self.guards.push(GuardFact {
            id: guard.id.clone(),
            denial: denial.cloned(),
        });
    }

    fn rule(&mut self, rule: &Rule, unmet: Option<Condition>) {
        self.rules.push(RuleFact {
            id: rule.id.clone(),
            unmet,
        });
    }
}

impl Recorder {
    pub(crate) fn finish(self, decision: &Decision, evaluated_at: UnixMs) -> Evidence {
        // Core and block are the decision's own: evidence explains it and cannot differ from it.
        Evidence {
            core: decision.core.clone(),
            block: decision.block.clone(),
            relied_on: decision.relied_on.clone(),
            evaluated_at,
            windows: self.windows,
            guards: self.guards,
            rules: self.rules,
        }
    }
}

impl Evidence {
    /// The `type` member and digest domain. Write-only: evidence is recomputed, never read back.
    pub const TYPE: &'static str = "strongroom/evidence/v1";

    /// The canonical text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut members = vec![
            ("core", Json::object(self.core.write())),
            ("evaluated_at", Json::text(self.evaluated_at)),
            (
                "guards",
                Json::List(self.guards.iter().map(GuardFact::write).collect()),
            ),
            ("relied_on", Json::texts(&self.relied_on)),
            (
                "rules",
                Json::List(self.rules.iter().map(RuleFact::write).collect()),
            ),
            ("type", Json::text(Self::TYPE)),
            (
                "windows",
                Json::List(self.windows.iter().map(WindowFact::write).collect()),
            ),
        ];

        // The member `block` is absent, not null, when the decision is not a block.
        members.extend(
            self.block
                .iter()
                .map(|refusal| ("block", refusal_json(refusal))),
        );

        Json::object(members).to_text()
    }

    /// Digest of the text.
    #[must_use]
    pub fn digest(&self) -> Digest {
        digest(Self::TYPE, &[self.to_text().as_bytes()])
    }
}

fn refusal_json(refusal: &Refusal) -> Json<'_> {
    Json::object([
        ("code", Json::text(refusal.code)),
        ("detail", Json::text(&refusal.detail)),
    ])
}

impl GuardFact {
    fn write(&self) -> Json<'_> {
        let mut members: Members<'_> = vec![("id", Json::text(&self.id))];
        members.extend(
            self.denial
                .iter()
                .map(|refusal| ("denial", refusal_json(refusal))),
        );
        Json::object(members)
    }
}

impl RuleFact {
    fn write(&self) -> Json<'_> {
        let mut members: Members<'_> = vec![("id", Json::text(&self.id))];
        members.extend(
            self.unmet
                .iter()
                .map(|condition| ("unmet", Json::text(condition))),
        );
        Json::object(members)
    }
}

impl WindowFact {
    fn write(&self) -> Json<'_> {
        let outcome = match self.within {
            Some(true) => "within",
            Some(false) => "exceeded",
            None => "unknown",
        };

        let mut members = self.window.members();
        members.extend([
            ("adding", Json::text(self.adding)),
            ("asset", Json::text(&self.asset)),
            ("outcome", Json::text(outcome)),
            ("owner", Json::text(&self.owner)),
        ]);

        // An unknown sum is left out, because a zero would look like an empty window.
        members.extend(self.spent.iter().flat_map(|spent| {
            [
                ("spent_amount", Json::text(spent.amount)),
                ("spent_count", Json::text(spent.count)),
            ]
        }));
        Json::object(members)
    }
}
