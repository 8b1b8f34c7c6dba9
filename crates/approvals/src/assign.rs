//! Assignment of answers to seats: one human for one seat, groups in the decision's order.

use strongroom_types::GroupNeed;

/// Picks answers so that every group has its number and none is used twice: for each seat, in the
/// order of the groups, an index below `answers`. `may_fill` says whether an answer (second) counts
/// for a group (first, an index into `needs`).
///
/// The search follows augmenting paths: someone who is in two groups is moved to where they are
/// needed.
///
/// `None` while answers are missing.
#[must_use]
pub fn assign(
    needs: &[GroupNeed],
    answers: usize,
    may_fill: impl Fn(usize, usize) -> bool,
) -> Option<Vec<usize>> {
    let seats: Vec<usize> = needs
        .iter()
        .enumerate()
        .flat_map(|(group, need)| std::iter::repeat_n(group, need.approvals as usize))
        .collect();
    let mut seating = Seating {
        group_of: &seats,
        may_fill: &may_fill,
        seat_of: vec![None; answers],
    };

    for seat in 0..seats.len() {
        let mut tried = vec![false; answers];
        if !seating.place(seat, &mut tried) {
            return None;
        }
    }

    let seat_of = seating.seat_of;
    (0..seats.len())
        .map(|seat| seat_of.iter().position(|taken| *taken == Some(seat)))
        .collect()
}

struct Seating<'a, F> {
    group_of: &'a [usize],
    may_fill: &'a F,
    /// Seat of each answer.
    seat_of: Vec<Option<usize>>,
}

impl<F: Fn(usize, usize) -> bool> Seating<'_, F> {
    /// Gives the seat to an answer, moving others if need be. `tried` keeps one search from going
    /// in circles.
    fn place(&mut self, seat: usize, tried: &mut [bool]) -> bool {
        let Some(group) = self.group_of.get(seat).copied() else {
            return false;
        };
        for answer in 0..self.seat_of.len() {
            if tried.get(answer) != Some(&false) || !(self.may_fill)(group, answer) {
                continue;
            }
            set(tried, answer, true);

            // A taken answer is still good if its own seat finds another one.
            let holder = self.seat_of.get(answer).copied().flatten();
            if holder.is_none_or(|other| self.place(other, tried)) {
                set(&mut self.seat_of, answer, Some(seat));
                return true;
            }
        }
        false
    }
}

fn set<T>(list: &mut [T], index: usize, value: T) {
    if let Some(place) = list.get_mut(index) {
        *place = value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use strongroom_types::GroupId;

    fn needs(numbers: &[u32]) -> Vec<GroupNeed> {
        let need = |approvals: &u32| GroupNeed {
            group: GroupId([1; 16]),
            approvals: *approvals,
        };
        numbers.iter().map(need).collect()
    }

    #[test]
    fn someone_in_two_groups_is_used_where_needed() {
        // Answer 0 counts for both groups, 1 only for the first: 0 must serve the second.
        let may_fill = |group: usize, answer: usize| answer == 0 || group == 0;
        assert_eq!(assign(&needs(&[1, 1]), 2, may_fill), Some(vec![1, 0]));
    }

    #[test]
    fn one_answer_does_not_fill_two_seats() {
        assert_eq!(assign(&needs(&[1, 1]), 1, |_, _| true), None);
        assert_eq!(assign(&needs(&[2]), 1, |_, _| true), None);
        assert_eq!(assign(&needs(&[1]), 1, |_, _| true), Some(vec![0]));
    }
}
