//! Functions and public items, found in tokens.

use super::lexer::{Kind, Token};

/// A function as written; macros are not expanded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// Line of its `fn`.
    pub line: usize,
    /// Parameters, `self` included.
    pub parameters: usize,
    /// Parameters, each member of a tuple among them counted by itself.
    pub values: usize,
    /// Lines of the braces around its body; `None` for a declaration.
    pub body: Option<(usize, usize)>,
}

/// Every function, in the order of the source. A function inside of another one comes after it.
pub fn functions(tokens: &[Token]) -> Vec<Function> {
    let code: Vec<&Token> = tokens.iter().filter(|token| token.is_code()).collect();
    (0..code.len())
        .filter_map(|at| function(code.get(at..).unwrap_or_default()))
        .collect()
}

fn function(code: &[&Token]) -> Option<Function> {
    let [keyword, rest @ ..] = code else {
        return None;
    };
    // `fn` without a name is a type.
    let name_at = usize::from(rest.first().is_some_and(|token| token.is("$")));
    let name = rest.get(name_at)?;

    if !keyword.is("fn") || keyword.kind != Kind::Ident || name.kind != Kind::Ident {
        return None;
    }

    let after_name = rest.get(name_at + 1..)?;
    let after_generics = after_name.get(generics_len(after_name)..)?;
    let (parameters, values, len) = parameters(after_generics)?;
    Some(Function {
        name: name.text.clone(),
        line: keyword.line,
        parameters,
        values,
        body: body(after_generics.get(len..)?),
    })
}

/// Length of `<…>` at the start, 0 if there is none.
fn generics_len(code: &[&Token]) -> usize {
    let mut depth = 0_usize;
    let mut before = "";
    for (at, token) in code.iter().enumerate() {
        match token.text.as_str() {
            "<" => depth += 1,
            // `->` and `=>` close no list of generics.
            ">" if !matches!(before, "-" | "=") => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return if at == 0 && !token.is("<") { 0 } else { at + 1 };
        }
        before = &token.text;
    }
    code.len()
}

/// Number of parameters in `(…)` at the start, number of values in them, and the length of that.
fn parameters(code: &[&Token]) -> Option<(usize, usize, usize)> {
    if !code.first()?.is("(") {
        return None;
    }
    let (mut brackets, mut angles) = (0_usize, 0_usize);
    let (mut count, mut is_empty) = (0, true);
    // Commas inside of a tuple that is a parameter's type, the one before its closing bracket
    // aside.
    let (mut more, mut in_tuple) = (0, false);
    let mut before = "";
    for (at, token) in code.iter().enumerate() {
        match token.text.as_str() {
            "(" | "[" | "{" if token.kind == Kind::Punct => {
                is_empty = is_empty && at == 0;
                // `Fn(A, B)` has a name before its bracket, a pattern another bracket or a comma.
                in_tuple = in_tuple
                    || brackets == 1
                        && angles == 0
                        && token.is("(")
                        && (matches!(before, ":" | "&" | "mut") || before.starts_with('\''));
                brackets += 1;
            }
            ")" | "]" | "}" if token.kind == Kind::Punct => {
                brackets = brackets.saturating_sub(1);
                in_tuple = in_tuple && brackets > 1;
                if brackets == 0 {
                    let count = count + usize::from(!is_empty);
                    return Some((count, count + more, at + 1));
                }
            }
            "<" => angles += 1,
            ">" if !matches!(before, "-" | "=") => angles = angles.saturating_sub(1),
            // A comma ends a parameter; one before the closing bracket begins no other.
            "," if brackets == 1 && angles == 0 => {
                count += 1;
                is_empty = true;
            }
            "," if brackets == 2 && angles == 0 && in_tuple => {
                let is_last = code.get(at + 1).is_some_and(|next| next.is(")"));
                more += usize::from(!is_last);
            }
            _ => is_empty = false,
        }
        before = &token.text;
    }
    None
}

