//! A row of `docs/attacks.md`: one attack, and the guards that stop it.

use crate::ground::{Ground, Refused, SignedPayment};
use strongroom_guard::G;
use strongroom_types::Code;
use strongroom_world::WorldOptions;

/// One row.
pub struct Row {
    /// Its id in `docs/attacks.md`.
    pub id: &'static str,
    /// What is attempted, for one who moves money and not records.
    pub story: &'static str,
    /// The ways in which it is attempted, one for each guard that stops it.
    pub attacks: &'static [Attack],
}

/// One way of an attack, which one guard stops.
pub struct Attack {
    /// The guard.
    pub guard: G,
    /// The code with which the attack is refused.
    pub code: Code,
    /// The harm that is there without the guard.
    pub red_when: &'static str,
    /// The world in which it happens.
    pub world: fn() -> WorldOptions,
    /// Makes the attempt on ground that is ready to sign.
    pub run: fn(&mut Ground) -> anyhow::Result<Outcome>,
}

/// A row whose attack fails without any condition of ours that could be switched off: nothing makes
/// it succeed, so it is only seen to fail.
pub struct Standing {
    /// Its id in `docs/attacks.md`.
    pub id: &'static str,
    /// What is attempted, for one who moves money and not records.
    pub story: &'static str,
    /// What stops it.
    pub held_by: Hold,
    /// The code with which the attack is refused.
    pub code: Code,
    /// The world in which it happens.
    pub world: fn() -> WorldOptions,
    /// Makes the attempt on ground that is ready to sign.
    pub run: fn(&mut Ground) -> anyhow::Result<Outcome>,
}

/// What stops the attack of a [`Standing`] row.
#[derive(Clone, Copy, Debug)]
pub enum Hold {
    /// The product's own form: no message has a member in which the attack could be sent.
    Structure(&'static str),
    /// A library, whose check is not ours to switch off.
    Library(&'static str),
}

impl Hold {
    /// What it is, for people.
    pub const fn what(self) -> &'static str {
        match self {
            Self::Structure(what) | Self::Library(what) => what,
        }
    }

    /// Its kind, where a guard's name would stand.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Structure(_) => "structure",
            Self::Library(_) => "library",
        }
    }
}

/// One thing to run: an attack of either kind of row.
#[derive(Clone, Copy)]
pub struct Case {
    /// The row's id.
    pub id: &'static str,
    /// The guard that stops it; none when something else does.
    pub guard: Option<G>,
    /// The guard's name, or the kind of what stops it.
    pub name: &'static str,
    /// What is attempted, for one who moves money and not records.
    pub story: &'static str,
    /// What stops it, in a sentence.
    pub stopped_by: &'static str,
    /// The harm that is there without the guard; none when none can be switched off.
    pub red_when: Option<&'static str>,
    /// The code with which the attack is refused.
    pub code: Code,
    /// The world in which it happens.
    pub world: fn() -> WorldOptions,
    /// Makes the attempt.
    pub run: fn(&mut Ground) -> anyhow::Result<Outcome>,
}

impl Case {
    /// An attack of a row.
    pub const fn of(row: &Row, attack: &Attack) -> Self {
        Self {
            id: row.id,
            guard: Some(attack.guard),
            name: attack.guard.name(),
            story: row.story,
            stopped_by: attack.guard.claim(),
            red_when: Some(attack.red_when),
            code: attack.code,
            world: attack.world,
            run: attack.run,
        }
    }

    /// The attack of a row without guards.
    pub const fn standing(row: &Standing) -> Self {
        Self {
            id: row.id,
            guard: None,
            name: row.held_by.kind(),
            story: row.story,
            stopped_by: row.held_by.what(),
            red_when: None,
            code: row.code,
            world: row.world,
            run: row.run,
        }
    }
}

/// What came of an attempt.
#[derive(Default)]
pub struct Outcome {
    /// The harm, in words with its figures; none when the attack failed.
    pub harm: Option<String>,
    /// What was signed against the journal, if that is the harm.
    pub stolen: Option<SignedPayment>,
    /// The refusals that it met.
    pub refused: Vec<Refused>,
    /// Refusals that come from elsewhere than a signer, by code.
    pub codes: Vec<Code>,
    /// Where these come from.
    pub by: Option<Elsewhere>,
}

/// What refuses without a signer's signature.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Elsewhere {
    /// The journal, which does not take an entry.
    Journal,
    /// The writer, which does not start.
    Writer,
    /// A node, which does not start or ends.
    Ended,
    /// The receiver, which throws a record away.
    Ignored,
    /// The check of the shares that signers gave.
    Coordinator,
    /// A person's own program.
    Client,
}

impl Elsewhere {
    /// Who it is, for people.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Journal => "the journal's rules, before there is an entry",
            Self::Writer => "the journal's writer, which does not start",
            Self::Ended => "the signer's program, which does not start or ends",
            Self::Ignored => "the signer, which throws the message away without an answer",
            Self::Coordinator => "the check of the signature, which names the liar",
            Self::Client => "the person's own program, which shows nothing of it",
        }
    }

    /// Its name in a folder of evidence.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Journal => "journal",
            Self::Writer => "writer",
            Self::Ended => "ended",
            Self::Ignored => "ignored",
            Self::Coordinator => "coordinator",
            Self::Client => "client",
        }
    }
}
