//! The signer's own tables, beside those of its replica.

use strongroom_ports::db::Migration;

/// | table | row |
/// |---|---|
/// | `signer_share` | one wrapped key share: a candidate until the journal names its transcript, then the active one |
/// | `signer_run` | newest ceremony run joined for a key |
/// | `signer_mark` | a mark of the operator (`stopped`) and when it was set |
pub const MIGRATIONS: &[Migration] = &[Migration {
    component: "signer",
    version: 1,
    sql: "
CREATE TABLE signer_share (
    tenant {blob} NOT NULL, threshold_key {blob} NOT NULL, epoch {i64} NOT NULL, transcript {blob} NOT NULL,
    run {i64} NOT NULL, active {bool} NOT NULL, wrapped {blob} NOT NULL,
    PRIMARY KEY (tenant, threshold_key, epoch, transcript)) {strict};
CREATE TABLE signer_run (
    tenant {blob} NOT NULL, threshold_key {blob} NOT NULL, run {i64} NOT NULL,
    PRIMARY KEY (tenant, threshold_key)) {strict};
CREATE TABLE signer_mark (name {text} PRIMARY KEY, at_ms {i64} NOT NULL) {strict};
",
}];

pub(crate) const PUT_SHARE: &str = "INSERT INTO signer_share
    (tenant, threshold_key, epoch, transcript, run, active, wrapped) VALUES ($1, $2, $3, $4, $5, $6, $7)";
pub(crate) const SHARES: &str =
    "SELECT tenant, threshold_key, epoch, transcript, run, active FROM signer_share
    ORDER BY tenant, threshold_key, epoch, run";
pub(crate) const SHARE: &str = "SELECT wrapped FROM signer_share
    WHERE tenant = $1 AND threshold_key = $2 AND epoch = $3 AND transcript = $4";
pub(crate) const ACTIVATE: &str = "UPDATE signer_share SET active = $1
    WHERE tenant = $2 AND threshold_key = $3 AND epoch = $4 AND transcript = $5";
pub(crate) const ERASE_OTHERS: &str = "DELETE FROM signer_share
    WHERE tenant = $1 AND threshold_key = $2 AND NOT (epoch = $3 AND transcript = $4)";

pub(crate) const ERASE_CANDIDATES: &str = "DELETE FROM signer_share
    WHERE tenant = $1 AND threshold_key = $2 AND active = $3";

pub(crate) const PUT_RUN: &str =
    "INSERT INTO signer_run (tenant, threshold_key, run) VALUES ($1, $2, $3)
    ON CONFLICT (tenant, threshold_key) DO UPDATE SET run = excluded.run";
pub(crate) const RUNS: &str = "SELECT tenant, threshold_key, run FROM signer_run";

pub(crate) const PUT_MARK: &str =
    "INSERT INTO signer_mark (name, at_ms) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
pub(crate) const MARK: &str = "SELECT at_ms FROM signer_mark WHERE name = $1";
pub(crate) const DROP_MARK: &str = "DELETE FROM signer_mark WHERE name = $1";
