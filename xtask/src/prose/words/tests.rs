//! What is found, and what is right English after all.

use super::*;

fn source(krate: &str, text: &str) -> Source {
    Source::new(krate, Path::new("demo.rs"), text)
}

fn found(text: &str) -> Vec<&'static str> {
    let source = source("demo", text);
    let mut hits = Hits::default();
    phrases(&mut hits, &source.path, &comment_words(&source.tokens));
    phrases(&mut hits, &source.path, &function_words(&source.tokens));
    docs::judge(&mut hits, &source);
    names(&mut hits, &source);
    let rows = hits.rows().into_iter();
    rows.flat_map(|(name, places)| places.iter().map(move |_| name))
        .collect()
}

#[test]
fn phrases_are_found_in_comments_only() {
    assert_eq!(found("// the own tip"), ["the own, an own"]);
    assert_eq!(found("let a = \"the own tip\";"), [""; 0]);
    assert_eq!(found("// started anew"), ["anew, for ever, meanwhile"]);
    assert_eq!(found("// tells everybody his name").len(), 2);
}

#[test]
fn phrases_go_over_lines_and_not_over_sentences() {
    assert_eq!(found("// this is\n// no vault of theirs"), ["is no X"]);
    assert_eq!(found("// that is. No vault is here."), [""; 0]);
    assert_eq!(
        found("// that is\nfn a() {}\nfn b() {} // no vault"),
        [""; 0]
    );
}

#[test]
fn phrases_are_found_in_the_names_of_functions() {
    assert_eq!(found("fn counts_in_the_own_log() {}"), ["the own, an own"]);
    assert_eq!(found("fn it_starts_anew() {}").len(), 1);
    assert_eq!(found("fn one_key_is_no_two_humans() {}"), ["is no X"]);
    assert_eq!(found("#[test]\nfn nobody_cancels_his() {}").len(), 2);
    assert_eq!(
        found("mod a {\n    fn b() {}\n    fn is_no_vault() {}\n}"),
        ["is no X"]
    );
}

#[test]
fn names_of_functions_are_sentences_of_their_own() {
    assert_eq!(found("fn there_is_no_vault() {}"), [""; 0]);
    assert_eq!(found("fn the_answer_is_no() {}\nfn vault() {}"), [""; 0]);
    assert_eq!(found("fn a_is() {}\nfn no_vault() {}"), [""; 0]);
    assert_eq!(
        found("fn this() {}\nfn lived_anewly() {\n    nobody();\n}"),
        [""; 0]
    );
    assert_eq!(found("fn spends_are_dated_anew() {}"), [""; 0]);
}

#[test]
fn right_english_is_left_alone() {
    assert_eq!(found("// there is no vault"), [""; 0]);
    assert_eq!(found("// it is no longer a vault"), [""; 0]);
    assert_eq!(found("// `is no` is a phrase"), [""; 0]);
    assert_eq!(found("// once a day"), [""; 0]);
    assert_eq!(found("// a theory"), [""; 0]);
    assert_eq!(found("// her own tip"), [""; 0]);
}

#[test]
fn code_between_backticks_is_one_word() {
    assert_eq!(found("// this is no `Vault`"), ["is no X"]);
    assert_eq!(found("// one `a` of them"), [""; 0]);
}

#[test]
fn relative_clauses_are_found_at_the_start_of_docs() {
    assert_eq!(
        found("/// What it is good for here.\nfn a() {}"),
        [RELATIVE]
    );
    assert_eq!(found("/// Whose.\nfn a() {}"), [RELATIVE, SHORT]);
    assert_eq!(found("/// Index of what comes next.\nfn a() {}"), [""; 0]);
    assert_eq!(
        found("/// Lowest index.\n/// What else?\nfn a() {}"),
        [""; 0]
    );
}

#[test]
fn docs_that_repeat_the_name_are_found() {
    assert_eq!(found("/// The intent.\npub intent: u8,"), [SHORT, REPEATED]);
    let shares = "/// The signing shares.\n#[derive(Debug)]\npub(crate) struct SigningShares;";
    assert_eq!(found(shares), [REPEATED]);
    assert_eq!(
        found("/// Ed25519 public key, 32 bytes.\npub key: u8,"),
        [""; 0]
    );
}

#[test]
fn names_are_found() {
    assert_eq!(found("fn answered() {}"), [SPOKEN]);
    assert_eq!(found("fn on_answer() {}"), [""; 0]);
    assert_eq!(found("enum Denied {}"), [REFUSING]);
    assert_eq!(found("let a = now.0 * 1000;"), [UNTYPED]);
    assert_eq!(found("let a: [u8; 16] = b;"), [UNTYPED]);
    assert_eq!(found("let a: [u8; 32] = b;"), [""; 0]);
}

#[test]
fn types_of_several_crates_are_found_once() {
    let sources = [
        source("a", "struct Pending; struct Own;"),
        source("b", "enum Pending {}"),
        source("c", "fn f(p: Pending) {}"),
    ];
    let mut hits = Hits::default();
    shared_types(&mut hits, &sources);
    let rows = hits.rows();
    let shared = rows.iter().find(|(name, _)| *name == SHARED).unwrap().1;
    assert_eq!(shared, ["demo.rs:1: Pending: a, b"]);
}

#[test]
fn code_blocks_of_documents_are_skipped() {
    let words = markdown_words("a\n```\nthe own\n```\nb the\nown\n\nanew");
    let texts: Vec<_> = words.iter().map(|(word, _)| word.as_str()).collect();
    assert_eq!(texts, ["a", "b", "the", "own", "", "anew"]);
    let mut hits = Hits::default();
    phrases(&mut hits, Path::new("demo.md"), &words);
    assert_eq!(hits.0["the own, an own"], ["demo.md:5: a b the own anew"]);
}
