//! The contract of the codec port on a chain of accounts.

use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::scalar::Scalar;
use sha2::{Digest as _, Sha512};
use std::sync::Arc;
use strongroom_chain_probe::form::Form;
use strongroom_chain_probe::{ProbeCodec, address};
use strongroom_conformance::chain::ChainFixture;
use strongroom_mpc_core::ChildPath;
use strongroom_mpc_core::hd::ed25519::derive;
use strongroom_ports::chain::{
    AccountFact, AuthorityKind, ChainCodec, CoinFact, Effects, Expiry, Fact, Facts, Holding, Move,
    NoRegistry, OwnAccount, OwnPath, Plan, Slot, VaultKey, within,
};
use strongroom_types::{AttemptKind, Code, ConflictKey, MinorUnits, Suite};

strongroom_conformance::chain_suite!(probe);

struct Probe;

fn probe() -> impl ChainFixture {
    Probe
}

fn secret(number: u8) -> Scalar {
    Scalar::from(1_000 + u64::from(number))
}

fn account(address: &str) -> AccountFact {
    AccountFact {
        address: address.to_owned(),
        next: 7,
        asset: "probe:devnet/slip44:1".parse().unwrap(),
        // More than 2^63: a hundred ether.
        amount: "100000000000000000000".parse().unwrap(),
    }
}

impl ChainFixture for Probe {
    fn codec(&self) -> Arc<dyn ChainCodec> {
        Arc::new(ProbeCodec::new().unwrap())
    }

    fn vault(&self, number: u8) -> VaultKey {
        let public_key = EdwardsPoint::mul_base(&secret(number)).compress();
        VaultKey {
            suite: Suite::FrostEd25519,
            public_key: public_key.to_bytes().to_vec(),
            chain_code: [number; 32],
            account: 0,
        }
    }

    /// RFC 8032 §5.1.6 with the child's scalar in the place of the hashed seed.
    fn sign(&self, number: u8, slot: &Slot) -> Vec<u8> {
        let vault = self.vault(number);
        let root: [u8; 32] = vault.public_key.try_into().unwrap();
        let path = ChildPath::new(slot.path.clone()).unwrap();
        let child = derive(&root, &vault.chain_code, &path).unwrap();
        let scalar = secret(number) + Scalar::from_bytes_mod_order(child.tweak);
        let hash = |parts: &[&[u8]]| {
            let mut hash = Sha512::new();
            parts.iter().for_each(|part| hash.update(part));
            Scalar::from_bytes_mod_order_wide(&hash.finalize().into())
        };
        let nonce = hash(&[b"nonce", scalar.as_bytes(), &slot.message]);
        let commitment = EdwardsPoint::mul_base(&nonce).compress();
        let challenge = hash(&[commitment.as_bytes(), &child.key, &slot.message]);
        let response = nonce + challenge * scalar;
        [commitment.to_bytes(), response.to_bytes()].concat()
    }

    fn addresses(&self) -> Vec<String> {
        (1..=3).map(|n| address::of_key(&[n; 32])).collect()
    }

    fn not_addresses(&self) -> Vec<String> {
        let good = address::of_key(&[1; 32]);
        let zeros = "0".repeat(72);
        vec![
            format!("prb1{zeros}"),
            good.replace("prb1", "prb2"),
            good.replace("prb1", "0x"),
            good[..70].to_owned(),
            "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080".to_owned(),
        ]
    }

    fn facts(&self, address: &str) -> Vec<Fact> {
        vec![
            Fact::Head { height: 800 },
            Fact::Fees(1_000_u64.to_be_bytes().to_vec()),
            Fact::Account(account(address)),
        ]
    }

    fn impossible_facts(&self) -> Vec<Fact> {
        let good = || account(&address::of_key(&[1; 32]));
        let with = |change: fn(&mut AccountFact)| {
            let mut fact = good();
            change(&mut fact);
            Fact::Account(fact)
        };
        let coin = CoinFact {
            key: ConflictKey::Coin("a:0".into()),
            address: good().address,
            asset: good().asset,
            amount: 1.into(),
            height: Some(1),
        };
        vec![
            Fact::Head { height: u64::MAX },
            Fact::Fees(u64::MAX.to_be_bytes().to_vec()),
            Fact::Coin(coin),
            with(|fact| fact.next = u64::MAX),
            with(|fact| fact.address.clear()),
            with(|fact| fact.asset = "probe:devnet/erc20:x".parse().unwrap()),
        ]
    }

    fn amount(&self) -> MinorUnits {
        "10000000000000000000".parse().unwrap()
    }

    fn fee_max(&self) -> MinorUnits {
        10_000.into()
    }
}

