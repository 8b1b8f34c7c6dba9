//! Events: everything that happens in a seed, as values with a number and a stable name.

use crate::kinds::{Fault, Hostile, Milestone, NodeName, Situation, WritePoint};
use crate::properties::Violation;
use crate::script::{Chaos, PlannedAct, Repair};
use std::collections::BTreeMap;
use std::fmt;
use strongroom_types::{Code, Digest};

/// One thing that happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// A fault of the surroundings took effect.
    Fault(Fault),
    /// A hostile part acted.
    Hostile(Hostile),
    /// A process died in the middle of a step.
    Died {
        /// Node whose process it was.
        node: NodeName,
        /// Point of its code, between what is durable and what is not yet.
        point: WritePoint,
    },
    /// A fault of the plan began, or a hostile part got its turn.
    Chaos(Chaos),
    /// A lasting fault was repaired.
    Repaired(Repair),
    /// Faults and attacks stopped for the rest of the seed.
    Calm,
    /// A process started.
    NodeUp {
        /// Node whose process it is.
        node: NodeName,
        /// Whether its witness key is retired: it follows the journal and cosigns nothing.
        retired: bool,
    },
    /// A process is gone.
    NodeDown {
        /// Node whose process it was.
        node: NodeName,
        /// Reason, for people.
        why: String,
    },
    /// A process ended by itself or did not start.
    NodeEnded {
        /// Node whose process it was.
        node: NodeName,
        /// Reason, as counted.
        code: String,
    },
    /// A record left its node.
    Published {
        /// Node it left, or in whose name a hostile part sent it.
        node: NodeName,
        /// Topic, without prefix and version.
        topic: String,
        /// First four bytes of the digest of its payload.
        digest: [u8; 4],
    },
    /// A cosignature left its witness.
    Cosigned {
        /// Signer or witness that cosigned.
        node: NodeName,
        /// Number of entries that the cosigned checkpoint covers.
        size: u64,
    },
    /// Signature shares left a signer.
    ShareReleased {
        /// Signer that answered.
        node: NodeName,
        /// Size of the head that it says it acted under, entries.
        head: u64,
        /// Digest of the request, commitments included.
        request: Digest,
    },
    /// A signer refused a request.
    Refused {
        /// Signer that answered.
        node: NodeName,
        /// Code of the refusal, as counted.
        code: Code,
        /// Reason, for people.
        detail: String,
    },
    /// The transactions service shows what stands against a payment that has not ended.
    RefusalShown(Code),
    /// A tightening was handed to a witness directly.
    Handed {
        /// Signer or witness at whose admin socket it was handed over.
        node: NodeName,
        /// Why the witness did not take it, if it did not.
        refused: Option<String>,
    },
    /// The installation reached the next step of its founding.
    Founded(Milestone),
    /// A client signed an intent.
    IntentSigned {
        /// Digest of the signed text, the intent's name everywhere.
        intent: Digest,
        /// Amount, satoshi.
        amount: u64,
    },
    /// An admin signed an act.
    ActSigned(PlannedAct),
    /// The API refused what a client submitted.
    SubmissionRefused(Code),
    /// The journal refused an act.
    ActRefused(String),
    /// Something came about that a rule of time is for.
    Situation {
        /// Its kind.
        what: Situation,
        /// Whether someone chose it; an old stamp can also be what a writer publishes again.
        is_chosen: bool,
    },
    /// A property does not hold.
    Violated(Violation),
}

/// Names of events that are not kinds of their own. They are arguments of `--until` and part of the
/// hash, so one that changes makes every history another.
const NAMES: [&str; 17] = [
    "chaos",
    "repaired",
    "calm",
    "node_up",
    "node_down",
    "node_ended",
    "published",
    "cosigned",
    "share_released",
    "refused",
    "refusal_shown",
    "handed",
    "intent_signed",
    "act_signed",
    "submission_refused",
    "act_refused",
    "violated",
];

