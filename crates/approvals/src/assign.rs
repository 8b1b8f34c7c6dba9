//! Which approval counts for which group: one human for one group, groups in the decision's order.

use strongroom_types::{DecisionCore, GroupId, UserId};

/// Picks answers so that every group has its number, nobody counted twice: for each seat in order
/// of the groups, an index into `people` (augmenting paths, so a person of two groups is used where
/// needed).
///
/// `None` while people are missing.
#[must_use]
pub fn assign(
    core: &DecisionCore,
    people: &[UserId],
    member: impl Fn(GroupId, UserId) -> bool,
) -> Option<Vec<usize>> {
    let seats: Vec<GroupId> = core
        .groups
        .iter()
        .flat_map(|need| std::iter::repeat_n(need.group, need.approvals as usize))
        .collect();
    let mut taken: Vec<Option<usize>> = vec![None; people.len()];
    for seat in 0..seats.len() {
        let mut tried = vec![false; people.len()];
        if !place(seat, &seats, people, &member, &mut taken, &mut tried) {
            return None;
        }
    }
    (0..seats.len())
        .map(|seat| taken.iter().position(|by| *by == Some(seat)))
        .collect()
}

fn place(
    seat: usize,
    seats: &[GroupId],
    people: &[UserId],
    member: &impl Fn(GroupId, UserId) -> bool,
    taken: &mut [Option<usize>],
    tried: &mut [bool],
) -> bool {
    let Some(group) = seats.get(seat).copied() else {
        return false;
    };
    for (index, person) in people.iter().enumerate() {
        if tried.get(index) != Some(&false) || !member(group, *person) {
            continue;
        }
        mark(tried, index, true);
        let holder = taken.get(index).copied().flatten();
        if holder.is_none_or(|other| place(other, seats, people, member, taken, tried)) {
            mark(taken, index, Some(seat));
            return true;
        }
    }
    false
}

fn mark<T>(list: &mut [T], index: usize, value: T) {
    if let Some(slot) = list.get_mut(index) {
        *slot = value;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use strongroom_types::{Digest, GroupNeed, Tier};

    fn core(needs: &[(u8, u32)]) -> DecisionCore {
        let need = |(group, approvals): &(u8, u32)| GroupNeed {
            group: GroupId([*group; 16]),
            approvals: *approvals,
        };
        DecisionCore {
            intent: Digest::default(),
            policy: Digest::default(),
            rule: "r".into(),
            tier: Tier::MOfN,
            time_lock_seconds: 0,
            ordered: false,
            groups: needs.iter().map(need).collect(),
            decoder: "d".into(),
        }
    }

    #[test]
    fn a_person_of_two_groups_is_used_where_needed() {
        let people = [UserId([1; 16]), UserId([2; 16])];
        // 1 is in both groups, 2 only in the first: 1 must serve the second.
        let member = |group: GroupId, user: UserId| user.0[0] == 1 || group.0[0] == 1;
        assert_eq!(
            assign(&core(&[(1, 1), (2, 1)]), &people, member),
            Some(vec![1, 0])
        );
    }

    #[test]
    fn nobody_counts_twice() {
        let people = [UserId([1; 16])];
        assert_eq!(assign(&core(&[(1, 1), (2, 1)]), &people, |_, _| true), None);
        assert_eq!(
            assign(&core(&[(1, 1)]), &people, |_, _| true),
            Some(vec![0])
        );
    }
}
