//! What is behind the decoders of the journal: batches that a replica follows, entries that the
//! rules judge, and the rows of the state, which come back from a disk.

use super::{SEEDS, Target, chosen, same, with_choice};
use crate::generate;
use borsh::{BorshDeserialize, BorshSerialize};
use rand_core::RngCore;
use std::sync::{Arc, OnceLock};
use strongroom_journal::follower::Follower;
use strongroom_journal::model::{
    ActStanding, AdminPause, Bucket, CredentialRecord, EndedRecord, GroupRecord, HeldRecord,
    HolderRecord, IntentRecord, JournalEnd, KeyRecord, ListedRecord, MinuteCount, OpenIntentRecord,
    PlatformRecord, ProposalRecord, Spend, TenantRecord, UserRecord, VaultRecord, WaitingRecord,
};
use strongroom_journal::state::{self, State};
use strongroom_journal::{Body, Entry, Genesis, apply};
use strongroom_types::{ActBody, Code, Tighten};
use strongroom_wire::{JournalBatch, decode, encode};
use strongroom_world::{AuthorizationExt as _, FRIEND, Ledger, Who, small};

pub(super) fn targets() -> Vec<Target> {
    vec![
        Target {
            name: "replica_batch",
            run: batch,
            seeds: |_| published().iter().map(encode).collect(),
        },
        Target {
            name: "applied_entry",
            run: applied,
            seeds: |_| entries(),
        },
        Target {
            name: "journal_row",
            run: row,
            seeds: rows,
        },
    ]
}

/// Genesis of the one installation, made once.
fn genesis() -> Arc<Genesis> {
    static GENESIS: OnceLock<Arc<Genesis>> = OnceLock::new();
    Arc::clone(GENESIS.get_or_init(small::genesis))
}

/// Everything that the log ever signed: entry 0 with a tick, and a tick.
fn published() -> &'static [JournalBatch] {
    static PUBLISHED: OnceLock<Vec<JournalBatch>> = OnceLock::new();
    PUBLISHED.get_or_init(|| {
        let mut log = small::log();
        for at in [0, 1_000] {
            log.tick(small::at(at));
        }
        log.batches
    })
}

/// A replica follows only what the log signed, and is stopped by nothing else: another sender could
/// otherwise stop every replica with one record.
fn batch(data: &[u8]) -> bool {
    let (Ok(batch), Some(first)) = (decode::<JournalBatch>(data), published().first()) else {
        return false;
    };
    let Ok(mut replica) = Follower::new(genesis()) else {
        return false;
    };
    let before = replica.append(first);
    assert!(before.is_ok(), "the log's own first batch");

    let followed = replica.append(&batch);
    assert!(replica.halted().is_none(), "stopped by what no log signed");
    let Ok(applied) = followed else {
        return false;
    };

    // A batch that was applied before is passed over, whatever its entries are now.
    if !applied.is_empty() {
        let mut published = published().iter();
        let known = published.find(|known| known.first_seq == batch.first_seq);
        assert_eq!(
            known.map(|known| &known.entries),
            Some(&batch.entries),
            "entries that no log signed"
        );
    }
    true
}

/// A tenant with people, key and vault, in a state of its own.
struct Judged {
    state: State,
    next: Vec<Entry>,
}

fn judged() -> &'static Judged {
    static JUDGED: OnceLock<Judged> = OnceLock::new();
    JUDGED.get_or_init(|| {
        let ledger = Ledger::ready(small::world());
        let intent = ledger.world.intent(ledger.now, 2_000_000, FRIEND);
        let authorization = ledger.authorization(&intent, &[Who::Approver(0)]);
        let stop = ActBody::Tighten(Tighten::Stop);
        let bodies = [
            Body::Tick,
            Body::Act(ledger.signed_act(stop, &ledger.admins())),
            Body::Witnessed(ledger.witnessed()),
            authorization.into_body(),
        ];
        let entry = |body: Body| ledger.entry(ledger.scope_of(&body), body, ledger.now);
        let next = bodies.into_iter().map(entry);
        Judged {
            next: next
                .filter(|entry| apply(&ledger.state, entry).is_ok())
                .collect(),
            state: ledger.state,
        }
    })
}

/// The rules give one answer to one entry, and no entry of a hostile writer is an error of ours.
fn applied(data: &[u8]) -> bool {
    let Ok(entry) = decode::<Entry>(data) else {
        return false;
    };
    let judged = judged();
    let verdict = apply(&judged.state, &entry);
    assert_eq!(
        apply(&judged.state, &entry),
        verdict,
        "two answers to one entry"
    );
    match verdict {
        Ok(_) => true,
        Err(refusal) => {
            assert_ne!(refusal.code, Code::Internal, "{refusal}");
            false
        }
    }
}

fn entries() -> Vec<Vec<u8>> {
    judged().next.iter().map(encode).collect()
}

type Seeds = fn(&mut dyn RngCore) -> Vec<Vec<u8>>;

macro_rules! rows {
    ($($type:ty),* $(,)?) => {
        const ROWS: &[(fn(&[u8]) -> bool, Seeds)] = &[$((read::<$type>, made::<$type>)),*];
    };
}

rows![
    ActStanding,
    JournalEnd,
    WaitingRecord,
    PlatformRecord,
    TenantRecord,
    MinuteCount,
    AdminPause,
    UserRecord,
    CredentialRecord,
    ListedRecord,
    GroupRecord,
    ProposalRecord,
    VaultRecord,
    KeyRecord,
    IntentRecord,
    OpenIntentRecord,
    Spend,
    Bucket,
    EndedRecord,
    HeldRecord,
    HolderRecord,
];

/// The reader of rows is lenient, since a state root covers the bytes; what it reads must have one
/// encoding from then on.
fn read<T: BorshSerialize + BorshDeserialize>(bytes: &[u8]) -> bool {
    let Ok(value) = state::read::<T>(bytes) else {
        return false;
    };
    let written = encode(&value);
    let again = state::read::<T>(&written).map(|again| encode(&again));
    again.is_ok_and(|again| same(&again, &written))
}

fn made<T: BorshSerialize + BorshDeserialize>(rng: &mut dyn RngCore) -> Vec<Vec<u8>> {
    let values = (0..SEEDS / 4).filter_map(|_| generate::value::<T>(rng));
    values.map(|value| encode(&value)).collect()
}

fn row(data: &[u8]) -> bool {
    chosen(ROWS, data).is_some_and(|((read, _), rest)| read(rest))
}

fn rows(rng: &mut dyn RngCore) -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for (number, (_, made)) in ROWS.iter().enumerate() {
        seeds.extend(made(rng).iter().map(|bytes| with_choice(number, bytes)));
    }
    seeds
}
