//! Generates the cells and compares what they left.

use std::collections::BTreeSet;
use std::io::Write as _;

use strongroom_ports::bus::Record;
use strongroom_stage::post::message_id;
use strongroom_stage::{CrashPoint, Stage as _};

use crate::case::Case;
use crate::cell::{Cell, Delivery};
use crate::fixture::Fixture;
use crate::impostor::impostors;
use crate::installation::Installation;
use crate::outcome::{Outcome, short};

/// The delivery matrix of one stage.
pub struct Matrix<F> {
    stage: &'static str,
    make: Box<dyn Fn() -> F>,
    cases: Vec<Case<F>>,
    kinds: Vec<String>,
}

impl<F: Fixture> Matrix<F> {
    /// A matrix without rows. `make` gives a fixture to each cell.
    pub fn new(stage: &'static str, make: impl Fn() -> F + 'static) -> Self {
        Self {
            stage,
            make: Box::new(make),
            cases: Vec::new(),
            kinds: Vec::new(),
        }
    }

    /// One more kind of record.
    #[must_use]
    pub fn case(mut self, case: Case<F>) -> Self {
        self.cases.push(case);
        self
    }

    /// Names of the kinds of records the stage consumes (variants of a payload); each must be the
    /// name of a case.
    #[must_use]
    pub fn kinds(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.kinds.extend(names.into_iter().map(Into::into));
        self
    }

    /// Runs every cell and prints how many there were.
    ///
    /// # Panics
    /// With every failure, when there is one.
    pub fn run(&self) {
        let failures = self.failures();
        let (records, columns) = (self.cases.len(), Cell::ALL.len());
        let count = format!(
            "{}: {records} records × {columns} = {} cells",
            self.stage,
            records * columns
        );
        // The count is written past the capture of the test harness, because it belongs into every
        // log.
        let _ = writeln!(std::io::stderr(), "{count}");
        assert!(
            failures.is_empty(),
            "{count}, {} failures:\n{}",
            failures.len(),
            failures.join("\n")
        );
    }

    /// Runs every cell; one text per failure.
    #[must_use]
    pub fn failures(&self) -> Vec<String> {
        let mut failures = self.missing();
        for case in &self.cases {
            let cells = Row::new(self, case).map(|row| row.failures());
            let found = cells.unwrap_or_else(|why| vec![why]);
            failures.extend(found.iter().map(|why| format!("{} / {why}", case.name)));
        }
        failures
    }

    /// Topics and kinds without a case: a record that no case tests is the one that is handled
    /// twice.
    fn missing(&self) -> Vec<String> {
        let names: BTreeSet<&str> = self.cases.iter().map(|case| case.name).collect();
        let mut missing = Vec::new();
        if names.len() != self.cases.len() {
            missing.push("two cases have the same name".to_owned());
        }
        for kind in self
            .kinds
            .iter()
            .filter(|kind| !names.contains(kind.as_str()))
        {
            missing.push(format!("no case for the kind of record '{kind}'"));
        }

        // The topics are those of the records themselves, not of a list beside them.
        let covered: BTreeSet<_> = self.cases.iter().map(|case| self.topic_of(case)).collect();
        for topic in (self.make)().stage().topics() {
            if !covered.contains(topic.as_str()) {
                missing.push(format!("no case for the topic {topic}"));
            }
        }
        missing
    }

    fn topic_of(&self, case: &Case<F>) -> String {
        match self.with_history(case) {
            Ok((_, record)) => record.topic.as_str().to_owned(),
            Err(_) => String::new(),
        }
    }

    /// An installation in which the case's history has happened, and the case's record.
    fn with_history(&self, case: &Case<F>) -> Result<(Installation<F>, Record), String> {
        let mut installation = Installation::new((self.make)());
        installation.settle(installation.fixture.now())?;
        for step in &case.given {
            let records = step(&installation.fixture, &installation.published());
            installation.publish(&records);
            installation.settle(installation.fixture.now())?;
        }
        let record = (case.record)(&installation.fixture, &installation.published());
        Ok((installation, record))
    }
}

/// One case with the outcomes everything else is compared with.
struct Row<'a, F: Fixture> {
    matrix: &'a Matrix<F>,
    case: &'a Case<F>,
    never: Outcome,
    once: Outcome,
}

impl<'a, F: Fixture> Row<'a, F> {
    fn new(matrix: &'a Matrix<F>, case: &'a Case<F>) -> Result<Self, String> {
        let outcome = |delivery: &Delivery| {
            outcome_of(matrix, case, delivery)
                .map_err(|why| format!("{}: {why}", Cell::Once.name()))
        };
        Ok(Self {
            matrix,
            case,
            never: outcome(&Delivery::Never)?,
            once: outcome(&Delivery::Once)?,
        })
    }

    fn failures(&self) -> Vec<String> {
        let cells = Cell::ALL.iter().flat_map(|cell| {
            let found = match cell {
                Cell::Once => self.once(),
                Cell::Twice => self.twice(),
                Cell::WrongSender => self.wrong_sender(),
                // The copy has all that the record has, and so its message id. It becomes a dead
                // letter, and must not stand for the record.
                Cell::AfterForgery => self.same_as_once(&Delivery::AfterForgery, false),
                Cell::RestartBeforeCommit => self.crash(CrashPoint::BeforeCommit),
                Cell::RestartAfterCommit => self.crash(CrashPoint::AfterCommit),
                Cell::RestartAfterPublish => self.crash(CrashPoint::AfterPublish),
            };
            found
                .into_iter()
                .map(move |why| format!("{}: {why}", cell.name()))
        });
        cells.collect()
    }