/// Lines of the braces of a body, after the parameters.
fn body(code: &[&Token]) -> Option<(usize, usize)> {
    let (mut braces, mut others) = (0_usize, 0_usize);
    let mut start = 0;
    for token in code.iter().filter(|token| token.kind == Kind::Punct) {
        match token.text.as_str() {
            ";" if braces == 0 && others == 0 => return None,
            "(" | "[" => others += 1,
            ")" | "]" => others = others.saturating_sub(1),
            "{" => {
                if braces == 0 {
                    start = token.line;
                }
                braces += 1;
            }
            "}" if braces <= 1 => return (braces == 1).then_some((start, token.line)),
            "}" => braces -= 1,
            _ => {}
        }
    }
    None
}

/// A `pub` item or field, and whether a doc comment or attribute is before it. Not counted:
/// `pub(…)`, `pub use`, `pub mod name;` (documented inside), positional fields.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PublicItem {
    /// Line of its `pub`.
    pub line: usize,
    /// Keyword and name, or the field's name.
    pub name: String,
    /// Whether it is documented.
    pub documented: bool,
}

/// Every public item, in the order of the source.
pub fn public_items(tokens: &[Token]) -> Vec<PublicItem> {
    let mut items = Vec::new();
    let mut parentheses = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        if token.is("(") {
            parentheses += 1;
        } else if token.is(")") {
            parentheses = parentheses.saturating_sub(1);
        } else if token.is("pub") && parentheses == 0 {
            let (before, after) = tokens.split_at(at);
            items.extend(public_item(before, after));
        }
    }
    items
}

fn public_item(before: &[Token], after: &[Token]) -> Option<PublicItem> {
    let [keyword, next, ..] = after else {
        return None;
    };
    let code = after.iter().skip(1).filter(|token| token.is_code());
    let words: Vec<&str> = code.take(3).map(|token| token.text.as_str()).collect();
    let hidden = match words.as_slice() {
        ["(" | "use", ..] => true,
        ["mod", _, end] => *end == ";",
        _ => false,
    };
    if hidden || next.kind == Kind::Punct && next.text != "$" {
        return None;
    }
    Some(PublicItem {
        line: keyword.line,
        name: words.iter().take(2).copied().collect::<Vec<_>>().join(" "),
        documented: is_documented(before),
    })
}

/// Whether a doc is the last thing before, attributes and plain comments aside.
fn is_documented(before: &[Token]) -> bool {
    let mut rest = before;
    while let Some((last, earlier)) = rest.split_last() {
        match last.kind {
            Kind::Doc => return true,
            Kind::Comment => rest = earlier,
            Kind::Punct if last.text == "]" => {
                let open = opening(rest, "[", "]");
                let (outside, attribute) = rest.split_at(open);
                if attribute.iter().any(|token| token.is("doc")) {
                    return true;
                }
                match outside.split_last() {
                    Some((hash, outside)) if hash.is("#") => rest = outside,
                    _ => return false,
                }
            }
            // In a macro: `$(#[$doc])*` hands the caller's docs on.
            Kind::Punct if matches!(last.text.as_str(), "*" | "+") => {
                let open = opening(earlier, "(", ")");
                return earlier
                    .get(open..)
                    .is_some_and(|group| group.iter().any(|token| token.is("#")));
            }
            Kind::InnerDoc | Kind::Ident | Kind::Literal | Kind::Lifetime | Kind::Punct => {
                return false;
            }
        }
    }
    false
}

