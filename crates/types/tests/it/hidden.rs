//! Characters that hide or reorder others are refused in every string of every signed text, by the
//! code that clients are told; so are addresses of an allow-list with other than visible ASCII.

use crate::{acts, texts};
use serde_json::Value;
use std::collections::BTreeSet;
use strongroom_policy::Policy;
use strongroom_types::charter::Charter;
use strongroom_types::fields::FormError;
use strongroom_types::text::ADDRESS_BYTES_MAX;
use strongroom_types::{Act, ActBody, Code, Document, Refusal, RegistryRecord, TenantId};

/// Members whose string is a whole text, read where it is used: of a `put` and of a charter. It is a
/// document of this table itself.
const POLICY_TEXTS: [&str; 2] = ["text", "policy"];

/// Members that hold names for people; the id is that of a guard or rule.
const NAMES: [&str; 8] = [
    "external_id",
    "id",
    "label",
    "labels",
    "memo",
    "name",
    "purpose",
    "tags",
];

/// Calls `visit` with each string of a value and the name of its member.
fn each_string(value: &mut Value, member: &str, visit: &mut dyn FnMut(&str, &mut String)) {
    match value {
        Value::String(text) => visit(member, text),
        Value::Array(values) => {
            for inner in values {
                each_string(inner, member, visit);
            }
        }
        Value::Object(members) => {
            for (name, inner) in members {
                each_string(inner, name, visit);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The text with U+202E in its string number `at`, and the member of that string.
fn with_hidden_character(text: &str, at: usize) -> Option<(String, String)> {
    let mut value: Value = serde_json::from_str(text).unwrap();
    let (mut seen, mut changed) = (0, None);
    each_string(&mut value, "", &mut |member, string| {
        if seen == at {
            let middle = string.char_indices().nth(string.chars().count() / 2);
            string.insert(middle.map_or(0, |(byte, _)| byte), '\u{202e}');
            changed = Some(member.to_owned());
        }
        seen += 1;
    });

    let member = changed?;
    Some((member, serde_json_canonicalizer::to_string(&value).unwrap()))
}

/// Refuses the text with a hidden character in each of its strings; gives the members that it met.
fn refuse_each<D: Document>(document: &D) -> BTreeSet<String> {
    let text = document.to_text();
    let changes = (0..).map_while(|at| with_hidden_character(&text, at));
    let changes = changes.filter(|(member, _)| !POLICY_TEXTS.contains(&member.as_str()));

    changes
        .map(|(member, changed)| {
            let error = D::parse(&changed).err();
            let error = error.unwrap_or_else(|| panic!("{member} is taken: {changed}"));
            // The error is about that string, and not about the text around it.
            let FormError::Invalid { member: named, .. } = &error else {
                panic!("{member}: {error}")
            };
            let is_name = NAMES.contains(&member.as_str());
            // A policy's error has the whole path, `guards[0].id`.
            let last = named.rsplit('.').next().unwrap();
            assert!(!is_name || last.starts_with(&member), "{member}: {error}");
            assert_eq!(Refusal::from(error).code, Code::Malformed, "{member}");
            member
        })
        .collect()
}

// The decision core is not here: no one takes its text from a sender, each replica derives it.
#[test]
fn hole_a_hidden_character_in_any_string_of_a_text_is_refused_as_malformed() {
    let mut met = refuse_each(&texts::full_intent());
    met.extend(refuse_each(&texts::approval()));
    met.extend(refuse_each::<Policy>(&texts::policy()));
    for (_, act) in acts::acts() {
        met.extend(refuse_each(&act));
    }

    let missing: Vec<_> = NAMES.iter().filter(|name| !met.contains(**name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// Acts that bring an allow-list entry with this address: a `put`, and the charter of a new tenant.
fn acts_with_address(address: &str) -> [Act; 2] {
    let mut entry = acts::entry();
    entry.address = address.to_owned();
    let charter = Charter {
        allow_list: vec![entry.clone()],
        ..acts::charter()
    };
    let bodies = [
        ActBody::Put(RegistryRecord::AllowList(entry)),
        ActBody::CreateTenant {
            tenant: TenantId([2; 16]),
            charter: Box::new(charter),
        },
    ];
    bodies.map(|body| Act {
        body,
        ..acts::acts().remove(0).1
    })
}

/// People compare the addresses of an allow-list on screens before they sign, as those of payments.
#[test]
fn hole_allow_list_entry_without_an_address_of_visible_ascii_is_malformed() {
    let longest = "a".repeat(ADDRESS_BYTES_MAX);
    for good in [texts::ADDRESS, "0", longest.as_str()] {
        for act in acts_with_address(good) {
            assert_eq!(Act::parse(&act.to_text()).unwrap(), act);
        }
    }

    let (longer, huge) = (format!("{longest}a"), "a".repeat(50 * 1024));
    for bad in [
        "",
        " ",
        "a b",
        "a\n",
        "bcrt1\u{202e}q",
        "bcrt1\u{0430}",
        "\u{7f}",
        &longer,
        &huge,
    ] {
        for act in acts_with_address(bad) {
            let error = Act::parse(&act.to_text()).unwrap_err();
            let about = "member `address`: expected 1 to 128 visible ASCII characters";
            assert_eq!(error.to_string(), about, "{bad:?}");
            assert_eq!(Refusal::from(error).code, Code::Malformed);
        }
    }
}