    /// The record must do something, else the other cells compare nothing with nothing.
    fn once(&self) -> Vec<String> {
        let idle = self.once.has_effects_of(&self.never);
        let mut found = new_letters(&self.once, &self.never);
        match (idle, self.case.without_effect) {
            (true, None) => found.push("the record has no effect".to_owned()),
            (false, Some(_)) => found.push("the record has an effect after all".to_owned()),
            (true, Some(_)) | (false, None) => {}
        }
        found
    }

    fn twice(&self) -> Vec<String> {
        let mut found = Vec::new();
        for delivery in [Delivery::TwiceTogether, Delivery::TwiceApart] {
            found.extend(self.same_as_once(&delivery, true));
        }
        // The tables are the truth: without the inbox's memory the stage must still see that it
        // has done this. It may refuse the second record, as long as that changes nothing.
        if self.case.repeats_when_forgotten.is_none() {
            found.extend(self.same_as_once(&Delivery::TwiceForgotten, false));
        }
        found
    }

    fn crash(&self, point: CrashPoint) -> Vec<String> {
        let delivery = Delivery::Crash(point);
        if self.case.lost_by_restart.is_none() {
            return self.same_as_once(&delivery, true);
        }
        match outcome_of(self.matrix, self.case, &delivery) {
            Err(why) => vec![why],
            Ok(outcome) => {
                let mut found = outcome.surplus(&self.once);
                found.extend(new_letters(&outcome, &self.once));
                found
            }
        }
    }

    fn same_as_once(&self, delivery: &Delivery, letters_count: bool) -> Vec<String> {
        let label = format!("{delivery:?}");
        let found = match outcome_of(self.matrix, self.case, delivery) {
            Err(why) => vec![why],
            Ok(outcome) => {
                let mut found = outcome.differences(&self.once);
                if letters_count {
                    found.extend(new_letters(&outcome, &self.once));
                }
                found
            }
        };
        found
            .into_iter()
            .map(|why| format!("[{label}] {why}"))
            .collect()
    }

    fn wrong_sender(&self) -> Vec<String> {
        let wrong = match all_impostors(self.matrix, self.case) {
            Ok(wrong) if wrong.is_empty() => {
                return vec!["no wrong sender: give the case its impostors".to_owned()];
            }
            Ok(wrong) => wrong,
            Err(why) => return vec![why],
        };
        let mut found = Vec::new();
        for (n, (who, record)) in wrong.iter().enumerate() {
            let id = message_id(record);
            match outcome_of(self.matrix, self.case, &Delivery::Impostor(n)) {
                Err(why) => found.push(format!("[{who}] {why}")),
                Ok(outcome) => {
                    let changes = outcome.differences(&self.never);
                    found.extend(changes.into_iter().map(|why| format!("[{who}] {why}")));
                    if !outcome.dead_letters.iter().any(|(letter, _)| *letter == id) {
                        found.push(format!("[{who}] did not become a dead letter"));
                    }
                }
            }
        }
        found
    }
}

/// Dead letters that the other run does not have.
fn new_letters(have: &Outcome, wanted: &Outcome) -> Vec<String> {
    let new = have
        .dead_letters
        .iter()
        .filter(|letter| !wanted.dead_letters.contains(letter));
    new.map(|(id, cause)| format!("dead letter {}: {cause}", short(id)))
        .collect()
}

fn all_impostors<F: Fixture>(
    matrix: &Matrix<F>,
    case: &Case<F>,
) -> Result<Vec<(String, Record)>, String> {
    let (installation, record) = matrix.with_history(case)?;
    let world = installation.fixture.world();
    let mut wrong = impostors(world, &record, &case.roles, case.only_from);
    if let Some(more) = &case.impostors {
        let more = more(&installation.fixture, &installation.published());
        wrong.extend(
            more.into_iter()
                .map(|record| ("impostor of the case".to_owned(), record)),
        );
    }
    Ok(wrong)
}

/// Runs one case in an installation of its own, the record delivered in this way.
fn outcome_of<F: Fixture>(
    matrix: &Matrix<F>,
    case: &Case<F>,
    delivery: &Delivery,
) -> Result<Outcome, String> {
    let (mut installation, record) = matrix.with_history(case)?;
    let now = installation.fixture.now();
    match delivery {
        Delivery::Never => {}
        Delivery::Once => installation.publish(&[record]),
        Delivery::TwiceTogether => installation.publish(&[record.clone(), record]),
        Delivery::TwiceApart | Delivery::TwiceForgotten => {
            installation.publish(std::slice::from_ref(&record));
            installation.settle(now)?;
            if matches!(delivery, Delivery::TwiceForgotten) {
                installation.forget_message_ids();
            }
            installation.publish(&[record]);
        }
        Delivery::Impostor(n) => {
            let wrong = all_impostors(matrix, case)?;
            installation.publish(&[wrong[*n].1.clone()]);
        }
        Delivery::AfterForgery => {
            let mut forged = record.clone();
            if let Some(last) = forged.payload.last_mut() {
                *last ^= 1;
            }
            installation.publish(&[forged]);
            installation.settle(now)?;
            installation.publish(&[record]);
        }
        // A stateless stage has no commit: it dies with the record unread.
        Delivery::Crash(CrashPoint::BeforeCommit) if installation.is_stateless() => {
            installation.publish(&[record]);
            installation.restart();
        }
        Delivery::Crash(point) => {
            // The tick of this instant is over: the next commit is the record's own.
            installation.arm(*point);
            installation.publish(&[record]);
        }
    }
    installation.settle(now)?;
    if installation.is_armed() {
        return Err("the process never came to the place where it should die".to_owned());
    }
    for later in installation.fixture.later() {
        installation.settle(later)?;
    }
    Ok(installation.outcome())
}
