//! Velocity windows: limits on amount and number of payments within a time.

use crate::form::{Members, number_in, number_opt, put, words};
use strongroom_types::MinorUnits;
use strongroom_types::fields::{Fields, FormError};
use strongroom_types::json::Json;

/// Longest window, seconds: 31 days. The journal keeps its sums for as long.
pub const WINDOW_SECONDS_MAX: u64 = 31 * 86_400;
/// Largest number of windows in one rule.
pub(crate) const WINDOWS_MAX: usize = 8;

words! {
    /// Payer whose spending a window sums. Each sum is of one asset; the journal can sum nothing
    /// else.
    VelocityScope {
        /// The human who signed the intent, by all their credentials together.
        Initiator "initiator",
        /// All vaults of the tenant together.
        Tenant "tenant",
        /// The paying vault.
        Vault "vault",
    }
}

/// Limits on one window. The intent's own worst case (amount + fee cap, one more intent) is added
/// *before* comparing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Window {
    /// Payer whose spending is summed.
    pub scope: VelocityScope,
    /// Length, counted back from the moment of the question, in seconds, 1 to
    /// [`WINDOW_SECONDS_MAX`].
    pub window_seconds: u64,
    /// Largest sum within the window, in base units of the intent's asset; absent: any.
    pub amount_lte: Option<MinorUnits>,
    /// Largest number of intents within the window; absent: any.
    pub count_lte: Option<u64>,
}

impl Window {
    pub(crate) fn read(f: &mut Fields<'_>) -> Result<Self, FormError> {
        let window = Self {
            scope: f.parse("scope")?,
            window_seconds: number_in(f, "window_seconds", 1, WINDOW_SECONDS_MAX)?,
            amount_lte: f.parse_opt("amount_lte")?,
            count_lte: number_opt(f, "count_lte")?,
        };

        // A window without a limit is refused, because it would look like protection and give none.
        if window.amount_lte.is_none() && window.count_lte.is_none() {
            return Err(FormError::Missing("amount_lte".to_owned()));
        }

        Ok(window)
    }

    pub(crate) fn members(&self) -> Members<'_> {
        let mut members = vec![
            ("scope", Json::text(self.scope)),
            ("window_seconds", Json::text(self.window_seconds)),
        ];

        put(
            &mut members,
            "amount_lte",
            self.amount_lte.as_ref(),
            Json::text,
        );
        put(
            &mut members,
            "count_lte",
            self.count_lte.as_ref(),
            Json::text,
        );
        members
    }

    /// Length of the window, milliseconds.
    pub(crate) fn window_ms(&self) -> u64 {
        self.window_seconds.saturating_mul(1000)
    }
}
