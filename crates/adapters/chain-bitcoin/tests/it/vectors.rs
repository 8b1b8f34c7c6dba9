//! BIP-341's wallet vectors and BIP-86's addresses.

use bitcoin::ScriptBuf;
use bitcoin::key::{TapTweak, UntweakedPublicKey};
use bitcoin::secp256k1::Secp256k1;
use serde_json::Value;
use strongroom_chain_bitcoin::{BitcoinCodec, Network, address};
use strongroom_ports::chain::{ChainCodec, OwnPath, VaultKey};
use strongroom_types::Suite;

fn vectors() -> Value {
    serde_json::from_str(include_str!(
        "../../vectors/bip341-wallet-test-vectors.json"
    ))
    .unwrap()
}

#[test]
fn bip341_addresses_are_written_and_read() {
    let vectors = vectors();
    let cases = vectors["scriptPubKey"].as_array().unwrap();
    assert_eq!(cases.len(), 7);
    for case in cases {
        let text = case["expected"]["bip350Address"].as_str().unwrap();
        let script = address::parse(text, Network::Mainnet).unwrap();
        assert_eq!(
            script.to_hex_string(),
            case["expected"]["scriptPubKey"].as_str().unwrap()
        );
        assert_eq!(
            address::of_script(&script, Network::Mainnet).as_deref(),
            Some(text)
        );
    }
}

#[test]
fn bip341_key_without_script_tree_gets_one_tweak() {
    let vectors = vectors();
    let case = &vectors["scriptPubKey"][0];
    let internal: UntweakedPublicKey = case["given"]["internalPubkey"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    let tweaked = internal.tap_tweak(&Secp256k1::new(), None).0;
    assert_eq!(
        tweaked.to_string(),
        case["intermediary"]["tweakedPubkey"].as_str().unwrap()
    );
}

/// BIP-86 hardens the first three steps. The test starts at its account key: the last two steps and
/// the tweak are the same. `derivation_is_plain_bip32_and_one_tap_tweak` covers the first three.
#[test]
fn bip86_addresses_follow_from_the_account_key() {
    use bitcoin::bip32::{ChildNumber, Xpub};
    let account: Xpub = "xpub6BgBgsespWvERF3LHQu6CnqdvfEvtMcQjYrcRzx53QJjSxarj2afYWcLteoGVky7D3UKDP9QyrLprQ3VCECoY49yfdDEHGCtMMj92pReUsQ".parse().unwrap();
    let secp = Secp256k1::new();
    let cases = [
        (
            0,
            0,
            "bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr",
        ),
        (
            0,
            1,
            "bc1p4qhjn9zdvkux4e44uhx8tc55attvtyu358kutcqkudyccelu0was9fqzwh",
        ),
        (
            1,
            0,
            "bc1p3qkhfews2uk44qtvauqyr2ttdsw7svhkl9nkm9s9c3x4ax5h60wqwruhk7",
        ),
    ];
    for (change, index, text) in cases {
        let path = [change, index].map(|step| ChildNumber::from_normal_idx(step).unwrap());
        let key = account.derive_pub(&secp, &path).unwrap().to_x_only_pub();
        let script = ScriptBuf::new_p2tr(&secp, key, None);
        assert_eq!(
            address::of_script(&script, Network::Mainnet).as_deref(),
            Some(text)
        );
    }
}

#[test]
fn derivation_is_plain_bip32_and_one_tap_tweak() {
    use bitcoin::bip32::{DerivationPath, Xpub};
    // The root is the master key of BIP-32 test vector 2, whose first step is not hardened.
    let root: Xpub = "xpub661MyMwAqRbcFW31YEwpkMuc5THy2PSt5bDMsktWQcFF8syAmRUapSCGu8ED9W6oDMSgv6Zz8idoc4a6mr8BDzTJY47LJhkJ8UB7WEGuduB".parse().unwrap();
    let vault = VaultKey {
        suite: Suite::FrostSecp256k1Tr,
        public_key: root.public_key.serialize().to_vec(),
        chain_code: root.chain_code.to_bytes(),
        account: 5,
    };
    let codec = BitcoinCodec::new(Network::Mainnet).unwrap();
    let ours = codec
        .derive_address(
            &vault,
            OwnPath {
                change: 1,
                index: 42,
            },
        )
        .unwrap();
    let secp = Secp256k1::new();
    let path: DerivationPath = "m/86/0/5/1/42".parse().unwrap();
    let key = root.derive_pub(&secp, &path).unwrap().to_x_only_pub();
    assert_eq!(
        ours,
        bitcoin::Address::p2tr(&secp, key, None, bitcoin::Network::Bitcoin).to_string()
    );
}

#[test]
fn addresses_do_not_change() {
    let vault = crate::setup::TestVault::new(1, 3);
    let codec = crate::setup::regtest();
    let first = codec
        .derive_address(
            &vault.key,
            OwnPath {
                change: 0,
                index: 0,
            },
        )
        .unwrap();
    assert_eq!(
        first,
        "bcrt1pvqu8lwwcrhzl0dkv3mfjs5kpu9qt5qy6hgx35ctvxp53eq852t4ql3dwxn"
    );
}
