//! Doc comments that say nothing: relative clauses, one or two words, the name again.

use super::super::lexer::{Kind, Token};
use super::super::source::Source;
use super::{Hits, RELATIVE, REPEATED, SHORT, split};

/// The doc comments of a file, each as a whole.
pub(super) fn judge(hits: &mut Hits, source: &Source) {
    let mut rest = source.tokens.as_slice();
    while let Some(at) = rest.iter().position(|token| token.kind == Kind::Doc) {
        let (_, from) = rest.split_at(at);
        let len = from
            .iter()
            .take_while(|token| token.kind == Kind::Doc)
            .count();
        let (doc, after) = from.split_at(len);
        rest = after;
        let Some(first) = doc.first() else { break };
        let text: Vec<&str> = doc.iter().map(|token| token.text.as_str()).collect();
        judge_doc(
            hits,
            source,
            first.line,
            &text.join(" "),
            &name_after(after),
        );
    }
}

/// The name of the item that follows, as words.
fn name_after(tokens: &[Token]) -> String {
    let keywords = [
        "pub", "fn", "struct", "enum", "const", "static", "type", "trait", "mod", "async",
        "unsafe", "crate", "super", "in",
    ];
    let mut rest = tokens;

    // Attributes stand between a doc and its item.
    while let [hash, open, ..] = rest {
        if !(hash.is("#") && open.is("[")) {
            break;
        }
        let end = rest.iter().position(|token| token.is("]"));
        rest = rest
            .get(end.map_or(rest.len(), |end| end + 1)..)
            .unwrap_or_default();
    }

    let name = rest
        .iter()
        .filter(|token| token.kind == Kind::Ident && !keywords.contains(&token.text.as_str()))
        .map(|token| token.text.as_str())
        .next();
    snake_words(name.unwrap_or_default())
}

/// `SigningShare` and `signing_share` as `signing share`.
fn snake_words(name: &str) -> String {
    let mut words = String::new();
    for c in name.chars() {
        if c == '_' || c.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        if c != '_' {
            words.extend(c.to_lowercase());
        }
    }
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn judge_doc(hits: &mut Hits, source: &Source, line: usize, text: &str, name: &str) {
    let mut words = Vec::new();
    split(text, line, &mut words);
    let words: Vec<&str> = words
        .iter()
        .map(|(word, _)| word.as_str())
        .filter(|word| !word.is_empty())
        .collect();

    if matches!(words.first(), Some(&("what" | "whose" | "who" | "where"))) {
        hits.add(RELATIVE, &source.path, line, text);
    }
    if (1..=2).contains(&words.len()) {
        hits.add(SHORT, &source.path, line, text);
    }

    // "The intent." on `intent` says no more than the name.
    let bare = words
        .iter()
        .filter(|word| !matches!(**word, "the" | "a" | "an" | "its"))
        .copied()
        .collect::<Vec<_>>()
        .join(" ");
    if !bare.is_empty() && bare == name {
        hits.add(REPEATED, &source.path, line, text);
    }
}
