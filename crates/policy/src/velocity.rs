//! Comparison of one window with the spending that the journal has counted.

use crate::evidence::Trace;
use crate::facts::IntentFacts;
use crate::window::Window;
use strongroom_types::{Code, Refusal};

/// Whether the window has room for this intent's amount and fee cap and for one more intent.
///
/// # Errors
/// `policy_blocked` when the sum is not known or overflows, whatever the limit: an unknown sum that
/// counted as small would let a payment past every limit.
pub(crate) fn has_room<T: Trace>(
    window: &Window,
    owner: &str,
    facts: &IntentFacts<'_>,
    trace: &mut T,
) -> Result<bool, Refusal> {
    let reading = facts.read(window);
    trace.window(owner, window, facts, reading);

    reading.within.ok_or_else(|| {
        Refusal::new(
            Code::PolicyBlocked,
            format!("`{owner}`: the sum of a window is not known or overflows"),
        )
    })
}
