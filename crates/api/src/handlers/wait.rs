//! Answers that wait for an end.

use crate::follow::Changes;
use crate::problem::Problem;
use std::time::Duration;

/// Longest wait, milliseconds: below the time after which proxies give a request up.
const WAIT_MAX_MS: u64 = 30_000;

/// Longest wait of an answer, and the pause between two looks.
#[derive(Clone, Copy)]
pub(crate) struct Wait {
    limit: Duration,
    look_every: Duration,
}

impl Wait {
    /// A wait for a row of the API: each change of one wakes the request; the look in between only
    /// covers for a lost wake-up.
    pub(crate) fn for_row(wait_ms: Option<u64>) -> Self {
        Self::new(wait_ms, Duration::from_millis(250))
    }

    /// A wait for the journal: no change of a row tells of an entry applied or a cosignature.
    pub(crate) fn for_journal(wait_ms: Option<u64>) -> Self {
        Self::new(wait_ms, Duration::from_millis(50))
    }

    fn new(wait_ms: Option<u64>, look_every: Duration) -> Self {
        Self {
            limit: Duration::from_millis(wait_ms.unwrap_or(0).min(WAIT_MAX_MS)),
            look_every,
        }
    }
}

/// Asks until there is an answer or the wait is over.
pub(crate) async fn until<T, F: Future<Output = Result<Option<T>, Problem>>>(
    changes: &Changes,
    wait: Wait,
    mut ask: impl FnMut() -> F,
) -> Result<Option<T>, Problem> {
    if wait.limit.is_zero() {
        return ask().await;
    }

    let mut changes = changes.watch();
    let asked = async {
        loop {
            // Changes are marked as seen before the look: one that comes during it then ends the
            // pause after it at once.
            changes.mark_unchanged();
            if let Some(answer) = ask().await? {
                return Ok::<_, Problem>(Some(answer));
            }

            let _ = tokio::time::timeout(wait.look_every, changes.changed()).await;
        }
    };

    if let Ok(answer) = tokio::time::timeout(wait.limit, asked).await {
        return answer;
    }

    // The last look is never cut off, however short the wait.
    ask().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_cannot_hold_a_request_longer_than_proxies_do() {
        assert!(Wait::for_row(None).limit.is_zero());
        for (asked, limit) in [
            (250, 250),
            (WAIT_MAX_MS + 1, WAIT_MAX_MS),
            (u64::MAX, WAIT_MAX_MS),
        ] {
            let wait = Wait::for_journal(Some(asked));
            assert_eq!(wait.limit, Duration::from_millis(limit));
        }
    }
}
