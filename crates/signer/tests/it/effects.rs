//! The transaction does what the intent says, for the attempt that the journal has.

use crate::cluster::Cluster;
use crate::coordinator::{Payment, coin};
use crate::machine::codec;
use strongroom_chain_bitcoin::Network;
use strongroom_chain_bitcoin::encode::Unsigned;
use strongroom_ports::chain::{
    AddressFacts, Built, ChainCodec as _, Effects, Fact, Facts, Inspection, Manifest, OwnPath,
    Plan, Registry, VaultKey,
};
use strongroom_types::attempt::unsigned_digest;
use strongroom_types::{
    ActBody, Code, ConflictKey, Destination, Document as _, Intent, Refusal, RegistryRecord,
    Tighten, Vault, VaultId,
};
use strongroom_world::{FRIEND, STRANGER};

/// Asks every signer about an authorized lie; then the honest payment gets its share.
fn refused_by_all(cluster: &mut Cluster, payment: &Payment, code: Code) {
    for index in [1, 2, 3] {
        let request = cluster.request(payment, &[1, 2, 3]);
        assert_eq!(cluster.ask(index, &request).code(), code);
        cluster.assert_serves(index);
    }
}

/// Authorizes a payment whose attempt names this transaction, truthfully.
fn attempt_on(cluster: &mut Cluster, change: impl FnOnce(&mut Unsigned)) -> Payment {
    let mut payment = cluster.payment(300_000);
    let mut unsigned = Unsigned::decode(&payment.built.unsigned, Network::Regtest).unwrap();
    change(&mut unsigned);
    payment.built.unsigned = unsigned.encode(Network::Regtest).unwrap();
    payment.attempt.unsigned_digest = unsigned_digest(&payment.built.unsigned);
    cluster.authorize(&payment, &[]);
    payment
}

#[test]
fn a_transaction_swapped_after_the_attempt_is_refused() {
    let mut cluster = Cluster::ready();
    let payment = cluster.authorized(300_000, &[]);
    for other in [
        cluster.build(STRANGER, 300_000, 77),
        cluster.build(FRIEND, 300_000, 77),
    ] {
        let mut request = cluster.request(&payment, &[1, 2]);
        request.unsigned = other.unsigned;
        assert_eq!(cluster.ask(1, &request).code(), Code::AttemptDigestMismatch);
    }
    cluster.assert_signs(1, &payment);
}

#[test]
fn with_any_byte_of_the_transaction_flipped_and_enveloped_again_there_is_no_share() {
    let mut cluster = Cluster::ready();
    let payment = cluster.authorized(300_000, &[]);
    let honest = cluster.request(&payment, &[1, 2]);
    for at in 0..honest.unsigned.len() {
        let mut request = honest.clone();
        request.unsigned[at] ^= 1;
        assert_eq!(
            cluster.ask(1, &request).code(),
            Code::AttemptDigestMismatch,
            "byte {at}"
        );
    }
    assert_eq!(cluster.ask(1, &honest).shares().len(), 1);
}

#[test]
fn an_attempt_that_pays_another_receiver_or_another_amount_is_refused() {
    let mut cluster = Cluster::ready();
    for (to, amount) in [(STRANGER, 300_000), (FRIEND, 300_001), (FRIEND, 299_999)] {
        let mut payment = cluster.payment(300_000);
        payment.built = cluster.build(to, amount, 500 + u32::try_from(amount % 7).unwrap());
        payment.attempt = cluster.attempt_of(&payment.intent, &payment.built);
        cluster.authorize(&payment, &[]);
        refused_by_all(&mut cluster, &payment, Code::EffectsMismatch);
    }
}

#[test]
fn an_attempt_with_foreign_change_is_refused() {
    let mut cluster = Cluster::ready();
    // An output is claimed as change, but pays the friend.
    let payment = attempt_on(&mut cluster, |unsigned| {
        let (own, foreign) = match unsigned.outputs[0] {
            Some(_) => (0, 1),
            None => (1, 0),
        };
        let script = unsigned.transaction.output[foreign].script_pubkey.clone();
        unsigned.transaction.output[own].script_pubkey = script;
    });
    refused_by_all(&mut cluster, &payment, Code::PathNotOwn);
}

#[test]
fn change_that_is_not_claimed_is_a_payment_outside_the_intent() {
    let mut cluster = Cluster::ready();
    let payment = attempt_on(&mut cluster, |unsigned| unsigned.outputs.fill(None));
    refused_by_all(&mut cluster, &payment, Code::EffectsMismatch);
}

