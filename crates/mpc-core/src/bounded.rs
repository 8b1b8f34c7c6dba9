//! A map that drops its oldest entry when it is full.

use std::collections::{BTreeMap, VecDeque};

/// A map that keeps the `len_max` newest entries, so that memory stays bounded whatever a peer
/// sends.
pub(crate) struct BoundedMap<K, V> {
    entries: BTreeMap<K, V>,
    order: VecDeque<K>,
    len_max: usize,
}

impl<K: Ord + Clone, V> BoundedMap<K, V> {
    pub(crate) fn new(len_max: usize) -> Self {
        Self {
            entries: BTreeMap::new(),
            order: VecDeque::new(),
            len_max,
        }
    }

    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.entries.get(key)
    }

    pub(crate) fn insert(&mut self, key: K, value: V) {
        if self.entries.insert(key.clone(), value).is_none() {
            self.order.push_back(key);
        }

        while self.order.len() > self.len_max {
            if let Some(oldest) = self.order.pop_front() {
                self.entries.remove(&oldest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_entry_is_forgotten_when_full() {
        let mut map = BoundedMap::new(2);
        for n in 0..3 {
            map.insert(n, n);
        }
        assert_eq!(
            (map.get(&0), map.get(&1), map.get(&2)),
            (None, Some(&1), Some(&2))
        );
    }
}
