//! Signatures in, network bytes out.

use super::ChainFixture;
use super::kit::{Payment, flips, other_lengths};
use strongroom_types::Code;

/// Honest signatures give network bytes, which are proved and have a name.
pub fn signed_bytes_are_proved_and_named(fixture: &impl ChainFixture) {
    let payment = Payment::built(fixture);
    let (codec, vault) = (&payment.wallet.codec, &payment.wallet.vault);
    let signed = payment.signed(fixture);
    let name = codec.transaction_id(&signed).unwrap();
    assert!(!name.is_empty());
    let proved = codec.verify_signed(&payment.built.unsigned, &signed, vault);
    assert_eq!(proved, Ok(name));
}

/// Every signature is verified by the codec itself: a coordinator may give anything.
pub fn wrong_signatures_are_refused(fixture: &impl ChainFixture) {
    let payment = Payment::built(fixture);
    let good = payment.signatures(fixture);
    let refused = |signatures: &[Vec<u8>]| {
        let (codec, vault) = (&payment.wallet.codec, &payment.wallet.vault);
        let refusal = codec
            .assemble(&payment.built.unsigned, signatures, vault)
            .unwrap_err();
        assert_eq!(refusal.code, Code::BadSignature);
    };
    refused(&[]);
    refused(&good[1..]);
    refused(&[good.clone(), good.clone()].concat());
    let others = payment.built.slots.iter();
    refused(&others.map(|slot| fixture.sign(1, slot)).collect::<Vec<_>>());
    if good.len() > 1 {
        let mut swapped = good.clone();
        swapped.swap(0, 1);
        refused(&swapped);
    }

    let with_first = |first: Vec<u8>| {
        let mut signatures = good.clone();
        signatures[0] = first;
        refused(&signatures);
    };
    let length = good[0].len();
    with_first(vec![0; length]);
    with_first(vec![0xff; length]);
    other_lengths(&good[0]).for_each(with_first);
    flips(&good[0]).for_each(|(_, flipped)| with_first(flipped));
}

/// Nothing but the signed transaction itself is accepted as it.
pub fn changed_signed_bytes_are_refused(fixture: &impl ChainFixture) {
    let payment = Payment::built(fixture);
    let (codec, vault) = (&payment.wallet.codec, &payment.wallet.vault);
    let (unsigned, signed) = (&payment.built.unsigned, payment.signed(fixture));
    for (bit, changed) in flips(&signed) {
        let proved = codec.verify_signed(unsigned, &changed, vault);
        assert!(proved.is_err(), "bit {bit}");
    }
    for other in other_lengths(&signed) {
        assert!(codec.verify_signed(unsigned, &other, vault).is_err());
    }
}

/// The signed bytes of one transaction prove no other, and no other vault's.
pub fn signed_bytes_of_another_transaction_are_refused(fixture: &impl ChainFixture) {
    let mut payment = Payment::built(fixture);
    let (first, signed) = (payment.built.clone(), payment.signed(fixture));
    payment.wallet.reserve(&first);
    let (codec, vault) = (&payment.wallet.codec, &payment.wallet.vault);
    let plan = payment.wallet.plan(&payment.effects);
    let second = payment.wallet.build(&plan).unwrap();
    assert!(
        codec
            .verify_signed(&second.unsigned, &signed, vault)
            .is_err()
    );
    let other = fixture.vault(1);
    assert!(
        codec
            .verify_signed(&first.unsigned, &signed, &other)
            .is_err()
    );
}
