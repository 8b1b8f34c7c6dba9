//! Tables.

use strongroom_ports::db::Migration;

/// `payment`: one row an intent. `coin`: what the vaults can spend. `change_index`: next change
/// address.
pub(crate) const MIGRATIONS: &[Migration] = &[Migration {
    component: "transactions",
    version: 1,
    sql: "
CREATE TABLE payment (
    intent {blob} PRIMARY KEY, session {blob} NOT NULL, signed {blob} NOT NULL, core {text} NOT NULL, approvals {blob} NOT NULL,
    state {i64} NOT NULL, attempt {blob}, unsigned {blob}, raw {blob}, tries {i64} NOT NULL,
    sent_ms {i64} NOT NULL, expires {i64} NOT NULL) {strict};
CREATE INDEX payment_session ON payment (session);
CREATE INDEX payment_state ON payment (state, sent_ms);
CREATE TABLE coin (
    vault {blob} NOT NULL, coin {text} NOT NULL, amount {i64} NOT NULL, branch {i64} NOT NULL, place {i64} NOT NULL,
    intent {blob}, spent {bool} NOT NULL, PRIMARY KEY (vault, coin)) {strict};
CREATE INDEX coin_free ON coin (vault, spent, amount);
CREATE TABLE change_index (vault {blob} PRIMARY KEY, next {i64} NOT NULL) {strict};
",
}];
