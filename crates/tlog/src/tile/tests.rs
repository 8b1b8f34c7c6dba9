#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::{MemoryTree, inclusion_proof, leaf_hash, verify_inclusion};

#[derive(Clone)]
struct Files(BTreeMap<String, Vec<u8>>);

impl TileSource for Files {
    fn hash_tile(&self, id: TileId) -> Option<Vec<u8>> {
        self.0.get(&id.path()).cloned()
    }
    fn entry_bundle(&self, id: TileId) -> Option<Vec<u8>> {
        self.0.get(&id.bundle_path()).cloned()
    }
}

fn entry(index: u64) -> Option<Cow<'static, [u8]>> {
    Some(Cow::Owned(format!("entry {index}").into_bytes()))
}

fn log(steps: &[u64]) -> (MemoryTree, Files) {
    let size = *steps.last().unwrap();
    let tree: MemoryTree = (0..size).map(|i| leaf_hash(&entry(i).unwrap())).collect();
    let mut files = BTreeMap::new();
    let mut old = 0;
    for new in steps {
        for file in files_between(&tree, entry, old, *new).unwrap() {
            files.insert(file.path, file.bytes);
        }
        old = *new;
    }
    (tree, Files(files))
}

#[test]
fn tile_paths_do_not_change() {
    assert_eq!(tile_path(0, 0, 256).unwrap(), "tile/0/000");
    assert_eq!(
        tile_path(3, 1_234_067, 256).unwrap(),
        "tile/3/x001/x234/067"
    );
    assert_eq!(tile_path(0, 1000, 7).unwrap(), "tile/0/x001/000.p/7");
    assert_eq!(
        TileId::new(0, 999, 255).unwrap().bundle_path(),
        "tile/entries/999.p/255"
    );
    for (level, index, width) in [(0, 0, 0), (0, 0, 257), (8, 0, 1), (0, u64::MAX, 1)] {
        assert_eq!(tile_path(level, index, width), Err(TileError::OutOfRange));
    }
}

#[test]
fn growth_names_the_tiles_of_the_specification_example() {
    let paths: Vec<String> = tiles_between(0, 70_000).map(|id| id.path()).collect();
    assert_eq!(paths.len(), 273 + 1 + 1 + 1 + 1);
    for expected in [
        "tile/0/273.p/112",
        "tile/1/000",
        "tile/1/001.p/17",
        "tile/2/000.p/1",
    ] {
        assert!(paths.iter().any(|path| path == expected), "{expected}");
    }
    let at_256: Vec<String> = tiles_between(255, 256).map(|id| id.path()).collect();
    assert_eq!(at_256, ["tile/0/000", "tile/1/000.p/1"]);
    assert_eq!(
        tiles_between(5, 5).count() + tiles_between(6, 5).count() + tiles_between(0, 0).count(),
        0
    );
}

#[test]
fn every_proof_built_from_authentic_tiles_verifies() {
    for size in [1, 2, 255, 256, 257, 600, 66_000] {
        let (tree, files) = log(&[size]);
        let root = tree.root_at(size).unwrap();
        let tiles = AuthenticTiles::open(&files, size, root).unwrap();
        for index in [0, size / 2, size - 1] {
            let proof = inclusion_proof(&tiles, index, size).unwrap();
            assert_eq!(proof, inclusion_proof(&tree, index, size).unwrap());
            let leaf = leaf_hash(&entry(index).unwrap());
            assert_eq!(verify_inclusion(leaf, index, size, root, &proof), Ok(()));
            let entries = tiles.entries(index >> 8).unwrap();
            assert_eq!(
                entries[(index & 255) as usize],
                entry(index).unwrap().as_ref()
            );
        }
        assert_eq!(tiles.hashes(0, size), Err(TileError::OutOfRange));
    }
}

