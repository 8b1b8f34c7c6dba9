//! Properties over random intents and arbitrary bytes.

use crate::setup::{Ask, TestVault, coin, effects, regtest, request};
use proptest::prelude::*;
use strongroom_chain_bitcoin::encode::Unsigned;
use strongroom_ports::chain::{ChainCodec, NoRegistry, OwnPath, Plan, within};
use strongroom_types::{AttemptKind, MinorUnits};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn what_is_built_is_what_was_asked(
        pays in prop::collection::vec((0u8..4, 600u64..300_000), 1..6),
        values in prop::collection::vec(300u64..900_000, 1..40),
        rate in 0u64..40_000,
        height in 0u64..1_000_000,
    ) {
        let (codec, vault) = (regtest(), TestVault::new(3, 1));
        let addresses: Vec<_> = (0..4)
            .map(|n| codec.derive_address(&TestVault::new(50 + n, 0).key, OwnPath { change: 0, index: 0 }).unwrap())
            .collect();
        let pays: Vec<_> = pays.iter().map(|(to, amount)| (addresses[usize::from(*to)].as_str(), *amount)).collect();
        let effects = effects(&codec, &pays);
        let coins: Vec<_> = (1..).zip(&values).map(|(n, amount)| coin(n, *amount)).collect();
        let asked = Ask { fee_rate: rate, height, ..request(&effects, &vault.key, &coins) };
        let paid: u64 = pays.iter().map(|(_, amount)| amount).sum();
        let Ok(built) = asked.build(&codec) else {
            // A build may be refused only when all coins together do not cover the payments and the
            // fee.
            let spendable: u64 = values.iter().map(|v| v.saturating_sub(58 * rate.max(1_000) / 1_000)).sum();
            prop_assert!(spendable < paid + 300 * rate.max(1_000) / 1_000, "{spendable} would cover {paid}");
            return Ok(());
        };
        let inspection = codec.inspect(&built.unsigned, &vault.key, &NoRegistry).unwrap();
        prop_assert!(within(&effects, AttemptKind::Pay, &inspection, built.fee).is_ok());
        let returned = inspection.returned;
        prop_assert!(returned.is_zero() || returned >= 330.into(), "change of {returned} is dust");
        let form = Unsigned::decode(&built.unsigned, codec.network()).unwrap();
        let money_in: u64 = form.inputs.iter().map(|claim| claim.amount).sum();
        let out = inspection.returned.checked_add(inspection.fee).and_then(|sum| sum.checked_add(paid.into()));
        prop_assert_eq!(out, Some(MinorUnits::from(money_in)));
        prop_assert_eq!(form.encode(codec.network()).unwrap(), built.unsigned.clone());
        prop_assert_eq!(asked.build(&codec).unwrap(), built.clone());
        let signatures = vault.sign_all(&codec, &built.unsigned);
        let raw = codec.assemble(&built.unsigned, &signatures, &vault.key).unwrap();
        let signed: bitcoin::Transaction = bitcoin::consensus::encode::deserialize(&raw).unwrap();
        let least = (signed.vsize() as u64 * rate.max(1_000)).div_ceil(1_000);
        prop_assert!(built.fee >= least.into(), "fee {} below {least}", built.fee);

        let again = Ask { anchor: Some(&built.anchor), fee_max: 100_000_000.into(), ..asked };
        for kind in [AttemptKind::Bump, AttemptKind::Cancel] {
            let Ok(next) = again.replace(&codec, kind, &built.unsigned) else { continue };
            let inspection = codec.inspect(&next.unsigned, &vault.key, &NoRegistry).unwrap();
            prop_assert!(within(&effects, kind, &inspection, next.fee).is_ok());
            prop_assert!(next.fee > built.fee && next.conflicts.contains(&built.anchor));
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), text in ".{0,100}") {
        let (codec, vault) = (regtest(), TestVault::new(3, 1));
        let framed = [&[1, 0xfa, 0xbf, 0xb5, 0xda][..], &bytes].concat();
        for input in [&bytes, &framed] {
            prop_assert!(codec.inspect(input, &vault.key, &NoRegistry).is_err());
            prop_assert!(codec.assemble(input, &[], &vault.key).is_err());
        }
        let effects = effects(&codec, &[(crate::setup::FOREIGN, 70_000)]);
        let plan = Plan {
            kind: AttemptKind::Pay,
            effects: &effects,
            vault: &vault.key,
            anchor: None,
            previous: None,
            fee_max: 10_000.into(),
            slots_max: 256,
            return_to: OwnPath { change: 1, index: 0 },
        };
        for view in [&bytes, &framed] {
            prop_assert!(codec.build(&plan, view).is_err());
        }
        let _ = codec.transaction_id(&bytes);
        let _ = codec.parse_address(&text);
    }

    #[test]
    fn damaged_forms_never_panic(at in 0usize..300, byte in any::<u8>(), cut in 0usize..40, insert in any::<bool>()) {
        let (codec, vault) = (regtest(), TestVault::new(1, 3));
        let effects = effects(&codec, &[(crate::setup::FOREIGN, 70_000)]);
        let coins = [coin(1, 60_000), coin(2, 40_000)];
        let mut bytes = request(&effects, &vault.key, &coins).build(&codec).unwrap().unsigned;
        let at = at % bytes.len();
        if insert { bytes.insert(at, byte) } else { bytes[at] = byte }
        bytes.drain(at..(at + cut).min(bytes.len()));
        let _ = codec.inspect(&bytes, &vault.key, &NoRegistry);
    }
}
