//! Effects of a cell, and the differences between two of them.

use std::collections::BTreeMap;

use strongroom_ports::bus::Record;
use strongroom_ports::db::{Db, Tx};
use strongroom_stage::DeadLetter;
use strongroom_stage::post::message_id;

use crate::fixture::{Fixture, hex};
use crate::published::Published;

/// Tables of the shell; they differ by design.
const SHELL_TABLES: &str = "stage_";

/// Effects that others can see, and the stage's own rows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Outcome {
    /// Identities of what was published, sorted.
    published: Vec<String>,
    /// Message ids and causes of dead letters, in order.
    pub(crate) dead_letters: Vec<([u8; 16], String)>,
    /// Rows as text, sorted, by table.
    tables: BTreeMap<String, Vec<String>>,
}

impl Outcome {
    pub(crate) fn new<F: Fixture>(fixture: &F, published: &Published, db: &dyn Db) -> Self {
        let is_letter = |topic: &str| topic.ends_with(".dlq");
        let (letters, records): (Vec<_>, Vec<_>) = published
            .records()
            .iter()
            .partition(|record| is_letter(record.topic.as_str()));
        let mut published: Vec<String> = records
            .into_iter()
            .map(|record| fixture.identity(record))
            .collect();
        published.sort_unstable();
        let dead_letters = letters.into_iter().map(|record| {
            let letter: DeadLetter = borsh::from_slice(&record.payload).expect("a dead letter");
            let original = Record {
                payload: letter.payload.expect("it is not too large"),
                ..record.clone()
            };
            (message_id(&original), letter.cause)
        });
        Self {
            published,
            dead_letters: dead_letters.collect(),
            tables: tables(db, fixture.volatile_columns()),
        }
    }

    /// Whether the same was published and stored, whatever became a dead letter.
    pub(crate) fn has_effects_of(&self, other: &Self) -> bool {
        self.published == other.published && self.tables == other.tables
    }

    /// One line per difference in effects.
    pub(crate) fn differences(&self, wanted: &Self) -> Vec<String> {
        let mut lines = Vec::new();
        compare("published", &self.published, &wanted.published, &mut lines);
        for (table, wanted) in &wanted.tables {
            let rows = self.tables.get(table).map_or(&[][..], Vec::as_slice);
            compare(table, rows, wanted, &mut lines);
        }
        lines
    }
}

impl Outcome {
    /// One line per effect that the other one does not have.
    pub(crate) fn surplus(&self, wanted: &Self) -> Vec<String> {
        let lines = self.differences(wanted).into_iter();
        lines.filter(|line| line.contains(NOT_EXPECTED)).collect()
    }
}

const NOT_EXPECTED: &str = ": not expected: ";

fn compare(what: &str, have: &[String], wanted: &[String], lines: &mut Vec<String>) {
    let surplus = |left: &[String], right: &[String]| {
        let mut rest = right.to_vec();
        let mut only = Vec::new();
        for line in left {
            match rest.iter().position(|other| other == line) {
                Some(at) => drop(rest.swap_remove(at)),
                None => only.push(line.clone()),
            }
        }
        only
    };
    for line in surplus(have, wanted) {
        lines.push(format!("{what}{NOT_EXPECTED}{line}"));
    }
    for line in surplus(wanted, have) {
        lines.push(format!("{what}: missing: {line}"));
    }
}

fn tables(db: &dyn Db, volatile: &[(&str, &str)]) -> BTreeMap<String, Vec<String>> {
    let mut tx = db.begin().unwrap();
    let names = tx
        .query("SELECT name FROM sqlite_schema WHERE type = 'table'", &[])
        .unwrap();
    let names: Vec<String> = names
        .iter()
        .map(|row| row.text(0).unwrap().to_owned())
        .filter(|name| !name.starts_with(SHELL_TABLES) && !name.starts_with("sqlite_"))
        .collect();
    names
        .into_iter()
        .map(|name| {
            let rows = rows(tx.as_mut(), &name, volatile);
            (name, rows)
        })
        .collect()
}

fn rows(tx: &mut dyn Tx, table: &str, volatile: &[(&str, &str)]) -> Vec<String> {
    // The port takes constant statements only; a test may leak a few.
    let columns = Box::leak(format!("SELECT name FROM pragma_table_info('{table}')").into());
    let columns: Vec<String> = tx
        .query(columns, &[])
        .unwrap()
        .iter()
        .map(|row| row.text(0).unwrap().to_owned())
        .filter(|column| !volatile.contains(&(table, column.as_str())))
        .map(|column| format!("'{column} ' || quote({column})"))
        .collect();
    if columns.is_empty() {
        return Vec::new();
    }
    let sql = format!(
        "SELECT {} AS line FROM {table} ORDER BY line",
        columns.join(" || ', ' || ")
    );
    let rows = tx.query(Box::leak(sql.into()), &[]).unwrap();
    rows.iter()
        .map(|row| row.text(0).unwrap().to_owned())
        .collect()
}

/// Short form of a message id.
pub(crate) fn short(id: &[u8; 16]) -> String {
    hex(&id[..4])
}
