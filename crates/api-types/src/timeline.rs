//! Time of each layer of a transaction's path.

use crate::text::TransactionIdText;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A transaction's time, layer by layer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct TimelineInfo {
    /// Transaction that was timed.
    pub id: TransactionIdText,
    /// Layers that have finished, in path order.
    pub layers: Vec<LayerInfo>,
    /// When the request arrived, Unix microseconds.
    #[schema(required)]
    pub received_us: Option<u64>,
    /// Time from there to the last layer, microseconds.
    #[schema(required)]
    pub total_us: Option<u64>,
}

/// One layer's time.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct LayerInfo {
    /// When it finished, Unix microseconds.
    pub at_us: u64,
    /// Its budget, microseconds (95th percentile).
    pub budget_us: u64,
    /// Name of the layer; `docs/tour.md` shows the path.
    pub layer: String,
    /// Whether it took longer than its budget.
    pub over_budget: bool,
    /// Time since the end of the layer before, microseconds.
    #[schema(required)]
    pub took_us: Option<u64>,
}
