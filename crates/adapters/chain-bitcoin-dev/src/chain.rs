//! The chain: it funds addresses, accepts transactions and makes blocks.

use crate::interpreter::{self, SpentOutput, check_spend};
use crate::ledger::{self, KnownTransaction, Output};
use bitcoin::absolute::LockTime;
use bitcoin::consensus::encode;
use bitcoin::script::Builder;
use bitcoin::transaction::Version;
use bitcoin::{Amount, OutPoint, Sequence, Transaction, TxIn, TxOut, Witness};
use rusqlite::Connection;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use strongroom_chain_bitcoin::{Network, address};
use strongroom_ports::chain::Broadcast;
use strongroom_types::{ConflictKey, Refusal};

/// Network that the chain imitates.
pub const NETWORK: Network = Network::Regtest;
/// Largest number of outputs of one [`DevChain::fund`].
pub const FUND_MAX: u32 = 100_000;

/// Time at which accepted transactions confirm.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Confirm {
    /// Each transaction confirms at once, in a block of its own.
    AtOnce,
    /// All waiting transactions confirm at [`DevChain::mine`]; until then a higher fee can replace
    /// them.
    OnMine,
}

/// Reason for which the development chain could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum DevChainError {
    /// The SQLite file failed.
    #[error("the development chain's store fails")]
    Store(#[from] rusqlite::Error),
    /// The address to fund is not one of regtest.
    #[error("cannot fund this address")]
    Address(#[source] Refusal),
    /// Too many outputs were asked for, or the amount is impossible.
    #[error("cannot fund so many outputs or such an amount")]
    Amount,
}

/// An in-process stand-in for a Bitcoin node.
pub struct DevChain {
    db: Mutex<Connection>,
    confirm: Confirm,
}

/// Reason for which a transaction was not accepted.
enum NotTaken {
    Store(rusqlite::Error),
    /// The transaction breaks a rule; the reason as a node would give it.
    Rejected(String),
}

impl From<rusqlite::Error> for NotTaken {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error)
    }
}

fn no(reason: impl Into<String>) -> NotTaken {
    NotTaken::Rejected(reason.into())
}

impl DevChain {
    /// Opens a chain in a SQLite file, which is made when it is missing.
    ///
    /// # Errors
    /// [`DevChainError::Store`].
    pub fn open(path: &Path, confirm: Confirm) -> Result<Self, DevChainError> {
        Ok(Self {
            db: Mutex::new(ledger::open(Some(path))?),
            confirm,
        })
    }

    /// Opens a chain in memory, which is lost with the process.
    ///
    /// # Errors
    /// [`DevChainError::Store`].
    pub fn in_memory(confirm: Confirm) -> Result<Self, DevChainError> {
        Ok(Self {
            db: Mutex::new(ledger::open(None)?),
            confirm,
        })
    }

    /// The connection. A poisoned lock is ignored: every change is one SQLite transaction, so a
    /// panic of another thread leaves nothing half-done.
    pub(crate) fn db(&self) -> MutexGuard<'_, Connection> {
        self.db.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Creates `count` new confirmed outputs of `amount` satoshi each, in one block. Each has its
    /// own transaction, whose id follows from a counter.
    ///
    /// # Errors
    /// [`DevChainError`].
    pub fn fund(
        &self,
        to: &str,
        amount: u64,
        count: u32,
    ) -> Result<Vec<ConflictKey>, DevChainError> {
        if amount == 0 || amount > Amount::MAX_MONEY.to_sat() || !(1..=FUND_MAX).contains(&count) {
            return Err(DevChainError::Amount);
        }

        // The codec reads the address, because funds of an address that it refuses could not be
        // spent.
        let script = address::parse(to, NETWORK).map_err(DevChainError::Address)?;

        // The whole call is one SQLite transaction, so that a crash leaves no block without its
        // outputs.
        let mut db = self.db();
        let tx = db.transaction()?;
        let height = ledger::meta(&tx, "height")?.saturating_add(1);
        let funded = ledger::meta(&tx, "funded")?;

        // Each output gets a number; without it, equal fundings would have one transaction id
        // (compare BIP-34).
        let mut keys = Vec::new();
        for number in funded..funded.saturating_add(count) {
            let coinbase = coinbase(
                number,
                TxOut {
                    value: Amount::from_sat(amount),
                    script_pubkey: script.clone(),
                },
            );
            let known = KnownTransaction {
                raw: encode::serialize(&coinbase),
                fee: 0,
                height: Some(height),
            };

            let id = coinbase.compute_txid();
            ledger::add_transaction(&tx, &id.to_string(), &known)?;
            keys.extend(confirm(&tx, &coinbase, height)?);
        }

        ledger::set_meta(&tx, "funded", funded.saturating_add(count))?;
        ledger::set_meta(&tx, "height", height)?;
        tx.commit()?;
        Ok(keys)
    }