#[test]
fn an_attempt_on_another_accounts_path_is_refused() {
    let mut cluster = Cluster::ready();
    let payment = attempt_on(&mut cluster, |unsigned| {
        let claim = unsigned.outputs.iter_mut().flatten().next().unwrap();
        *claim = OwnPath {
            change: 1,
            index: 4,
        };
    });
    refused_by_all(&mut cluster, &payment, Code::PathNotOwn);
}

#[test]
fn a_fee_above_the_attempts_declared_fee_is_refused() {
    let mut cluster = Cluster::ready();
    let payment = attempt_on(&mut cluster, |unsigned| {
        let at = unsigned.outputs.iter().position(Option::is_some).unwrap();
        let value = &mut unsigned.transaction.output[at].value;
        *value = value.checked_sub(bitcoin::Amount::from_sat(1)).unwrap();
    });
    refused_by_all(&mut cluster, &payment, Code::FeeCapExceeded);
}

#[test]
fn an_attempt_that_declares_other_coins_than_it_spends_is_refused() {
    let mut cluster = Cluster::ready();
    // The attempt declares a coin that is not spent, beside the true anchor.
    let mut payment = cluster.payment(300_000);
    payment
        .attempt
        .conflict_keys
        .push(ConflictKey::Coin(format!("{}:9", "f".repeat(64))));
    payment.attempt.conflict_keys.sort();
    cluster.authorize(&payment, &[]);
    refused_by_all(&mut cluster, &payment, Code::EffectsMismatch);
    // The transaction spends a second coin that the attempt does not declare.
    let mut payment = cluster.payment(900_000);
    payment.built = cluster.build_with(FRIEND, 900_000, &[coin(81, 500_000), coin(82, 500_000)]);
    payment.attempt = cluster.attempt_of(&payment.intent, &payment.built);
    let anchor = payment.attempt.anchor.clone();
    payment.attempt.conflict_keys.retain(|key| *key == anchor);
    cluster.authorize(&payment, &[]);
    refused_by_all(&mut cluster, &payment, Code::EffectsMismatch);
}

#[test]
fn an_attempt_whose_transaction_does_not_spend_its_anchor_is_refused() {
    let mut cluster = Cluster::ready();
    let mut payment = cluster.payment(300_000);
    let elsewhere = ConflictKey::Coin(format!("{}:1", "e".repeat(64)));
    payment.attempt.anchor = elsewhere.clone();
    payment.attempt.conflict_keys = vec![elsewhere];
    cluster.authorize(&payment, &[]);
    refused_by_all(&mut cluster, &payment, Code::AnchorMissing);
}

#[test]
fn a_payment_to_another_vault_of_the_tenant_goes_to_that_vaults_own_address() {
    let mut cluster = Cluster::ready();
    let vault = Vault {
        id: VaultId([0x77; 16]),
        name: "second".parse().unwrap(),
        key: cluster.world.tenant.key,
        account: 1,
        tags: vec![],
    };
    let admins = cluster.ledger().admins();
    cluster.act(ActBody::Put(RegistryRecord::Vault(vault.clone())), &admins);
    let intent = cluster
        .world
        .intent_with(cluster.now, 300_000, FRIEND, |intent| {
            let strongroom_types::IntentKind::Transfer(transfers) = &mut intent.kind;
            transfers[0].destination = Destination::Vault(vault.id);
        });
    let second = strongroom_ports::chain::VaultKey {
        account: 1,
        ..cluster.vault_key()
    };
    let address = codec()
        .derive_address(
            &second,
            OwnPath {
                change: 0,
                index: 0,
            },
        )
        .unwrap();
    for (to, honest) in [(FRIEND.to_owned(), false), (address, true)] {
        let intent = {
            let mut i = intent.clone();
            i.external_id = format!("internal {honest}").parse().unwrap();
            i
        };
        let built = cluster.build(&to, 300_000, 600 + u32::from(honest));
        let payment = Payment {
            attempt: cluster.attempt_of(&intent, &built),
            intent,
            built,
        };
        cluster.authorize(&payment, &[]);
        if honest {
            cluster.assert_signs(1, &payment);
        } else {
            let request = cluster.request(&payment, &[1, 2]);
            assert_eq!(cluster.ask(1, &request).code(), Code::EffectsMismatch);
        }
    }
}

