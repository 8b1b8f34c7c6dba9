//! The head never goes back, and nothing is shared before it covers where this process started.

use strongroom_guard::{G, guard};
use strongroom_types::{Code, Refusal};

/// Smallest head this signer may act under.
#[derive(Debug)]
pub(crate) struct Floor {
    /// Entries on this signer's disk, and entries that its key had cosigned, when the process
    /// started.
    start: u64,
    /// Largest head acted under in this process life.
    acted: u64,
}

impl Floor {
    pub(crate) const fn new(start: u64) -> Self {
        Self { start, acted: 0 }
    }

    pub(crate) const fn start(&self) -> u64 {
        self.start
    }

    pub(crate) const fn acted(&self) -> u64 {
        self.acted
    }

    /// The replica keeps both rules already; they are checked again here, because its own check may
    /// change.
    pub(crate) fn check(&self, head: u64) -> Result<(), Refusal> {
        if head < self.start {
            let detail = format!(
                "head {head}, this signer stood at {} when it started",
                self.start
            );
            return Err(Refusal::new(Code::HeadBelowFloor, detail));
        }
        if guard(G::HeadNeverBack, head < self.acted) {
            let detail = format!("head {head}, acted under {} before", self.acted);
            return Err(Refusal::new(Code::HeadWentBack, detail));
        }
        Ok(())
    }

    pub(crate) fn act_under(&mut self, head: u64) {
        self.acted = self.acted.max(head);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_head_below_the_start_is_refused_and_the_start_itself_is_not() {
        let floor = Floor::new(7);
        assert_eq!(floor.check(6).unwrap_err().code, Code::HeadBelowFloor);
        assert!(floor.check(7).is_ok());
    }

    #[test]
    fn a_head_never_goes_back_behind_one_acted_under() {
        let mut floor = Floor::new(7);
        floor.act_under(9);
        floor.act_under(8);
        assert_eq!(floor.check(8).unwrap_err().code, Code::HeadWentBack);
        assert!(floor.check(9).is_ok());
    }
}
