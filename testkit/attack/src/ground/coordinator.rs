//! Coordinator and transactions service in the attacker's hands: building, asking, adding up.

use super::{Ground, now};
use anyhow::{Context as _, bail};
use std::collections::BTreeMap;
use strongroom_chain_bitcoin::encode::Unsigned;
use strongroom_chain_bitcoin::{BitcoinCodec, FeeRate, Network};
use strongroom_journal::Body;
use strongroom_journal::state::Lookup as _;
use strongroom_mpc_core::signing::PublicKeys;
use strongroom_ports::chain::{
    Built, ChainCodec as _, Effects, Facts, Holding, Move, NoRegistry, OwnCoin, OwnPath, Plan,
    VaultKey,
};
use strongroom_signing::{aggregate, packages, request_digest};
use strongroom_types::attempt::unsigned_digest;
use strongroom_types::registry::ADDRESS_INDEX_MAX;
use strongroom_types::{
    Attempt, AttemptKind, ConflictKey, Digest, Document as _, Intent, Refusal, SessionId, digest,
};
use strongroom_wire::{
    CoordinatorMessage, NonceCommitment, SignerMessage, SignerRefusal, SigningRequest,
};
use strongroom_world::{FRIEND, Who};

/// Most that the builder may put into a fee: a row that asks for less says so in its attempt.
const FEE_ROOM: u64 = 400_000;
/// Amount that a coin of a row's payment has beyond what is paid, satoshi.
const CHANGE: u64 = 500_000;

/// A payment with the transaction of its newest attempt.
#[derive(Clone)]
pub struct Payment {
    /// What its initiator signs.
    pub intent: Intent,
    /// The attempt.
    pub attempt: Attempt,
    /// Its transaction.
    pub built: Built,
}

/// A transaction that the honest signers signed.
#[derive(Clone)]
pub struct SignedPayment {
    /// What it was signed for.
    pub payment: Payment,
    /// Network bytes.
    pub signed: Vec<u8>,
}

/// A signer's answer to a signing request.
#[derive(Clone)]
pub enum Answer {
    /// One share for each signature that is asked for.
    Shares(Vec<Vec<u8>>),
    /// A signed refusal, with the record as it was signed.
    Refused(SignerRefusal, Vec<u8>),
}

/// A coin of the vault's first branch.
pub fn coin(number: u32, amount: u64) -> anyhow::Result<OwnCoin> {
    Ok(OwnCoin {
        key: ConflictKey::Coin(format!("{number:064x}:0")),
        path: OwnPath {
            change: 0,
            index: number % ADDRESS_INDEX_MAX,
        },
        asset: codec()?.manifest().native.clone(),
        amount: amount.into(),
    })
}

pub(super) fn codec() -> anyhow::Result<BitcoinCodec> {
    Ok(BitcoinCodec::new(Network::Regtest)?)
}

fn told(refusal: &Refusal) -> anyhow::Error {
    anyhow::anyhow!("{refusal}")
}

/// A transaction to be built from the vault's coins.
#[derive(Clone, Debug)]
pub struct Building<'a> {
    /// Address that is paid.
    pub to: &'a str,
    /// What it gets, satoshi.
    pub amount: u64,
    /// Coins that are spent.
    pub coins: &'a [OwnCoin],
    /// Satoshi for 1 000 virtual bytes.
    pub rate: u64,
    /// Index of the change address.
    pub change: u32,
}

impl<'a> Building<'a> {
    /// At the usual fee rate, change to the usual address.
    pub const fn new(to: &'a str, amount: u64, coins: &'a [OwnCoin]) -> Self {
        Self {
            to,
            amount,
            coins,
            rate: 2_000,
            change: 3,
        }
    }
}

/// An unsigned transaction with a change, by the shipped codec: nothing but the change can be
/// refused.
pub fn edited(
    unsigned: &[u8],
    change: impl FnOnce(&mut Unsigned) -> anyhow::Result<()>,
) -> anyhow::Result<Vec<u8>> {
    let mut decoded = Unsigned::decode(unsigned, Network::Regtest).map_err(|r| told(&r))?;
    change(&mut decoded)?;
    decoded.encode(Network::Regtest).map_err(|r| told(&r))
}

