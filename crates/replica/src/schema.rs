//! The replica's tables.

use strongroom_ports::db::{Bulk, Migration};

/// Tables of the component `replica`; a stage that holds a replica lists them among its own.
///
/// | table | row |
/// |---|---|
/// | `journal_entry` | one sealed entry (borsh of `SealedEntry`) |
/// | `journal_head` | one batch: size after it, and the log's signed checkpoint |
/// | `journal_state` | one key and value of the state's map |
/// | `journal_meta` | the one row: genesis hash, size, tree frontier (borsh), newest checkpoint |
/// | `journal_witness` | the one row: what was cosigned last, whether the key is retired, boot generations |
/// | `journal_handed` | one tightening that was handed over: owed by the journal, or one of the last whose duty ended, with the code and entry of its end |
/// | `journal_freeze` | evidence that the log signed two trees of one size, and when a person lifted its freeze |
///
/// The comment in `journal_state` names the layout of the state's keys, and is changed with it. The
/// bytes in that table mean something else under another layout, and the text of a migration is all
/// that a database keeps of the build that made it: with another comment it is refused, and without
/// one it would be read wrongly and noticed by nothing.
pub const MIGRATIONS: &[Migration] = &[Migration {
    component: "replica",
    version: 1,
    sql: "
CREATE TABLE journal_entry (seq {i64} PRIMARY KEY, sealed {blob} NOT NULL) {strict};
CREATE TABLE journal_head (size {i64} PRIMARY KEY, note {text} NOT NULL) {strict};
CREATE TABLE journal_state (
    -- keys: tag, tenant, id, mark
    state_key {blob} PRIMARY KEY, state_value {blob} NOT NULL) {strict_by_key};
CREATE TABLE journal_meta (
    id {i64} PRIMARY KEY, genesis {blob} NOT NULL, size {i64} NOT NULL, frontier {blob} NOT NULL,
    note {text}) {strict};
CREATE TABLE journal_witness (
    id {i64} PRIMARY KEY, cosigned_size {i64} NOT NULL, cosigned_body {text} NOT NULL, cosigned_s {i64} NOT NULL,
    retired {bool} NOT NULL, generation {blob}, generation_next {blob}) {strict};
CREATE TABLE journal_handed (
    digest {blob} PRIMARY KEY, signed {blob} NOT NULL, since_ms {i64} NOT NULL,
    ended_ms {i64}, ended_code {text}, ended_entry {i64}) {strict};
CREATE TABLE journal_freeze (
    evidence {blob} PRIMARY KEY, ours {text} NOT NULL, theirs {text} NOT NULL, note {text} NOT NULL,
    frozen_ms {i64} NOT NULL, lifted_ms {i64}) {strict};
",
}];

pub(crate) const NEW_META: &str =
    "INSERT INTO journal_meta (id, genesis, size, frontier, note) VALUES (1, $1, 0, $2, NULL)";
pub(crate) const META: &str = "SELECT genesis, size, frontier, note FROM journal_meta WHERE id = 1";
/// Sets size, frontier and checkpoint, if the stored size is the one before the batch.
pub(crate) const ADVANCE: &str =
    "UPDATE journal_meta SET size = $1, frontier = $2, note = $3 WHERE id = 1 AND size = $4";

/// The checkpoint of another tree of the same size, for a replica without the rule against it.
#[cfg(mutants)]
pub(crate) const OTHER_TIP: &str = "UPDATE journal_meta SET note = $1 WHERE id = 1";
#[cfg(mutants)]
pub(crate) const OTHER_HEAD: &str = "UPDATE journal_head SET note = $1 WHERE size = $2";

pub(crate) const PUT_ENTRIES: Bulk = Bulk {
    prefix: "INSERT INTO journal_entry (seq, sealed) VALUES",
    columns: 2,
    suffix: "",
};
pub(crate) const ENTRY: &str = "SELECT sealed FROM journal_entry WHERE seq = $1";
pub(crate) const ENTRIES: &str =
    "SELECT sealed FROM journal_entry WHERE seq >= $1 AND seq < $2 ORDER BY seq";

pub(crate) const PUT_HEAD: &str = "INSERT INTO journal_head (size, note) VALUES ($1, $2)";
pub(crate) const HEAD: &str = "SELECT note FROM journal_head WHERE size = $1";
pub(crate) const NEXT_HEAD: &str =
    "SELECT size, note FROM journal_head WHERE size > $1 ORDER BY size LIMIT 1";

