//! Expected effects of intents.

use crate::setup::{FOREIGN, TestVault, code, regtest};
use strongroom_ports::chain::{ChainCodec, OwnPath, Registry, VaultKey};
use strongroom_types::registry::ADDRESS_INDEX_MAX;
use strongroom_types::{
    AssetId, Code, CredentialId, Destination, Intent, IntentKind, MinorUnits, PlatformId, Suite,
    TenantId, Transfer, VaultId,
};

struct OneVault(VaultKey);

impl Registry for OneVault {
    fn vault_key(&self, vault: VaultId) -> Option<VaultKey> {
        (vault == VaultId([2; 16])).then(|| self.0.clone())
    }
}

fn transfer(destination: Destination, amount: u64) -> Transfer {
    Transfer {
        asset: regtest().manifest().native.clone(),
        destination,
        amount: amount.into(),
        memo: None,
    }
}

fn intent(transfers: Vec<Transfer>) -> Intent {
    Intent {
        platform: PlatformId([0; 16]),
        tenant: TenantId([0; 16]),
        vault: VaultId([1; 16]),
        initiator: CredentialId([0; 16]),
        external_id: "x".parse().unwrap(),
        created: strongroom_types::UnixMs(0),
        expires: strongroom_types::UnixMs(1),
        chain: regtest().manifest().chain.clone(),
        kind: IntentKind::Transfer(transfers),
        fee_max: 1_000.into(),
        attempts_max: 1,
        purpose: None,
    }
}

fn refused(intent: &Intent) -> Code {
    code(regtest().expected(intent, &OneVault(TestVault::new(2, 9).key)))
}

#[test]
fn an_intent_becomes_its_moves_in_ascending_order() {
    let (codec, vaults) = (regtest(), OneVault(TestVault::new(2, 9).key));
    let wish = intent(vec![
        transfer(Destination::Vault(VaultId([2; 16])), 5_000),
        transfer(Destination::Address(FOREIGN.to_owned()), 9_000),
        transfer(Destination::Address(FOREIGN.to_owned()), 8_000),
    ]);
    let effects = codec.expected(&wish, &vaults).unwrap();
    let receive = codec
        .derive_address(
            &vaults.0,
            OwnPath {
                change: 0,
                index: 0,
            },
        )
        .unwrap();
    let shown: Vec<_> = effects
        .moves
        .iter()
        .map(|m| (m.to.as_str(), m.at_most.to_u64().unwrap()))
        .collect();
    assert_eq!(
        shown,
        [
            (receive.as_str(), 5_000),
            (FOREIGN, 8_000),
            (FOREIGN, 9_000)
        ]
    );
}

#[test]
fn what_the_codec_cannot_promise_is_refused() {
    let address = |text: &str| Destination::Address(text.to_owned());
    assert_eq!(
        refused(&intent(vec![transfer(
            Destination::Vault(VaultId([3; 16])),
            5_000
        )])),
        Code::UnknownVault
    );
    assert_eq!(
        refused(&intent(vec![transfer(address("nonsense"), 5_000)])),
        Code::AddressInvalid
    );
    assert_eq!(
        refused(&intent(vec![transfer(
            address(&FOREIGN.to_uppercase()),
            5_000
        )])),
        Code::AddressInvalid
    );
    let mainnet = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4";
    assert_eq!(
        refused(&intent(vec![transfer(address(mainnet), 5_000)])),
        Code::AddressWrongNetwork
    );
    assert_eq!(
        refused(&intent(vec![transfer(address(FOREIGN), 293)])),
        Code::Dust
    );
    let mut huge = transfer(address(FOREIGN), 1);
    huge.amount = MinorUnits::from_be_bytes([0xff; 32]);
    assert_eq!(refused(&intent(vec![huge])), Code::InsufficientBalance);
    let supply = transfer(address(FOREIGN), 2_100_000_000_000_000);
    assert_eq!(
        refused(&intent(vec![supply, transfer(address(FOREIGN), 1_000)])),
        Code::InsufficientBalance
    );
    let mut token = transfer(address(FOREIGN), 5_000);
    token.asset = "bip122:0f9188f13cb7b2c71f2a335e3a4fc328/slip44:0"
        .parse::<AssetId>()
        .unwrap();
    assert_eq!(refused(&intent(vec![token])), Code::UnknownAsset);
    let mut elsewhere = intent(vec![transfer(address(FOREIGN), 5_000)]);
    elsewhere.chain = "eip155:1".parse().unwrap();
    assert_eq!(refused(&elsewhere), Code::UnknownChain);
}

#[test]
fn a_key_of_another_scheme_or_form_has_no_addresses() {
    let codec = regtest();
    let good = TestVault::new(2, 9).key;
    let first = OwnPath {
        change: 0,
        index: 0,
    };
    let point = bitcoin::secp256k1::PublicKey::from_slice(&good.public_key).unwrap();
    let uncompressed = point.serialize_uncompressed().to_vec();
    let cases = [
        (
            VaultKey {
                suite: Suite::FrostSecp256k1,
                ..good.clone()
            },
            Code::Unsupported,
        ),
        (
            VaultKey {
                public_key: vec![],
                ..good.clone()
            },
            Code::Malformed,
        ),
        (
            VaultKey {
                public_key: uncompressed,
                ..good.clone()
            },
            Code::Malformed,
        ),
        (
            VaultKey {
                public_key: vec![5; 33],
                ..good.clone()
            },
            Code::Malformed,
        ),
        (
            VaultKey {
                account: 1_000_000,
                ..good.clone()
            },
            Code::PathNotOwn,
        ),
        (
            VaultKey {
                account: u32::MAX,
                ..good.clone()
            },
            Code::PathNotOwn,
        ),
    ];
    for (key, expected) in cases {
        assert_eq!(code(codec.derive_address(&key, first)), expected);
    }
    for path in [
        OwnPath {
            change: 2,
            index: 0,
        },
        OwnPath {
            change: 0,
            index: ADDRESS_INDEX_MAX,
        },
    ] {
        assert_eq!(code(codec.derive_address(&good, path)), Code::PathNotOwn);
    }
    assert!(
        codec
            .derive_address(
                &good,
                OwnPath {
                    change: 1,
                    index: ADDRESS_INDEX_MAX - 1
                }
            )
            .is_ok()
    );
}