    /// Makes a block with every waiting transaction. Returns the new height.
    ///
    /// # Errors
    /// [`DevChainError::Store`].
    pub fn mine(&self) -> Result<u32, DevChainError> {
        let mut db = self.db();
        let tx = db.transaction()?;
        let height = make_block(&tx)?;
        tx.commit()?;
        Ok(height)
    }

    /// The network bytes of a known transaction.
    ///
    /// # Errors
    /// [`DevChainError::Store`].
    pub fn transaction(&self, id: &str) -> Result<Option<Vec<u8>>, DevChainError> {
        Ok(ledger::find_transaction(&self.db(), id)?.map(|known| known.raw))
    }

    /// Outputs that the inputs of a transaction spend, in order; `None` when one of them is not
    /// known.
    ///
    /// # Errors
    /// [`DevChainError::Store`].
    pub fn spent_outputs(&self, raw: &[u8]) -> Result<Option<Vec<SpentOutput>>, DevChainError> {
        let Ok(transaction) = interpreter::decode(raw) else {
            return Ok(None);
        };

        let db = self.db();
        let mut spent = Vec::new();
        for input in &transaction.input {
            let Some(output) = ledger::find_output(&db, &input.previous_output.to_string())? else {
                return Ok(None);
            };
            spent.push(SpentOutput {
                amount: output.amount,
                script: output.script,
            });
        }
        Ok(Some(spent))
    }

    pub(crate) fn offer(&self, raw: &[u8]) -> Result<Broadcast, rusqlite::Error> {
        let mut db = self.db();
        let tx = db.transaction()?;

        // A refusal drops the SQLite transaction, so that nothing that `take` wrote before it
        // stays.
        let answer = match take(&tx, raw) {
            Ok(Broadcast::Accepted) if self.confirm == Confirm::AtOnce => {
                make_block(&tx)?;
                Broadcast::Accepted
            }
            Ok(answer) => answer,
            Err(NotTaken::Store(error)) => return Err(error),
            Err(NotTaken::Rejected(reason)) => return Ok(Broadcast::Rejected(reason)),
        };

        tx.commit()?;
        Ok(answer)
    }
}

fn coinbase(number: u32, output: TxOut) -> Transaction {
    let input = TxIn {
        previous_output: OutPoint::null(),
        script_sig: Builder::new()
            .push_slice(number.to_be_bytes())
            .into_script(),
        sequence: Sequence::MAX,
        witness: Witness::new(),
    };
    Transaction {
        version: Version::TWO,
        lock_time: LockTime::ZERO,
        input: vec![input],
        output: vec![output],
    }
}

/// Adds the outputs of a transaction that has just confirmed.
fn confirm(
    tx: &rusqlite::Transaction<'_>,
    transaction: &Transaction,
    height: u32,
) -> rusqlite::Result<Vec<ConflictKey>> {
    let txid = transaction.compute_txid();
    let mut keys = Vec::new();
    for (vout, output) in (0u32..).zip(&transaction.output) {
        let outpoint = OutPoint { txid, vout }.to_string();
        keys.push(ConflictKey::Coin(outpoint.clone()));

        // Outputs whose script has no address (bare multi-signature) are kept too, because an input
        // may spend them.
        let address = address::of_script(&output.script_pubkey, NETWORK).unwrap_or_default();
        let script = output.script_pubkey.to_bytes();
        let amount = output.value.to_sat();

        ledger::add_output(
            tx,
            &Output {
                outpoint,
                address,
                script,
                amount,
                height,
                spent_by: None,
            },
        )?;
    }
    Ok(keys)
}

fn make_block(tx: &rusqlite::Transaction<'_>) -> rusqlite::Result<u32> {
    let height = ledger::meta(tx, "height")?.saturating_add(1);
    for id in ledger::pending(tx)? {
        let Some(known) = ledger::find_transaction(tx, &id)? else {
            continue;
        };

        // Every stored transaction was decoded before, so this never happens.
        let Ok(transaction) = interpreter::decode(&known.raw) else {
            continue;
        };

        confirm(tx, &transaction, height)?;
        ledger::add_transaction(
            tx,
            &id,
            &KnownTransaction {
                height: Some(height),
                ..known
            },
        )?;
    }

    ledger::set_meta(tx, "height", height)?;
    Ok(height)
}

