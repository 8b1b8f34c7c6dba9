//! Addresses: one text each, of one network.

use super::kit::RECEIVE;
use super::{ChainFixture, VAULTS};
use std::collections::BTreeSet;
use strongroom_ports::chain::{OwnPath, VaultKey};
use strongroom_types::registry::{ACCOUNT_INDEX_MAX, ADDRESS_INDEX_MAX};
use strongroom_types::{Code, Suite};

/// Addresses of others are read; every other spelling of them is refused.
pub fn an_address_is_accepted_in_one_text_form_only(fixture: &impl ChainFixture) {
    let codec = fixture.codec();
    let addresses = fixture.addresses();
    assert!(addresses.len() >= 2, "the fixture needs two addresses");
    for text in addresses {
        let facts = codec.parse_address(&text).unwrap();
        assert!(!facts.kind.is_empty(), "{text}");
        let spellings = [
            text.to_ascii_lowercase(),
            text.to_ascii_uppercase(),
            format!(" {text}"),
            format!("{text} "),
            format!("{text}\n"),
            format!("{text}{text}"),
        ];
        for other in spellings.iter().filter(|other| **other != text) {
            let refusal = codec.parse_address(other).unwrap_err();
            assert_eq!(refusal.code, Code::AddressInvalid, "{other:?}");
        }
    }
}

/// Other networks and wrong checksums lose money; they are refused with a code that says which.
pub fn other_networks_and_wrong_texts_are_refused(fixture: &impl ChainFixture) {
    let codec = fixture.codec();
    let more = ["", " ", "0", "\u{0}", "ä", &"a".repeat(100_000)].map(str::to_owned);
    for text in fixture.not_addresses().into_iter().chain(more) {
        let refusal = codec.parse_address(&text).unwrap_err();
        let code = refusal.code;
        assert!(
            [Code::AddressInvalid, Code::AddressWrongNetwork].contains(&code),
            "{text:.40}: {code}"
        );
    }
}

/// A typed or damaged character is noticed.
pub fn a_changed_character_is_refused(fixture: &impl ChainFixture) {
    let codec = fixture.codec();
    for text in fixture.addresses() {
        for at in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[at] = if changed[at] == b'q' { b'p' } else { b'q' };
            let Ok(changed) = String::from_utf8(changed) else {
                continue;
            };
            assert!(codec.parse_address(&changed).is_err(), "{changed}");
        }
    }
}

/// A vault's own addresses are addresses, and no two are the same.
pub fn own_addresses_are_addresses_and_differ(fixture: &impl ChainFixture) {
    let codec = fixture.codec();
    let mut seen = BTreeSet::new();
    let mut expected = 0;
    for number in 0..VAULTS {
        let accounts = [0, 1, ACCOUNT_INDEX_MAX - 1];
        for account in accounts {
            let vault = VaultKey {
                account,
                ..fixture.vault(number)
            };
            let paths = [(0, 0), (0, 1), (1, 0), (1, ADDRESS_INDEX_MAX - 1)];
            let paths = paths.map(|(change, index)| OwnPath { change, index });
            let singly = paths.map(|path| codec.derive_address(&vault, path).unwrap());
            for address in &singly {
                codec.parse_address(address).unwrap();
            }

            // What watches the network derives them together, in the order of the paths.
            assert_eq!(codec.derive_addresses(&vault, &paths).unwrap(), singly);
            expected += paths.len();
            seen.extend(singly);
        }
    }
    assert_eq!(seen.len(), expected);
}

/// An index that is not watched hides change; a branch that is neither receive nor change too.
pub fn paths_out_of_bounds_are_refused(fixture: &impl ChainFixture) {
    let codec = fixture.codec();
    let vault = fixture.vault(0);
    for (change, index) in [(2, 0), (u32::MAX, 0), (0, ADDRESS_INDEX_MAX), (1, u32::MAX)] {
        let refusal = codec
            .derive_address(&vault, OwnPath { change, index })
            .unwrap_err();
        assert_eq!(refusal.code, Code::PathNotOwn, "{change}/{index}");
        let paths = [RECEIVE, OwnPath { change, index }];
        let refusal = codec.derive_addresses(&vault, &paths).unwrap_err();
        assert_eq!(refusal.code, Code::PathNotOwn, "{change}/{index} of two");
    }
    let vault = VaultKey {
        account: ACCOUNT_INDEX_MAX,
        ..vault
    };
    let refusal = codec.derive_address(&vault, RECEIVE).unwrap_err();
    assert_eq!(refusal.code, Code::PathNotOwn);
}

/// A key of another scheme, and bytes that are not a key, have no address here.
pub fn keys_of_other_schemes_and_broken_keys_have_no_address(fixture: &impl ChainFixture) {
    let codec = fixture.codec();
    let good = fixture.vault(0);
    assert!(codec.manifest().suites.contains(&good.suite));
    let all = [
        Suite::FrostSecp256k1Tr,
        Suite::FrostSecp256k1,
        Suite::FrostEd25519,
    ];
    for suite in all {
        if !codec.manifest().suites.contains(&suite) {
            let vault = VaultKey {
                suite,
                ..good.clone()
            };
            let refusal = codec.derive_address(&vault, RECEIVE).unwrap_err();
            assert_eq!(refusal.code, Code::Unsupported, "{suite}");
        }
    }
    let length = good.public_key.len();
    let broken = [
        vec![],
        good.public_key[1..].to_vec(),
        vec![0; length],
        vec![0xff; length],
    ];
    for public_key in broken {
        let vault = VaultKey {
            public_key,
            ..good.clone()
        };
        let refusal = codec.derive_address(&vault, RECEIVE).unwrap_err();
        assert_eq!(refusal.code, Code::Malformed, "{:?}", vault.public_key);
    }
}
