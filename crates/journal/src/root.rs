//! Merkle root of the state's map: what every witness recomputes before it cosigns.
//!
//! A compressed binary trie (Patricia) over `SHA-256(key)`: its shape follows from the set of keys
//! alone, so the root says which map it is and nothing about how the map came about. With the
//! digest rule of this project:
//!
//! | node | hash |
//! |---|---|
//! | empty map | `digest("strongroom/state-empty/v1", [])` |
//! | leaf | `digest("strongroom/state-leaf/v1", [SHA-256(key), SHA-256(value)])` |
//! | branch | `digest("strongroom/state-branch/v1", [bit, left, right])`, bit (u8) being the first one, counted from the most significant, in which the keys below differ |

use crate::keyspace::Key;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::mem::replace;
use std::sync::OnceLock;
use strongroom_types::{Digest, digest};

const EMPTY: &str = "strongroom/state-empty/v1";
const LEAF: &str = "strongroom/state-leaf/v1";
const BRANCH: &str = "strongroom/state-branch/v1";

/// SHA-256 of a key: its bits lead from the top to the leaf.
type Path = [u8; 32];

/// The trie. A change only marks the way to its leaf; [`Root::digest`] hashes what is marked, once
/// for any number of changes.
#[derive(Clone, Debug, Default)]
pub struct Root {
    top: Option<Node>,
}

#[derive(Clone, Debug)]
enum Node {
    Leaf {
        path: Path,
        hash: Digest,
    },
    Branch {
        bit: u8,
        sides: Box<Sides>,
        hash: OnceLock<Digest>,
    },
}

#[derive(Clone, Debug)]
struct Sides {
    left: Node,
    right: Node,
}

impl Root {
    /// The root of a map.
    #[must_use]
    pub fn of(map: &BTreeMap<Key, Vec<u8>>) -> Self {
        let mut root = Self::default();
        map.iter().for_each(|(key, value)| root.put(key, value));
        root
    }

    /// Follows a change of the map: a key's new value, or its removal.
    pub fn set(&mut self, key: &[u8], value: Option<&[u8]>) {
        match value {
            Some(value) => self.put(key, value),
            None => self.remove(key),
        }
    }

    /// The root as it stands: hashes only what changed since the last call.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.top
            .as_ref()
            .map_or_else(|| digest(EMPTY, &[]), Node::digest)
    }

    fn put(&mut self, key: &[u8], value: &[u8]) {
        let path = sha256(key);
        let leaf = Node::Leaf {
            path,
            hash: digest(LEAF, &[&path, &sha256(value)]),
        };
        match &mut self.top {
            None => self.top = Some(leaf),
            Some(top) => {
                let at = first_difference(&path, top.nearest(&path));
                top.put(leaf, &path, at);
            }
        }
    }

    fn remove(&mut self, key: &[u8]) {
        if self
            .top
            .as_mut()
            .is_some_and(|top| top.remove(&sha256(key)) == Removed::Whole)
        {
            self.top = None;
        }
    }
}

#[derive(PartialEq, Eq)]
enum Removed {
    /// The key is not in the map.
    Absent,
    /// It was below this node, which stays.
    Below,
    /// It was this node: the parent takes the sibling's place.
    Whole,
}

impl Node {
    fn digest(&self) -> Digest {
        match self {
            Self::Leaf { hash, .. } => *hash,
            Self::Branch { bit, sides, hash } => *hash.get_or_init(|| {
                let (left, right) = (sides.left.digest(), sides.right.digest());
                digest(BRANCH, &[&[*bit], &left.0, &right.0])
            }),
        }
    }

    /// The path of the leaf that shares the longest beginning with `path` among those a search for
    /// it meets.
    fn nearest(&self, path: &Path) -> &Path {
        match self {
            Self::Leaf { path, .. } => path,
            Self::Branch { bit, sides, .. } => sides.on(bit_of(path, *bit)).nearest(path),
        }
    }

    /// Puts a leaf whose path first differs from all others at bit `at`, or replaces the leaf of
    /// that very path.
    fn put(&mut self, leaf: Self, path: &Path, at: Option<u8>) {
        match self {
            Self::Branch { bit, sides, hash } if at.is_none_or(|at| *bit < at) => {
                // A hash that was kept would make the root one of the old state.
                *hash = OnceLock::new();
                sides.on_mut(bit_of(path, *bit)).put(leaf, path, at);
            }

            Self::Branch { .. } | Self::Leaf { .. } => {
                // The new branch stands at the first differing bit: the shape follows from the set
                // of keys alone, whatever the order in which they came.
                let old = replace(self, leaf);
                if let Some(bit) = at {
                    let new = replace(self, Self::nothing());
                    let (left, right) = if bit_of(path, bit) {
                        (old, new)
                    } else {
                        (new, old)
                    };
                    *self = Self::Branch {
                        bit,
                        sides: Box::new(Sides { left, right }),
                        hash: OnceLock::new(),
                    };
                }
            }
        }
    }

    fn remove(&mut self, path: &Path) -> Removed {
        match self {
            Self::Leaf { path: own, .. } => {
                if own == path {
                    Removed::Whole
                } else {
                    Removed::Absent
                }
            }

            Self::Branch { bit, sides, hash } => {
                let side = bit_of(path, *bit);
                match sides.on_mut(side).remove(path) {
                    Removed::Absent => Removed::Absent,
                    Removed::Below => {
                        *hash = OnceLock::new();
                        Removed::Below
                    }
                    Removed::Whole => {
                        // A branch with one side would be another shape for the same keys.
                        *self = replace(sides.on_mut(!side), Self::nothing());
                        Removed::Below
                    }
                }
            }
        }
    }

    /// Placeholder for a node that was moved out; it is never hashed.
    const fn nothing() -> Self {
        Self::Leaf {
            path: [0; 32],
            hash: Digest([0; 32]),
        }
    }
}

impl Sides {
    const fn on(&self, right: bool) -> &Node {
        if right { &self.right } else { &self.left }
    }

    const fn on_mut(&mut self, right: bool) -> &mut Node {
        if right {
            &mut self.right
        } else {
            &mut self.left
        }
    }
}

fn sha256(bytes: &[u8]) -> Path {
    Sha256::digest(bytes).into()
}

fn bit_of(path: &Path, bit: u8) -> bool {
    path.get(usize::from(bit / 8))
        .is_some_and(|byte| byte >> (7 - bit % 8) & 1 == 1)
}

/// First bit, from the most significant, in which two paths differ.
fn first_difference(a: &Path, b: &Path) -> Option<u8> {
    let byte = a.iter().zip(b).position(|(a, b)| a != b)?;
    let differ = a.get(byte)? ^ b.get(byte)?;
    u8::try_from(byte * 8 + differ.leading_zeros() as usize).ok()
}
