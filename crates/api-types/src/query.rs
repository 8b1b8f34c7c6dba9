//! Members of a request's query. An unknown member is refused.

use serde::Deserialize;
use utoipa::IntoParams;

/// The tenant that is asked about.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TenantQuery {
    /// The tenant (`tnt_…`); without it the bearer key's own.
    pub tenant: Option<String>,
}

/// A part of the list of transactions, newest first.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TransactionsQuery {
    /// The tenant (`tnt_…`); without it the bearer key's own.
    pub tenant: Option<String>,
    /// Most rows of the answer, 1 to 100.
    pub limit: Option<u32>,
    /// `next_cursor` of an earlier answer.
    pub cursor: Option<String>,
}

/// How long the answer may wait for an end.
#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WaitQuery {
    /// Longest wait, milliseconds; at most 30 000.
    pub wait_ms: Option<u64>,
}

/// The tenant whose vault is meant, and how long the answer may wait for the proof.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AddressQuery {
    /// The tenant (`tnt_…`): a vault's id is unique within its tenant only. Without it the first
    /// that the bearer key reaches and that has the vault.
    pub tenant: Option<String>,
    /// Longest wait, milliseconds; at most 30 000.
    pub wait_ms: Option<u64>,
}

/// State that the answer may wait for, and how long.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct UntilQuery {
    /// State to wait for; a transaction that has ended is not waited for.
    pub until: Option<String>,
    /// Longest wait, milliseconds; at most 30 000.
    pub wait_ms: Option<u64>,
}

/// A part of the journal.
#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EntriesQuery {
    /// Position of the first entry, from 0; without it 0.
    pub from: Option<u64>,
    /// Most entries of the answer, 1 to 256.
    pub limit: Option<u32>,
}
