//! Rust source as tokens, comments included: what a measure of prose needs and a parser throws
//! away.

/// What a token is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// `// …` or `/* … */`.
    Comment,
    /// `/// …` or `/** … */`: about what follows.
    Doc,
    /// `//! …` or `/*! … */`: about what it stands in.
    InnerDoc,
    /// Identifier or keyword; raw ones without their `r#`.
    Ident,
    /// String, character or number.
    Literal,
    /// `'a`.
    Lifetime,
    /// One character of punctuation.
    Punct,
}

/// One token.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Token {
    pub kind: Kind,
    /// Comments without their marks, literals with their quotes.
    pub text: String,
    /// First line, from 1.
    pub line: usize,
    /// Last line: comments and strings may have several.
    pub end_line: usize,
}

impl Token {
    /// Whether it is this punctuation or keyword.
    pub fn is(&self, text: &str) -> bool {
        matches!(self.kind, Kind::Punct | Kind::Ident) && self.text == text
    }

    /// Whether the compiler looks at it.
    pub fn is_code(&self) -> bool {
        !matches!(self.kind, Kind::Comment | Kind::Doc | Kind::InnerDoc)
    }
}

/// All tokens of a source text. Never fails: what is not Rust becomes punctuation.
pub fn lex(source: &str) -> Vec<Token> {
    let mut lexer = Lexer {
        chars: source.chars().collect(),
        at: 0,
        line: 1,
        tokens: Vec::new(),
    };
    lexer.run();
    lexer.tokens
}

struct Lexer {
    chars: Vec<char>,
    at: usize,
    line: usize,
    tokens: Vec<Token>,
}

impl Lexer {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn starts_with(&self, text: &str) -> bool {
        text.chars()
            .enumerate()
            .all(|(ahead, c)| self.peek(ahead) == Some(c))
    }

    fn bump(&mut self) -> Option<char> {
        let c = self.peek(0)?;
        self.at += 1;
        self.line += usize::from(c == '\n');
        Some(c)
    }

    /// Takes characters while they fit.
    fn take_while(&mut self, fits: impl Fn(char) -> bool) -> String {
        let mut text = String::new();
        while let Some(c) = self.peek(0).filter(|c| fits(*c)) {
            text.push(c);
            self.bump();
        }
        text
    }

    fn push(&mut self, kind: Kind, text: String, line: usize) {
        self.tokens.push(Token {
            kind,
            text,
            line,
            end_line: self.line,
        });
    }

    fn run(&mut self) {
        // A script's first line; `#!` followed by `[` is an inner attribute.
        if self.starts_with("#!") && self.peek(2) != Some('[') {
            self.take_while(|c| c != '\n');
        }
        while let Some(c) = self.peek(0) {
            let line = self.line;
            match c {
                _ if c.is_whitespace() => {
                    self.bump();
                }
                '/' if self.starts_with("//") => self.line_comment(),
                '/' if self.starts_with("/*") => self.block_comment(),
                '"' => self.string(String::new(), line),
                '\'' => self.quote(),
                _ if c.is_ascii_digit() => self.number(),
                _ if is_ident_start(c) => self.word(),
                _ => {
                    self.bump();
                    self.push(Kind::Punct, c.to_string(), line);
                }
            }
        }
    }

    fn line_comment(&mut self) {
        let line = self.line;
        let text = self.take_while(|c| c != '\n');
        let (kind, marks) = if text.starts_with("////") {
            (Kind::Comment, 2)
        } else if text.starts_with("///") {
            (Kind::Doc, 3)
        } else if text.starts_with("//!") {
            (Kind::InnerDoc, 3)
        } else {
            (Kind::Comment, 2)
        };
        let text = text.chars().skip(marks).collect::<String>();
        self.push(kind, text.trim().to_owned(), line);
    }

