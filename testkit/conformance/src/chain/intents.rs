//! Effects of an intent, as approvers see them.

use super::ChainFixture;
use super::kit::{RECEIVE, Wallet};
use strongroom_ports::chain::{Effects, Registry, VaultKey, within};
use strongroom_types::{
    AssetId, AttemptKind, Code, CredentialId, Destination, Intent, IntentKind, MinorUnits,
    PlatformId, Refusal, TenantId, Transfer, UnixMs, VaultId,
};

const OTHER: VaultId = VaultId([7; 16]);

/// One other vault of the tenant.
struct OneVault(VaultKey);

impl Registry for OneVault {
    fn vault_key(&self, vault: VaultId) -> Option<VaultKey> {
        (vault == OTHER).then(|| self.0.clone())
    }
}

fn intent(fixture: &impl ChainFixture, pays: &[(Destination, MinorUnits)]) -> Intent {
    let codec = fixture.codec();
    let manifest = codec.manifest();
    let transfer = |(to, amount): &(Destination, MinorUnits)| Transfer {
        asset: manifest.native.clone(),
        destination: to.clone(),
        amount: *amount,
        memo: None,
    };
    Intent {
        platform: PlatformId([0; 16]),
        tenant: TenantId([0; 16]),
        vault: VaultId([1; 16]),
        initiator: CredentialId([0; 16]),
        external_id: "conformance".parse().unwrap(),
        created: UnixMs(0),
        expires: UnixMs(1),
        chain: manifest.chain.clone(),
        kind: IntentKind::Transfer(pays.iter().map(transfer).collect()),
        fee_max: fixture.fee_max(),
        attempts_max: 1,
        purpose: None,
    }
}

fn expected(fixture: &impl ChainFixture, intent: &Intent) -> Result<Effects, Refusal> {
    let registry = OneVault(fixture.vault(1));
    fixture.codec().expected(intent, &registry)
}

/// Approvers see each payment, in ascending order, and no right given away.
pub fn an_intent_becomes_its_moves(fixture: &impl ChainFixture) {
    let addresses = fixture.addresses();
    let amount = fixture.amount();
    let pays: Vec<_> = addresses
        .iter()
        .rev()
        .map(|to| (Destination::Address(to.clone()), amount))
        .collect();
    let effects = expected(fixture, &intent(fixture, &pays)).unwrap();
    let wanted = Wallet::empty(fixture).effects(&addresses, amount);
    assert_eq!(effects, wanted);
    assert!(effects.moves.is_sorted());
}

/// A payment to another vault goes to its own receive address, and only to a vault of the registry.
pub fn another_vault_is_paid_at_its_receive_address(fixture: &impl ChainFixture) {
    let pays = [(Destination::Vault(OTHER), fixture.amount())];
    let effects = expected(fixture, &intent(fixture, &pays)).unwrap();
    let own = fixture.codec().derive_address(&fixture.vault(1), RECEIVE);
    assert_eq!(effects.moves[0].to, own.unwrap());

    let unknown = [(Destination::Vault(VaultId([8; 16])), fixture.amount())];
    let refusal = expected(fixture, &intent(fixture, &unknown)).unwrap_err();
    assert_eq!(refusal.code, Code::UnknownVault);
}

/// An intent for another chain or asset is not read as one of this chain.
pub fn other_chains_and_assets_are_refused(fixture: &impl ChainFixture) {
    let to = Destination::Address(fixture.addresses()[0].clone());
    let good = intent(fixture, &[(to, fixture.amount())]);
    let elsewhere = Intent {
        chain: "other:chain".parse().unwrap(),
        ..good.clone()
    };
    let refusal = expected(fixture, &elsewhere).unwrap_err();
    assert_eq!(refusal.code, Code::UnknownChain);

    let asset: AssetId = format!("{}/other:asset", good.chain).parse().unwrap();
    let mut transfers = good.transfers().to_vec();
    transfers[0].asset = asset;
    let other = Intent {
        kind: IntentKind::Transfer(transfers),
        ..good
    };
    let refusal = expected(fixture, &other).unwrap_err();
    assert_eq!(refusal.code, Code::UnknownAsset);
}

/// A destination that is not an address is refused before a person is asked.
pub fn wrong_destinations_are_refused(fixture: &impl ChainFixture) {
    for text in fixture.not_addresses() {
        let to = Destination::Address(text.clone());
        let wish = intent(fixture, &[(to, fixture.amount())]);
        assert!(expected(fixture, &wish).is_err(), "{text}");
    }
}

/// The largest amounts there are give effects and a transaction that does just that, or a refusal;
/// never an overflow.
pub fn the_largest_amounts_never_overflow(fixture: &impl ChainFixture) {
    let wallet = Wallet::funded(fixture);
    let largest = MinorUnits::from_be_bytes([0xff; 32]);
    let to = Destination::Address(fixture.addresses()[0].clone());
    for amount in [largest, u64::MAX.into(), (1_u64 << 63).into()] {
        for count in [1, 2, 32] {
            let wish = intent(fixture, &vec![(to.clone(), amount); count]);
            let Ok(effects) = expected(fixture, &wish) else {
                continue;
            };
            if let Ok(built) = wallet.build(&wallet.plan(&effects)) {
                let inspection = wallet.inspect(&built.unsigned).unwrap();
                within(&effects, AttemptKind::Pay, &inspection, wallet.fee_max).unwrap();
            }
        }
    }
}