#[test]
fn one_flipped_byte_of_a_full_level_0_tile_at_size_10_000_is_refused() {
    let (tree, files) = log(&[10_000]);
    let root = tree.root_at(10_000).unwrap();
    for (tile, byte) in [(0u64, 0usize), (0, 8191), (17, 4000), (38, 33)] {
        let mut forged = files.clone();
        let id = TileId::new(0, tile, 256).unwrap();
        forged.0.get_mut(&id.path()).unwrap()[byte] ^= 1;
        let tiles = AuthenticTiles::open(&forged, 10_000, root).unwrap();
        assert_eq!(tiles.hashes(0, tile), Err(TileError::NotInTree));
        assert_eq!(tiles.entries(tile), Err(TileError::NotInTree));
        for index in tile * 256..(tile + 1) * 256 {
            assert_eq!(tiles.node(0, index), None);
        }
        assert_eq!(tiles.hashes(0, 20).map(|hashes| hashes.len()), Ok(256));
    }
}

#[test]
fn a_flipped_byte_anywhere_else_is_refused_too() {
    let (tree, files) = log(&[10_000]);
    let root = tree.root_at(10_000).unwrap();
    for path in ["tile/0/039.p/16", "tile/1/000.p/39"] {
        for byte in 0..16 * 32 {
            let mut forged = files.clone();
            forged.0.get_mut(path).unwrap()[byte] ^= 0x80;
            assert!(
                AuthenticTiles::open(&forged, 10_000, root).is_err(),
                "{path} {byte}"
            );
        }
    }
    let mut forged = files.clone();
    forged.0.get_mut("tile/entries/005").unwrap()[5] ^= 1;
    let tiles = AuthenticTiles::open(&forged, 10_000, root).unwrap();
    assert_eq!(tiles.entries(5), Err(TileError::NotInTree));
    let mut forged = files;
    forged.0.get_mut("tile/0/039.p/16").unwrap().push(0);
    assert_eq!(
        AuthenticTiles::open(&forged, 10_000, root).err(),
        Some(TileError::WrongLength)
    );
    assert_eq!(
        AuthenticTiles::open(&forged, 9_999, root).err(),
        Some(TileError::Missing)
    );
}

#[test]
fn a_full_upper_tile_is_checked_as_well() {
    let (tree, mut files) = log(&[66_000]);
    files.0.get_mut("tile/1/000").unwrap()[100] ^= 1;
    let tiles = AuthenticTiles::open(&files, 66_000, tree.root_at(66_000).unwrap()).unwrap();
    assert_eq!(tiles.hashes(0, 200), Err(TileError::NotInTree));
    assert_eq!(tiles.hashes(0, 257).map(|hashes| hashes.len()), Ok(208));
}

#[test]
fn a_log_grown_in_steps_has_every_file_of_its_last_size() {
    let (_, stepped) = log(&[3, 200, 256, 300, 1000]);
    let (_, whole) = log(&[1000]);
    for (path, bytes) in &whole.0 {
        assert_eq!(stepped.0.get(path), Some(bytes), "{path}");
    }
}

#[test]
fn bundles_are_read_only_when_exact() {
    let bundle = entry_bundle(&["one", "", "three"]).unwrap();
    assert_eq!(hex::encode(&bundle), "00036f6e65000000057468726565");
    assert_eq!(
        parse_bundle(&bundle, 3).unwrap(),
        [&b"one"[..], b"", b"three"]
    );
    for width in [0, 1, 2, 4] {
        assert_eq!(parse_bundle(&bundle, width), Err(TileError::WrongLength));
    }
    assert_eq!(
        entry_bundle(&[vec![0; ENTRY_LEN_MAX + 1]]),
        Err(TileError::EntryTooLong)
    );
    assert_eq!(entry_bundle(&[[0u8; 1]; 257]), Err(TileError::WrongLength));
    assert_eq!(entry_bundle::<Vec<u8>>(&[]), Err(TileError::WrongLength));
}

proptest! {
    #[test]
    fn a_bundle_that_reads_is_the_one_written(bytes in prop::collection::vec(0u8..3, 0..40), width in 1u16..8) {
        if let Ok(entries) = parse_bundle(&bytes, width) {
            prop_assert_eq!(entry_bundle(&entries).unwrap(), bytes);
        }
    }

    #[test]
    fn tile_positions_never_panic(level: u8, index: u64, width: u16, size: u64) {
        let _ = tile_path(level, index, width);
        let _ = tiles_between(size, size.saturating_add(300)).count();
        let none = Files(BTreeMap::new());
        prop_assert!(AuthenticTiles::open(&none, size, Hash([7; 32])).is_err());
    }
}
