//! What a run says: for scripts a line of JSON, for people its story and what became of it.

use crate::row::{Case, Elsewhere, Outcome};
use crate::run::Seen;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;
use strongroom_types::Code;

/// Columns of a paragraph.
const WIDTH: usize = 96;

/// What became of a run that went as it must.
pub enum Became {
    /// The attack failed.
    Refused(Refusals),
    /// The guard was off, and the harm was there.
    Harm(String),
}

/// Who refused, and by which codes.
#[derive(Default)]
pub struct Refusals {
    /// Signers that signed a refusal.
    pub signers: BTreeSet<u16>,
    /// Codes without a signer's signature.
    pub unsigned: Vec<Code>,
    /// Where those come from.
    pub by: Option<Elsewhere>,
    /// The honest payment's signed transaction, bytes.
    pub honest_len: usize,
}

impl Refusals {
    /// Those of a run.
    pub fn of(seen: &Seen) -> Self {
        let Outcome {
            refused, codes, by, ..
        } = &seen.outcome;
        Self {
            signers: refused.iter().map(|one| one.seat).collect(),
            unsigned: codes.clone(),
            by: *by,
            honest_len: seen.honest_len,
        }
    }

    /// Who refused, in words.
    pub fn by(&self) -> String {
        let seats: Vec<String> = self.signers.iter().map(u16::to_string).collect();
        match seats.as_slice() {
            [] => {
                let by = self.by.map(Elsewhere::words);
                by.unwrap_or("no one that is known").to_owned()
            }
            [one] => format!("signer {one}, who signed the refusal"),
            [first @ .., last] => {
                let first = first.join(", ");
                format!("signers {first} and {last}, each of whom signed the refusal")
            }
        }
    }
}

/// A line of the results. Code, mutant and harm are in each of them.
#[must_use]
pub fn line(
    case: &Case,
    is_mutant: bool,
    result: &anyhow::Result<Became>,
    took: Duration,
) -> Value {
    let mut line = json!({
        "row": case.id,
        "guard": case.name,
        "run": if is_mutant { "guard off" } else { "defended" },
        "code": case.code.as_str(),
        "mutant": is_mutant.then_some(case.name),
        "harm": null,
        "ok": result.is_ok(),
        "seconds": took.as_secs_f64(),
    });
    let members: BTreeMap<&str, Value> = match result {
        Ok(Became::Refused(refusals)) => {
            let unsigned: Vec<&str> = refusals.unsigned.iter().map(|c| c.as_str()).collect();
            [
                ("signers", json!(refusals.signers)),
                ("unsigned", json!(unsigned)),
                ("by", json!(refusals.by.map(Elsewhere::name))),
            ]
            .into()
        }
        Ok(Became::Harm(harm)) => [("harm", json!(harm))].into(),
        Err(error) => [("error", json!(format!("{error:#}")))].into(),
    };
    if let Some(line) = line.as_object_mut() {
        line.extend(members.into_iter().map(|(k, v)| (k.to_owned(), v)));
    }
    line
}

/// The same in one line for people.
#[must_use]
pub fn short(
    case: &Case,
    is_mutant: bool,
    result: &anyhow::Result<Became>,
    took: Duration,
) -> String {
    let what = if is_mutant { "guard off" } else { "defended" };
    let seconds = took.as_secs_f32();
    let name = format!("{:>4} {} ({what}, {seconds:.1} s)", case.id, case.name);
    match result {
        Ok(Became::Refused(refusals)) => {
            format!("✓ {name}: refused by {}: {}", refusals.by(), case.code)
        }
        Ok(Became::Harm(harm)) => format!("✓ {name}: {harm}"),
        Err(error) => format!("✗ {name}: {error:#}"),
    }
}

/// What is attempted.
#[must_use]
pub fn story(id: &str, story: &str) -> String {
    format!("■ Attack {id}\n\n{}\n", paragraph(story))
}