// A head is always the end of a batch: the log never signed a state between two ends.
pub(crate) const HEAD_BEFORE: &str =
    "SELECT size FROM journal_head WHERE size < $1 ORDER BY size DESC LIMIT 1";

pub(crate) const STATE: &str = "SELECT state_key, state_value FROM journal_state";
// One statement writes new and changed keys. Only the last value of a key is kept, because a batch
// is replayed as a whole.
pub(crate) const PUT_STATE: Bulk = Bulk {
    prefix: "INSERT INTO journal_state (state_key, state_value) VALUES",
    columns: 2,
    suffix: "ON CONFLICT (state_key) DO UPDATE SET state_value = excluded.state_value",
};
pub(crate) const DROP_STATE: &str = "DELETE FROM journal_state WHERE state_key = $1";

// An existing row stays as it is: a second start must not reset what was cosigned, nor a
// retirement.
pub(crate) const NEW_WITNESS: &str = "INSERT INTO journal_witness
    (id, cosigned_size, cosigned_body, cosigned_s, retired, generation, generation_next)
    VALUES (1, 0, '', 0, $1, NULL, NULL) ON CONFLICT DO NOTHING";
pub(crate) const WITNESS: &str =
    "SELECT cosigned_size, cosigned_body, cosigned_s, retired, generation,
    generation_next FROM journal_witness WHERE id = 1";
/// Sets the cosigned head, if the stored one is still the one before and the key is not retired.
pub(crate) const COSIGN: &str = "UPDATE journal_witness
    SET cosigned_size = $1, cosigned_body = $2, cosigned_s = $3
    WHERE id = 1 AND cosigned_size = $4 AND cosigned_body = $5 AND retired = $6";
// No statement clears `retired`: a retired key stays retired.
pub(crate) const RETIRE: &str = "UPDATE journal_witness SET retired = $1 WHERE id = 1";
/// Announces a generation, and confirms the one that the marker holds.
pub(crate) const NEXT_GENERATION: &str =
    "UPDATE journal_witness SET generation_next = $1, generation = $2 WHERE id = 1";
pub(crate) const GENERATION: &str =
    "UPDATE journal_witness SET generation = $1, generation_next = NULL WHERE id = 1";

// A conflict is an act whose duty has ended and that is handed again, or an owed one that gains a
// signature. The caller passes the time since which it is owed; for the latter that is its first
// time.
pub(crate) const PUT_HANDED: &str = "INSERT INTO journal_handed
    (digest, signed, since_ms, ended_ms, ended_code, ended_entry) VALUES ($1, $2, $3, NULL, NULL, NULL)
    ON CONFLICT (digest) DO UPDATE SET signed = excluded.signed, since_ms = excluded.since_ms,
    ended_ms = NULL, ended_code = NULL, ended_entry = NULL";
pub(crate) const HANDED: &str = "SELECT digest, signed, since_ms FROM journal_handed
    WHERE ended_ms IS NULL ORDER BY since_ms, digest";
pub(crate) const HANDED_ENDED: &str = "SELECT digest, ended_ms, ended_code, ended_entry
    FROM journal_handed WHERE ended_ms IS NOT NULL ORDER BY ended_ms, digest";
pub(crate) const END_HANDED: &str = "UPDATE journal_handed
    SET ended_ms = $1, ended_code = $2, ended_entry = $3 WHERE digest = $4";
pub(crate) const DROP_HANDED: &str = "DELETE FROM journal_handed WHERE digest = $1";

// An existing row stays as it is: the same evidence, shown again, must not undo a person's
// decision.
pub(crate) const PUT_FREEZE: &str = "INSERT INTO journal_freeze
    (evidence, ours, theirs, note, frozen_ms, lifted_ms) VALUES ($1, $2, $3, $4, $5, NULL) ON CONFLICT DO NOTHING";
pub(crate) const FROZEN: &str = "SELECT evidence FROM journal_freeze
    WHERE lifted_ms IS NULL ORDER BY frozen_ms, evidence LIMIT 1";
// Only lifted freezes are searched: while a freeze is in force, every head is refused anyway.
pub(crate) const LOSING_HEAD: &str =
    "SELECT evidence FROM journal_freeze WHERE theirs = $1 AND lifted_ms IS NOT NULL LIMIT 1";
pub(crate) const LIFT_FREEZE: &str =
    "UPDATE journal_freeze SET lifted_ms = $1 WHERE evidence = $2 AND lifted_ms IS NULL";
