//! `error-pages`, for digests: `docs/formats.md` lists every domain that a digest, a derivation or
//! a wrapped record of the product is made under, and none that no code uses.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, ensure};

use crate::prose::lexer::{Kind, Token};
use crate::prose::source::{Source, production};

const PAGE: &str = "docs/formats.md";

/// Compares the domains in the production code with those of the page.
pub fn check(root: &Path) -> anyhow::Result<()> {
    let sources = production(root)?;
    let used: BTreeSet<String> = sources.iter().flat_map(of_source).collect();

    // Without a domain every page would be right: the reader of the source must have failed.
    ensure!(!used.is_empty(), "no domain found below crates/");

    let page =
        std::fs::read_to_string(root.join(PAGE)).with_context(|| format!("cannot read {PAGE}"))?;
    let problems = compare(&used, &of_page(&page));
    ensure!(problems.is_empty(), "{PAGE}: {}", problems.join("; "));
    println!("domains: {} in the code, each on the page", used.len());
    Ok(())
}

fn compare(used: &BTreeSet<String>, listed: &BTreeSet<String>) -> Vec<String> {
    // An implementation that follows the page alone would not know this domain.
    let missing = used.difference(listed);
    let mut problems: Vec<String> = missing.map(|d| format!("`{d}` is not listed")).collect();

    // A format that no code makes any more would be implemented from the page.
    let stale = listed.difference(used);
    problems.extend(stale.map(|d| format!("`{d}` is used by no code")));
    problems
}

/// Domains that are a whole string literal.
fn of_source(source: &Source) -> Vec<String> {
    let literals = source.tokens.iter().filter(|t| t.kind == Kind::Literal);
    literals.filter_map(domain_of).collect()
}

fn domain_of(literal: &Token) -> Option<String> {
    let quoted = literal.text.trim_start_matches(['b', 'c', 'r']);
    let text = quoted.trim_matches('#').strip_prefix('"')?;
    let text = text.strip_suffix('"')?;
    is_domain(text).then(|| text.to_owned())
}

/// Domains between backticks. A list in a table may shorten all but its first one to `…/NAME/vN`.
fn of_page(page: &str) -> BTreeSet<String> {
    let code = page
        .lines()
        .flat_map(|line| line.split('`').skip(1).step_by(2));
    code.map(|text| match text.strip_prefix("…/") {
        Some(rest) => format!("strongroom/{rest}"),
        None => text.to_owned(),
    })
    .filter(|text| is_domain(text))
    .collect()
}

/// `strongroom/NAME/vN`, where a name may have parts.
fn is_domain(text: &str) -> bool {
    let named = text.strip_prefix("strongroom/");
    let Some((name, version)) = named.and_then(|rest| rest.rsplit_once("/v")) else {
        return false;
    };
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '/');
    !name.is_empty() && name.chars().all(plain) && version.parse::<u32>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(text: &str) -> Vec<String> {
        of_source(&Source::new("demo", Path::new("demo.rs"), text))
    }

    #[test]
    fn domains_are_found_in_texts_and_bytes_outside_of_tests() {
        let text =
            "const A: &str = \"strongroom/a/v1\";\nconst B: &[u8] = b\"strongroom/b-c/d/v12\";";
        assert_eq!(used(text), ["strongroom/a/v1", "strongroom/b-c/d/v12"]);
        assert_eq!(used("f(r#\"strongroom/a/v1\"#);"), ["strongroom/a/v1"]);

        let others =
            "f(\"strongroom/a/vx\", \"see strongroom/a/v1\", \"/v1\"); // \"strongroom/a/v1\"";
        assert_eq!(used(others), [""; 0]);
        let tests = "#[cfg(test)]\nmod tests {\n    const A: &str = \"strongroom/a/v1\";\n}";
        assert_eq!(used(tests), [""; 0]);
    }

    #[test]
    fn rows_of_the_page_name_domains_in_full_or_shortened() {
        let page = "| `strongroom/a/v1`, `…/b/c/v2` | `x` |\nstrongroom/d/v1 and `strongroom`\n";
        let wanted = ["strongroom/a/v1", "strongroom/b/c/v2"].map(str::to_owned);
        assert_eq!(of_page(page), wanted.into());
    }

    #[test]
    fn a_domain_that_is_not_listed_and_one_that_is_not_used_are_problems() {
        let one = BTreeSet::from(["strongroom/a/v1".to_owned()]);
        let two = BTreeSet::from(["strongroom/a/v2".to_owned()]);
        assert_eq!(compare(&one, &one), [""; 0]);
        assert_eq!(
            compare(&one, &two),
            [
                "`strongroom/a/v1` is not listed",
                "`strongroom/a/v2` is used by no code"
            ]
        );
    }
}