/// What became of it.
#[must_use]
pub fn ending(
    case: &Case,
    is_mutant: bool,
    result: &anyhow::Result<Became>,
    evidence: &Path,
) -> String {
    let title = match (case.guard, is_mutant) {
        (None, _) => format!("  {} · what stops it: {}", case.id, case.name),
        (Some(_), false) => format!("  {} · with its guard {}", case.id, case.name),
        (Some(_), true) => format!("  {} · WITHOUT its guard {}", case.id, case.name),
    };
    let folder = evidence.display();
    let words = match result {
        Err(error) => format!("NOT AS IT MUST BE: {error:#}"),
        Ok(Became::Refused(refusals)) => format!(
            "The attack fails: refused by {}, code `{}`. The rule that stops it: {} The honest \
             payment beside it was signed ({} bytes). Evidence, recomputed: `strongroom verify \
             {folder}`.",
            refusals.by(),
            case.code,
            sentence(case.stopped_by),
            refusals.honest_len,
        ),
        Ok(Became::Harm(harm)) => format!(
            "The attack succeeds: {}. Seen: {harm}. Nothing else was switched off, and the honest \
             payment was signed here too. Evidence: {folder}.",
            case.red_when.unwrap_or_default(),
        ),
    };
    format!("{title}\n{}\n", paragraph(&words))
}

/// A claim as a sentence.
fn sentence(words: &str) -> String {
    let words = words.trim();
    if words.ends_with('.') {
        words.to_owned()
    } else {
        format!("{words}.")
    }
}

/// Words in lines, set in by four columns.
fn paragraph(words: &str) -> String {
    let mut lines = vec![String::new()];
    for word in words.split_whitespace() {
        let width = lines.last().map_or(0, |line| line.chars().count());
        if width > 0 && width + 1 + word.chars().count() > WIDTH - 4 {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            line.push_str(if line.is_empty() { "    " } else { " " });
            line.push_str(word);
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows;

    fn case(id: &str) -> Case {
        let cases = rows::cases(&[id.to_owned()]).unwrap();
        cases.into_iter().next().unwrap()
    }

    #[test]
    fn every_line_has_code_mutant_and_harm() {
        let took = Duration::from_millis(1_500);
        let case = case("29");
        let refusals = Refusals {
            signers: [1, 3].into(),
            ..Refusals::default()
        };
        let defended = line(&case, false, &Ok(Became::Refused(refusals)), took);
        assert_eq!(defended["code"], case.code.as_str());
        assert!(defended["mutant"].is_null() && defended["harm"].is_null());
        assert_eq!(defended["signers"], json!([1, 3]));

        let red = line(&case, true, &Ok(Became::Harm("signed".to_owned())), took);
        let is = (&red["mutant"], &red["harm"], &red["ok"]);
        assert_eq!(is, (&json!(case.name), &json!("signed"), &json!(true)));

        let failed = line(&case, true, &Err(anyhow::anyhow!("no harm")), took);
        let is = (&failed["error"], &failed["harm"], &failed["ok"]);
        assert_eq!(is, (&json!("no harm"), &Value::Null, &json!(false)));
    }

    #[test]
    fn a_row_is_told_with_who_refused_and_what_happens_without_the_guard() {
        let case = case("29");
        let refusals = Refusals {
            signers: [1, 3].into(),
            honest_len: 227,
            ..Refusals::default()
        };
        let evidence = Path::new("out/29");
        let told = ending(&case, false, &Ok(Became::Refused(refusals)), evidence);
        let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
        for words in [
            "signers 1 and 3, each of whom signed the refusal",
            case.code.as_str(),
            case.stopped_by.trim(),
            "honest payment beside it was signed (227 bytes)",
            "strongroom verify out/29",
        ] {
            assert!(told.contains(words), "{words}: {told}");
        }

        let red = ending(
            &case,
            true,
            &Ok(Became::Harm("stolen".to_owned())),
            evidence,
        );
        assert!(red.contains("WITHOUT its guard") && red.contains("stolen"));
    }

    #[test]
    fn lines_of_a_paragraph_are_no_longer_than_the_page() {
        let told = story("1", &"a word or two ".repeat(40));
        assert!(told.lines().all(|line| line.chars().count() <= WIDTH));
        assert_eq!(told.matches("word").count(), 40);
    }
}