#[test]
fn a_cancel_brings_everything_home_and_nothing_else() {
    let mut cluster = Cluster::ready();
    let payment = cluster.authorized(300_000, &[]);
    let pays = payment.built.clone();
    cluster.tighten(Tighten::Cancel(payment.intent.digest()));
    let mut home = cluster.way_home(&payment);
    let attempt = &mut home.attempt;

    // A cancel that still pays is refused.
    let mut lie = attempt.clone();
    lie.unsigned_digest = unsigned_digest(&pays.unsigned);
    lie.conflict_keys = pays.conflicts.clone();
    cluster
        .submit(strongroom_journal::Body::from(lie.clone()))
        .unwrap();
    let lying = Payment {
        intent: payment.intent.clone(),
        attempt: lie,
        built: pays,
    };
    let request = cluster.request(&lying, &[1, 2]);
    assert_eq!(cluster.ask(1, &request).code(), Code::EffectsMismatch);
    attempt.number = 3;
    cluster
        .submit(strongroom_journal::Body::from(attempt.clone()))
        .unwrap();
    cluster.sign(&home, &[1, 2]);
}

#[test]
fn a_chain_without_a_codec_in_this_build_is_refused() {
    let mut cluster = Cluster::ready();
    let payment = cluster.authorized(300_000, &[]);
    let now = cluster.now;
    let codecs = std::mem::take(&mut cluster.signer(1).codecs);
    cluster.signer(1).start(now).unwrap();
    cluster.wait(15_000);
    let request = cluster.request(&payment, &[1, 2]);
    assert_eq!(cluster.ask(1, &request).code(), Code::UnknownChain);
    cluster.signer(1).codecs = codecs;
    let now = cluster.now;
    cluster.signer(1).start(now).unwrap();
    cluster.wait(15_000);
    cluster.assert_signs(1, &payment);
}

/// The codec under another version's name.
struct OtherVersion(
    strongroom_chain_bitcoin::BitcoinCodec,
    strongroom_ports::chain::Manifest,
);

impl strongroom_ports::chain::ChainCodec for OtherVersion {
    fn manifest(&self) -> &strongroom_ports::chain::Manifest {
        &self.1
    }
    fn parse_address(&self, text: &str) -> Result<AddressFacts, Refusal> {
        self.0.parse_address(text)
    }
    fn derive_address(&self, vault: &VaultKey, path: OwnPath) -> Result<String, Refusal> {
        self.0.derive_address(vault, path)
    }
    fn expected(&self, intent: &Intent, vaults: &dyn Registry) -> Result<Effects, Refusal> {
        self.0.expected(intent, vaults)
    }
    fn check_fact(&self, fact: &Fact) -> Result<(), Refusal> {
        self.0.check_fact(fact)
    }
    fn view(&self, facts: &Facts<'_>) -> Result<Vec<u8>, Refusal> {
        self.0.view(facts)
    }
    fn build(&self, plan: &Plan<'_>, view: &[u8]) -> Result<Built, Refusal> {
        self.0.build(plan, view)
    }
    fn inspect(
        &self,
        unsigned: &[u8],
        vault: &VaultKey,
        registry: &dyn Registry,
    ) -> Result<Inspection, Refusal> {
        self.0.inspect(unsigned, vault, registry)
    }
    fn assemble(
        &self,
        unsigned: &[u8],
        signatures: &[Vec<u8>],
        vault: &VaultKey,
    ) -> Result<Vec<u8>, Refusal> {
        self.0.assemble(unsigned, signatures, vault)
    }
    fn verify_signed(
        &self,
        unsigned: &[u8],
        signed: &[u8],
        vault: &VaultKey,
    ) -> Result<String, Refusal> {
        self.0.verify_signed(unsigned, signed, vault)
    }
    fn transaction_id(&self, signed: &[u8]) -> Result<String, Refusal> {
        self.0.transaction_id(signed)
    }
}

#[test]
fn another_decoder_than_the_one_of_genesis_is_not_used() {
    let mut cluster = Cluster::ready();
    let payment = cluster.authorized(300_000, &[]);
    let honest = codec();
    let decoder = Manifest {
        decoder: "bitcoin/2",
        ..honest.manifest().clone()
    };
    let native = Manifest {
        native: format!("{}/slip44:2", strongroom_world::CHAIN)
            .parse()
            .unwrap(),
        ..honest.manifest().clone()
    };
    for manifest in [decoder, native] {
        cluster.signer(1).codecs = vec![std::sync::Arc::new(OtherVersion(codec(), manifest))];
        let now = cluster.now;
        cluster.signer(1).start(now).unwrap();
        cluster.wait(15_000);
        let request = cluster.request(&payment, &[1, 2]);
        assert_eq!(cluster.ask(1, &request).code(), Code::Unsupported);
    }
    cluster.assert_signs(2, &payment);
}
