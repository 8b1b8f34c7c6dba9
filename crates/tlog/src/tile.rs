//! C2SP tlog-tiles: paths, hash tiles and entry bundles.

use std::borrow::Cow;

use thiserror::Error;

use crate::{SIZE_MAX, hash::Hash, proof::Nodes};

mod reader;
#[cfg(test)]
mod tests;

pub use reader::{AuthenticTiles, TileSource};

/// Number of hashes in a full tile, and of entries in a full bundle.
pub const TILE_WIDTH: u16 = 256;
/// Longest entry, in bytes: its length is written as u16.
pub const ENTRY_LEN_MAX: usize = u16::MAX as usize;
/// Highest tile level of a tree of [`SIZE_MAX`] leaves.
const LEVEL_MAX: u8 = 7;

/// Reason why a tile or bundle was not written or not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TileError {
    /// The level is above 7, the width 0 or above 256, or no tree of [`SIZE_MAX`] leaves has the
    /// position.
    #[error("no such tile")]
    OutOfRange,
    /// The tree or the source lacks a node, an entry or a tile that is needed.
    #[error("a needed tile or node is missing")]
    Missing,
    /// The tile or bundle has the wrong number of bytes for its width.
    #[error("tile or bundle has the wrong length")]
    WrongLength,
    /// An entry is longer than [`ENTRY_LEN_MAX`].
    #[error("entry is too long")]
    EntryTooLong,
    /// The tile does not hash to the authenticated tile above it, or to the root.
    #[error("tile does not belong to the tree")]
    NotInTree,
}

/// Position of a tile: `level` 0 holds leaf hashes, and each hash of level `l + 1` is the root of a
/// full tile of level `l`. `width` is 1 to 256 hashes; below 256 the tile is partial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TileId {
    level: u8,
    index: u64,
    width: u16,
}

impl TileId {
    /// Checks a tile position.
    ///
    /// # Errors
    /// `OutOfRange` when no tree has such a tile.
    pub fn new(level: u8, index: u64, width: u16) -> Result<Self, TileError> {
        // Positions come from requests. With these bounds no later index arithmetic overflows.
        let in_range =
            level <= LEVEL_MAX && (1..=TILE_WIDTH).contains(&width) && index <= SIZE_MAX >> 8;

        if in_range {
            Ok(Self {
                level,
                index,
                width,
            })
        } else {
            Err(TileError::OutOfRange)
        }
    }

    /// Level of the tile, counted in steps of 8 tree levels; 0 at the leaves.
    #[must_use]
    pub const fn level(&self) -> u8 {
        self.level
    }

    /// Index within the level, from 0.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// Number of hashes in the tile, 1 to 256.
    #[must_use]
    pub const fn width(&self) -> u16 {
        self.width
    }

    /// Path of the hash tile below the log's prefix: `tile/<L>/<N>[.p/<W>]`.
    #[must_use]
    pub fn path(&self) -> String {
        format!("tile/{}/{}", self.level, self.position())
    }

    /// Path of the entry bundle of a level-0 tile: `tile/entries/<N>[.p/<W>]`.
    #[must_use]
    pub fn bundle_path(&self) -> String {
        format!("tile/entries/{}", self.position())
    }

    fn position(&self) -> String {
        let mut position = format!("{:03}", self.index % 1000);

        // C2SP tlog-tiles writes the index in groups of three digits, all but the last with an `x`
        // in front, so that no directory has more than a thousand names.
        let mut rest = self.index / 1000;
        while rest > 0 {
            position = format!("x{:03}/{position}", rest % 1000);
            rest /= 1000;
        }

        if self.width < TILE_WIDTH {
            position.push_str(&format!(".p/{}", self.width));
        }
        position
    }
}

/// Path of a hash tile; see [`TileId::path`].
///
/// # Errors
/// `OutOfRange` when no tree has such a tile.
pub fn tile_path(level: u8, index: u64, width: u16) -> Result<String, TileError> {
    TileId::new(level, index, width).map(|id| id.path())
}

/// Every tile that a log must write when it grows from `old_size` to `new_size`, lowest level
/// first. Those of level 0 also name the entry bundles. Empty if `new_size ≤ old_size`.
pub fn tiles_between(old_size: u64, new_size: u64) -> impl Iterator<Item = TileId> {
    let new_size = new_size.min(SIZE_MAX);
    (0..=LEVEL_MAX).flat_map(move |level| {
        let (old, new) = (old_size >> (8 * level), new_size >> (8 * level));
        // The tile that was partial is written again with more hashes. A level that did not grow
        // has nothing to write.
        let first = if old < new { old >> 8 } else { (new >> 8) + 1 };

        (first..=new >> 8)
            .filter_map(move |index| TileId::new(level, index, width_at(new, index)).ok())
    })
}

