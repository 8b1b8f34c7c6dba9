//! Tables of the API, and the versions that they went through.

use strongroom_ports::db::Migration;

/// `tx`: one row per intent, as shown to clients. `answer`: approvals accepted here. `act`: acts
/// offered to the journal. Rows without an answer are sent again, so each table is its own outbox.
///
/// The `mirror` tables hold the content of the journal's topics: every entry with its leaf,
/// checkpoints and cosignatures from the newest witnessed one on, which entry made a tenant (1),
/// vault (2) or key (3), and how far each topic was read. All of it is refilled from the bus.
pub const MIGRATIONS: &[Migration] = &[V1, V2, V3, V4, V5, V6, V7];

const V1: Migration = Migration {
    component: "api",
    version: 1,
    sql: "
CREATE TABLE tx (
    intent {blob} PRIMARY KEY, id {blob} NOT NULL UNIQUE, tenant {blob} NOT NULL, vault {blob} NOT NULL,
    external_id {text} NOT NULL, signed {blob} NOT NULL, state {i64} NOT NULL, core {text} NOT NULL,
    code {text} NOT NULL, detail {text} NOT NULL, refusals {blob} NOT NULL, network_id {text} NOT NULL,
    raw {blob} NOT NULL, marks {blob} NOT NULL, created_ms {i64} NOT NULL, changed_ms {i64} NOT NULL,
    expires_ms {i64} NOT NULL, version {i64} NOT NULL, UNIQUE (tenant, external_id)) {strict};
CREATE INDEX tx_state ON tx (state, changed_ms);
CREATE INDEX tx_list ON tx (tenant, created_ms, id);
CREATE TABLE answer (
    digest {blob} PRIMARY KEY, intent {blob} NOT NULL, signed {blob} NOT NULL, at_ms {i64} NOT NULL) {strict};
CREATE INDEX answer_intent ON answer (intent, at_ms);
CREATE TABLE act (
    digest {blob} PRIMARY KEY, submission {blob} NOT NULL UNIQUE, tenant {blob}, signed {blob} NOT NULL,
    code {text} NOT NULL, detail {text} NOT NULL, done {bool} NOT NULL, sent_ms {i64} NOT NULL) {strict};
CREATE INDEX act_open ON act (done, sent_ms);
",
};

const V2: Migration = Migration {
    component: "api",
    version: 2,
    sql: "
CREATE TABLE mirror_entry (
    seq {i64} PRIMARY KEY, tenant {blob}, leaf {blob} NOT NULL, hash {blob} NOT NULL,
    sealed {blob} NOT NULL) {strict};
CREATE TABLE mirror_note (size {i64} PRIMARY KEY, body {text} NOT NULL, note {text} NOT NULL) {strict};
CREATE TABLE mirror_cosignature (
    size {i64} NOT NULL, node {blob} NOT NULL, body {text} NOT NULL, line {text} NOT NULL,
    PRIMARY KEY (size, node)) {strict};
CREATE TABLE mirror_fact (kind {i64} NOT NULL, id {blob} NOT NULL, seq {i64} NOT NULL, PRIMARY KEY (kind, id)) {strict};
CREATE TABLE mirror_position (topic {text} PRIMARY KEY, incarnation {blob} NOT NULL, next {i64} NOT NULL) {strict};
",
};

/// Answers are sent a second time by the stage: `sent` says that they were. Rows from before this
/// column were sent once and count as sent.
const V3: Migration = Migration {
    component: "api",
    version: 3,
    sql: "
ALTER TABLE answer ADD COLUMN sent {bool} NOT NULL DEFAULT TRUE;
CREATE INDEX answer_unsent ON answer (sent, at_ms);
",
};

/// Answered acts are deleted when their time is over: `look_ms` says when to look.
const V4: Migration = Migration {
    component: "api",
    version: 4,
    sql: "
ALTER TABLE act ADD COLUMN look_ms {i64} NOT NULL DEFAULT 0;
CREATE INDEX act_look ON act (done, look_ms);
",
};

/// An intent keeps the size of the journal by which it was taken. Answers are sent again until their
/// transaction is decided, and `due_ms` says when.
const V5: Migration = Migration {
    component: "api",
    version: 5,
    sql: "
ALTER TABLE tx ADD COLUMN size {i64} NOT NULL DEFAULT 0;
DROP INDEX answer_unsent;
ALTER TABLE answer DROP COLUMN sent;
ALTER TABLE answer ADD COLUMN due_ms {i64} NOT NULL DEFAULT 0;
CREATE INDEX answer_due ON answer (due_ms);
",
};

/// Acts are offered again with growing pauses: `due_ms` says when, and `at_ms` since when. The
/// pauses of rows from before this column are the longest.
const V6: Migration = Migration {
    component: "api",
    version: 6,
    sql: "
ALTER TABLE act RENAME COLUMN sent_ms TO due_ms;
ALTER TABLE act ADD COLUMN at_ms {i64} NOT NULL DEFAULT 0;
",
};

/// Rows are ended by the time of their intents.
const V7: Migration = Migration {
    component: "api",
    version: 7,
    sql: "
CREATE INDEX tx_over ON tx (state, expires_ms);
",
};
