//! A coordinator by hand: builds, asks, aggregates.

use crate::cluster::Cluster;
use crate::machine::codec;
use strongroom_chain_bitcoin::FeeRate;
use strongroom_journal::Body;
use strongroom_journal::state::Lookup as _;
use strongroom_mpc_core::signing::PublicKeys;
use strongroom_ports::chain::{
    Built, ChainCodec as _, Effects, Facts, Holding, Move, NoRegistry, OwnCoin, OwnPath, Plan,
    VaultKey,
};
use strongroom_signing::{aggregate, packages};
use strongroom_types::registry::ADDRESS_INDEX_MAX;
use strongroom_types::{
    Attempt, AttemptKind, Code, ConflictKey, Document as _, Intent, SessionId, Suite,
    attempt::unsigned_digest,
};
use strongroom_wire::{
    CoordinatorMessage, NonceCommitment, SignerMessage, SignerRefusal, SigningRequest,
};
use strongroom_world::{FRIEND, Who};

pub struct Payment {
    pub intent: Intent,
    pub attempt: Attempt,
    pub built: Built,
}

pub fn coin(number: u32, amount: u64) -> OwnCoin {
    let key = ConflictKey::Coin(format!("{number:064x}:0"));
    OwnCoin {
        key,
        path: OwnPath {
            change: 0,
            index: number % ADDRESS_INDEX_MAX,
        },
        asset: codec().manifest().native.clone(),
        amount: amount.into(),
    }
}

/// The codec's view of these coins at a fee rate.
pub fn view(coins: &[OwnCoin], rate: u64) -> Vec<u8> {
    let holdings: Vec<_> = coins.iter().cloned().map(Holding::Coin).collect();
    let facts = Facts {
        height: 800,
        fees: &FeeRate(rate).to_bytes(),
        holdings: &holdings,
        taken: &[],
    };
    codec().view(&facts).unwrap()
}

/// What the answer to a request was.
#[derive(Debug)]
pub enum Answer {
    Shares {
        shares: Vec<Vec<u8>>,
        head: u64,
        covered_us: u64,
    },
    Refused(SignerRefusal),
    Nothing,
}

impl Answer {
    pub fn shares(self) -> Vec<Vec<u8>> {
        match self {
            Self::Shares { shares, .. } => shares,
            other => panic!("shares wanted: {other:?}"),
        }
    }

    pub fn code(&self) -> Code {
        match self {
            Self::Refused(refusal) => refusal.code,
            other => panic!("a refusal wanted: {other:?}"),
        }
    }

    pub fn is_nothing(&self) -> bool {
        matches!(self, Self::Nothing)
    }
}

pub fn answer(messages: Vec<SignerMessage>) -> Answer {
    let mut answers = messages.into_iter().filter_map(|message| match message {
        SignerMessage::Shares {
            shares,
            head,
            covered_us,
            ..
        } => Some(Answer::Shares {
            shares,
            head,
            covered_us,
        }),
        SignerMessage::Refused(refusal) => Some(Answer::Refused(refusal)),
        _ => None,
    });
    let first = answers.next().unwrap_or(Answer::Nothing);
    assert!(answers.next().is_none(), "one answer a request");
    first
}

impl Cluster {
    pub fn vault_key(&self) -> VaultKey {
        let public = self.public();
        VaultKey {
            suite: Suite::FrostSecp256k1Tr,
            public_key: public.group_key,
            chain_code: public.chain_code,
            account: 0,
        }
    }

    /// Builds a transaction that pays from coin `number` of the vault.
    pub fn build(&self, to: &str, amount: u64, number: u32) -> Built {
        self.build_with(to, amount, &[coin(number, amount + 500_000)])
    }

    pub fn build_with(&self, to: &str, amount: u64, coins: &[OwnCoin]) -> Built {
        let codec = codec();
        let native = codec.manifest().native.clone();
        let pay = Move::exact(native, to.to_owned(), amount.into());
        let plan = Plan {
            kind: AttemptKind::Pay,
            effects: &Effects::of_moves(vec![pay]),
            vault: &self.vault_key(),
            anchor: None,
            previous: None,
            fee_max: 10_000.into(),
            slots_max: 256,
            return_to: OwnPath {
                change: 1,
                index: 3,
            },
        };
        codec.build(&plan, &view(coins, 2_000)).unwrap()
    }

    /// Attempt 2 of a payment, at twice the fee rate: its coins go back to the vault.
    pub fn way_home(&self, payment: &Payment) -> Payment {
        let spent = payment.built.conflicts.iter().map(|key| {
            let number = u32::from_str_radix(&key.to_string()[53..69], 16).unwrap();
            coin(number, 800_000)
        });
        let plan = Plan {
            kind: AttemptKind::Cancel,
            effects: &Effects::default(),
            vault: &self.vault_key(),
            anchor: Some(&payment.attempt.anchor),
            previous: Some(&payment.built.unsigned),
            fee_max: 10_000.into(),
            slots_max: 256,
            return_to: OwnPath {
                change: 1,
                index: 9,
            },
        };
        let coins: Vec<_> = spent.collect();
        let built = codec().build(&plan, &view(&coins, 4_000)).unwrap();
        let mut attempt = self.attempt_of(&payment.intent, &built);
        (attempt.number, attempt.kind) = (2, AttemptKind::Cancel);
        Payment {
            intent: payment.intent.clone(),
            attempt,
            built,
        }
    }