    /// Block comments nest.
    fn block_comment(&mut self) {
        let line = self.line;
        let mut text = String::new();
        let mut depth = 0_usize;
        loop {
            let step = if self.starts_with("/*") {
                depth += 1;
                2
            } else if self.starts_with("*/") {
                depth -= 1;
                2
            } else {
                1
            };
            for _ in 0..step {
                match self.bump() {
                    Some(c) => text.push(c),
                    None => depth = 0,
                }
            }
            if depth == 0 {
                break;
            }
        }
        let kind = if text.starts_with("/*!") {
            Kind::InnerDoc
        } else if text.starts_with("/**") && !text.starts_with("/***") && text != "/**/" {
            Kind::Doc
        } else {
            Kind::Comment
        };
        let inner = text.trim_start_matches(['/', '*', '!']);
        let inner = inner.trim_end_matches(['/', '*']).trim();
        self.push(kind, inner.to_owned(), line);
    }

    /// A string with escapes, from its quote on.
    fn string(&mut self, mut text: String, line: usize) {
        text.extend(self.bump());
        while let Some(c) = self.bump() {
            text.push(c);
            match c {
                '\\' => text.extend(self.bump()),
                '"' => break,
                _ => {}
            }
        }
        self.push(Kind::Literal, text, line);
    }

    /// A raw string from its hashes on; ends at a quote with as many hashes.
    fn raw_string(&mut self, mut text: String, line: usize) {
        let hashes = self.take_while(|c| c == '#');
        let end = format!("\"{hashes}");
        text.push_str(&hashes);
        text.extend(self.bump());
        while self.peek(0).is_some() && !self.starts_with(&end) {
            text.extend(self.bump());
        }
        for _ in end.chars() {
            text.extend(self.bump());
        }
        self.push(Kind::Literal, text, line);
    }

    /// `'x'`, `'\n'` or a lifetime.
    fn quote(&mut self) {
        let line = self.line;
        let is_char = self.peek(1) == Some('\\') || self.peek(2) == Some('\'');
        let mut text = String::new();
        text.extend(self.bump());
        if !is_char {
            text += &self.take_while(is_ident_part);
            return self.push(Kind::Lifetime, text, line);
        }
        while let Some(c) = self.bump() {
            text.push(c);
            match c {
                '\\' => text.extend(self.bump()),
                '\'' => break,
                _ => {}
            }
        }
        self.push(Kind::Literal, text, line);
    }

    fn number(&mut self) {
        let line = self.line;
        let mut text = self.take_while(is_ident_part);
        // A point belongs to the number only before a digit: `0..2` is a range.
        while self.peek(0) == Some('.') && self.peek(1).is_some_and(|c| c.is_ascii_digit()) {
            text.extend(self.bump());
            text += &self.take_while(is_ident_part);
        }
        self.push(Kind::Literal, text, line);
    }

    /// An identifier, or the prefix of a literal.
    fn word(&mut self) {
        let line = self.line;
        let text = self.take_while(is_ident_part);
        let is_raw = matches!(text.as_str(), "r" | "br" | "cr");
        match self.peek(0) {
            Some('"') if is_raw => self.raw_string(text, line),
            Some('"') if matches!(text.as_str(), "b" | "c") => self.string(text, line),
            Some('\'') if text == "b" => self.quote(),
            Some('#') if is_raw && self.is_raw_string() => self.raw_string(text, line),
            Some('#') if text == "r" && self.peek(1).is_some_and(is_ident_start) => {
                self.bump();
                let name = self.take_while(is_ident_part);
                self.push(Kind::Ident, name, line);
            }
            _ => self.push(Kind::Ident, text, line),
        }
    }

    /// Whether the hashes here are followed by a quote.
    fn is_raw_string(&self) -> bool {
        let rest = self.chars.get(self.at..).unwrap_or_default();
        rest.iter().find(|c| **c != '#') == Some(&'"')
    }
}

fn is_ident_start(c: char) -> bool {
    c == '_' || c.is_alphabetic()
}

