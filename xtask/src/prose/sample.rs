//! Random comments beside their code, to be read: whether a comment says why cannot be computed.

use super::lexer::Kind;
use super::source::Source;

/// Code lines shown below a comment.
const CODE_LINES: usize = 4;

/// `count` inline comments, the same ones for the same sources and seed.
pub fn sample(sources: &[Source], count: usize, seed: u64) -> Vec<String> {
    let mut all: Vec<(&Source, usize, usize)> = sources
        .iter()
        .flat_map(|source| {
            comments(source)
                .into_iter()
                .map(move |(a, b)| (source, a, b))
        })
        .collect();

    // The first steps of a Fisher–Yates shuffle.
    let mut random = SplitMix(seed);
    let chosen = count.min(all.len());
    for at in 0..chosen {
        let other = at + random.below(all.len() - at);
        all.swap(at, other);
    }
    let chosen = all.iter().take(chosen);
    chosen
        .map(|(source, first, last)| show(source, *first, *last))
        .collect()
}

/// First and last line of each comment; comments on consecutive lines are one.
fn comments(source: &Source) -> Vec<(usize, usize)> {
    let lines = source.lines_with(|token| token.kind == Kind::Comment);
    let mut found: Vec<(usize, usize)> = Vec::new();
    for line in lines {
        match found.last_mut() {
            Some((_, last)) if *last + 1 == line => *last = line,
            _ => found.push((line, line)),
        }
    }
    found
}

fn show(source: &Source, first: usize, last: usize) -> String {
    let mut text = format!("{}:{first}\n", source.path.display());
    for line in first..=last.saturating_add(CODE_LINES) {
        if let Some(content) = source.lines.get(line.saturating_sub(1)) {
            text.push_str(&format!("    {content}\n"));
        }
    }
    text
}

/// Vigna's splitmix64: good enough to draw comments, and ten lines.
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Below `bound`; the bias of a remainder does not matter here.
    fn below(&mut self, bound: usize) -> usize {
        let bound = bound.max(1) as u64;
        usize::try_from(self.next() % bound).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn source() -> Source {
        let text: String = (0..100)
            .map(|n| format!("// comment {n}\n// goes on\nfn f{n}() {{}}\n"))
            .collect();
        Source::new("demo", Path::new("demo.rs"), &text)
    }

    #[test]
    fn the_same_seed_draws_the_same_comments() {
        let sources = [source()];
        let first = sample(&sources, 40, 7);
        assert_eq!(first.len(), 40);
        assert_eq!(first, sample(&sources, 40, 7));
        assert_ne!(first, sample(&sources, 40, 8));
    }

    #[test]
    fn no_comment_is_drawn_twice_and_fewer_are_all_of_them() {
        let sources = [source()];
        let all: std::collections::BTreeSet<_> = sample(&sources, 1000, 1).into_iter().collect();
        assert_eq!(all.len(), 100, "two lines are one comment");
        assert!(sample(&[], 40, 1).is_empty());
    }

    #[test]
    fn the_code_below_is_shown() {
        let text = "fn a() {\n    // why\n    b();\n}\n";
        let source = Source::new("demo", Path::new("demo.rs"), text);
        assert_eq!(
            sample(&[source], 1, 1),
            ["demo.rs:2\n        // why\n        b();\n    }\n"]
        );
    }
}
