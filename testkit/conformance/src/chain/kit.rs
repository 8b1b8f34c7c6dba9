//! The service's side of a case: facts in, transactions out.

use super::ChainFixture;
use std::sync::Arc;
use strongroom_ports::chain::{
    Built, ChainCodec, CoinFact, Effects, Fact, Facts, Holding, Inspection, Move, NoRegistry,
    OwnAccount, OwnCoin, OwnPath, Plan, VaultKey,
};
use strongroom_types::{AttemptKind, ConflictKey, MinorUnits, Refusal};

/// The vault's address that holds everything.
pub(crate) const RECEIVE: OwnPath = OwnPath {
    change: 0,
    index: 0,
};
/// The vault's address that takes what is not paid.
pub(crate) const RETURN_TO: OwnPath = OwnPath {
    change: 1,
    index: 3,
};

/// A vault with what it holds.
pub(crate) struct Wallet {
    pub(crate) codec: Arc<dyn ChainCodec>,
    pub(crate) vault: VaultKey,
    pub(crate) height: u64,
    pub(crate) fees: Vec<u8>,
    pub(crate) holdings: Vec<Holding>,
    pub(crate) taken: Vec<ConflictKey>,
    pub(crate) fee_max: MinorUnits,
}

impl Wallet {
    /// Vault 0 after its first sync.
    pub(crate) fn funded(fixture: &impl ChainFixture) -> Self {
        let mut wallet = Self::empty(fixture);
        let address = wallet.codec.derive_address(&wallet.vault, RECEIVE).unwrap();
        for fact in fixture.facts(&address) {
            wallet.codec.check_fact(&fact).unwrap();
            wallet.learn(fact, &address);
        }
        assert!(!wallet.holdings.is_empty(), "the fixture funds its vault");
        wallet
    }

    /// Vault 0, whose address holds nothing.
    pub(crate) fn empty(fixture: &impl ChainFixture) -> Self {
        let codec = fixture.codec();
        let mut wallet = Self {
            vault: fixture.vault(0),
            codec,
            height: 0,
            fees: Vec::new(),
            holdings: Vec::new(),
            taken: Vec::new(),
            fee_max: fixture.fee_max(),
        };
        let address = wallet.codec.derive_address(&wallet.vault, RECEIVE).unwrap();
        for fact in fixture.facts(&address) {
            if matches!(fact, Fact::Head { .. } | Fact::Fees(_)) {
                wallet.learn(fact, &address);
            }
        }
        wallet
    }

    fn learn(&mut self, fact: Fact, own: &str) {
        let path = RECEIVE;
        match fact {
            Fact::Head { height } => self.height = height,
            Fact::Fees(fees) => self.fees = fees,
            Fact::Coin(coin) => {
                assert_eq!(coin.address, own, "a fact about another address");
                let CoinFact {
                    key, asset, amount, ..
                } = coin;
                let coin = OwnCoin {
                    key,
                    path,
                    asset,
                    amount,
                };
                self.holdings.push(Holding::Coin(coin));
            }
            Fact::Account(account) => {
                assert_eq!(account.address, own, "a fact about another address");
                self.holdings.push(Holding::Account(OwnAccount {
                    path,
                    next: account.next,
                    asset: account.asset,
                    amount: account.amount,
                }));
            }
        }
    }

    /// Marks the conflict keys of another intent's transaction as taken.
    pub(crate) fn reserve(&mut self, built: &Built) {
        self.taken.extend(built.conflicts.iter().cloned());
        let taken = &self.taken;
        self.holdings.retain(|holding| match holding {
            Holding::Coin(coin) => !taken.contains(&coin.key),
            Holding::Account(_) => true,
        });
    }

    pub(crate) fn view(&self) -> Result<Vec<u8>, Refusal> {
        self.codec.view(&Facts {
            height: self.height,
            fees: &self.fees,
            holdings: &self.holdings,
            taken: &self.taken,
        })
    }

    /// A payment of `amount` to each address.
    pub(crate) fn effects(&self, to: &[String], amount: MinorUnits) -> Effects {
        let native = &self.codec.manifest().native;
        let pays = |to: &String| Move::exact(native.clone(), to.clone(), amount);
        Effects::of_moves(to.iter().map(pays).collect())
    }

    pub(crate) fn plan<'a>(&'a self, effects: &'a Effects) -> Plan<'a> {
        Plan {
            kind: AttemptKind::Pay,
            effects,
            vault: &self.vault,
            anchor: None,
            previous: None,
            fee_max: self.fee_max,
            slots_max: 256,
            return_to: RETURN_TO,
        }
    }

    pub(crate) fn build(&self, plan: &Plan<'_>) -> Result<Built, Refusal> {
        self.codec.build(plan, &self.view()?)
    }

    pub(crate) fn inspect(&self, unsigned: &[u8]) -> Result<Inspection, Refusal> {
        self.codec.inspect(unsigned, &self.vault, &NoRegistry)
    }
}

/// A funded vault that pays the fixture's amount to its first address.
pub(crate) struct Payment {
    pub(crate) wallet: Wallet,
    pub(crate) effects: Effects,
    pub(crate) built: Built,
}

impl Payment {
    pub(crate) fn built(fixture: &impl ChainFixture) -> Self {
        let wallet = Wallet::funded(fixture);
        let effects = wallet.effects(&fixture.addresses()[..1], fixture.amount());
        let built = wallet.build(&wallet.plan(&effects)).unwrap();
        Self {
            wallet,
            effects,
            built,
        }
    }

    pub(crate) fn signatures(&self, fixture: &impl ChainFixture) -> Vec<Vec<u8>> {
        let slots = self.built.slots.iter();
        slots.map(|slot| fixture.sign(0, slot)).collect()
    }

    pub(crate) fn signed(&self, fixture: &impl ChainFixture) -> Vec<u8> {
        let (codec, vault) = (&self.wallet.codec, &self.wallet.vault);
        codec
            .assemble(&self.built.unsigned, &self.signatures(fixture), vault)
            .unwrap()
    }
}

/// Bytes without meaning, the same each time.
pub(crate) fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        // xorshift64
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..length).map(|_| next()).collect()
}

/// Every single-bit change of some bytes.
pub(crate) fn flips(bytes: &[u8]) -> impl Iterator<Item = (usize, Vec<u8>)> {
    (0..bytes.len() * 8).map(|bit| {
        let mut flipped = bytes.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        (bit, flipped)
    })
}

/// Every shorter and one longer version of some bytes.
pub(crate) fn other_lengths(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let shorter = (0..bytes.len()).map(|length| bytes[..length].to_vec());
    shorter.chain([[bytes, &[0]].concat()])
}
