//! The text form: golden bytes, one spelling only, no panic.

use crate::random;
use proptest::prelude::*;
use strongroom_policy::Policy;
use strongroom_types::Document;

/// A table with every guard kind and every condition.
pub const FULL: &str = concat!(
    r#"{"guards":[{"addresses":["bc1qa","bc1qb"],"id":"g1","kind":"blocked_destinations"},"#,
    r#"{"amount_lte":"5","asset":"eip155:1/slip44:60","count_lte":"2","id":"g2","kind":"ceiling","scope":"tenant","window_seconds":"86400"},"#,
    r#"{"asset":"eip155:1/slip44:60","id":"g3","kind":"amount_max","lte":"9"},"#,
    r#"{"chains":["eip155:1"],"id":"g4","kind":"chains"},"#,
    r#"{"assets":["eip155:1/slip44:60"],"id":"g5","kind":"assets"},"#,
    r#"{"chain":"eip155:1","id":"g6","kind":"fee_max","lte":"7"},"#,
    r#"{"hours":{"days":["saturday","sunday"],"from":"22:00","to":"06:00","utc_offset_minutes":"-60"},"id":"g7","kind":"closed_hours"}],"#,
    r#""rules":[{"id":"small","match":{"amount":{"gt":"1","lte":"100"},"assets":["eip155:1/slip44:60"],"#,
    r#""destinations":{"labels":["exchange"],"min_age_seconds":"3600","types":["allow_listed"]},"#,
    r#""initiators":{"groups":["grp_01010101010101010101010101010101"],"users":["usr_01010101010101010101010101010101"]},"#,
    r#""kinds":["transfer"],"#,
    r#""sources":{"tags":["hot"],"vaults":["vlt_01010101010101010101010101010101"]},"#,
    r#""time":{"days":["monday"],"from":"00:00","to":"24:00","utc_offset_minutes":"0"},"#,
    r#""velocity":[{"amount_lte":"50","scope":"initiator","window_seconds":"60"},{"count_lte":"3","scope":"vault","window_seconds":"1"}]},"#,
    r#""then":{"fee_max":"4","groups":[],"ordered":false,"tier":"auto","time_lock_seconds":"0"}},"#,
    r#"{"id":"rest","match":{},"then":{"groups":[{"approvals":"1","group":"grp_01010101010101010101010101010101"},"#,
    r#"{"approvals":"1","group":"grp_02020202020202020202020202020202"}],"ordered":true,"tier":"committee","time_lock_seconds":"3600"}}],"#,
    r#""type":"strongroom/policy/v1"}"#
);

#[test]
fn policy_bytes_do_not_change() {
    let (policy, digest) = Policy::load(FULL).unwrap();
    assert_eq!(policy.to_text(), FULL);
    assert_eq!(digest, Policy::digest_of(FULL));
    assert_eq!(
        digest.to_string(),
        "12073253ff8f5d6cafcd3a560f2901bd811012664a0f6677054f6e6500618a02"
    );
}

