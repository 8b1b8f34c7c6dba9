//! Tables of the service, and the versions that they went through.

use strongroom_ports::db::Migration;

/// `pending`: intents that wait for people, or were approved and may come back when the decision
/// changes. `answer`: people's yeses. `refused`: intents whose end was told before anyone was asked.
pub const MIGRATIONS: &[Migration] = &[V1, V2, V3];

const V1: Migration = Migration {
    component: "approvals",
    version: 1,
    sql: "
CREATE TABLE pending (
    intent {blob} PRIMARY KEY, signed {blob} NOT NULL, core {text} NOT NULL,
    state {i64} NOT NULL, expires {i64} NOT NULL) {strict};
CREATE INDEX pending_expires ON pending (expires);
CREATE TABLE answer (
    digest {blob} PRIMARY KEY, intent {blob} NOT NULL, person {blob} NOT NULL, signed {blob} NOT NULL) {strict};
CREATE INDEX answer_intent ON answer (intent);
",
};

const V2: Migration = Migration {
    component: "approvals",
    version: 2,
    sql: "
CREATE TABLE refused (intent {blob} PRIMARY KEY, expires {i64} NOT NULL) {strict};
CREATE INDEX refused_expires ON refused (expires);
",
};

/// Approvals are told again: `since_ms` is the time of the row's last event, and `due_ms` says when.
/// Those from before these columns are told once more.
const V3: Migration = Migration {
    component: "approvals",
    version: 3,
    sql: "
ALTER TABLE pending ADD COLUMN since_ms {i64} NOT NULL DEFAULT 0;
ALTER TABLE pending ADD COLUMN due_ms {i64} NOT NULL DEFAULT 0;
CREATE INDEX pending_due ON pending (state, due_ms);
",
};