/// Number of hashes in tile `index` of a level that has `hashes` of them; 0 if the tile does not
/// exist.
fn width_at(hashes: u64, index: u64) -> u16 {
    let after = hashes.saturating_sub(index.saturating_mul(u64::from(TILE_WIDTH)));
    u16::try_from(after).map_or(TILE_WIDTH, |width| width.min(TILE_WIDTH))
}

/// Bytes of a hash tile: `width` hashes of 32 bytes.
///
/// # Errors
/// `Missing` if `nodes` lacks one of the hashes.
pub fn hash_tile<N: Nodes + ?Sized>(nodes: &N, id: TileId) -> Result<Vec<u8>, TileError> {
    let mut bytes = Vec::with_capacity(usize::from(id.width) * 32);

    let first = id.index * u64::from(TILE_WIDTH);
    for index in first..first + u64::from(id.width) {
        let hash = nodes
            .node(u32::from(id.level) * 8, index)
            .ok_or(TileError::Missing)?;
        bytes.extend_from_slice(hash.as_bytes());
    }

    Ok(bytes)
}

/// Reads a hash tile of exactly `width` hashes; they are **not** authenticated, see
/// [`AuthenticTiles`].
///
/// # Errors
/// `WrongLength`.
pub fn parse_hash_tile(bytes: &[u8], width: u16) -> Result<Vec<Hash>, TileError> {
    match bytes.as_chunks::<32>() {
        (hashes, []) if hashes.len() == usize::from(width) => {
            Ok(hashes.iter().copied().map(Hash).collect())
        }
        _ => Err(TileError::WrongLength),
    }
}

/// Bytes of an entry bundle: each entry after its length as u16 big-endian.
///
/// # Errors
/// `EntryTooLong`; `WrongLength` for no entries or more than 256.
pub fn entry_bundle<E: AsRef<[u8]>>(entries: &[E]) -> Result<Vec<u8>, TileError> {
    if entries.is_empty() || entries.len() > usize::from(TILE_WIDTH) {
        return Err(TileError::WrongLength);
    }

    let mut bytes = Vec::new();
    for entry in entries.iter().map(AsRef::as_ref) {
        // A length that does not fit 16 bits is refused: if it were cut off, every entry after it
        // would be read from the wrong place.
        let len = u16::try_from(entry.len()).map_err(|_| TileError::EntryTooLong)?;
        bytes.extend_from_slice(&len.to_be_bytes());
        bytes.extend_from_slice(entry);
    }

    Ok(bytes)
}

/// Reads an entry bundle of exactly `width` entries and nothing after them; not authenticated, see
/// [`AuthenticTiles::entries`].
///
/// # Errors
/// `WrongLength`.
pub fn parse_bundle(bytes: &[u8], width: u16) -> Result<Vec<&[u8]>, TileError> {
    let mut rest = bytes;
    let mut entries = Vec::new();

    for _ in 0..width {
        let (len, after) = rest
            .split_first_chunk::<2>()
            .ok_or(TileError::WrongLength)?;
        let len = usize::from(u16::from_be_bytes(*len));
        let (entry, after) = after.split_at_checked(len).ok_or(TileError::WrongLength)?;
        entries.push(entry);
        rest = after;
    }

    // Bytes after the last entry are refused, because no hash covers them.
    if rest.is_empty() {
        Ok(entries)
    } else {
        Err(TileError::WrongLength)
    }
}

/// A file of the log: path below the log's prefix, and content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TileFile {
    /// Slash-separated path, e.g. `tile/0/000.p/3`.
    pub path: String,
    /// Content of the file.
    pub bytes: Vec<u8>,
}

/// All files that a log writes when it grows from `old_size` to `new_size`: hash tiles and entry
/// bundles, not the checkpoint.
///
/// `entry` returns the entry at an index below `new_size`.
///
/// # Errors
/// `Missing` if `nodes` lacks a node or `entry` an entry; `EntryTooLong`.
pub fn files_between<'a, N: Nodes + ?Sized>(
    nodes: &N,
    entry: impl Fn(u64) -> Option<Cow<'a, [u8]>>,
    old_size: u64,
    new_size: u64,
) -> Result<Vec<TileFile>, TileError> {
    let mut files = Vec::new();
    for id in tiles_between(old_size, new_size) {
        files.push(TileFile {
            path: id.path(),
            bytes: hash_tile(nodes, id)?,
        });

        // C2SP tlog-tiles: a bundle with its entries belongs to each level-0 tile.
        if id.level == 0 {
            let first = id.index * u64::from(TILE_WIDTH);
            let entries: Option<Vec<_>> =
                (first..first + u64::from(id.width)).map(&entry).collect();
            let bytes = entry_bundle(&entries.ok_or(TileError::Missing)?)?;
            files.push(TileFile {
                path: id.bundle_path(),
                bytes,
            });
        }
    }

    Ok(files)
}
