//! The state's Merkle root against its definition.

use proptest::prelude::*;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use strongroom_journal::keyspace::Key;
use strongroom_journal::root::Root;
use strongroom_journal::state::{Delta, State};
use strongroom_types::{Digest, digest};
use strongroom_world::small::genesis;

type Path = [u8; 32];

/// The definition, recursively over the sorted list of (path, leaf hash): shares nothing with the
/// trie.
fn naive(map: &BTreeMap<Key, Vec<u8>>) -> Digest {
    let path = |bytes: &[u8]| -> Path { Sha256::digest(bytes).into() };
    let mut leaves: Vec<(Path, Digest)> = map
        .iter()
        .map(|(key, value)| {
            (
                path(key),
                digest("strongroom/state-leaf/v1", &[&path(key), &path(value)]),
            )
        })
        .collect();
    leaves.sort();
    if leaves.is_empty() {
        digest("strongroom/state-empty/v1", &[])
    } else {
        below(&leaves, 0)
    }
}

fn below(leaves: &[(Path, Digest)], bit: usize) -> Digest {
    if let [(_, only)] = leaves {
        return *only;
    }
    let split = leaves.partition_point(|(path, _)| path[bit / 8] >> (7 - bit % 8) & 1 == 0);
    if split == 0 || split == leaves.len() {
        return below(leaves, bit + 1);
    }
    let (left, right) = leaves.split_at(split);
    let (left, right) = (below(left, bit + 1), below(right, bit + 1));
    digest(
        "strongroom/state-branch/v1",
        &[&[u8::try_from(bit).unwrap()], &left.0, &right.0],
    )
}

fn update(root: &mut Root, delta: &Delta) {
    delta
        .changes
        .iter()
        .for_each(|(key, value)| root.set(key, value.as_deref()));
}

fn delta(changes: &[(Key, Option<Vec<u8>>)]) -> Delta {
    Delta {
        changes: changes.iter().cloned().collect(),
    }
}

fn map(n: u32) -> BTreeMap<Key, Vec<u8>> {
    (0..n)
        .map(|i| (i.to_be_bytes().to_vec(), vec![7; (i % 50) as usize]))
        .collect()
}

/// Both values come from twenty lines of Python.
#[test]
fn root_bytes_do_not_change() {
    assert_eq!(
        Root::default().digest().to_string(),
        "932490b3173efbfdbc000894212599d36c2e1db380628f0989986a6d4b7e456e"
    );
    let map: BTreeMap<Key, Vec<u8>> = [
        (b"a".to_vec(), b"1".to_vec()),
        (b"b".to_vec(), b"2".to_vec()),
        (b"c".to_vec(), Vec::new()),
    ]
    .into();
    assert_eq!(
        Root::of(&map).digest().to_string(),
        "8b5727e80decd21a179c80971ad3feee34ff388e0ae4bd3a1601189b9d8cdb5f"
    );
}

#[test]
fn root_equals_the_recursive_definition_at_every_size() {
    for n in [0, 1, 2, 3, 17, 300] {
        assert_eq!(Root::of(&map(n)).digest(), naive(&map(n)), "{n} keys");
    }
}

#[test]
fn a_changed_a_moved_and_a_missing_value_each_change_the_root() {
    let start: BTreeMap<Key, Vec<u8>> = [(vec![1], vec![10]), (vec![2], vec![20])].into();
    let moved: BTreeMap<Key, Vec<u8>> = [(vec![1], vec![20]), (vec![2], vec![10])].into();
    let fewer: BTreeMap<Key, Vec<u8>> = [(vec![1], vec![10])].into();
    let empty_value: BTreeMap<Key, Vec<u8>> = [(vec![1], vec![10]), (vec![2], vec![])].into();
    let roots = [&start, &moved, &fewer, &empty_value].map(|map| Root::of(map).digest());
    assert_eq!(
        roots
            .iter()
            .collect::<std::collections::BTreeSet<_>>()
            .len(),
        4
    );
}

#[test]
fn removing_what_is_not_there_changes_nothing() {
    let mut root = Root::of(&map(9));
    let before = root.digest();
    update(&mut root, &delta(&[(b"never".to_vec(), None)]));
    assert_eq!(root.digest(), before);
    let mut empty = Root::default();
    update(&mut empty, &delta(&[(b"never".to_vec(), None)]));
    assert_eq!(empty.digest(), Root::default().digest());
}

proptest! {
    #[test]
    fn any_history_of_changes_gives_the_root_of_the_map_it_leads_to(
        steps in prop::collection::vec(
            prop::collection::vec((0u8..40, prop::option::of(prop::collection::vec(any::<u8>(), 0..4))), 0..5),
            0..40,
        )
    ) {
        let (mut map, mut root) = (BTreeMap::new(), Root::default());
        for step in steps {
            let step = delta(&step.into_iter().map(|(key, value)| (vec![key], value)).collect::<Vec<_>>());
            for (key, value) in &step.changes {
                match value {
                    Some(value) => map.insert(key.clone(), value.clone()),
                    None => map.remove(key),
                };
            }
            update(&mut root, &step);
            prop_assert_eq!(root.digest(), naive(&map));
        }
        prop_assert_eq!(Root::of(&map).digest(), root.digest());
    }

    #[test]
    fn a_state_has_the_root_of_its_map_however_often_it_is_asked(
        steps in prop::collection::vec((0u8..20, prop::option::of(0u8..3), any::<bool>()), 0..60)
    ) {
        let mut state = State::new(genesis());
        for (key, value, ask) in steps {
            let undo = state.commit(&delta(&[(vec![key], value.map(|value| vec![value]))]));
            if ask {
                prop_assert_eq!(state.root(), naive(state.map()));
                prop_assert_eq!(state.clone().root(), state.root());
            }
            if key == 7 {
                state.commit(&undo);
            }
        }
        prop_assert_eq!(state.root(), naive(state.map()));
    }

    #[test]
    fn undoing_a_change_gives_the_former_root(
        keys in prop::collection::btree_set(0u16..200, 1..60),
        changed in prop::collection::btree_set(0u16..200, 1..60),
    ) {
        let map: BTreeMap<Key, Vec<u8>> = keys.iter().map(|k| (k.to_be_bytes().to_vec(), vec![1])).collect();
        let mut root = Root::of(&map);
        let before = root.digest();
        let key = |k: &u16| k.to_be_bytes().to_vec();
        update(&mut root, &delta(&changed.iter().map(|k| (key(k), (k % 2 == 0).then(|| vec![2]))).collect::<Vec<_>>()));
        update(&mut root, &delta(&changed.iter().map(|k| (key(k), map.get(&key(k)).cloned())).collect::<Vec<_>>()));
        prop_assert_eq!(root.digest(), before);
    }
}
