//! A bounded memory of results, so that none is worked out twice.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Results by what they follow from, forgotten all at once when there are too many.
///
/// Anyone who may add entries can add keys and policies, so the memory has a bound; what is forgotten
/// costs its time again, and nothing else.
#[derive(Debug)]
pub(crate) struct Known<K, V> {
    results: Mutex<BTreeMap<K, V>>,
    most: usize,
}

impl<K: Ord + Copy, V: Clone> Known<K, V> {
    /// An empty memory of at most this many results.
    pub(crate) const fn new(most: usize) -> Self {
        Self {
            results: Mutex::new(BTreeMap::new()),
            most,
        }
    }

    fn results(&self) -> MutexGuard<'_, BTreeMap<K, V>> {
        self.results.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The result of `from`, which `make` works out if it is not known.
    ///
    /// # Errors
    /// Those of `make`; nothing is remembered of it then.
    pub(crate) fn get<E>(&self, from: &K, make: impl FnOnce() -> Result<V, E>) -> Result<V, E> {
        let mut results = self.results();
        if let Some(result) = results.get(from) {
            return Ok(result.clone());
        }

        let result = make()?;
        if results.len() >= self.most {
            results.clear();
        }
        results.insert(*from, result.clone());
        Ok(result)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_is_worked_out_once_and_so_many_are_kept() {
        let known: Known<u32, u32> = Known::new(3);
        let made = |from: u32| {
            let mut made = false;
            let result = known.get(&from, || {
                made = true;
                Ok::<_, ()>(from + 1)
            });
            assert_eq!(result, Ok(from + 1));
            made
        };
        for from in 0..100 {
            assert!(made(from), "never asked for before");
            assert!(!made(from), "asked for again");
            assert!(known.results().len() <= 3, "{from}");
        }
    }

    #[test]
    fn a_failure_is_not_remembered() {
        let known: Known<u32, u32> = Known::new(3);
        assert_eq!(known.get(&1, || Err(())), Err(()));
        assert_eq!(known.get(&1, || Ok::<_, ()>(2)), Ok(2));
    }
}
