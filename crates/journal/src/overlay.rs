//! Views of the map at another moment than the tip, without copying it.
//!
//! - The *head*: the tip with the undo deltas of what came after the head, newest first.
//! - What was *handed over*: the tip with the delta of one handed tightening. One view for each of
//!   them: two deltas made at the same tip may change the same record, and the upper one would hide
//!   the lower.

use crate::state::{Delta, View};
use ed25519_dalek::VerifyingKey;
use std::sync::Arc;
use strongroom_policy::Policy;
use strongroom_types::{Digest, Refusal};

/// A map with changes laid over it; of several layers, the last one laid decides.
#[derive(Clone)]
pub struct Overlay<'a> {
    base: &'a dyn View,
    layers: Vec<&'a Delta>,
}

impl<'a> Overlay<'a> {
    /// The map itself.
    #[must_use]
    pub const fn new(base: &'a dyn View) -> Self {
        Self {
            base,
            layers: Vec::new(),
        }
    }

    /// Lays a delta on top.
    #[must_use]
    pub fn with(mut self, delta: &'a Delta) -> Self {
        self.layers.push(delta);
        self
    }
}

impl View for Overlay<'_> {
    fn get(&self, key: &[u8]) -> Option<&[u8]> {
        let changed = self
            .layers
            .iter()
            .rev()
            .find_map(|layer| layer.changes.get(key));
        changed.map_or_else(|| self.base.get(key), |value| value.as_deref())
    }

    fn public_key(&self, bytes: &[u8; 32]) -> Option<VerifyingKey> {
        self.base.public_key(bytes)
    }

    fn parsed_policy(&self, digest: &Digest, text: &[u8]) -> Result<Arc<Policy>, Refusal> {
        self.base.parsed_policy(digest, text)
    }
}

impl std::fmt::Debug for Overlay<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Overlay({} layers)", self.layers.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Base;
    impl View for Base {
        fn get(&self, key: &[u8]) -> Option<&[u8]> {
            (key != b"absent").then_some(b"base")
        }
    }

    fn delta(key: &[u8], value: Option<&[u8]>) -> Delta {
        Delta {
            changes: [(key.to_vec(), value.map(<[u8]>::to_vec))].into(),
        }
    }

    #[test]
    fn the_last_layer_decides_and_a_removal_hides_what_is_below() {
        let (one, two) = (delta(b"a", Some(b"1")), delta(b"a", None));
        let view = Overlay::new(&Base).with(&one);
        assert_eq!(view.get(b"a"), Some(&b"1"[..]));
        assert_eq!(
            (view.get(b"b"), view.get(b"absent")),
            (Some(&b"base"[..]), None)
        );
        assert_eq!(view.clone().with(&two).get(b"a"), None);
        assert_eq!(
            Overlay::new(&Base).with(&two).with(&one).get(b"a"),
            Some(&b"1"[..])
        );
    }
}
