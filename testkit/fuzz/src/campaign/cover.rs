//! Choosing a small corpus: the fewest inputs that cover the most.

use std::collections::BTreeSet;

/// Longest input of a committed corpus, bytes.
pub const INPUT_BYTES_MAX: usize = 4 * 1024;
/// Most inputs of one target's committed corpus.
pub const INPUTS_MAX: usize = 24;
/// Largest committed corpus of one target, bytes.
pub const TARGET_BYTES_MAX: usize = 20 * 1024;

/// An input that may be kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Candidate {
    /// The input.
    pub bytes: Vec<u8>,
    /// Numbers of the features that it covers.
    pub features: BTreeSet<u32>,
    /// Whether the decoder accepts it.
    pub accepted: bool,
}

/// The inputs to keep: an accepted one first, then always the one that adds most features, the
/// shorter of two. An input that adds none is left out, and so is one that the bounds have no room
/// for.
#[must_use]
pub fn choose(mut from: Vec<Candidate>) -> Vec<Vec<u8>> {
    let mut covered: BTreeSet<u32> = BTreeSet::new();
    let (mut chosen, mut bytes) = (Vec::new(), 0);
    while chosen.len() < INPUTS_MAX {
        let left = TARGET_BYTES_MAX.saturating_sub(bytes);
        from.retain(|one| one.bytes.len() <= left.min(INPUT_BYTES_MAX));

        // A corpus of refused inputs alone would show nothing of what a decoder accepts.
        let needs_accepted = chosen.is_empty() && from.iter().any(|one| one.accepted);
        let best = from
            .iter()
            .enumerate()
            .filter(|(_, one)| one.accepted || !needs_accepted)
            .map(|(at, one)| (one.features.difference(&covered).count(), at))
            .filter(|(adds, _)| *adds > 0)
            .max_by_key(|(adds, at)| {
                let length = from.get(*at).map_or(0, |one| one.bytes.len());
                (*adds, std::cmp::Reverse(length))
            });
        let Some((_, at)) = best else {
            break;
        };
        let taken = from.swap_remove(at);
        covered.extend(taken.features);
        bytes += taken.bytes.len();
        chosen.push(taken.bytes);
    }
    chosen
}

/// Files of a merge with their features, from the control file that libFuzzer keeps: two counts, a
/// name per line, then `FT NUMBER FEATURE…` for each file that was run to its end.
#[must_use]
pub fn read_control(text: &str) -> Vec<(String, BTreeSet<u32>)> {
    let mut lines = text.lines();
    let count: usize = lines.next().and_then(|n| n.parse().ok()).unwrap_or(0);
    let names: Vec<&str> = lines.by_ref().skip(1).take(count).collect();

    let mut found = Vec::new();
    for line in lines {
        let mut words = line.split_whitespace();
        if words.next() != Some("FT") {
            continue;
        }
        let number = words.next().and_then(|number| number.parse().ok());
        let name = number.and_then(|number: usize| names.get(number));
        if let Some(name) = name {
            let features = words.filter_map(|feature| feature.parse().ok()).collect();
            found.push(((*name).to_owned(), features));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(bytes: &[u8], features: &[u32], accepted: bool) -> Candidate {
        Candidate {
            bytes: bytes.to_vec(),
            features: features.iter().copied().collect(),
            accepted,
        }
    }

    #[test]
    fn the_accepted_come_first_then_what_adds_most_and_the_shorter_of_two() {
        let from = vec![
            candidate(b"long refused", &[1, 2, 3, 4], false),
            candidate(b"refused", &[1, 2, 3, 4], false),
            candidate(b"ok", &[1, 9], true),
            candidate(b"nothing new", &[2, 3], false),
        ];
        assert_eq!(choose(from), [b"ok".to_vec(), b"refused".to_vec()]);
    }

    #[test]
    fn no_corpus_is_larger_than_its_bounds() {
        let many = (0..500).map(|n| candidate(&[n as u8; 1000], &[n], true));
        let kept = choose(many.collect());
        assert_eq!(kept.len(), TARGET_BYTES_MAX / 1000);
        let small = (0..500).map(|n| candidate(&[n as u8; 3], &[n], false));
        assert_eq!(choose(small.collect()).len(), INPUTS_MAX);
        let long = candidate(&[0; INPUT_BYTES_MAX + 1], &[1], true);
        assert_eq!(choose(vec![long]), Vec::<Vec<u8>>::new());
    }

    #[test]
    fn the_control_file_of_a_merge_is_read() {
        let text = "3\n0\nc/one\nc/two\nc/crashed\nSTARTED 0 5\nFT 0 312 320\nCOV 0 39 40\n\
                    STARTED 1 5\nFT 1 312 624\nCOV 1 78\nSTARTED 2 9\n";
        let read = read_control(text);
        let wanted = [
            ("c/one".to_owned(), BTreeSet::from([312, 320])),
            ("c/two".to_owned(), BTreeSet::from([312, 624])),
        ];
        assert_eq!(read, wanted);
        assert_eq!(read_control(""), []);
    }
}
