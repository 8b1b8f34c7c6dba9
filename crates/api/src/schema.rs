//! Tables.

use strongroom_ports::db::Migration;

/// `tx`: one row an intent, as shown to clients. `answer`: approvals accepted here. `act`: acts offered to the
/// journal. Rows without an answer are sent again, so each table is its own outbox.
pub(crate) const MIGRATIONS: &[Migration] = &[Migration {
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
}];