impl Payment {
    /// The same payment with another transaction, truthfully named by its attempt.
    pub fn with_transaction(mut self, unsigned: Vec<u8>) -> Self {
        self.attempt.unsigned_digest = unsigned_digest(&unsigned);
        self.built.unsigned = unsigned;
        self
    }

    /// A further attempt of this payment, whose transaction is `built`.
    pub fn further(&self, kind: AttemptKind, built: Built) -> Self {
        let mut further = Self::new(self.intent.clone(), built);
        (further.attempt.number, further.attempt.kind) = (self.attempt.number + 1, kind);
        further
    }

    /// Attempt 1 of an intent, whose transaction is `built`.
    pub fn new(intent: Intent, built: Built) -> Self {
        let attempt = Attempt {
            intent: intent.digest(),
            number: 1,
            kind: AttemptKind::Pay,
            parent: None,
            anchor: built.anchor.clone(),
            conflict_keys: built.conflicts.clone(),
            unsigned_digest: unsigned_digest(&built.unsigned),
            fee_max: built.fee,
        };
        Self {
            intent,
            attempt,
            built,
        }
    }
}

impl Ground {
    /// A transaction that pays an address from coins of the vault.
    pub fn build(&self, building: &Building<'_>) -> anyhow::Result<Built> {
        let codec = codec()?;
        let native = codec.manifest().native.clone();
        let pay = Move::exact(native, building.to.to_owned(), building.amount.into());
        let holdings: Vec<_> = building.coins.iter().cloned().map(Holding::Coin).collect();
        let facts = Facts {
            height: 800,
            fees: &FeeRate(building.rate).to_bytes(),
            holdings: &holdings,
            taken: &[],
        };
        let plan = Plan {
            kind: AttemptKind::Pay,
            effects: &Effects::of_moves(vec![pay]),
            vault: &self.vault_key()?,
            anchor: None,
            previous: None,
            fee_max: FEE_ROOM.into(),
            slots_max: 256,
            return_to: OwnPath {
                change: 1,
                index: building.change,
            },
        };
        let view = codec.view(&facts).map_err(|refusal| told(&refusal))?;
        codec.build(&plan, &view).map_err(|refusal| told(&refusal))
    }

    /// A payment to a listed receiver by the policy, from a coin of its own; not in the journal yet.
    pub fn payment(&self, amount: u64) -> anyhow::Result<Payment> {
        self.payment_of(self.world.intent(now(), amount, FRIEND))
    }

    /// The same of any intent with one transfer to an address.
    pub fn payment_of(&self, intent: Intent) -> anyhow::Result<Payment> {
        let strongroom_types::IntentKind::Transfer(transfers) = &intent.kind;
        let [transfer] = transfers.as_slice() else {
            bail!("one transfer")
        };
        let strongroom_types::Destination::Address(to) = &transfer.destination else {
            bail!("a transfer to an address")
        };
        let amount = transfer.amount.to_u64().context("the amount")?;
        let coins = [self.new_coin(amount)?];
        let built = self.build(&Building::new(to, amount, &coins))?;
        Ok(Payment::new(intent, built))
    }

    /// A coin that nothing spent yet, large enough for a payment and its change.
    pub fn new_coin(&self, amount: u64) -> anyhow::Result<OwnCoin> {
        coin(u32::try_from(self.world.next())?, amount + CHANGE)
    }

    /// The entry that authorizes a payment, approved by these people.
    pub fn authorization(&self, payment: &Payment, approvers: &[Who]) -> Body {
        let ledger = self.ledger();
        let attempt = payment.attempt.clone();
        let authorization = ledger.authorization_with(&payment.intent, approvers, attempt);
        Body::Authorized(Box::new(authorization))
    }

    /// A payment that the journal has.
    pub fn authorized(&mut self, amount: u64, approvers: &[Who]) -> anyhow::Result<Payment> {
        let payment = self.payment(amount)?;
        let body = self.authorization(&payment, approvers);
        self.submit(body)?;
        Ok(payment)
    }

    /// Commitments of a signer.
    pub fn prepare(&mut self, seat: u16, count: u32) -> anyhow::Result<Vec<NonceCommitment>> {
        let (tenant, key) = (self.world.tenant.id, self.world.tenant.key);
        let before = self.said.len();
        self.ask_of(seat, &CoordinatorMessage::Prepare { tenant, key, count });
        self.until("no commitments", |ground| {
            let said = ground.said.iter().skip(before);
            let mut of_seat = said.filter(|said| said.seat == seat);
            Ok(of_seat.find_map(|said| match &said.message {
                SignerMessage::Commitments { commitments, .. } => Some(commitments.clone()),
                _ => None,
            }))
        })
    }

