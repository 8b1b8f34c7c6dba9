//! The choice of a base from reports.

use super::{BaseRule, RecoveryModel, RecoveryState};
use crate::log::Log;

/// The heads that can have been witnessed, judged from the reports.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Possible {
    /// They lie on one line, and this is the longest.
    Line(Log),
    /// Two of them are in conflict: the journal stays stopped.
    Ambiguous,
}

/// One witness's report.
struct Report {
    /// Log that it says it has cosigned.
    tip: Log,
    /// Longest head of which it shows a quorum's cosignatures; these cannot be forged.
    certified: Log,
}

impl RecoveryModel {
    /// Bases that recovery may choose now.
    pub(super) fn bases(&self, state: &RecoveryState) -> Vec<Log> {
        let tips: Vec<Log> = self
            .reports(state)
            .into_iter()
            .map(|report| report.tip)
            .collect();
        match self.rule {
            BaseRule::Never => vec![],
            BaseRule::AnyTip => tips,
            BaseRule::Longest => {
                let size_max = tips.iter().map(|tip| tip.size()).max().unwrap_or(0);
                let is_longest = |tip: &Log| tip.size() == size_max;
                tips.into_iter().filter(is_longest).collect()
            }
            BaseRule::Possible => match self.possible(state) {
                Possible::Line(base) => vec![base],
                Possible::Ambiguous => vec![],
            },
        }
    }

    /// A head is possible if reports with it, reports that are missing and the hostile ones among
    /// the reports without it can make up a quorum.
    pub(super) fn possible(&self, state: &RecoveryState) -> Possible {
        let reports = self.reports(state);
        let longest = |logs: Vec<Log>| logs.into_iter().max_by_key(|log| log.size());
        let certified = longest(reports.iter().map(|report| report.certified).collect());
        let certified = certified.unwrap_or(Log::EMPTY);

        let can_have_quorum = |log: Log| {
            let with = reports.iter().filter(|report| log.is_prefix_of(report.tip));
            let with = with.count() as u32;
            let without = reports.len() as u32 - with;
            let missing = self.seats as u32 - reports.len() as u32;
            with + missing + without.min(self.hostile) >= self.quorum
        };
        let possible: Vec<Log> = self
            .logs()
            .into_iter()
            .filter(|log| log.is_in_line_with(certified))
            .filter(|log| log.is_prefix_of(certified) || can_have_quorum(*log))
            .collect();

        let is_line = possible.iter().all(|one| {
            let in_line = |other: &Log| one.is_in_line_with(*other);
            possible.iter().all(in_line)
        });
        if is_line {
            Possible::Line(longest(possible).unwrap_or(Log::EMPTY))
        } else {
            Possible::Ambiguous
        }
    }

    fn reports(&self, state: &RecoveryState) -> Vec<Report> {
        let honest = (0..self.honest()).filter(|seat| state.reported.has(*seat));
        let mut reports: Vec<Report> = honest
            .map(|seat| Report {
                tip: state.tip[seat],
                certified: state.certified[seat],
            })
            .collect();

        if state.reported.has(self.honest()) {
            reports.push(Report {
                tip: state.claim,
                certified: Log::EMPTY,
            });
        }
        reports
    }
}