fn built(codec: &ProbeCodec, vault: &VaultKey, effects: &Effects) -> Form {
    let known = account(&address::of_key(&[1; 32]));
    let own = OwnAccount {
        path: OwnPath {
            change: 0,
            index: 0,
        },
        next: known.next,
        asset: known.asset,
        amount: known.amount,
    };
    let facts = Facts {
        height: 800,
        fees: &1_000_u64.to_be_bytes(),
        holdings: &[Holding::Account(own)],
        taken: &[],
    };
    let plan = Plan {
        kind: AttemptKind::Pay,
        effects,
        vault,
        anchor: None,
        previous: None,
        fee_max: 10_000.into(),
        slots_max: 256,
        return_to: OwnPath {
            change: 1,
            index: 0,
        },
    };
    let built = codec.build(&plan, &codec.view(&facts).unwrap()).unwrap();
    Form::decode(&built.unsigned).unwrap()
}

#[test]
fn a_grant_a_call_and_an_expiry_are_seen_and_the_first_two_refused() {
    let (codec, vault) = (ProbeCodec::new().unwrap(), Probe.vault(0));
    let native = codec.manifest().native.clone();
    let pays = Move::exact(native, address::of_key(&[1; 32]), 5.into());
    let effects = Effects::of_moves(vec![pays]);
    let honest = built(&codec, &vault, &effects);
    let read = |form: &Form| {
        let bytes = form.encode().unwrap();
        codec.inspect(&bytes, &vault, &NoRegistry).unwrap()
    };
    let judged = |form: &Form| {
        let judged = within(&effects, AttemptKind::Pay, &read(form), 10_000.into());
        judged.err().map(|refusal| refusal.code)
    };
    assert_eq!(read(&honest).expiry, Some(Expiry::Height(900)));
    assert_eq!(judged(&honest), None);

    let mut grant = honest.clone();
    grant.grant = Some([9; 32]);
    let rights = read(&grant).authorities;
    assert_eq!(rights[0].kind, AuthorityKind::Delegation);
    assert_eq!(judged(&grant), Some(Code::EffectsMismatch));

    let mut call = honest.clone();
    call.call = vec![1, 2, 3];
    assert_eq!(judged(&call), Some(Code::OpaqueEffects));
}

#[test]
fn payments_in_another_order_are_refused() {
    let (codec, vault) = (ProbeCodec::new().unwrap(), Probe.vault(0));
    let native = codec.manifest().native.clone();
    let pays = |n: u8| Move::exact(native.clone(), address::of_key(&[n; 32]), 5.into());
    let effects = Effects::of_moves(vec![pays(1), pays(2)]);
    let mut form = built(&codec, &vault, &effects);
    form.pays.swap(0, 1);
    let refusal = codec.inspect(&form.encode().unwrap(), &vault, &NoRegistry);
    assert_eq!(refusal.unwrap_err().code, Code::Malformed);
}

#[test]
fn the_lowest_free_number_is_used_and_no_gap_is_made() {
    let (codec, vault) = (ProbeCodec::new().unwrap(), Probe.vault(0));
    let own = |next| OwnAccount {
        path: OwnPath {
            change: 0,
            index: 0,
        },
        next,
        asset: codec.manifest().native.clone(),
        amount: 1_000_000.into(),
    };
    let sender = address::own_key(&vault, own(0).path).unwrap();
    let key = |number| strongroom_chain_probe::form::conflict_key(&sender, number);
    let effects = Effects::of_moves(vec![Move::exact(
        codec.manifest().native.clone(),
        address::of_key(&[1; 32]),
        5.into(),
    )]);
    let number = |next: u64, taken: &[u64]| {
        let taken: Vec<_> = taken.iter().map(|number| key(*number)).collect();
        let facts = Facts {
            height: 800,
            fees: &1_000_u64.to_be_bytes(),
            holdings: &[Holding::Account(own(next))],
            taken: &taken,
        };
        let plan = Plan {
            kind: AttemptKind::Pay,
            effects: &effects,
            vault: &vault,
            anchor: None,
            previous: None,
            fee_max: 10_000.into(),
            slots_max: 256,
            return_to: own(0).path,
        };
        let built = codec.build(&plan, &codec.view(&facts).unwrap());
        built.map(|built| built.anchor)
    };
    assert_eq!(number(7, &[]).unwrap(), key(7));
    assert_eq!(number(7, &[8, 7, 10]).unwrap(), key(9));
    assert_eq!(number(9, &[7, 8]).unwrap(), key(9));
    let all: Vec<u64> = (7..7 + 1_024).collect();
    assert_eq!(number(7, &all).unwrap_err().code, Code::QuotaExceeded);
}
