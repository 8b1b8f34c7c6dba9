//! Tables.

use strongroom_ports::db::Migration;

/// `payment`: one row per intent. `chain_fact`: newest height and fees. `holding`: what the vaults
/// can spend, from the network. `reservation`: conflict keys that intents hold or have used.
/// `change_index`: next change address.
///
/// Version 2 keeps the reservations of the coins that version 1 knew; the coins themselves are
/// learnt again from the network. Version 3 keeps what a reminder needs. What version 2 was signing
/// is built again on other coins: if the journal holds the first transaction, it refuses the
/// second, and the payment ends without moving money. Of an end, version 2 kept no more than that
/// it was.
pub(crate) const MIGRATIONS: &[Migration] = &[
    Migration {
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
    },
    Migration {
        component: "transactions",
        version: 2,
        sql: "
CREATE TABLE chain_fact (kind {i64} PRIMARY KEY, value {blob} NOT NULL) {strict};
CREATE TABLE holding (
    vault {blob} NOT NULL, name {text} NOT NULL, asset {text} NOT NULL, amount {blob} NOT NULL,
    fact {blob} NOT NULL, PRIMARY KEY (vault, name, asset)) {strict};
CREATE INDEX holding_amount ON holding (vault, amount);
CREATE TABLE reservation (
    vault {blob} NOT NULL, conflict_key {text} NOT NULL, number {i64} NOT NULL, intent {blob},
    used {bool} NOT NULL, PRIMARY KEY (vault, conflict_key)) {strict};
CREATE INDEX reservation_intent ON reservation (intent);
CREATE INDEX reservation_number ON reservation (vault, number);
INSERT INTO reservation (vault, conflict_key, number, intent, used)
    SELECT vault, coin, 0, intent, spent FROM coin WHERE intent IS NOT NULL OR spent = TRUE;
DROP TABLE coin;
",
    },
    Migration {
        component: "transactions",
        version: 3,
        sql: "
ALTER TABLE payment RENAME COLUMN tries TO builds;
ALTER TABLE payment RENAME COLUMN sent_ms TO changed_ms;
ALTER TABLE payment DROP COLUMN expires;
ALTER TABLE payment ADD COLUMN failures {i64} NOT NULL DEFAULT 0;
ALTER TABLE payment ADD COLUMN slots {blob};
ALTER TABLE payment ADD COLUMN ended {i64};
ALTER TABLE payment ADD COLUMN due_ms {i64} NOT NULL DEFAULT 0;
ALTER TABLE payment ADD COLUMN version {i64} NOT NULL DEFAULT 0;
DROP INDEX payment_state;
CREATE INDEX payment_due ON payment (state, due_ms);
UPDATE payment SET ended = 11 WHERE state = 3;
UPDATE payment SET state = 4 WHERE state = 0;
DELETE FROM reservation WHERE used = FALSE;
",
    },
];
