//! Small damage, of the kinds that break decoders: flipped bits, wrong lengths, missing, doubled
//! and foreign parts.

use rand_core::RngCore;

/// Lengths and counts that sit on an edge.
const EDGES: [u32; 8] = [
    0,
    1,
    0x7f,
    0xff,
    0xffff,
    0x7fff_ffff,
    0xffff_fffe,
    0xffff_ffff,
];
/// Bytes that mean something in JSON, notes or borsh.
const TELLING: &[u8] = b"\"\\{}[]:,+\n \0\xff0aA\xc3\xed";

/// A damaged copy of `seed`; `other` lends a part now and then.
pub fn mutate(seed: &[u8], other: &[u8], rng: &mut dyn RngCore) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..1 + below(3, rng) {
        step(&mut bytes, other, rng);
    }
    bytes
}

fn step(bytes: &mut Vec<u8>, other: &[u8], rng: &mut dyn RngCore) {
    let at = below(bytes.len() + 1, rng);
    let end = at + below((bytes.len() - at).min(16) + 1, rng);
    match below(9, rng) {
        0 => flip(bytes, at, rng),
        1 => bytes.truncate(at),
        2 => drop(bytes.drain(at..end)),
        3 => {
            let part: Vec<u8> = bytes.iter().skip(at).take(end - at).copied().collect();
            insert(bytes, at, &part);
        }
        4 => insert(bytes, at, &[pick(TELLING, rng)]),
        5 => overwrite(bytes, at, &[pick(TELLING, rng)]),
        6 => {
            let edge = EDGES
                .get(below(EDGES.len(), rng))
                .copied()
                .unwrap_or_default();
            let order = if rng.next_u32().is_multiple_of(2) {
                edge.to_le_bytes()
            } else {
                edge.to_be_bytes()
            };
            overwrite(bytes, at, &order);
        }
        7 => {
            let from = below(other.len() + 1, rng);
            let part: Vec<u8> = other
                .iter()
                .skip(from)
                .take(below(64, rng))
                .copied()
                .collect();
            insert(bytes, at, &part);
        }
        _ => overwrite(bytes, at, &rng.next_u64().to_le_bytes()),
    }
}

fn below(bound: usize, rng: &mut dyn RngCore) -> usize {
    let bound = u64::try_from(bound.max(1)).unwrap_or(1);
    usize::try_from(rng.next_u64() % bound).unwrap_or_default()
}

fn pick(from: &[u8], rng: &mut dyn RngCore) -> u8 {
    from.get(below(from.len(), rng))
        .copied()
        .unwrap_or_default()
}

fn flip(bytes: &mut [u8], at: usize, rng: &mut dyn RngCore) {
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= 1 << (rng.next_u32() % 8);
    }
}

fn insert(bytes: &mut Vec<u8>, at: usize, part: &[u8]) {
    bytes.splice(at..at, part.iter().copied());
}

fn overwrite(bytes: &mut [u8], at: usize, part: &[u8]) {
    bytes
        .iter_mut()
        .skip(at)
        .zip(part)
        .for_each(|(byte, new)| *byte = *new);
}