impl Event {
    /// Stable name: of the fault, hostile act or write point, of the milestone, else of the event.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Fault(fault) => fault.name(),
            Self::Hostile(hostile) => hostile.name(),
            Self::Died { point, .. } => point.name(),
            Self::Founded(milestone) => milestone.name(),
            Self::Situation { what, .. } => what.name(),
            Self::Chaos(_) => "chaos",
            Self::Repaired(_) => "repaired",
            Self::Calm => "calm",
            Self::NodeUp { .. } => "node_up",
            Self::NodeDown { .. } => "node_down",
            Self::NodeEnded { .. } => "node_ended",
            Self::Published { .. } => "published",
            Self::Cosigned { .. } => "cosigned",
            Self::ShareReleased { .. } => "share_released",
            Self::Refused { .. } => "refused",
            Self::RefusalShown(_) => "refusal_shown",
            Self::Handed { .. } => "handed",
            Self::IntentSigned { .. } => "intent_signed",
            Self::ActSigned(_) => "act_signed",
            Self::SubmissionRefused(_) => "submission_refused",
            Self::ActRefused(_) => "act_refused",
            Self::Violated(_) => "violated",
        }
    }

    /// Every name an event can have.
    #[must_use]
    pub fn names() -> Vec<&'static str> {
        let faults = Fault::ALL.iter().map(|kind| kind.name());
        let hostile = Hostile::ALL.iter().map(|kind| kind.name());
        let points = WritePoint::ALL.iter().map(|kind| kind.name());
        let situations = Situation::ALL.iter().map(|kind| kind.name());
        let milestones = Milestone::ALL.iter().map(|kind| kind.name());
        NAMES
            .into_iter()
            .chain(milestones)
            .chain(faults)
            .chain(points)
            .chain(hostile)
            .chain(situations)
            .collect()
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name())?;
        match self {
            Self::Fault(_)
            | Self::Hostile(_)
            | Self::Founded(_)
            | Self::Situation { .. }
            | Self::Calm => Ok(()),
            Self::Died { node, .. } => write!(f, " {node}"),
            Self::Chaos(chaos) => write!(f, " {chaos:?}"),
            Self::Repaired(repair) => write!(f, " {repair:?}"),
            Self::NodeUp { node, retired } => {
                let retired = if *retired { ", retired" } else { "" };
                write!(f, " {node}{retired}")
            }
            Self::NodeDown { node, why } => write!(f, " {node}: {why}"),
            Self::NodeEnded { node, code } => write!(f, " {node}: {code}"),
            Self::Published {
                node,
                topic,
                digest: [a, b, c, d],
            } => write!(f, " {node}: {topic} {a:02x}{b:02x}{c:02x}{d:02x}"),
            Self::Cosigned { node, size } => write!(f, " {node}: {size} entries"),
            Self::ShareReleased {
                node,
                head,
                request,
            } => write!(f, " {node}: request {request} under head {head}"),
            Self::Refused { node, code, detail } => write!(f, " {node}: {code} ({detail})"),
            Self::Handed { node, refused } => match refused {
                None => write!(f, " {node}"),
                Some(why) => write!(f, " {node}: not taken: {why}"),
            },
            Self::IntentSigned { intent, amount } => write!(f, " {intent} over {amount}"),
            Self::ActSigned(act) => write!(f, " {act:?}"),
            Self::RefusalShown(code) | Self::SubmissionRefused(code) => write!(f, " {code}"),
            Self::ActRefused(code) => write!(f, " {code}"),
            Self::Violated(violation) => {
                write!(f, " {}: {}", violation.property, violation.detail)
            }
        }
    }
}

/// Sums over the events of a seed.
#[derive(Clone, Default, Debug)]
pub struct Counts {
    /// Faults of the surroundings.
    pub faults: BTreeMap<Fault, u64>,
    /// Processes that died in the middle of a step.
    pub points: BTreeMap<WritePoint, u64>,
    /// Acts of hostile parts.
    pub hostile: BTreeMap<Hostile, u64>,
    /// Chosen situations since the plan began: every founding releases a key, and would show one.
    pub situations: BTreeMap<Situation, u64>,
    /// Signers' refusals by code.
    pub refused: BTreeMap<String, u64>,
    /// What stood against payments for a while, by code.
    pub refusals_shown: BTreeMap<String, u64>,
    /// The API's refusals by code.
    pub submissions: BTreeMap<String, u64>,
    /// The journal's refusals of acts by code since the plan began: most foundings ask for a
    /// release too early.
    pub acts: BTreeMap<String, u64>,
    /// Why processes ended or did not start, by code.
    pub ended: BTreeMap<String, u64>,
    /// Records published to a topic for dead letters.
    pub dead_letters: u64,
    /// Whether the vaults of all tenants are ready, from when on the plan's times count.
    has_begun: bool,
}

fn add<K: Ord>(counts: &mut BTreeMap<K, u64>, key: K) {
    *counts.entry(key).or_default() += 1;
}

impl Counts {
    /// The founding is over.
    pub(crate) fn begin(&mut self) {
        self.has_begun = true;
    }

    /// Adds an event.
    pub fn add(&mut self, event: &Event) {
        match event {
            Event::Fault(fault) => add(&mut self.faults, *fault),
            Event::Hostile(hostile) => add(&mut self.hostile, *hostile),
            Event::Died { point, .. } => add(&mut self.points, *point),
            Event::Situation { what, is_chosen } => {
                if self.has_begun && *is_chosen {
                    add(&mut self.situations, *what);
                }
            }
            Event::Refused { code, .. } => add(&mut self.refused, code.to_string()),
            Event::RefusalShown(code) => add(&mut self.refusals_shown, code.to_string()),
            Event::SubmissionRefused(code) => add(&mut self.submissions, code.to_string()),
            Event::ActRefused(code) => {
                if self.has_begun {
                    add(&mut self.acts, code.clone());
                }
            }
            // Apart, since services and signers have codes of their own.
            Event::NodeEnded { node, code } => {
                let of = if node.seat() > 0 { "signer: " } else { "" };
                add(&mut self.ended, format!("{of}{code}"));
            }
            Event::Published { topic, .. } => {
                self.dead_letters += u64::from(topic.ends_with(".dlq"));
            }
            Event::Chaos(_)
            | Event::Repaired(_)
            | Event::Calm
            | Event::NodeUp { .. }
            | Event::NodeDown { .. }
            | Event::Cosigned { .. }
            | Event::ShareReleased { .. }
            | Event::Handed { .. }
            | Event::Founded(_)
            | Event::IntentSigned { .. }
            | Event::ActSigned(_)
            | Event::Violated(_) => {}
        }
    }
}
