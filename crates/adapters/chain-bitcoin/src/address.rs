//! Addresses that payments go to: P2TR, P2WPKH, P2WSH, P2PKH and P2SH, each in its one canonical
//! text.

use crate::Network;
use bitcoin::address::NetworkUnchecked;
use bitcoin::{Address, AddressType, Script, ScriptBuf, XOnlyPublicKey};
use strongroom_types::text::ADDRESS_BYTES_MAX;
use strongroom_types::{Code, Refusal};

/// The output script of an address. All test networks share the prefixes of P2PKH and P2SH, so such
/// an address cannot be told from another test network's.
///
/// # Errors
/// `address_invalid` when the text is not an address, is of a kind that this build does not pay to,
/// or is not canonical (bech32 in upper case). `address_wrong_network` for an address of another
/// network.
pub fn parse(text: &str, network: Network) -> Result<ScriptBuf, Refusal> {
    let invalid = |detail: &str| Refusal::new(Code::AddressInvalid, detail);

    // No intent has a longer address, and the parser's work grows with the length, so a longer text
    // is refused unread.
    if text.len() > ADDRESS_BYTES_MAX {
        return Err(invalid("too long for a Bitcoin address"));
    }
    let address: Address<NetworkUnchecked> = text
        .parse()
        .map_err(|_| invalid("not a Bitcoin address, or its checksum is wrong"))?;
    if !address.is_valid_for_network(network.params()) {
        return Err(Refusal::new(
            Code::AddressWrongNetwork,
            format!("not an address of {network:?}"),
        ));
    }

    let script = address.assume_checked().script_pubkey();

    // Allow-lists and effects compare destinations as texts, so only one text per script is
    // accepted: another one would not match a block or an allow-list entry.
    match of_script(&script, network) {
        Some(canonical) if canonical == text => Ok(script),
        Some(canonical) => Err(invalid(&format!("write it as `{canonical}`"))),
        None => Err(invalid("this kind of Bitcoin address is not supported")),
    }
}

/// The canonical address of a script; `None` when it is of no supported kind (OP_RETURN, bare
/// multi-signature, future witness versions, a Taproot key that is not a point on the curve and so
/// could never be spent).
#[must_use]
pub fn of_script(script: &Script, network: Network) -> Option<String> {
    let address = Address::from_script(script, network.params()).ok()?;
    let payable = match address.address_type()? {
        // BIP-341 allows any 32 bytes as an output key. They must be a point here, because value
        // that is sent to other bytes is lost.
        AddressType::P2tr => script
            .as_bytes()
            .get(2..)
            .is_some_and(|key| XOnlyPublicKey::from_slice(key).is_ok()),
        AddressType::P2wpkh | AddressType::P2wsh | AddressType::P2pkh | AddressType::P2sh => true,
        _ => false,
    };
    payable.then(|| address.to_string())
}

/// The kind of a payable script, as Bitcoin names it, such as `p2tr`.
#[must_use]
pub fn kind(script: &Script) -> &'static str {
    if script.is_p2tr() {
        "p2tr"
    } else if script.is_p2wpkh() {
        "p2wpkh"
    } else if script.is_p2wsh() {
        "p2wsh"
    } else if script.is_p2pkh() {
        "p2pkh"
    } else if script.is_p2sh() {
        "p2sh"
    } else {
        "other"
    }
}

/// Smallest amount, in satoshi, that nodes relay to this script (Bitcoin Core's dust rule at 3
/// sat/vB).
#[must_use]
pub fn dust_limit(script: &Script) -> u64 {
    script.minimal_non_dust().to_sat()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    const GOOD: [(&str, u64); 5] = [
        (
            "bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr",
            330,
        ),
        ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", 294),
        (
            "bc1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qccfmv3",
            330,
        ),
        ("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", 546),
        ("3P14159f73E4gFr7JterCCQh9QjiTjiZrG", 540),
    ];

    #[test]
    fn every_supported_kind_is_read_and_written_back() {
        for (text, dust) in GOOD {
            let script = parse(text, Network::Mainnet).unwrap();
            assert_eq!(of_script(&script, Network::Mainnet).as_deref(), Some(text));
            assert_eq!(dust_limit(&script), dust, "{text}");
        }
    }

    #[test]
    fn an_address_in_upper_case_is_refused() {
        let refusal = parse(&GOOD[0].0.to_uppercase(), Network::Mainnet).unwrap_err();
        assert_eq!(refusal.code, Code::AddressInvalid);
    }

    #[test]
    fn an_address_of_another_network_is_refused() {
        for (text, _) in GOOD {
            assert_eq!(
                parse(text, Network::Regtest).unwrap_err().code,
                Code::AddressWrongNetwork,
                "{text}"
            );
        }
        let regtest = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080";
        assert!(parse(regtest, Network::Regtest).is_ok());
        assert_eq!(
            parse(regtest, Network::Mainnet).unwrap_err().code,
            Code::AddressWrongNetwork
        );
        assert_eq!(
            parse(regtest, Network::Testnet4).unwrap_err().code,
            Code::AddressWrongNetwork
        );
    }

    #[test]
    fn texts_that_are_not_an_address_are_refused() {
        let long = "b".repeat(200);
        let bad = [
            "",
            "bc1",
            "bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcq",
            "BC1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr",
            " 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
            "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb",
            "bitcoin:1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
            "0x742d35Cc6634C0532925a3b844Bc454e4438f44e",
            // BIP-350: witness version 2, and version 1 with a 40-byte program.
            "bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs",
            "bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kt5nd6y",
            // An address of the kind pay-to-anchor.
            "bc1pfeessrawgf",
            // BIP-350: a bech32 checksum on version 1, a bech32m checksum on version 0.
            "bc1p38j9r5y49hruaue7wxjce0updqjuyyx0kh56v8s25huc6995vvpql3jow4",
            "bc1q0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd",
            &long,
        ];
        for text in bad {
            assert_eq!(
                parse(text, Network::Mainnet).unwrap_err().code,
                Code::AddressInvalid,
                "{text}"
            );
        }
    }

    #[test]
    fn a_taproot_key_that_is_not_a_point_is_refused() {
        let script = ScriptBuf::from_hex(&format!("5120{}", "ff".repeat(32))).unwrap();
        let text = Address::from_script(&script, bitcoin::Network::Bitcoin)
            .unwrap()
            .to_string();
        assert_eq!(
            parse(&text, Network::Mainnet).unwrap_err().code,
            Code::AddressInvalid
        );
    }
}
