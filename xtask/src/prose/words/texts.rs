//! The running text of string literals: error texts, help, what a log or a test says.

use super::super::lexer::{Kind, Token};
use super::{Word, split};

/// The words of all string literals, each a text of its own.
pub(super) fn words(tokens: &[Token]) -> Vec<Word> {
    let mut words = Vec::new();
    let strings = tokens.iter().filter(|token| token.kind == Kind::Literal);
    for (text, line) in strings.filter_map(|token| Some((inner(&token.text)?, token.line))) {
        words.push((String::new(), line));
        for (offset, part) in plain(text).lines().enumerate() {
            split(part, line + offset, &mut words);
        }
    }
    words
}

/// What is between the quotes of a string. Numbers, characters, bytes and single words (names,
/// paths) are not text.
fn inner(literal: &str) -> Option<&str> {
    let quoted = literal.trim_start_matches(['r', 'c']).trim_matches('#');
    let text = quoted.strip_prefix('"')?.strip_suffix('"')?;
    text.contains(char::is_whitespace).then_some(text)
}

/// Escapes as what they stand for, and `{…}` of a format as code between backticks.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n' | 't' | 'r' | '0') => plain.push(' '),
                // A quote or backslash; a line that goes on keeps its end, which counts lines.
                Some(escaped) => plain.push(escaped),
                None => {}
            },
            '{' | '}' => plain.push('`'),
            _ => plain.push(c),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::super::super::lexer::lex;

    fn words(source: &str) -> Vec<(String, usize)> {
        super::words(&lex(source))
            .into_iter()
            .filter(|(word, _)| !word.is_empty())
            .collect()
    }

    fn texts(source: &str) -> Vec<String> {
        words(source).into_iter().map(|(word, _)| word).collect()
    }

    #[test]
    fn texts_of_strings_are_read_and_other_literals_are_not() {
        assert_eq!(
            texts("f(\"Is no key\", 7, 'x', b\"raw\") // note"),
            ["is", "no", "key"]
        );
        assert_eq!(texts("r#\"a \"b\"\"#"), ["a", "b"]);
    }

    #[test]
    fn a_single_word_is_a_name() {
        assert_eq!(texts("\"nobody:nogroup\""), [""; 0]);
    }

    #[test]
    fn escapes_and_format_arguments_are_not_words() {
        assert_eq!(texts(r#""a\nis {shown} b""#), ["a", "is", "`", "b"]);
        assert_eq!(texts("\"{path} is no {}\""), ["`", "is", "no", "`"]);
    }

    #[test]
    fn a_text_over_two_lines_is_one_and_has_both() {
        let found = words("\n\"is \\\n    no folder\"");
        let wanted =
            [("is", 2), ("no", 3), ("folder", 3)].map(|(word, line)| (word.to_owned(), line));
        assert_eq!(found, wanted);
    }
}
