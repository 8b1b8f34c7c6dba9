//! Tables of the service, and the versions that they went through.

use strongroom_ports::db::Migration;

/// `payment`: one row per intent. `chain_fact`: newest height and fees. `holding`: what the vaults
/// can spend, from the network. `reservation`: conflict keys that intents hold or have used.
/// `held_anchor`: those that the journal holds for another intent or an ended one, and until when.
/// `change_index`: the change address whose turn is next. `refused`: intents whose end was told before
/// a payment was made of them.
///
/// What belongs to a vault is keyed by tenant and vault: vaults of two tenants may have one id.
/// Rows without a tenant could not be divided among the two, so no version of the tables before
/// this one is taken over.
pub const MIGRATIONS: &[Migration] = &[V1, V2];

const V1: Migration = Migration {
    component: "transactions",
    version: 1,
    sql: "
CREATE TABLE payment (
    intent {blob} PRIMARY KEY, session {blob} NOT NULL, signed {blob} NOT NULL,
    core {text} NOT NULL, approvals {blob} NOT NULL,
    state {i64} NOT NULL, ended {i64}, builds {i64} NOT NULL, failures {i64} NOT NULL, reason {text},
    attempt {blob}, unsigned {blob}, slots {blob}, raw {blob},
    changed_ms {i64} NOT NULL, due_ms {i64} NOT NULL, version {i64} NOT NULL) {strict};
CREATE INDEX payment_session ON payment (session);
CREATE INDEX payment_due ON payment (state, due_ms);
CREATE TABLE chain_fact (kind {i64} PRIMARY KEY, value {blob} NOT NULL) {strict};
CREATE TABLE holding (
    tenant {blob} NOT NULL, vault {blob} NOT NULL, name {text} NOT NULL, asset {text} NOT NULL,
    amount {blob} NOT NULL, fact {blob} NOT NULL,
    PRIMARY KEY (tenant, vault, name, asset)) {strict};
CREATE INDEX holding_amount ON holding (tenant, vault, amount);
CREATE TABLE reservation (
    tenant {blob} NOT NULL, vault {blob} NOT NULL, conflict_key {text} NOT NULL,
    number {i64} NOT NULL, intent {blob}, used {bool} NOT NULL,
    PRIMARY KEY (tenant, vault, conflict_key)) {strict};
CREATE INDEX reservation_intent ON reservation (intent);
CREATE INDEX reservation_number ON reservation (tenant, vault, number);
CREATE TABLE held_anchor (
    tenant {blob} NOT NULL, vault {blob} NOT NULL, conflict_key {text} NOT NULL,
    until_ms {i64} NOT NULL, PRIMARY KEY (tenant, vault, conflict_key)) {strict};
CREATE TABLE change_index (
    tenant {blob} NOT NULL, vault {blob} NOT NULL, next {i64} NOT NULL,
    PRIMARY KEY (tenant, vault)) {strict};
",
};

const V2: Migration = Migration {
    component: "transactions",
    version: 2,
    sql: "
CREATE TABLE refused (intent {blob} PRIMARY KEY, expires {i64} NOT NULL) {strict};
CREATE INDEX refused_expires ON refused (expires);
",
};
