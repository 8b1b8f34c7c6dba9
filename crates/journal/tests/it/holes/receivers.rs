//! Money into vaults whose key is revoked.

use super::{again, refused_again, share, share_at};
use crate::{SMALL, ready};
use strongroom_types::{
    ActBody, AttemptKind, Code, Destination, Document as _, Intent, IntentKind, KeyId,
    RegistryRecord, Revocable, Tighten, Vault, VaultId,
};
use strongroom_world::{FRIEND, Ledger, Who};

/// A tenant with a second vault on a key of its own.
fn with_second_vault() -> (Ledger, Vault) {
    let mut ledger = ready();
    let first = std::mem::replace(&mut ledger.world.tenant.key, KeyId([0x22; 16]));
    ledger.make_key();
    let vault = Vault {
        id: VaultId([0x22; 16]),
        ..ledger.world.tenant.first_vault()
    };
    let put = ActBody::Put(RegistryRecord::Vault(vault.clone()));
    ledger.act_in_force(put, &ledger.admins()).unwrap();
    ledger.world.tenant.key = first;
    (ledger, vault)
}

/// A payment from the first vault to another, of an amount that needs no approval.
fn internal(ledger: &Ledger, to: &Vault) -> Intent {
    let mut intent = ledger.world.intent(ledger.now, SMALL, FRIEND);
    let IntentKind::Transfer(transfers) = &mut intent.kind;
    transfers[0].destination = Destination::Vault(to.id);
    intent
}

fn revoke_key(ledger: &mut Ledger, vault: &Vault) {
    ledger
        .tighten(
            Tighten::Revoke(Revocable::Key(vault.key)),
            &ledger.committee(),
        )
        .unwrap();
}

/// A client whose internal transfers are automatic pays into a vault whose key others may hold.
#[test]
fn hole_a_vault_with_a_revoked_key_is_not_a_destination() {
    let (mut ledger, vault) = with_second_vault();
    ledger.authorize(&internal(&ledger, &vault), &[]).unwrap();

    revoke_key(&mut ledger, &vault);
    let refused = ledger.authorize(&internal(&ledger, &vault), &[]);
    assert_eq!(refused.unwrap_err().code, Code::KeyRevoked);
}

#[test]
fn hole_a_payment_under_way_to_a_vault_gets_no_share_once_its_key_is_revoked() {
    let (mut ledger, vault) = with_second_vault();
    let intent = internal(&ledger, &vault);
    ledger.authorize(&intent, &[]).unwrap();
    assert_eq!(share(&ledger, &intent), None);

    revoke_key(&mut ledger, &vault);
    assert_eq!(share(&ledger, &intent), Some(Code::KeyRevoked));

    assert_eq!(refused_again(&ledger, &intent), Some(Code::KeyRevoked));
}

/// The coins come home to the paying vault, whose key is in force.
#[test]
fn a_cancelled_payment_to_a_vault_with_a_revoked_key_returns_its_anchor() {
    let (mut ledger, vault) = with_second_vault();
    let intent = internal(&ledger, &vault);
    ledger.authorize(&intent, &[]).unwrap();
    revoke_key(&mut ledger, &vault);
    ledger
        .tighten(Tighten::Cancel(intent.digest()), &[Who::Admin(0)])
        .unwrap();

    again(&mut ledger, &intent, AttemptKind::Cancel).unwrap();
    assert_eq!(share_at(&ledger, &intent, 2, ledger.now), None);
}
