//! Texts, digests and words in `vectors/golden.json`; `BLESS=1` writes it again.
//! `testkit/formats-py` reads it too.

use crate::{acts, texts};
use serde_json::{Value, json};
use strongroom_types::words::words;
use strongroom_types::{Code, DecisionCore, Destination, Document, Intent, IntentKind, Refusal};

fn case<D: Document + PartialEq + std::fmt::Debug>(name: &str, document: &D) -> Value {
    let text = document.to_text();
    let read = D::parse(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(read, *document, "{name}");
    let digest = document.digest();
    json!({
        "name": name,
        "text": text,
        "domain": D::TYPE,
        "digest": digest.to_string(),
        "words": words(&digest),
    })
}

fn cases() -> Vec<Value> {
    let mut cases = vec![
        case("intent", &texts::intent()),
        case("intent_with_everything", &texts::full_intent()),
        case("decision_core", &texts::core()),
        case("decision_core_auto", &texts::auto_core()),
        case("approval", &texts::approval()),
        case("approval_bare", &texts::bare_approval()),
        case("policy", &texts::policy()),
    ];
    cases.extend(acts::acts().iter().map(|(name, act)| case(name, act)));
    cases
}

strongroom_golden::golden! {
    json: "vectors/golden.json",
    cases: cases,
    intent_bytes_do_not_change "intent"
    decision_core_bytes_do_not_change "decision_core"
    approval_bytes_do_not_change "approval"
    policy_bytes_do_not_change "policy"
    act_create_tenant_and_charter_bytes_do_not_change "act_create_tenant"
    act_put_bytes_do_not_change "act_put_"
    act_release_bytes_do_not_change "act_release"
    act_resume_bytes_do_not_change "act_resume"
    act_revoke_bytes_do_not_change "act_revoke_"
    act_leave_group_bytes_do_not_change "act_leave_group"
    act_cancel_bytes_do_not_change "act_cancel"
    act_pause_bytes_do_not_change "act_pause_"
    act_stop_bytes_do_not_change "act_stop"
    act_veto_bytes_do_not_change "act_veto"
    act_quarantine_bytes_do_not_change "act_quarantine"
}

#[test]
fn the_policy_of_the_golden_file_can_be_put_in_force() {
    let (policy, digest) = strongroom_policy::Policy::load(&texts::policy().to_text()).unwrap();
    assert_eq!((digest, &policy), (policy.digest(), &texts::policy()));
}

/// A text with any changed byte must read as another document or be refused: every byte has a
/// meaning.
#[test]
fn a_text_with_any_letter_changed_is_refused_or_reads_as_something_else() {
    fn flip<D: Document + PartialEq>(document: &D) {
        let text = document.to_text();
        for at in 0..text.len() {
            for letter in ["0", "7", "a", "\"", " ", "{", ","] {
                if text.is_char_boundary(at)
                    && text.is_char_boundary(at + 1)
                    && &text[at..=at] != letter
                {
                    let mut changed = text.clone();
                    changed.replace_range(at..=at, letter);
                    if let Ok(read) = D::parse(&changed) {
                        assert!(read != *document && read.to_text() == changed, "{changed}");
                    }
                }
            }
        }
    }
    flip(&texts::full_intent());
    flip(&texts::approval());
    flip(&texts::core());
    acts::acts()
        .iter()
        .filter(|(name, _)| name != "act_create_tenant")
        .for_each(|(_, act)| flip(act));
}

#[test]
fn an_unknown_or_missing_member_or_another_type_is_refused() {
    let text = texts::intent().to_text();
    let more = text.replacen("{", "{\"a\":\"b\",", 1);
    let less = text.replacen("\"attempts_max\":\"3\",", "", 1);
    let other = text.replace("strongroom/intent/v2", "strongroom/intent/v3");
    for bad in [more, less, other] {
        assert_ne!(bad, text);
        assert!(Intent::parse(&bad).is_err(), "{bad}");
    }
    assert!(strongroom_types::Approval::parse(&text).is_err());
}

#[test]
fn text_of_version_1_is_refused_by_name() {
    fn refused<D: Document>(document: &D) {
        let (kind, _) = D::TYPE.rsplit_once('/').unwrap();
        let text = document.to_text();
        let old = text.replace(D::TYPE, &format!("{kind}/v1"));
        let refusal = Refusal::from(D::parse(&old).err().unwrap());
        assert_eq!(refusal.code, Code::Unsupported);
        let expected = format!("version 1 of `{kind}`");
        assert!(refusal.detail.starts_with(&expected), "{refusal}");

        // Another kind of text is not another version of this one.
        let foreign = text.replace(D::TYPE, "strongroom/other/v1");
        let refusal = Refusal::from(D::parse(&foreign).err().unwrap());
        assert_eq!(refusal.code, Code::Malformed);
    }

    refused(&texts::intent());
    refused(&texts::core());
    refused(&texts::approval());
    acts::acts().iter().for_each(|(_, act)| refused(act));
}

#[test]
fn intent_carries_500_transfers_and_no_more() {
    let mut intent = texts::intent();
    let mut transfer = intent.transfers()[0].clone();
    transfer.destination = Destination::Address("a".to_owned());
    transfer.memo = None;
    intent.kind = IntentKind::Transfer(vec![transfer.clone(); 500]);
    assert_eq!(Intent::parse(&intent.to_text()).unwrap(), intent);

    intent.kind = IntentKind::Transfer(vec![transfer; 501]);
    let refused = Intent::parse(&intent.to_text()).unwrap_err();
    assert!(refused.to_string().contains("more than 500 values"));
}

#[test]
fn unknown_or_missing_obligation_is_refused() {
    let text = texts::core().to_text();
    let none = r#""obligations":[]"#;
    for bad in [r#""obligations":["class_key"]"#, r#""obligations":[""]"#] {
        let changed = text.replace(none, bad);
        assert_ne!(changed, text);
        assert!(DecisionCore::parse(&changed).is_err(), "{changed}");
    }
    let left_out = text.replace(&format!("{none},"), "");
    assert_ne!(left_out, text);
    assert!(DecisionCore::parse(&left_out).is_err());
}