#[test]
fn an_unknown_member_is_refused_in_every_object() {
    for (at, _) in FULL.match_indices('{') {
        let mut more = FULL.to_owned();
        more.insert_str(at + 1, r#""aaaa":"1","#);
        let text = more.replace(r#""aaaa":"1",}"#, r#""aaaa":"1"}"#);
        let refusal = Policy::load(&text).unwrap_err();
        assert!(refusal.detail.contains("aaaa"), "{refusal}: {text}");
    }
}

#[test]
fn forms_with_two_spellings_are_refused() {
    for (from, to) in [
        (r#"["bc1qa","bc1qb"]"#, r#"["bc1qb","bc1qa"]"#),
        (r#"["bc1qa","bc1qb"]"#, r#"["bc1qa","bc1qa"]"#),
        (r#"["bc1qa","bc1qb"]"#, r#"["bc1q a"]"#),
        (r#"["bc1qa","bc1qb"]"#, r#"[""]"#),
        (r#"["bc1qa","bc1qb"]"#, "[]"),
        (r#"["saturday","sunday"]"#, r#"["sunday","saturday"]"#),
        (r#"["exchange"]"#, "[]"),
        (r#"["transfer"]"#, "[]"),
        (
            r#""utc_offset_minutes":"-60""#,
            r#""utc_offset_minutes":"-060""#,
        ),
        (
            r#""utc_offset_minutes":"-60""#,
            r#""utc_offset_minutes":"-721""#,
        ),
        (
            r#""utc_offset_minutes":"-60""#,
            r#""utc_offset_minutes":"841""#,
        ),
        (
            r#""utc_offset_minutes":"-60""#,
            r#""utc_offset_minutes":"+60""#,
        ),
        (
            r#""utc_offset_minutes":"-60""#,
            r#""utc_offset_minutes":"-0""#,
        ),
        (r#""from":"22:00""#, r#""from":"22:60""#),
        (r#""from":"22:00""#, r#""from":"06:00""#),
        (r#""from":"22:00""#, r#""from":"24:00""#),
        (r#""to":"06:00""#, r#""to":"6:00""#),
        (r#""to":"06:00""#, r#""to":"24:01""#),
        (r#""to":"06:00""#, r#""to":"+6:00""#),
        (r#""gt":"1""#, r#""gt":"100""#),
        (r#""gt":"1""#, r#""gt":"01""#),
        (r#""gt":"1","lte":"100""#, ""),
        (r#""window_seconds":"86400""#, r#""window_seconds":"0""#),
        (
            r#""window_seconds":"86400""#,
            r#""window_seconds":"2678401""#,
        ),
        (r#""amount_lte":"50","#, ""),
        (r#""min_age_seconds":"3600""#, r#""min_age_seconds":"0""#),
        (
            r#""min_age_seconds":"3600""#,
            r#""min_age_seconds":"34560001""#,
        ),
        (
            r#""min_age_seconds":"3600","types":["allow_listed"]"#,
            r#""types":["allow_listed_new"]"#,
        ),
        (
            r#""types":["allow_listed"]"#,
            r#""types":["allow_listed","internal"]"#,
        ),
        (
            r#""labels":["exchange"],"min_age_seconds":"3600","types":["allow_listed"]"#,
            r#""min_age_seconds":"1","types":["unknown"]"#,
        ),
        (
            r#""type":"strongroom/policy/v1""#,
            r#""type":"strongroom/policy/v2""#,
        ),
        (r#""kind":"chains""#, r#""kind":"chainz""#),
        (r#""tier":"auto""#, r#""tier":"Auto""#),
    ] {
        assert!(FULL.contains(from), "{from}");
        let text = FULL.replacen(from, to, 1);
        assert!(Policy::load(&text).is_err(), "{from} → {to}");
    }
}

#[test]
fn an_error_names_the_rule_it_is_in() {
    let text = FULL.replacen(r#""ordered":true"#, r#""ordered":"true""#, 1);
    let error = Policy::load(&text).unwrap_err();
    assert!(error.detail.contains("rules[1].ordered"), "{error}");
}

#[test]
fn too_many_guards_or_rules_are_refused() {
    let rule = r#"{"id":"ID","match":{},"then":{"groups":[],"ordered":false,"tier":"block","time_lock_seconds":"0"}}"#;
    let text = |n: usize| {
        let rules: Vec<_> = (0..n).map(|n| rule.replace("ID", &n.to_string())).collect();
        format!(
            r#"{{"guards":[],"rules":[{}],"type":"strongroom/policy/v1"}}"#,
            rules.join(",")
        )
    };
    assert_eq!(Policy::load(&text(256)).unwrap().0.rules.len(), 256);
    assert!(Policy::load(&text(257)).is_err());
    let guard = r#"{"chains":["eip155:1"],"id":"ID","kind":"chains"}"#;
    let text = |n: usize| {
        let guards: Vec<_> = (0..n)
            .map(|n| guard.replace("ID", &n.to_string()))
            .collect();
        format!(
            r#"{{"guards":[{}],"rules":[],"type":"strongroom/policy/v1"}}"#,
            guards.join(",")
        )
    };
    assert_eq!(Policy::load(&text(64)).unwrap().0.guards.len(), 64);
    assert!(Policy::load(&text(65)).is_err());
}

proptest! {
    #[test]
    fn what_is_written_reads_back(policy in random::policy()) {
        prop_assert_eq!(Policy::parse(&policy.to_text()), Ok(policy));
    }

    #[test]
    fn no_text_makes_it_panic(text in ".{0,200}") {
        prop_assert!(Policy::load(&text).is_err());
    }

    #[test]
    fn a_changed_byte_is_refused_or_says_something_else(at in 0..FULL.len(), byte in 0x20u8..0x7f) {
        let mut bytes = FULL.as_bytes().to_vec();
        bytes[at] = byte;
        let text = String::from_utf8(bytes).unwrap();
        if let Ok((policy, digest)) = Policy::load(&text) {
            prop_assert_eq!(policy.to_text(), text.clone());
            prop_assert_eq!(digest == Policy::digest_of(FULL), text == FULL);
        }
    }

    #[test]
    fn a_cut_text_is_refused(at in 0..FULL.len()) {
        prop_assert!(Policy::load(&FULL[..at]).is_err());
    }
}
