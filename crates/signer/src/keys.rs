//! The key shares: wrapped on disk, in use in memory, and which of them the journal names.
//!
//! A share is a *candidate* from the moment its signer may certify it, and *active* only under a
//! witnessed `finished` entry that names its transcript; the other candidates of that key are
//! erased in the same transaction. Those of a key that no such entry can name any more are erased
//! under a witnessed head that says so.

mod rows;

use crate::fatal::{Fatal, NotTaken};
use crate::schema as sql;
use crate::setup::Identity;
use rand_core::CryptoRngCore;
use rows::{in_force, number, opened};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use strongroom_guard::{G, guard};
use strongroom_journal::View;
use strongroom_journal::apply::ceremony::check_open;
use strongroom_journal::state::Lookup as _;
use strongroom_mpc_core::KeyShareRecord;
use strongroom_mpc_core::signing::{
    KeyShare, PrepareFault, SignFault, SignatureShare, SigningPackage,
};
use strongroom_ports::db::{Arg, Db};
use strongroom_ports::keys::{KeyProtector, KeyProtectorError};
use strongroom_signing::commitment_to_wire;
use strongroom_types::{Code, Digest, KeyId, Refusal, TenantId, UnixMs};
use strongroom_wire::NonceCommitment;

/// Most commitments of one `prepare`.
pub const PREPARE_MAX: u32 = 256;
/// Unused nonces a key keeps. Beyond it the stock is thrown away and starts again under another
/// boot id: the coordinator that let it grow has lost them.
const STOCK_MAX: usize = 4_096;

/// A key of a tenant.
pub(crate) type KeyName = (TenantId, KeyId);

/// One row of `signer_share`.
#[derive(Clone, Copy)]
struct Stored {
    epoch: u32,
    transcript: Digest,
    run: u32,
}

/// A stored share that a witnessed `finished` names.
#[derive(Clone, Copy)]
struct NamedShare {
    name: KeyName,
    stored: Stored,
}

struct Active {
    stored: Stored,
    share: KeyShare,
}

pub(crate) struct KeyRing {
    db: Arc<dyn Db>,
    protector: Arc<dyn KeyProtector>,
    genesis: Digest,
    index: u16,
    active: BTreeMap<KeyName, Active>,
    candidates: BTreeMap<KeyName, Vec<Stored>>,
    runs: BTreeMap<KeyName, u32>,
    /// Keys whose share is lost, each logged once.
    lost: BTreeSet<KeyName>,
}

/// A result of a ceremony as this signer certifies it.
pub(crate) struct Certified {
    pub(crate) transcript: Digest,
    /// Borsh of the public key record.
    pub(crate) public: Vec<u8>,
}

/// Error by which a new share was not stored.
pub(crate) enum StoreShareError {
    Protector(KeyProtectorError),
    Fatal(Fatal),
}

impl KeyRing {
    /// Loads the active shares and compares each with the journal's public record of its key:
    /// nothing is used that the tip does not name.
    pub(crate) fn open(
        db: Arc<dyn Db>,
        protector: Arc<dyn KeyProtector>,
        identity: &Identity,
        tip: &dyn View,
        rng: &mut dyn CryptoRngCore,
    ) -> Result<Self, Fatal> {
        db.migrate(sql::MIGRATIONS)?;
        let (genesis, index) = (identity.hash, identity.index.unwrap_or_default());
        let mut ring = Self {
            db: Arc::clone(&db),
            protector,
            genesis,
            index,
            active: BTreeMap::new(),
            candidates: BTreeMap::new(),
            runs: BTreeMap::new(),
            lost: BTreeSet::new(),
        };

        // The runs are loaded first: a number that was used before must not be joined again.
        let mut tx = db.begin()?;
        for row in tx.query(sql::RUNS, &[])? {
            ring.runs.insert(
                (TenantId(row.array(0)?), KeyId(row.array(1)?)),
                number(row.u64(2)?)?,
            );
        }

        for row in tx.query(sql::SHARES, &[])? {
            let name = (TenantId(row.array(0)?), KeyId(row.array(1)?));
            let (epoch, run) = (number(row.u64(2)?)?, number(row.u64(4)?)?);
            let stored = Stored {
                epoch,
                transcript: Digest(row.array(3)?),
                run,
            };

            // An active share that the journal does not name was put in use by hand, or the journal
            // was put back. In both cases it must not sign.
            if row.bool(5)? {
                let record = ring.read(tx.as_mut(), name, &stored)?;
                let share = in_force(tip, name, &record).and_then(|()| opened(&record, rng))?;
                ring.active.insert(name, Active { stored, share });
            } else {
                ring.candidates.entry(name).or_default().push(stored);
            }
        }
        Ok(ring)
    }

