//! The members of each class of credential are checked when its text is read.

use crate::acts::{credential, feed, p256, passkey};
use strongroom_types::credential::{Credential, CredentialClass, PublicKey, RelyingParty};
use strongroom_types::fields::Fields;
use strongroom_types::plain::Plain;

use CredentialClass::{Feed, Key, Passkey, Program, Watch};

/// Whether the credential reads back from its own text; it must agree with [`Credential::check`].
fn reads(credential: &Credential) -> bool {
    let mut fields = Fields::of(credential.to_json(), "credential").unwrap();
    let read = Credential::read(&mut fields);
    assert_eq!(read.is_ok(), credential.check().is_ok(), "{credential:?}");
    match read {
        Ok(read) => {
            fields.end().unwrap();
            read == *credential
        }
        Err(_) => false,
    }
}

fn with_web(change: impl FnOnce(&mut RelyingParty)) -> Credential {
    let mut credential = passkey();
    change(credential.web.as_mut().unwrap());
    credential
}

#[test]
fn a_class_has_a_user_or_none() {
    for (class, has_user) in [(Key, true), (Program, true), (Watch, false), (Feed, false)] {
        for user in [feed().user, credential(class).user] {
            let is_given = user.is_some();
            let given = Credential {
                user,
                ..credential(class)
            };
            assert_eq!(reads(&given), is_given == has_user, "{class}");
        }
    }
    let nobody = Credential {
        user: None,
        ..passkey()
    };
    assert!(reads(&passkey()) && !reads(&nobody));
}

#[test]
fn only_a_passkey_has_a_relying_party_and_it_must() {
    for class in [Key, Program] {
        let web = Credential { class, ..passkey() };
        assert!(!reads(&web), "{class}");
    }
    let web = passkey().web;
    assert!(!reads(&Credential { web, ..feed() }));
    assert!(!reads(&credential(Passkey)), "neither p256 nor web");
    let web = None;
    assert!(!reads(&Credential { web, ..passkey() }));
    let key = credential(Key).key;
    assert!(!reads(&Credential { key, ..passkey() }), "ed25519");
}

#[test]
fn every_class_but_passkey_takes_both_algorithms() {
    for class in [Key, Program] {
        let key = p256();
        assert!(reads(&credential(class)));
        assert!(reads(&Credential {
            key,
            ..credential(class)
        }));
    }
    assert!(reads(&feed()));
}

/// The tag 05 marks a compact point, which SEC 1 readers accept as well.
#[test]
fn a_p256_key_has_one_text() {
    let hex = p256().to_hex();
    let x = &hex[2..];
    assert!(PublicKey::from_text("p256", &format!("02{x}")).is_ok());
    let not_on_the_curve = format!("02{}01", "00".repeat(31));
    let above_p = format!("02{}", "ff".repeat(32));
    for bad in [
        format!("05{x}"),
        format!("04{x}"),
        format!("00{x}"),
        x.to_owned(),
        format!("{hex}00"),
        hex.to_uppercase(),
        not_on_the_curve,
        above_p,
    ] {
        assert!(PublicKey::from_text("p256", &bad).is_err(), "{bad}");
    }
    assert!(PublicKey::from_text("ed25519", &hex).is_err());
    assert!(PublicKey::from_text("rsa", &hex).is_err());

    let key = PublicKey::P256([5; 33]);
    assert!(!reads(&Credential { key, ..passkey() }));
}

#[test]
fn a_relying_party_is_a_domain() {
    for rp_id in [
        "",
        "Example.org",
        "example..org",
        "example.org.",
        "-a.org",
        "a-.org",
        "a b",
    ] {
        let credential = with_web(|web| {
            web.rp_id = rp_id.to_owned();
            web.origins = vec![format!("https://{rp_id}")];
        });
        assert!(!reads(&credential), "{rp_id:?}");
        let refusal = credential.check().unwrap_err().to_string();
        assert!(refusal.contains("domain in lower case"), "{refusal}");
    }

    // The longest label of a domain has 63 bytes, the longest domain 253.
    let of = |rp_id: String| {
        reads(&with_web(|web| {
            web.origins = vec![format!("https://{rp_id}")];
            web.rp_id = rp_id;
        }))
    };
    let label = |n: usize| "a".repeat(n);
    assert!(of(format!("{}.org", label(63))));
    assert!(!of(format!("{}.org", label(64))));
    let name = |last: usize| [label(63), label(63), label(63), label(last)].join(".");
    assert!(of(name(61)) && !of(name(62)));
}

#[test]
fn an_origin_belongs_to_its_relying_party_and_has_one_form() {
    let one = |origin: &str| reads(&with_web(|web| web.origins = vec![origin.to_owned()]));
    for good in [
        "https://example.org",
        "https://a.b.example.org",
        "https://example.org:8443",
    ] {
        assert!(one(good), "{good}");
    }
    for bad in [
        "http://example.org",
        "https://example.org/",
        "https://example.org:443",
        "https://example.org:08443",
        "https://example.org:0",
        "https://example.org:+1",
        "https://example.org:",
        "https://example.org:65536",
        "https://evilexample.org",
        "https://evil.org",
        "https://.example.org",
        "https://a\"b.example.org",
        "https://Example.org",
        "example.org",
        "",
    ] {
        assert!(!one(bad), "{bad}");
    }

    let local = |origin: &str| {
        reads(&with_web(|web| {
            web.rp_id = "localhost".to_owned();
            web.origins = vec![origin.to_owned()];
        }))
    };
    assert!(local("http://localhost:3000") && local("https://localhost"));
    assert!(!local("http://localhost:80") && !local("http://127.0.0.1"));
}

#[test]
fn origins_are_a_set_of_at_most_eight() {
    let origin = |n: usize| format!("https://s{n}.example.org");
    let of = |origins: Vec<String>| reads(&with_web(|web| web.origins = origins));
    assert!(of((0..8).map(origin).collect()));
    assert!(!of((0..9).map(origin).collect()));
    assert!(!of(vec![]));
    assert!(!of(vec![origin(1), origin(1)]));
    assert!(!of(vec![origin(2), origin(1)]));
}
