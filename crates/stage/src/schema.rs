//! The shell's tables. Every row names its stage, so that several stages may share one database.

use strongroom_ports::db::{Bulk, Migration};

/// Tables of every shell.
pub const MIGRATIONS: &[Migration] = &[Migration {
    component: "stage",
    version: 1,
    sql: "
CREATE TABLE stage_owner (stage {text} PRIMARY KEY, epoch {i64} NOT NULL) {strict};
CREATE TABLE stage_position (
    stage {text} NOT NULL, topic {text} NOT NULL, incarnation {blob} NOT NULL, next {i64} NOT NULL,
    PRIMARY KEY (stage, topic)) {strict};
CREATE TABLE stage_inbox (
    stage {text} NOT NULL, topic {text} NOT NULL, msg_id {blob} NOT NULL, seen_ms {i64} NOT NULL,
    PRIMARY KEY (stage, topic, msg_id)) {strict};
CREATE INDEX stage_inbox_age ON stage_inbox (stage, seen_ms);
CREATE TABLE stage_outbox (
    stage {text} NOT NULL, seq {i64} NOT NULL, topic {text} NOT NULL, msg_key {blob} NOT NULL,
    headers {blob} NOT NULL, payload {blob} NOT NULL, PRIMARY KEY (stage, seq)) {strict};
",
}];

/// Takes the stage over by a new epoch. Every earlier owner is fenced.
pub(crate) const TAKE_OVER: &str = "INSERT INTO stage_owner (stage, epoch) VALUES ($1, 1)
    ON CONFLICT (stage) DO UPDATE SET epoch = stage_owner.epoch + 1 RETURNING epoch";

/// Locks the owner's row for this transaction; zero rows = a later instance has taken over.
pub(crate) const STILL_OWNER: &str =
    "UPDATE stage_owner SET epoch = epoch WHERE stage = $1 AND epoch = $2";

pub(crate) const NEW_POSITION: &str = "INSERT INTO stage_position (stage, topic, incarnation, next)
    VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";

pub(crate) const POSITION: &str =
    "SELECT incarnation, next FROM stage_position WHERE stage = $1 AND topic = $2";

/// Compare-and-set of a position; zero rows = another instance has moved it.
pub(crate) const ADVANCE: &str = "UPDATE stage_position SET next = $1
    WHERE stage = $2 AND topic = $3 AND incarnation = $4 AND next = $5";

/// Inserts message ids. It returns those that are new and skips those that are known. The topic is
/// part of the key: a sender that may write to one topic must not suppress a record of another
/// topic by using its id first.
pub(crate) const SEEN: Bulk = Bulk {
    prefix: "INSERT INTO stage_inbox (stage, topic, msg_id, seen_ms) VALUES",
    columns: 4,
    suffix: "ON CONFLICT DO NOTHING RETURNING topic, msg_id",
};

pub(crate) const PRUNE: &str = "DELETE FROM stage_inbox WHERE stage = $1 AND seen_ms < $2";

pub(crate) const SEND: Bulk = Bulk {
    prefix: "INSERT INTO stage_outbox (stage, seq, topic, msg_key, headers, payload) VALUES",
    columns: 6,
    suffix: "",
};

pub(crate) const UNSENT: &str = "SELECT seq, topic, msg_key, headers, payload FROM stage_outbox
    WHERE stage = $1 AND seq > $2 ORDER BY seq LIMIT $3";

/// Deletes sent rows. The only owner assigns the sequence numbers in commit order, so every row up
/// to `$2` was sent.
pub(crate) const SENT: &str = "DELETE FROM stage_outbox WHERE stage = $1 AND seq <= $2";