fn is_ident_part(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(source: &str) -> Vec<(Kind, String)> {
        lex(source).into_iter().map(|t| (t.kind, t.text)).collect()
    }

    fn only(source: &str) -> (Kind, String) {
        let mut all = kinds(source);
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0)
    }

    #[test]
    fn comments_are_told_from_docs() {
        assert_eq!(only("// a"), (Kind::Comment, "a".into()));
        assert_eq!(only("/// a"), (Kind::Doc, "a".into()));
        assert_eq!(only("//! a"), (Kind::InnerDoc, "a".into()));
        assert_eq!(only("//// a").0, Kind::Comment);
        assert_eq!(only("/* a */"), (Kind::Comment, "a".into()));
        assert_eq!(only("/** a */"), (Kind::Doc, "a".into()));
        assert_eq!(only("/*! a */"), (Kind::InnerDoc, "a".into()));
        assert_eq!(only("/**/").0, Kind::Comment);
        assert_eq!(only("/*** a */").0, Kind::Comment);
    }

    #[test]
    fn block_comments_nest() {
        assert_eq!(only("/* a /* b */ // c\n d */").0, Kind::Comment);
        assert_eq!(only("/* never closed").0, Kind::Comment);
    }

    #[test]
    fn comment_marks_in_literals_are_text() {
        for source in [
            r#""// no""#,
            r#""a \" // no""#,
            r##"r#"/* " no"#"##,
            r##"br#"// " no"#"##,
            r#"b"// no""#,
            r#"c"// no""#,
            r#"r"\""#,
            "\"a\n// no\"",
        ] {
            assert_eq!(only(source).0, Kind::Literal, "{source}");
        }
    }

    #[test]
    fn quotes_are_characters_or_lifetimes() {
        let literal = |text: &str| (Kind::Literal, text.to_owned());
        let lifetime = |text: &str| (Kind::Lifetime, text.to_owned());
        assert_eq!(only("'a'"), literal("'a'"));
        assert_eq!(only("'/'"), literal("'/'"));
        assert_eq!(only("'\"'"), literal("'\"'"));
        assert_eq!(only(r"'\''"), literal(r"'\''"));
        assert_eq!(only(r"'\u{1F600}'"), literal(r"'\u{1F600}'"));
        assert_eq!(only("b'/'"), literal("'/'"));
        assert_eq!(only("'static"), lifetime("'static"));
        assert_eq!(kinds("&'a str // b").len(), 4);
        assert_eq!(kinds("'a: loop {}")[0], lifetime("'a"));
    }

    #[test]
    fn raw_identifiers_are_not_strings() {
        assert_eq!(only("r#type"), (Kind::Ident, "type".into()));
        let words: Vec<_> = kinds("r # x").into_iter().map(|(_, text)| text).collect();
        assert_eq!(words, ["r", "#", "x"]);
    }

    #[test]
    fn numbers_end_before_ranges_and_methods() {
        let words = |source| {
            kinds(source)
                .into_iter()
                .map(|(_, text)| text)
                .collect::<Vec<_>>()
        };
        assert_eq!(words("0..2"), ["0", ".", ".", "2"]);
        assert_eq!(words("1_000.5e3"), ["1_000.5e3"]);
        assert_eq!(words("1.max(2)"), ["1", ".", "max", "(", "2", ")"]);
    }

    #[test]
    fn lines_are_counted_through_literals_and_comments() {
        let tokens = lex("a\n\"b\nc\" d\n/* e\n\n*/ f");
        let lines: Vec<_> = tokens.iter().map(|t| (t.line, t.end_line)).collect();
        assert_eq!(lines, [(1, 1), (2, 3), (3, 3), (4, 6), (6, 6)]);
    }

    #[test]
    fn a_script_line_is_skipped_and_an_attribute_is_not() {
        assert_eq!(kinds("#!/usr/bin/env run-cargo-script\nfn").len(), 1);
        assert_eq!(kinds("#![allow(x)]")[0], (Kind::Punct, "#".into()));
    }
}
