//! What a defect of one chain's codec may cost: one payment or one vault, never the service.

use crate::fixture::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use strongroom_ports::chain::{
    AddressFacts, Built, ChainCodec, CoinFact, Effects, Fact, Facts, Inspection, Manifest, OwnPath,
    Plan, Registry, VaultKey,
};
use strongroom_ports::db::Db as _;
use strongroom_types::{Code, ConflictKey, Intent, MinorUnits, Refusal};
use strongroom_wire::{SigningRequest, TransactionState};
use strongroom_world::NATIVE;

/// A coin that another payment has.
const TAKEN: &str = "coin:0000000000000000000000000000000000000000000000000000000000000009:0";

/// The Bitcoin codec with a flaw.
struct Flawed {
    inner: Arc<dyn ChainCodec>,
    /// Derives no addresses.
    no_addresses: bool,
    /// Takes coins of any amount for possible.
    takes_any_amount: bool,
    /// Uses up a key that is not in the view.
    takes_too_much: AtomicBool,
    /// Most signatures of the newest plan.
    slots_max: AtomicUsize,
}

impl Flawed {
    fn new(no_addresses: bool, takes_too_much: bool) -> Arc<Self> {
        Arc::new(Self {
            inner: codec(),
            no_addresses,
            takes_any_amount: false,
            takes_too_much: AtomicBool::new(takes_too_much),
            slots_max: AtomicUsize::default(),
        })
    }
}

impl ChainCodec for Flawed {
    fn manifest(&self) -> &Manifest {
        self.inner.manifest()
    }
    fn parse_address(&self, text: &str) -> Result<AddressFacts, Refusal> {
        self.inner.parse_address(text)
    }
    fn derive_address(&self, vault: &VaultKey, path: OwnPath) -> Result<String, Refusal> {
        if self.no_addresses {
            return Err(Code::Unsupported.into());
        }
        self.inner.derive_address(vault, path)
    }
    fn expected(&self, intent: &Intent, registry: &dyn Registry) -> Result<Effects, Refusal> {
        self.inner.expected(intent, registry)
    }
    fn check_fact(&self, fact: &Fact) -> Result<(), Refusal> {
        if self.takes_any_amount {
            return Ok(());
        }
        self.inner.check_fact(fact)
    }
    fn view(&self, facts: &Facts<'_>) -> Result<Vec<u8>, Refusal> {
        self.inner.view(facts)
    }
    fn build(&self, plan: &Plan<'_>, view: &[u8]) -> Result<Built, Refusal> {
        self.slots_max.store(plan.slots_max, Ordering::Relaxed);
        let mut built = self.inner.build(plan, view)?;
        if self.takes_too_much.load(Ordering::Relaxed) {
            built.conflicts.push(TAKEN.parse().unwrap());
        }
        Ok(built)
    }
    fn inspect(
        &self,
        unsigned: &[u8],
        vault: &VaultKey,
        registry: &dyn Registry,
    ) -> Result<Inspection, Refusal> {
        self.inner.inspect(unsigned, vault, registry)
    }
    fn assemble(
        &self,
        unsigned: &[u8],
        signatures: &[Vec<u8>],
        vault: &VaultKey,
    ) -> Result<Vec<u8>, Refusal> {
        self.inner.assemble(unsigned, signatures, vault)
    }
    fn verify_signed(
        &self,
        unsigned: &[u8],
        signed: &[u8],
        vault: &VaultKey,
    ) -> Result<String, Refusal> {
        self.inner.verify_signed(unsigned, signed, vault)
    }
    fn transaction_id(&self, signed: &[u8]) -> Result<String, Refusal> {
        self.inner.transaction_id(signed)
    }
}

#[test]
fn vault_without_addresses_does_not_stop_the_service() {
    let mut service = Service::with_codec(Flawed::new(true, false));
    assert!(service.wait(1_000).is_empty());
    assert!(service.wait(1_000).is_empty());
}

#[test]
fn payment_whose_coin_another_has_waits_and_holds_nothing() {
    let flawed = Flawed::new(false, true);
    let mut service = Service::with_codec(flawed.clone());
    service.fund(COIN);
    service.wait(1_000);
    let tenant = &service.world().tenant;
    let sql = "INSERT INTO reservation (tenant, vault, conflict_key, number, intent, used)
               VALUES ($1, $2, $3, 1, $1, FALSE)";
    let args = [
        (&tenant.id.0).into(),
        (&tenant.vault.0).into(),
        TAKEN.into(),
    ];
    service.execute(sql, &args);

    let intent = service.intent();
    assert!(service.approve(&intent).is_empty());
    assert_eq!(service.state(&intent), Some(4), "building");
    assert_eq!(service.count("SELECT COUNT(*) FROM reservation"), 1);

    flawed.takes_too_much.store(false, Ordering::Relaxed);
    let sent = service.wait(1_000);
    assert_eq!(sent.states(), [TransactionState::Signing]);
}

/// Two signers sign with the vault's key: more would fill the record sooner.
#[test]
fn payment_needs_no_more_signatures_than_a_request_to_its_quorum_carries() {
    let codec = Flawed::new(false, false);
    let mut service = Service::with_codec(codec.clone());
    service.fund(COIN);
    service.wait(1_000);
    let intent = service.intent();
    service.approve(&intent);
    let planned = codec.slots_max.load(Ordering::Relaxed);
    assert_eq!(planned, SigningRequest::slots_max(2));
}

/// Other chains count in smaller units than Bitcoin: ten ether are more than 2^63 of theirs.
#[test]
fn amounts_above_2_63_are_kept_and_stop_no_sync() {
    let mut codec = Flawed::new(false, false);
    Arc::get_mut(&mut codec).unwrap().takes_any_amount = true;
    let mut service = Service::with_codec(codec);
    let amounts = [u128::from(u64::MAX) + 1, 1 << 63];
    for (number, amount) in (1_u64..).zip(amounts) {
        let fact = CoinFact {
            key: ConflictKey::Coin(format!("{number:064x}:1")),
            address: service.address(0),
            asset: NATIVE.parse().unwrap(),
            amount: amount.to_string().parse().unwrap(),
            height: Some(95),
        };
        service.gateway.claim(Fact::Coin(fact));
    }
    service.fund(COIN);
    service.wait(1_000);

    let mut tx = service.db.begin().unwrap();
    let rows = tx.query("SELECT amount FROM holding", &[]).unwrap();
    let mut kept: Vec<[u8; 32]> = rows.iter().map(|row| row.array(0).unwrap()).collect();
    kept.sort_unstable();
    let whole = [u128::from(COIN), amounts[1], amounts[0]];
    let whole = whole.map(|amount| {
        let amount: MinorUnits = amount.to_string().parse().unwrap();
        amount.to_be_bytes()
    });
    assert_eq!(kept, whole);
    drop(tx);

    // The next round goes on.
    service.fund(COIN);
    service.wait(1_000);
    assert_eq!(service.count("SELECT COUNT(*) FROM holding"), 4);
}
