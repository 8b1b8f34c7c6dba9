//! Reproduction, byte for byte, of the test log that Tessera publishes.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::{borrow::Cow, collections::BTreeSet, fs, path::Path};

use strongroom_tlog::{
    Checkpoint, Frontier, MemoryTree, NoteSigner, NoteVerifier, leaf_hash, sign_note,
    tile::{AuthenticTiles, TileId, TileSource, files_between},
    verify_note,
};

const ORIGIN: &str = "example.com/log/testdata";
const SIGNER: &str =
    "PRIVATE+KEY+example.com/log/testdata+33d7b496+AeymY/SZAX0jZcJ8enZ5FY1Dz+wTML2yWSkK+9DSF3eg";
const VERIFIER: &str =
    "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx";
const LEAVES: [&str; 15] = [
    "one", "two", "three", "four", "five", "six", "seven", "eit", "nain", "ten", "ileven", "twelf",
    "threeten", "fourten", "fivten",
];

struct Published;

impl Published {
    fn dir() -> &'static Path {
        Path::new(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/vectors/tessera-testdata-log"
        ))
    }

    fn paths(dir: &Path, found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                Self::paths(&path, found);
            } else {
                found.insert(
                    path.strip_prefix(Self::dir())
                        .unwrap()
                        .to_str()
                        .unwrap()
                        .to_owned(),
                );
            }
        }
    }
}

impl TileSource for Published {
    fn hash_tile(&self, id: TileId) -> Option<Vec<u8>> {
        fs::read(Self::dir().join(id.path())).ok()
    }
    fn entry_bundle(&self, id: TileId) -> Option<Vec<u8>> {
        fs::read(Self::dir().join(id.bundle_path())).ok()
    }
}

#[test]
fn every_checkpoint_tile_and_bundle_of_the_tessera_test_log_is_reproduced() {
    let signer = NoteSigner::parse(SIGNER).unwrap();
    let (mut tree, mut frontier) = (MemoryTree::new(), Frontier::new());
    let mut written = BTreeSet::new();
    let entry = |i: u64| {
        LEAVES
            .get(i as usize)
            .map(|leaf| Cow::Borrowed(leaf.as_bytes()))
    };
    for size in 0..=15u64 {
        if let Some(last) = size.checked_sub(1) {
            let leaf = leaf_hash(LEAVES[last as usize].as_bytes());
            tree.append(leaf);
            frontier.append(leaf);
            for file in files_between(&tree, entry, last, size).unwrap() {
                assert_eq!(
                    fs::read(Published::dir().join(&file.path)).unwrap(),
                    file.bytes,
                    "{}",
                    file.path
                );
                written.insert(file.path);
            }
        }
        assert_eq!(tree.root_at(size), Some(frontier.root()));
        let body = Checkpoint::new(ORIGIN, size, frontier.root())
            .unwrap()
            .to_body();
        let note = sign_note(&body, &signer).unwrap();
        let path = format!("checkpoint.{size}");
        assert_eq!(
            fs::read_to_string(Published::dir().join(&path)).unwrap(),
            note
        );
        written.insert(path);
        if size == 15 {
            assert_eq!(
                fs::read_to_string(Published::dir().join("checkpoint")).unwrap(),
                note
            );
            written.insert("checkpoint".to_owned());
        }
    }
    let mut published = BTreeSet::new();
    Published::paths(Published::dir(), &mut published);
    assert_eq!(written, published, "no published file is left out");
}

#[test]
fn the_tessera_test_log_is_read_and_authenticated_at_every_size() {
    let verifier = [NoteVerifier::parse(VERIFIER).unwrap()];
    for size in 0..=15u64 {
        let note = fs::read_to_string(Published::dir().join(format!("checkpoint.{size}"))).unwrap();
        let checkpoint = Checkpoint::parse(&verify_note(&note, &verifier).unwrap().body).unwrap();
        assert_eq!((checkpoint.origin(), checkpoint.size()), (ORIGIN, size));
        let tiles = AuthenticTiles::open(&Published, size, checkpoint.root()).unwrap();
        if size > 0 {
            let expected: Vec<&[u8]> = LEAVES[..size as usize]
                .iter()
                .map(|leaf| leaf.as_bytes())
                .collect();
            assert_eq!(tiles.entries(0).unwrap(), expected);
        }
    }
}