/// Index of the bracket that the last token closes.
fn opening(tokens: &[Token], open: &str, close: &str) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().rev() {
        if token.is(close) {
            depth += 1;
        } else if token.is(open) {
            depth = depth.saturating_sub(1);
        }
        if depth == 0 {
            return at;
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use super::super::lexer::lex;
    use super::*;

    fn parameters_of(source: &str) -> Vec<usize> {
        let found = functions(&lex(source));
        found.iter().map(|f| f.parameters).collect()
    }

    #[test]
    fn parameters_are_counted_with_self() {
        assert_eq!(parameters_of("fn a() {}"), [0]);
        assert_eq!(parameters_of("fn a(&mut self) {}"), [1]);
        assert_eq!(parameters_of("fn a(self, b: u8, c: u8) {}"), [3]);
        assert_eq!(parameters_of("fn a(\n    b: u8,\n    c: u8,\n) {}"), [2]);
    }

    #[test]
    fn commas_inside_of_types_separate_no_parameters() {
        assert_eq!(
            parameters_of("fn a(b: BTreeMap<K, V>, c: (u8, u8)) {}"),
            [2]
        );
        assert_eq!(
            parameters_of("fn a(b: &dyn Fn(u8, u8) -> u8, c: [u8; 3]) {}"),
            [2]
        );
        assert_eq!(
            parameters_of("fn a(b: Vec<Box<dyn Fn(A) -> B>>, c: D) {}"),
            [2]
        );
        assert_eq!(parameters_of("fn a(A { b, c }: A, (d, e): (D, E)) {}"), [2]);
    }

    #[test]
    fn members_of_tuples_count_as_values() {
        let values = |source: &str| functions(&lex(source)).first().map(|f| f.values);
        assert_eq!(values("fn a(b: u8, c: u8) {}"), Some(2));
        assert_eq!(values("fn a(&self, (b, c): (u8, u8), d: u8) {}"), Some(4));
        assert_eq!(
            values("fn a(b: &'a (u8, &str), c: &mut (A<B, C>, (D, E),)) {}"),
            Some(4)
        );
        assert_eq!(
            values("fn a(b: &dyn Fn(u8, u8), c: [(u8, u8); 2], d: Vec<(u8, u8)>) {}"),
            Some(3)
        );
        assert_eq!(values("fn a(b: ()) {}"), Some(1));
    }

    #[test]
    fn generics_before_the_parameters_are_skipped() {
        assert_eq!(parameters_of("fn a<T: Fn(u8, u8) -> u8, U>(b: T) {}"), [1]);
        assert_eq!(parameters_of("fn a<const N: usize>(b: [u8; N]) {}"), [1]);
    }

    #[test]
    fn function_types_and_words_in_text_are_not_functions() {
        assert_eq!(parameters_of("type F = fn(u8, u8);"), [0_usize; 0]);
        assert_eq!(
            parameters_of("let f = \"fn a(b: u8) {}\"; // fn c(d) {}"),
            [0_usize; 0]
        );
    }

    #[test]
    fn functions_of_macros_are_counted_as_written() {
        assert_eq!(parameters_of("fn $name(a: u8) {}"), [1]);
    }

    #[test]
    fn bodies_are_found_behind_their_types() {
        let found = functions(&lex(
            "fn a() -> [u8; 2]\nwhere\n    T: X,\n{\n    fn b() {\n    }\n}\nfn c(&self);",
        ));
        let bodies: Vec<_> = found.iter().map(|f| f.body).collect();
        assert_eq!(bodies, [Some((4, 7)), Some((5, 6)), None]);
    }

    fn undocumented(source: &str) -> Vec<String> {
        let items = public_items(&lex(source)).into_iter();
        items.filter(|i| !i.documented).map(|i| i.name).collect()
    }

    #[test]
    fn docs_are_seen_through_attributes_and_comments() {
        assert_eq!(
            undocumented("/// A.\n#[must_use]\n// why\npub fn a() {}"),
            [""; 0]
        );
        assert_eq!(undocumented("#[doc = \"A.\"]\npub fn a() {}"), [""; 0]);
        assert_eq!(undocumented("/** A. */ pub struct A;"), [""; 0]);
        assert_eq!(undocumented("#[must_use]\npub fn a() {}"), ["fn a"]);
        assert_eq!(undocumented("//! Inner.\n\npub fn a() {}"), ["fn a"]);
        assert_eq!(undocumented("#![allow(x)]\npub fn a() {}"), ["fn a"]);
        assert_eq!(undocumented("/// A.\nfn b() {}\npub fn a() {}"), ["fn a"]);
    }

    #[test]
    fn fields_count_and_positional_ones_do_not() {
        let source =
            "/// A.\npub struct A { pub b: u8, /// C.\n pub c: u8 }\n/// B.\npub struct B(pub u8);";
        assert_eq!(undocumented(source), ["b :"]);
    }

    #[test]
    fn what_is_not_public_is_not_counted() {
        let source = "pub(crate) fn a() {}\npub use b;\npub mod c;\nfn d() {}";
        assert_eq!(public_items(&lex(source)), []);
        assert_eq!(undocumented("pub mod c {}"), ["mod c"]);
    }

    #[test]
    fn docs_handed_through_a_macro_count() {
        assert_eq!(undocumented("$(#[$doc])* pub struct $name;"), [""; 0]);
        assert_eq!(undocumented("$($x)* pub struct $name;").len(), 1);
    }
}