    pub fn attempt_of(&self, intent: &Intent, built: &Built) -> Attempt {
        Attempt {
            intent: intent.digest(),
            number: 1,
            kind: AttemptKind::Pay,
            parent: None,
            anchor: built.anchor.clone(),
            conflict_keys: built.conflicts.clone(),
            unsigned_digest: unsigned_digest(&built.unsigned),
            fee_max: built.fee,
        }
    }

    /// A payment by the automatic rule, not in the journal yet.
    pub fn payment(&self, amount: u64) -> Payment {
        let number = u32::try_from(self.world.next()).unwrap();
        let intent = self.world.intent(self.now, amount, FRIEND);
        let built = self.build(FRIEND, amount, number);
        let attempt = self.attempt_of(&intent, &built);
        Payment {
            intent,
            attempt,
            built,
        }
    }

    pub fn body(&self, payment: &Payment, approvers: &[Who]) -> Body {
        let ledger = self.ledger();
        let authorization =
            ledger.authorization_with(&payment.intent, approvers, payment.attempt.clone());
        Body::Authorized(Box::new(authorization))
    }

    /// A payment that the journal has.
    pub fn authorized(&mut self, amount: u64, approvers: &[Who]) -> Payment {
        let payment = self.payment(amount);
        self.authorize(&payment, approvers);
        payment
    }

    pub fn authorize(&mut self, payment: &Payment, approvers: &[Who]) {
        let body = self.body(payment, approvers);
        self.submit(body).unwrap();
    }

    /// Commitments of a signer.
    pub fn prepare(&mut self, index: u16, count: u32) -> Vec<NonceCommitment> {
        let (tenant, key) = (self.world.tenant.id, self.world.tenant.key);
        let said = self.to(index, &CoordinatorMessage::Prepare { tenant, key, count });
        match said.as_slice() {
            [SignerMessage::Commitments { commitments, .. }] => commitments.clone(),
            other => panic!("commitments wanted: {other:?}"),
        }
    }

    /// Asks a signer for commitments that it must refuse to make.
    pub fn refused_commitments(&mut self, index: u16) -> Code {
        let (tenant, key) = (self.world.tenant.id, self.world.tenant.key);
        answer(self.to(
            index,
            &CoordinatorMessage::Prepare {
                tenant,
                key,
                count: 1,
            },
        ))
        .code()
    }

    /// A request for all inputs by these signers, with fresh commitments.
    pub fn request(&mut self, payment: &Payment, quorum: &[u16]) -> SigningRequest {
        let slots = codec()
            .inspect(&payment.built.unsigned, &self.vault_key(), &NoRegistry)
            .map_or(1, |i| i.slots.len());
        let mut commitments = vec![Vec::new(); slots];
        for index in quorum {
            let made = self.prepare(*index, u32::try_from(slots).unwrap());
            commitments
                .iter_mut()
                .zip(made)
                .for_each(|(slot, made)| slot.push((*index, made)));
        }
        SigningRequest {
            session: SessionId(self.world.seed.id("session", self.world.next())),
            tenant: self.world.tenant.id,
            intent: payment.intent.digest(),
            attempt: payment.attempt.number,
            key: self.world.tenant.key,
            unsigned: payment.built.unsigned.clone(),
            commitments,
        }
    }

    pub fn ask(&mut self, index: u16, request: &SigningRequest) -> Answer {
        answer(self.to(index, &CoordinatorMessage::Sign(request.clone())))
    }

    /// The honest request of a payment gets its share.
    pub fn assert_signs(&mut self, index: u16, payment: &Payment) {
        let other = if index == 2 { 3 } else { 2 };
        let mut quorum = [index, other];
        quorum.sort_unstable();
        let request = self.request(payment, &quorum);
        assert_eq!(
            self.ask(index, &request).shares().len(),
            request.commitments.len()
        );
    }

    /// A new honest payment gets its share: the signer serves others than the refused one.
    pub fn assert_serves(&mut self, index: u16) {
        let honest = self.authorized(400_000, &[]);
        self.assert_signs(index, &honest);
    }

    /// Signs a payment with these signers; gives the network bytes, verified by the codec.
    pub fn sign(&mut self, payment: &Payment, quorum: &[u16]) -> Vec<u8> {
        let request = self.request(payment, quorum);
        let shares = quorum
            .iter()
            .map(|index| (*index, self.ask(*index, &request).shares()))
            .collect();
        let inspection = codec()
            .inspect(&request.unsigned, &self.vault_key(), &NoRegistry)
            .unwrap();
        let key = self
            .writer()
            .state()
            .threshold_key(request.tenant, request.key)
            .unwrap();
        let packages = packages(&request, &inspection.slots, &key).unwrap();
        let mut keys = PublicKeys::open(self.public()).unwrap();
        let signatures = aggregate(&mut keys, &packages, &shares).unwrap();
        codec()
            .assemble(&request.unsigned, &signatures, &self.vault_key())
            .unwrap()
    }
}