/// Checks a transaction and makes it wait for a block.
fn take(tx: &rusqlite::Transaction<'_>, raw: &[u8]) -> Result<Broadcast, NotTaken> {
    let transaction = interpreter::decode(raw).map_err(|error| no(error.to_string()))?;
    let id = transaction.compute_txid().to_string();

    // The id does not cover the witnesses (BIP-141), so the bytes are compared: the same id with
    // other signatures is refused.
    match ledger::find_transaction(tx, &id)? {
        Some(known) if known.raw == raw => return Ok(Broadcast::AlreadyKnown),
        Some(_) => return Err(no("the same transaction is known with another witness")),
        None => {}
    }

    check_shape(&transaction, ledger::meta(tx, "height")?)?;

    // Only confirmed outputs can be spent, so that a replaced transaction has no descendants to
    // evict.
    let mut spent = Vec::new();
    let mut replaced = BTreeSet::new();
    for input in &transaction.input {
        let outpoint = input.previous_output.to_string();
        let output = ledger::find_output(tx, &outpoint)?
            .ok_or_else(|| no(format!("input {outpoint} is not known or not confirmed")))?;
        if let Some(by) = output.spent_by {
            replaced.insert(by);
        }
        spent.push(SpentOutput {
            amount: output.amount,
            script: output.script,
        });
    }

    // Sums are checked before scripts, as in a node, because the interpreter is the expensive part.
    let fee = fee(&transaction, &spent)?;
    check_spend(raw, &spent).map_err(|error| no(error.to_string()))?;

    // Replacement comes after all checks, because only a valid transaction may evict another one.
    replace(tx, &transaction, fee, &replaced)?;

    for input in &transaction.input {
        ledger::spend(tx, &input.previous_output.to_string(), Some(&id))?;
    }

    ledger::add_transaction(
        tx,
        &id,
        &KnownTransaction {
            raw: raw.to_vec(),
            fee,
            height: None,
        },
    )?;
    Ok(Broadcast::Accepted)
}

fn check_shape(transaction: &Transaction, height: u32) -> Result<(), NotTaken> {
    if transaction.input.is_empty() || transaction.output.is_empty() {
        return Err(no("no inputs or no outputs"));
    }

    // CVE-2018-17144: an input that is counted twice creates value out of nothing.
    let distinct: BTreeSet<_> = transaction
        .input
        .iter()
        .map(|input| input.previous_output)
        .collect();
    if distinct.len() != transaction.input.len() {
        return Err(no("an output is spent twice in it"));
    }

    // A lock time applies only if some input is not final.
    let locked = transaction
        .input
        .iter()
        .any(|input| input.sequence != Sequence::MAX);
    let lock_time = transaction.lock_time.to_consensus_u32();

    // The next block is `height + 1`, and a lock until `height` has ended in it (Bitcoin Core's
    // IsFinalTx). The chain has no clock, so a lock by time never ends.
    if locked && lock_time > height {
        return Err(no(format!("locked until height {lock_time}, now {height}")));
    }
    Ok(())
}

fn fee(transaction: &Transaction, spent: &[SpentOutput]) -> Result<u64, NotTaken> {
    let money_in = total(spent.iter().map(|output| output.amount));

    let money_out = total(
        transaction
            .output
            .iter()
            .map(|output| output.value.to_sat()),
    );

    let fee = money_in
        .zip(money_out)
        .and_then(|(money_in, money_out)| money_in.checked_sub(money_out));
    fee.ok_or_else(|| no("it pays more than it spends"))
}

/// Sum of amounts; `None` above 21 million bitcoin.
fn total(mut amounts: impl Iterator<Item = u64>) -> Option<u64> {
    let possible = |sum: &u64| *sum <= Amount::MAX_MONEY.to_sat();
    amounts.try_fold(0u64, |sum, amount| sum.checked_add(amount).filter(possible))
}

/// Evicts the waiting transactions that spend the same outputs, by BIP-125 rules 3 and 4; a
/// confirmed one is never replaced. Unconfirmed outputs cannot be spent here, so no other
/// transaction depends on an evicted one.
fn replace(
    tx: &rusqlite::Transaction<'_>,
    transaction: &Transaction,
    fee: u64,
    replaced: &BTreeSet<String>,
) -> Result<(), NotTaken> {
    let mut least = 0u64;
    for id in replaced {
        match ledger::find_transaction(tx, id)? {
            Some(KnownTransaction {
                height: None, fee, ..
            }) => least = least.saturating_add(fee),
            _ => return Err(no(format!("an input is already spent by {id}"))),
        }
    }
    if replaced.is_empty() {
        return Ok(());
    }

    // Rule 4: the replacement must pay 1 sat/vB more for its own size; otherwise a flood of
    // replacements would cost nothing.
    let least = least.saturating_add(transaction.vsize() as u64);
    if fee < least {
        return Err(no(format!(
            "conflicts with a waiting transaction: a replacement needs {least} satoshi fee, has {fee}"
        )));
    }

    replaced
        .iter()
        .try_for_each(|id| ledger::evict(tx, id))
        .map_err(NotTaken::from)
}
