//! Targets that are broken on purpose, one per rule: what drives targets must find each of them.

use crate::Target;
use std::hint::black_box;

/// Bytes that a greedy decoder takes for one byte of input: more than any input of libFuzzer pays
/// for.
const GREED: usize = 256 * 1024 * 1024;

/// One target for each way to be wrong. None is in [`crate::all`].
#[must_use]
pub fn all() -> Vec<Target> {
    vec![
        Target {
            name: "broken_panics",
            run: |data| data.get(3).is_none_or(|byte| no_panic(*byte)),
            seeds: |_| vec![vec![0; 8]],
        },
        Target {
            name: "broken_lenient",
            run: lenient,
            seeds: |_| vec![b"{}".to_vec()],
        },
        Target {
            name: "broken_greedy",
            run: |data| {
                let taken = data.first().map(|_| vec![1_u8; GREED]);
                black_box(taken).is_none_or(|bytes| !bytes.is_empty())
            },
            seeds: |_| vec![vec![1]],
        },
        Target {
            name: "broken_endless",
            run: |data| {
                while black_box(data.first()) == Some(&1) {}
                true
            },
            seeds: |_| vec![vec![1]],
        },
        Target {
            name: "broken_deaf",
            run: |data| black_box(data).len() > usize::MAX / 2,
            seeds: |_| vec![vec![1]],
        },
    ]
}

/// Only a byte of zero is expected.
fn no_panic(byte: u8) -> bool {
    assert_eq!(byte, 0, "a byte that was not expected");
    true
}

/// Accepts white space around a text.
fn lenient(data: &[u8]) -> bool {
    let text = String::from_utf8_lossy(data);
    assert_eq!(
        text.trim().as_bytes(),
        data,
        "accepted bytes that are not the encoding of their value"
    );
    true
}