    /// Keys this signer can sign with, and candidates that wait for their `finished`.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (
            self.active.len(),
            self.candidates.values().map(Vec::len).sum(),
        )
    }

    /// The newest run joined for a key; 0 when none was.
    pub(crate) fn run(&self, name: KeyName) -> u32 {
        self.runs.get(&name).copied().unwrap_or_default()
    }

    /// Remembers a run, durably, before its first message leaves: a run that was begun with one
    /// polynomial must never be begun with another.
    pub(crate) fn begin_run(&mut self, name: KeyName, run: u32) -> Result<(), Fatal> {
        let mut tx = self.db.begin()?;
        tx.execute(
            sql::PUT_RUN,
            &[(&name.0.0).into(), (&name.1.0).into(), run.into()],
        )?;
        tx.commit()?;
        self.runs.insert(name, run);
        Ok(())
    }

    /// Stores a candidate; durable when this returns.
    pub(crate) fn persist(
        &mut self,
        name: KeyName,
        run: u32,
        record: &KeyShareRecord,
    ) -> Result<(), StoreShareError> {
        let (epoch, transcript) = (record.public().epoch, Digest(*record.transcript()));

        // The associated data binds the share to genesis, key, epoch and signer: a row that was
        // moved to another place does not unwrap.
        let aad = self.aad(name, epoch, &transcript);
        let wrapped = self
            .protector
            .wrap(&aad, &record.to_secret_bytes())
            .map_err(StoreShareError::Protector)?;

        let put = || -> Result<(), Fatal> {
            let mut tx = self.db.begin()?;
            let row = [
                (&name.0.0).into(),
                (&name.1.0).into(),
                epoch.into(),
                (&transcript.0).into(),
                run.into(),
                false.into(),
                (&wrapped).into(),
            ];
            tx.execute(sql::PUT_SHARE, &row)?;
            Ok(tx.commit()?)
        };
        put().map_err(StoreShareError::Fatal)?;

        self.candidates.entry(name).or_default().push(Stored {
            epoch,
            transcript,
            run,
        });
        Ok(())
    }

    /// The result that this signer certified in a run, if it did.
    pub(crate) fn certified(&self, name: KeyName, run: u32) -> Result<Option<Certified>, Fatal> {
        let known = self
            .candidates
            .get(&name)
            .into_iter()
            .flatten()
            .find(|stored| stored.run == run);
        let active = self
            .active
            .get(&name)
            .map(|active| &active.stored)
            .filter(|stored| stored.run == run);
        let Some(stored) = known.or(active) else {
            return Ok(None);
        };

        // The share is read back instead of kept, so that what is certified again is what the disk
        // holds.
        let mut tx = self.db.begin()?;
        let record = self.read(tx.as_mut(), name, stored)?;
        Ok(Some(Certified {
            transcript: stored.transcript,
            public: record.public().to_bytes(),
        }))
    }

    /// Puts in use what a *witnessed* head names, and erases the other candidates of those keys.
    pub(crate) fn activate(
        &mut self,
        head: &dyn View,
        rng: &mut dyn CryptoRngCore,
    ) -> Result<Vec<KeyName>, Fatal> {
        // Only a witnessed `finished` counts: one that a fork alone has would put a key in use
        // whose addresses no other party derives.
        let mut named_now = Vec::new();
        for (name, candidates) in &self.candidates {
            let Ok(key) = head.threshold_key(name.0, name.1) else {
                continue;
            };
            let Some(public) = &key.public else { continue };

            let fits = |stored: &&Stored| {
                stored.transcript == public.transcript && stored.epoch == key.epoch
            };
            match candidates.iter().find(fits) {
                Some(stored) => named_now.push(NamedShare {
                    name: *name,
                    stored: *stored,
                }),
                // All n signers certified the result, this one among them, so the share was on this
                // disk once.
                None if self.lost.insert(*name) => {
                    tracing::error!(key = %name.1, "the share that this signer certified is not here any more");
                }
                None => {}
            }
        }

        for share in &named_now {
            self.put_in_use(head, *share, rng)?;
        }
        Ok(named_now.into_iter().map(|share| share.name).collect())
    }

    /// Erases the shares of keys that a *witnessed* head shows will never be: their ceremony was
    /// revoked, a member is in quarantine, or its life ended at `past`, the time that no entry can
    /// come before any more.
    pub(crate) fn give_up(&mut self, head: &dyn View, past: UnixMs) -> Result<(), Fatal> {
        // Neither a tip that is not witnessed nor this machine's clock is enough: a `finished` of
        // an earlier time could still come, and the key would be one share short forever.
        let is_over = |name: &&KeyName| {
            let key = head.threshold_key(name.0, name.1);
            key.is_ok_and(|key| key.public.is_none() && check_open(head, &key, past).is_err())
        };
        let over: Vec<KeyName> = self.candidates.keys().filter(is_over).copied().collect();

        for name in over {
            let mut tx = self.db.begin()?;
            let (tenant, key) = (Arg::from(&name.0.0), Arg::from(&name.1.0));
            tx.execute(sql::ERASE_CANDIDATES, &[tenant, key, false.into()])?;
            tx.commit()?;

            // The number of its last run stays on disk, so that nothing is begun again under its
            // name.
            self.candidates.remove(&name);
            tracing::info!(tenant = %name.0, key = %name.1, "the key will never be: its shares are erased");
        }
        Ok(())
    }

    fn put_in_use(
        &mut self,
        head: &dyn View,
        share: NamedShare,
        rng: &mut dyn CryptoRngCore,
    ) -> Result<(), Fatal> {
        let NamedShare { name, stored } = share;
        let mut tx = self.db.begin()?;
        let record = self.read(tx.as_mut(), name, &stored)?;
        let share = in_force(head, name, &record).and_then(|()| opened(&record, rng))?;

        // The other candidates are erased in the same commit: shares of a run that was not named
        // could be combined with those of peers that kept theirs.
        let (tenant, key) = (Arg::from(&name.0.0), Arg::from(&name.1.0));
        let (epoch, transcript) = (Arg::from(stored.epoch), Arg::from(&stored.transcript.0));
        tx.execute(sql::ERASE_OTHERS, &[tenant, key, epoch, transcript])?;
        tx.execute(
            sql::ACTIVATE,
            &[true.into(), tenant, key, epoch, transcript],
        )?;
        tx.commit()?;

        self.candidates.remove(&name);
        self.active.insert(name, Active { stored, share });
        tracing::info!(tenant = %name.0, key = %name.1, epoch = stored.epoch, "key share in use");
        Ok(())
    }

    /// Makes commitments to publish.
    pub(crate) fn prepare(
        &mut self,
        name: KeyName,
        count: u32,
        rng: &mut dyn CryptoRngCore,
    ) -> Result<Vec<NonceCommitment>, NotTaken> {
        // Each commitment is a secret pair in memory: a coordinator must not be able to fill it.
        let count = match u16::try_from(count) {
            Ok(count) if (1..=PREPARE_MAX).contains(&u32::from(count)) => count,
            Ok(_) | Err(_) => {
                let detail = format!("1 to {PREPARE_MAX} commitments at once, not {count}");
                return Err(NotTaken::Refused(Refusal::new(Code::QuotaExceeded, detail)));
            }
        };
        let Some(active) = self.active.get(&name) else {
            return Err(NotTaken::Refused(unknown(name)));
        };

        // A stock that only grows was lost by its coordinator. It is thrown away, and the old
        // commitments answer nothing any more.
        let stock_len = active.share.stock_len() + usize::from(count);
        if guard(G::StockBound, stock_len > STOCK_MAX) {
            self.renew(name, rng)?;
        }

        let Some(active) = self.active.get_mut(&name) else {
            return Err(NotTaken::Refused(unknown(name)));
        };
        let made = active.share.prepare(count, rng).map_err(|fault| {
            let code = match fault {
                PrepareFault::StockFull => Code::QuotaExceeded,
                PrepareFault::Failed => Code::Internal,
            };
            NotTaken::Refused(Refusal::new(code, fault))
        })?;
        Ok(made.iter().map(commitment_to_wire).collect())
    }

    /// Throws the nonces (and the memory of answers) of a key away and starts under another boot
    /// id.
    fn renew(&mut self, name: KeyName, rng: &mut dyn CryptoRngCore) -> Result<(), Fatal> {
        let Some(active) = self.active.get(&name) else {
            return Ok(());
        };
        let mut tx = self.db.begin()?;
        let record = self.read(tx.as_mut(), name, &active.stored)?;
        drop(tx);

        // A nonce is used once (RFC 9591 §5.1): under a new boot id no old commitment is
        // recognised.
        let share = opened(&record, rng)?;
        if let Some(active) = self.active.get_mut(&name) {
            active.share = share;
        }
        Ok(())
    }

    /// The shares for all packages of one request, or none. The caller has judged that they may be
    /// released.
    pub(crate) fn sign(
        &mut self,
        name: KeyName,
        epoch: u32,
        packages: &[SigningPackage],
    ) -> Result<Vec<SignatureShare>, Refusal> {
        let active = self.active.get_mut(&name).ok_or_else(|| unknown(name))?;

        // Shares of two epochs lie on two polynomials: mixed, they reveal nothing and sign nothing,
        // but an old one must not leave after its epoch ended.
        if active.stored.epoch != epoch {
            let detail = format!(
                "the journal is at epoch {epoch}, the share at {}",
                active.stored.epoch
            );
            return Err(Refusal::new(Code::WrongEpoch, detail));
        }

        active
            .share
            .sign_all(packages)
            .map_err(|fault| refusal_of(name, &fault))
    }
}

fn unknown(name: KeyName) -> Refusal {
    Refusal::new(
        Code::UnknownKey,
        format!("no share of {} is in use here", name.1),
    )
}

fn refusal_of(name: KeyName, fault: &SignFault) -> Refusal {
    let code = match fault {
        SignFault::Package(_) | SignFault::NotParticipant | SignFault::CommitmentMismatch => {
            Code::PackageInvalid
        }
        SignFault::CommitmentUnknown => Code::CommitmentUnknown,
        SignFault::NonceUsed => Code::NonceUsed,
        SignFault::Path(_) => Code::PathNotOwn,
        SignFault::Failed(_) => {
            // No package that passed its checks fails here, whatever a coordinator asks: the library
            // or this machine is at fault. The refusal goes to other machines and has no cause.
            let error: &dyn std::error::Error = fault;
            tracing::error!(key = %name.1, error, "a nonce is spent without a share");
            Code::Internal
        }
    };
    Refusal::new(code, fault)
}
