//! The patterns of plain English that a tool can find.
//!
//! Phrases are looked for in the comments, texts and function names of every Rust file, in scripts
//! and in documents: each hit is one to mend. Other patterns of names and docs are looked at in
//! production code; some of those hits are false, so their numbers are kept in [`known`].

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::items::functions;
use super::lexer::{Kind, Token};
use super::source::{Source, find_files, read, relative};

mod docs;
mod known;
mod texts;

/// A phrase that is not wanted: words in sequence, and what makes it right after all.
struct Phrase {
    words: &'static [&'static str],
    /// Not when this word stands before it.
    but_after: &'static [&'static str],
    /// Not when this word follows.
    but_before: &'static [&'static str],
}

const fn phrase(words: &'static [&'static str]) -> Phrase {
    Phrase {
        words,
        but_after: &[],
        but_before: &[],
    }
}

/// One pattern with its phrases.
struct Pattern {
    name: &'static str,
    phrases: &'static [Phrase],
}

const NO_MORE: &[&str] = &[
    // "" is the end of a sentence: no harm in "the answer is no".
    "", "longer", "more", "less", "fewer", "later", "sooner", "doubt",
];

const PATTERNS: [Pattern; 7] = [
    Pattern {
        name: "the own, an own",
        phrases: &[phrase(&["the", "own"]), phrase(&["an", "own"])],
    },
    Pattern {
        name: "whoever, nobody, somebody, anybody, everybody",
        phrases: &[
            phrase(&["whoever"]),
            phrase(&["nobody"]),
            phrase(&["nobody's"]),
            phrase(&["somebody"]),
            phrase(&["somebody's"]),
            phrase(&["anybody"]),
            phrase(&["anybody's"]),
            phrase(&["everybody"]),
            phrase(&["everybody's"]),
        ],
    },
    Pattern {
        name: "he, his, him",
        phrases: &[phrase(&["he"]), phrase(&["his"]), phrase(&["him"])],
    },
    Pattern {
        name: "anew, for ever, meanwhile",
        phrases: &[
            phrase(&["anew"]),
            phrase(&["for", "ever"]),
            phrase(&["meanwhile"]),
        ],
    },
    Pattern {
        name: "is no X",
        phrases: &[
            Phrase {
                words: &["is", "no"],
                but_after: &["there"],
                but_before: NO_MORE,
            },
            Phrase {
                words: &["are", "no"],
                but_after: &["there"],
                but_before: NO_MORE,
            },
        ],
    },
    Pattern {
        name: "one a X, at most so long",
        phrases: &[
            Phrase {
                words: &["one", "a"],
                but_after: &["missing"],
                but_before: &[],
            },
            phrase(&["one", "an"]),
            phrase(&["at", "most", "so"]),
        ],
    },
    Pattern {
        name: "metaphors: bury, homecoming, tend, live or die",
        phrases: &[
            phrase(&["bury"]),
            phrase(&["buries"]),
            phrase(&["buried"]),
            phrase(&["homecoming"]),
            phrase(&["tend"]),
            phrase(&["tends"]),
            phrase(&["live", "or", "die"]),
        ],
    },
];

/// Functions whose names stay as they are: a case of the simulator is called by its function's
/// name, and replayed by it.
const KEPT_NAMES: [&str; 1] = ["spends_are_dated_anew"];

const RELATIVE: &str = "docs that begin with What, Whose, Who, Where";
const SHORT: &str = "docs of one or two words";
const REPEATED: &str = "docs that repeat the name";
const SPOKEN: &str = "functions named by a verb of speech or a participle";
const REFUSING: &str = "types with an own word for no";
const SHARED: &str = "type names of several crates";
const UNTYPED: &str = "meaning in a comment instead of a type";

const SPOKEN_NAMES: [&str; 12] = [
    "answered",
    "asked",
    "said",
    "tell",
    "told",
    "heard",
    "moved",
    "over",
    "end",
    "stands",
    "walked",
    "homecoming",
];

/// Refusal, fault and error are the three words; `Problem` is RFC 9457's.
const REFUSING_NAMES: [&str; 9] = [
    "Denied", "Stop", "Refused", "Blocked", "Failure", "Fatal", "Unstored", "Broken", "Ignored",
];

/// Code that hides a unit or an id, as words.
const UNTYPED_CODE: [&[&str]; 4] = [
    &[".", "0", "*", "1000"],
    &["first_half"],
    &["[", "u8", ";", "16", "]"],
    &["core", ":", "String"],
];

