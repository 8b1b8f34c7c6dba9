//! Reading tiles from an untrusted source: every hash is tied to the root before it is used.

use std::collections::BTreeMap;

use super::{LEVEL_MAX, TILE_WIDTH, TileError, TileId, parse_bundle, parse_hash_tile, width_at};
use crate::{
    SIZE_MAX,
    hash::{Hash, leaf_hash, node_hash, perfect_root},
    proof::Nodes,
};

/// Untrusted storage of tiles. It may hold a wider tile than the one requested; [`AuthenticTiles`]
/// asks for exact widths.
pub trait TileSource {
    /// Bytes of a hash tile; `None` if the source does not have it.
    fn hash_tile(&self, id: TileId) -> Option<Vec<u8>>;
    /// Bytes of the entry bundle of a level-0 tile; `None` if the source does not have it.
    fn entry_bundle(&self, id: TileId) -> Option<Vec<u8>>;
}

/// The tiles of one tree head. The partial tiles of the right edge are checked against the root
/// once; a full tile is checked against its hash in the tile above it, up to the edge, each time it
/// is read.
///
/// So a full tile is accepted only if **all** of its 256 hashes are right, not only those on one
/// path.
pub struct AuthenticTiles<'a, S> {
    source: &'a S,
    size: u64,
    /// Authenticated partial tile of each level; a level whose number of hashes is a multiple of
    /// 256 has none.
    edge: BTreeMap<u8, Vec<Hash>>,
}

impl<'a, S: TileSource> AuthenticTiles<'a, S> {
    /// Reads the right edge and checks that it hashes to `root`, which the caller must have taken
    /// from a verified checkpoint.
    ///
    /// # Errors
    /// `OutOfRange` if `size` > [`SIZE_MAX`]; `Missing`, `WrongLength`; `NotInTree` if the root
    /// differs.
    pub fn open(source: &'a S, size: u64, root: Hash) -> Result<Self, TileError> {
        if size > SIZE_MAX {
            return Err(TileError::OutOfRange);
        }

        let mut edge = BTreeMap::new();
        let mut computed = None;
        for level in 0..=LEVEL_MAX {
            // A level has one hash for each full tile of the level below.
            let hashes_at_level = size >> (8 * level);
            let index = hashes_at_level >> 8;
            let width = width_at(hashes_at_level, index);
            if width > 0 {
                let hashes = read(source, TileId::new(level, index, width)?)?;
                computed = Some(fold_right_edge(&hashes, computed)?);
                edge.insert(level, hashes);
            }
        }

        // Every hash of the edge goes into this root, so a wrong byte anywhere in the edge is found
        // here.
        if computed.unwrap_or(Hash::EMPTY_ROOT) == root {
            Ok(Self { source, size, edge })
        } else {
            Err(TileError::NotInTree)
        }
    }

    /// The authenticated hashes of a tile of this tree head.
    ///
    /// # Errors
    /// `OutOfRange` if the tree has no such tile; `Missing`, `WrongLength`; `NotInTree` for any
    /// wrong byte.
    pub fn hashes(&self, level: u8, index: u64) -> Result<Vec<Hash>, TileError> {
        if level > LEVEL_MAX {
            return Err(TileError::OutOfRange);
        }

        match width_at(self.size >> (8 * level), index) {
            0 => Err(TileError::OutOfRange),
            TILE_WIDTH => {
                let hashes = read(self.source, TileId::new(level, index, TILE_WIDTH)?)?;
                // The hash in the tile above commits to all 256 hashes. That tile is authenticated
                // in the same way.
                let above = self.hashes(level + 1, index >> 8)?;

                let expected = above.get((index & 0xff) as usize);
                if expected == perfect_root(&hashes).as_ref() {
                    Ok(hashes)
                } else {
                    Err(TileError::NotInTree)
                }
            }
            _ => self.edge.get(&level).cloned().ok_or(TileError::Missing),
        }
    }

    /// The authenticated entries of bundle `index`.
    ///
    /// # Errors
    /// As [`AuthenticTiles::hashes`]; `NotInTree` if an entry does not hash to its leaf.
    pub fn entries(&self, index: u64) -> Result<Vec<Vec<u8>>, TileError> {
        let hashes = self.hashes(0, index)?;
        let width = width_at(self.size, index);

        let bytes = self
            .source
            .entry_bundle(TileId::new(0, index, width)?)
            .ok_or(TileError::Missing)?;

        // Each entry must hash to its authenticated leaf, so that a source can withhold an entry
        // but not change it.
        let entries = parse_bundle(&bytes, width)?;
        if entries.iter().map(|entry| leaf_hash(entry)).eq(hashes) {
            Ok(entries.into_iter().map(<[u8]>::to_vec).collect())
        } else {
            Err(TileError::NotInTree)
        }
    }
}

/// Authenticated nodes. A node that does not belong to the tree is reported as missing.
impl<S: TileSource> Nodes for AuthenticTiles<'_, S> {
    fn node(&self, level: u32, index: u64) -> Option<Hash> {
        let (tile_level, height) = (u8::try_from(level / 8).ok()?, level % 8);
        let first = index.checked_mul(1 << height)?;

        let hashes = self.hashes(tile_level, first >> 8).ok()?;
        let from = (first & 0xff) as usize;
        perfect_root(hashes.get(from..from + (1usize << height))?)
    }
}

fn read<S: TileSource>(source: &S, id: TileId) -> Result<Vec<Hash>, TileError> {
    parse_hash_tile(&source.hash_tile(id).ok_or(TileError::Missing)?, id.width())
}

/// Adds the perfect subtrees of a partial tile, smallest (rightmost) first, to the left of the root
/// folded so far.
fn fold_right_edge(hashes: &[Hash], below: Option<Hash>) -> Result<Hash, TileError> {
    let mut folded = below;
    let mut rest = hashes;
    while !rest.is_empty() {
        let width = 1usize << rest.len().trailing_zeros();
        let (left, subtree) = rest.split_at(rest.len() - width);

        let root = perfect_root(subtree).ok_or(TileError::WrongLength)?;
        folded = Some(folded.map_or(root, |right| node_hash(root, right)));
        rest = left;
    }

    folded.ok_or(TileError::WrongLength)
}