    /// A request for all of a transaction's signatures, with fresh commitments of these signers.
    pub fn request(&mut self, payment: &Payment, quorum: &[u16]) -> anyhow::Result<SigningRequest> {
        let unsigned = payment.built.unsigned.clone();
        let inspected = codec()?.inspect(&unsigned, &self.vault_key()?, &NoRegistry);
        let slots = inspected.map_or(1, |inspected| inspected.slots.len());
        let mut commitments = vec![Vec::new(); slots];
        for seat in quorum {
            let made = self.prepare(*seat, u32::try_from(slots)?)?;
            commitments
                .iter_mut()
                .zip(made)
                .for_each(|(slot, made)| slot.push((*seat, made)));
        }
        let name = digest(
            "strongroom/attack-session/v1",
            &[&now().0.to_be_bytes(), &self.world.next().to_be_bytes()],
        );
        let mut session = [0; 16];
        session.copy_from_slice(name.0.get(..16).context("16 bytes")?);
        Ok(SigningRequest {
            session: SessionId(session),
            tenant: self.world.tenant.id,
            intent: payment.intent.digest(),
            attempt: payment.attempt.number,
            key: self.world.tenant.key,
            unsigned,
            commitments,
        })
    }

    /// Sends a request to a signer; the answer comes when it comes.
    pub fn ask(&mut self, seat: u16, request: &SigningRequest) {
        self.ask_of(seat, &CoordinatorMessage::Sign(request.clone()));
    }

    /// A signer's answer to a request, if it gave one.
    pub fn answer(&self, seat: u16, request: &SigningRequest) -> Option<Answer> {
        let name: Digest = request_digest(request);
        let mut of_seat = self.said.iter().filter(|said| said.seat == seat);
        of_seat.find_map(|said| match &said.message {
            SignerMessage::Shares {
                request, shares, ..
            } if *request == name => Some(Answer::Shares(shares.clone())),
            SignerMessage::Refused(refusal) if refusal.request == name => {
                Some(Answer::Refused(refusal.clone(), said.sealed.clone()))
            }
            _ => None,
        })
    }

    /// Asks these signers and waits for each one's answer.
    pub fn answers(
        &mut self,
        seats: &[u16],
        request: &SigningRequest,
    ) -> anyhow::Result<BTreeMap<u16, Answer>> {
        seats.iter().for_each(|seat| self.ask(*seat, request));
        self.wait_answers(seats, request)
    }

    /// The network bytes of a request whose signers all gave shares; every signature is verified by
    /// libsecp256k1.
    pub fn add_up(
        &self,
        request: &SigningRequest,
        answers: &BTreeMap<u16, Answer>,
    ) -> anyhow::Result<Vec<u8>> {
        let vault = self.vault_key()?;
        let signatures = self.signatures(request, answers, &vault)?;
        let signed = codec()?.assemble(&request.unsigned, &signatures, &vault);
        signed.map_err(|refusal| told(&refusal))
    }

    /// The signatures of such a request under the key that it names, for the coins of this vault.
    pub fn signatures(
        &self,
        request: &SigningRequest,
        answers: &BTreeMap<u16, Answer>,
        vault: &VaultKey,
    ) -> anyhow::Result<Vec<Vec<u8>>> {
        let mut shares = BTreeMap::new();
        for (seat, answer) in answers {
            match answer {
                Answer::Shares(given) => shares.insert(*seat, given.clone()),
                Answer::Refused(refusal, _) => bail!("signer {seat} refused: {}", refusal.code),
            };
        }

        let inspected = codec()?.inspect(&request.unsigned, vault, &NoRegistry);
        let inspected = inspected.map_err(|refusal| told(&refusal))?;
        let state = self.log.follower.state();
        let key = state.threshold_key(request.tenant, request.key);
        let key = key.map_err(|refusal| told(&refusal))?;
        let packages = packages(request, &inspected.slots, &key).map_err(|r| told(&r))?;
        let mut keys = PublicKeys::open(self.public_of(request.key)?)?;
        Ok(aggregate(&mut keys, &packages, &shares)?)
    }
}