/// Where each pattern was found.
#[derive(Default)]
pub struct Hits(BTreeMap<&'static str, Vec<String>>);

impl Hits {
    fn add(&mut self, pattern: &'static str, path: &Path, line: usize, what: &str) {
        let place = format!("{}:{line}: {what}", path.display());
        self.0.entry(pattern).or_default().push(place);
    }

    /// Places of the phrases, which are never right.
    pub fn phrases(&self) -> Vec<String> {
        let found = PATTERNS.iter().filter_map(|pattern| {
            let places = self.0.get(pattern.name)?;
            Some(
                places
                    .iter()
                    .map(move |place| format!("{place} ({})", pattern.name)),
            )
        });
        found.flatten().collect()
    }

    /// One line per other pattern whose number of places is not the known one.
    pub fn changes(&self) -> Vec<String> {
        known::changes(self)
    }

    /// Pattern and places, by name; patterns without a hit are there too.
    pub fn rows(&self) -> Vec<(&'static str, &[String])> {
        let names = PATTERNS.iter().map(|pattern| pattern.name);
        let others = [RELATIVE, SHORT, REPEATED, SPOKEN, REFUSING, SHARED, UNTYPED];
        names
            .chain(others)
            .map(|name| (name, self.0.get(name).map_or(&[][..], Vec::as_slice)))
            .collect()
    }
}

/// A word of running text with its line; "" where a sentence or a comment ends.
type Word = (String, usize);

/// Phrases in `all` files, docs and names in those of `production`, phrases in documents and
/// scripts.
pub fn find(root: &Path, production: &[Source], all: &[Source]) -> anyhow::Result<Hits> {
    let mut hits = Hits::default();
    for source in all {
        phrases(&mut hits, &source.path, &comment_words(&source.tokens));
        phrases(&mut hits, &source.path, &function_words(&source.tokens));

        // This tool's own texts are the phrases that it looks for.
        let is_own = source.path.starts_with("xtask/src/prose");
        if !is_own && source.path != Path::new("xtask/src/prose.rs") {
            phrases(&mut hits, &source.path, &texts::words(&source.tokens));
        }
    }

    for source in production {
        docs::judge(&mut hits, source);
        names(&mut hits, source);
    }
    shared_types(&mut hits, production);

    for path in documents(root)? {
        let words = markdown_words(&read(&path)?);
        phrases(&mut hits, &relative(root, &path), &words);
    }
    Ok(hits)
}

/// Pages, scripts and the configuration of tools.
fn documents(root: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for (folder, ending) in [
        ("docs", "md"),
        ("scripts", "sh"),
        ("testkit/formats-py", "py"),
    ] {
        if root.join(folder).is_dir() {
            find_files(&root.join(folder), ending, &mut found)?;
        }
    }
    let names = [
        "README.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "x",
        "clippy.toml",
        "deny.toml",
        "testkit/fuzz/README.md",
    ];
    let top = names.iter().map(|name| root.join(name));
    found.extend(top.filter(|path| path.is_file()));
    Ok(found)
}

fn phrases(hits: &mut Hits, path: &Path, words: &[Word]) {
    for pattern in &PATTERNS {
        for phrase in pattern.phrases {
            for (at, (_, line)) in words.iter().enumerate() {
                if phrase.is_at(words, at) {
                    hits.add(pattern.name, path, *line, &around(words, at));
                }
            }
        }
    }
}

impl Phrase {
    fn is_at(&self, words: &[Word], at: usize) -> bool {
        let word = |index: usize| words.get(index).map_or("", |(word, _)| word.as_str());
        let here = self
            .words
            .iter()
            .enumerate()
            .all(|(offset, wanted)| word(at + offset) == *wanted);
        let before = at.checked_sub(1).map_or("", word);
        let after = word(at + self.words.len());
        here && !self.but_after.contains(&before) && !self.but_before.contains(&after)
    }
}

/// A few words on both sides.
fn around(words: &[Word], at: usize) -> String {
    let part = words.get(at.saturating_sub(3)..(at + 5).min(words.len()));
    let texts = part
        .unwrap_or_default()
        .iter()
        .map(|(word, _)| word.as_str());
    texts
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// The running text of all comments and docs.
fn comment_words(tokens: &[Token]) -> Vec<Word> {
    let mut words = Vec::new();
    let mut last_line = 0;

    // Comments on consecutive lines are one text: a phrase may go over a line's end.
    for token in tokens.iter().filter(|token| !token.is_code()) {
        if token.line > last_line + 1 {
            words.push((String::new(), token.line));
        }

        for (offset, text) in token.text.lines().enumerate() {
            split(text, token.line + offset, &mut words);
        }
        last_line = token.end_line;
    }
    words
}

/// The words of each function's name, as a sentence of its own: names of tests are read as such.
fn function_words(tokens: &[Token]) -> Vec<Word> {
    let mut words = Vec::new();
    for function in functions(tokens) {
        if KEPT_NAMES.contains(&function.name.as_str()) {
            continue;
        }

        words.push((String::new(), function.line));
        for word in function.name.split('_').filter(|word| !word.is_empty()) {
            words.push((word.to_lowercase(), function.line));
        }
    }

    // The end of the last name: what follows `no` there is nothing.
    words.push((String::new(), 0));
    words
}

/// The running text of a document without its code blocks.
fn markdown_words(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut in_code = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
            continue;
        }

        // An empty line ends a paragraph, so no phrase goes over it.
        if line.trim().is_empty() {
            words.push((String::new(), index + 1));
        }
        if !in_code {
            split(line, index + 1, &mut words);
        }
    }
    words
}

