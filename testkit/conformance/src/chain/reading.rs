//! The strict reading of unsigned forms, by which signers decide.

use super::ChainFixture;
use super::kit::{Payment, Wallet, flips, noise, other_lengths};
use strongroom_ports::chain::NoRegistry;

/// Arbitrary bytes and texts give a refusal, never a panic.
pub fn arbitrary_bytes_are_refused(fixture: &impl ChainFixture) {
    let wallet = Wallet::empty(fixture);
    let (codec, vault) = (&wallet.codec, &wallet.vault);
    for seed in 0..200 {
        let bytes = noise(seed, usize::try_from(seed * 7 % 600).unwrap());
        assert!(wallet.inspect(&bytes).is_err());
        assert!(codec.assemble(&bytes, &[], vault).is_err());
        assert!(codec.verify_signed(&bytes, &bytes, vault).is_err());
        assert!(codec.transaction_id(&bytes).is_err());
        let text = String::from_utf8_lossy(&bytes);
        assert!(codec.parse_address(&text).is_err());
    }
}

/// A cut or longer form is another transaction, or none.
pub fn truncated_and_extended_forms_are_refused(fixture: &impl ChainFixture) {
    let Payment { wallet, built, .. } = Payment::built(fixture);
    for other in other_lengths(&built.unsigned) {
        assert!(wallet.inspect(&other).is_err(), "{} bytes", other.len());
    }
}

/// A changed form is refused, or every signature is over something else: no signature that was
/// given for one transaction fits another.
pub fn a_changed_form_is_refused_or_asks_for_other_signatures(fixture: &impl ChainFixture) {
    let Payment { wallet, built, .. } = Payment::built(fixture);
    for (bit, changed) in flips(&built.unsigned) {
        let Ok(inspection) = wallet.inspect(&changed) else {
            continue;
        };
        let same_slot = inspection
            .slots
            .iter()
            .zip(&built.slots)
            .any(|(new, old)| new.message == old.message);
        assert!(!same_slot, "bit {bit} leaves a message as it was");
    }
}

/// The transaction of one vault is not read as one of another: own outputs of the one are payments
/// of the other.
pub fn a_form_of_another_vault_is_refused(fixture: &impl ChainFixture) {
    let Payment { wallet, built, .. } = Payment::built(fixture);
    for number in 1..super::VAULTS {
        let other = fixture.vault(number);
        let refusal = wallet.codec.inspect(&built.unsigned, &other, &NoRegistry);
        assert!(refusal.is_err(), "vault {number}");
    }
    let mut same_key = fixture.vault(0);
    same_key.account += 1;
    let refusal = wallet
        .codec
        .inspect(&built.unsigned, &same_key, &NoRegistry);
    assert!(refusal.is_err(), "another account of the same key");
}