/// Adds the words of a line in lower case. Code between backticks is one word of its own.
fn split(text: &str, line: usize, words: &mut Vec<Word>) {
    for (index, part) in text.split('`').enumerate() {
        if index % 2 == 1 {
            words.push(("`".to_owned(), line));
            continue;
        }

        // The space at the end closes the last word.
        let mut word = String::new();
        for c in part.chars().chain([' ']) {
            // A name such as `of_this` is one word.
            if c.is_alphanumeric() || matches!(c, '\'' | '-' | '_') && !word.is_empty() {
                word.extend(c.to_lowercase());
                continue;
            }
            if !word.is_empty() {
                words.push((std::mem::take(&mut word), line));
            }

            // What ends a sentence or a cell ends every phrase.
            if matches!(c, '.' | ';' | ':' | '!' | '?' | '|' | '(' | ')') {
                words.push((String::new(), line));
            }
        }
    }
}

/// Names of functions and types, and code that wants a type.
fn names(hits: &mut Hits, source: &Source) {
    let code: Vec<&Token> = source.tokens.iter().filter(|t| t.is_code()).collect();
    for (keyword, name) in code.iter().zip(code.iter().skip(1)) {
        if keyword.is("fn") && SPOKEN_NAMES.contains(&name.text.as_str()) {
            hits.add(SPOKEN, &source.path, name.line, &name.text);
        }
        if is_type_keyword(keyword) && REFUSING_NAMES.contains(&name.text.as_str()) {
            hits.add(REFUSING, &source.path, name.line, &name.text);
        }
    }
    for at in 0..code.len() {
        for wanted in UNTYPED_CODE {
            let here = code.get(at..at + wanted.len()).unwrap_or_default();
            let matches = here.len() == wanted.len()
                && wanted
                    .iter()
                    .zip(here)
                    .all(|(text, token)| token.text == **text);
            if matches {
                let line = here.first().map_or(0, |token| token.line);
                hits.add(UNTYPED, &source.path, line, &wanted.join(" "));
            }
        }
    }
}

fn is_type_keyword(token: &Token) -> bool {
    ["struct", "enum", "trait", "type", "union"]
        .iter()
        .any(|word| token.is(word))
}

/// Types with one name in several crates. Associated types of traits are not definitions.
fn shared_types(hits: &mut Hits, sources: &[Source]) {
    let mut places: BTreeMap<&str, Vec<(&Source, usize)>> = BTreeMap::new();
    for source in sources {
        let code: Vec<&Token> = source.tokens.iter().filter(|t| t.is_code()).collect();
        for (keyword, name) in code.iter().zip(code.iter().skip(1)) {
            let defines = ["struct", "enum", "trait"]
                .iter()
                .any(|word| keyword.is(word));

            if defines && name.kind == Kind::Ident {
                places
                    .entry(&name.text)
                    .or_default()
                    .push((source, name.line));
            }
        }
    }
    for (name, places) in places {
        let crates: std::collections::BTreeSet<&str> = places
            .iter()
            .map(|(source, _)| source.krate.as_str())
            .collect();

        if crates.len() > 1
            && let Some((source, line)) = places.first()
        {
            let list = crates.into_iter().collect::<Vec<_>>().join(", ");
            hits.add(SHARED, &source.path, *line, &format!("{name}: {list}"));
        }
    }
}

#[cfg(test)]
mod tests;
