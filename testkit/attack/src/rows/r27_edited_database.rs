//! 27: a signer's database is edited by hand.

use super::{QUORUM, try_to_sign, usual};
use crate::ground::{Building, Ground, Kind, Payment, now};
use crate::row::{Attack, Elsewhere, Outcome, Row};
use anyhow::Context as _;
use rusqlite::{Connection, params};
use std::collections::BTreeMap;
use strongroom_guard::G;
use strongroom_journal::Body;
use strongroom_journal::entry::SealedEntry;
use strongroom_types::{Code, Tighten};
use strongroom_world::{FRIEND, STRANGER};

pub const ROW: Row = Row {
    id: "27",
    story: "A thief with access to the signers' disks edits their databases: the receiver in a \
            payment's text is another one, or the stop that the bank's admins ordered is not there \
            any more.",
    attacks: &[
        Attack {
            guard: G::ReadBack,
            code: Code::StoreCorrupt,
            red_when: "a payment is signed whose receiver stands only in the edited databases",
            world: usual,
            run: another_receiver,
        },
        Attack {
            guard: G::StoreChecked,
            code: Code::StoreCorrupt,
            red_when: "a payment is signed although the bank is stopped",
            world: usual,
            run: stop_taken_out,
        },
    ],
};

/// The transactions service names a transaction that pays the thief; the intent's text is edited to
/// agree with it.
fn another_receiver(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let amount = 300_000;
    let intent = ground.world.intent(now(), amount, FRIEND);
    let coins = [ground.new_coin(amount)?];
    let built = ground.build(&Building::new(STRANGER, amount, &coins))?;
    let payment = Payment::new(intent, built);
    let body = ground.authorization(&payment, &[]);
    let seq = ground.submit(body)?;
    ground.wait_nodes()?;

    for seat in QUORUM {
        ground.node(seat)?.kill()?;
        let edited = edit_entry(&database(ground, seat)?, seq)?;
        ground.keep_hostile(Kind::Disk, &edited);
        let ended = ground.start_again(seat)?;
        anyhow::ensure!(ended.is_none(), "signer {seat} ended: {ended:?}");
    }
    ground.tick()?;
    ground.wait_nodes()?;
    try_to_sign(ground, &payment)
}

/// Gives the entry as it stands in the database then.
fn edit_entry(database: &Connection, seq: u64) -> anyhow::Result<Vec<u8>> {
    let seq = i64::try_from(seq)?;
    let read = "SELECT sealed FROM journal_entry WHERE seq = ?1";
    let sealed: Vec<u8> = database.query_row(read, [seq], |row| row.get(0))?;
    let sealed: SealedEntry = strongroom_wire::decode(&sealed).map_err(told)?;
    let mut entry = sealed.open().map_err(told)?;
    let Body::Authorized(authorization) = &mut entry.body else {
        anyhow::bail!("the entry is not the authorization")
    };
    let text = authorization.intent.text.replace(FRIEND, STRANGER);
    anyhow::ensure!(text != authorization.intent.text, "the receiver's address");
    authorization.intent.text = text;

    let edited = strongroom_wire::encode(&SealedEntry::new(&entry, sealed.salt));
    let write = "UPDATE journal_entry SET sealed = ?2 WHERE seq = ?1";
    database.execute(write, params![seq, edited])?;
    Ok(edited)
}

/// What the stop changed in the state is put back as it was.
fn stop_taken_out(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let payment = ground.authorized(300_000, &[])?;
    ground.wait_nodes()?;
    let mut before = BTreeMap::new();
    for seat in QUORUM {
        ground.node(seat)?.kill()?;
        before.insert(seat, state(&database(ground, seat)?)?);
        let ended = ground.start_again(seat)?;
        anyhow::ensure!(ended.is_none(), "signer {seat} ended: {ended:?}");
    }
    ground.tighten(Tighten::Stop)?;
    ground.wait_nodes()?;

    let mut outcome = Outcome::default();
    for (seat, before) in before {
        ground.node(seat)?.kill()?;
        let was = put_back(&database(ground, seat)?, &before)?;
        ground.keep_hostile(Kind::Disk, &was);
        outcome.codes.extend(ground.start_again(seat)?);
        outcome.by = Some(Elsewhere::Ended);
    }
    if !outcome.codes.is_empty() {
        return Ok(outcome);
    }
    try_to_sign(ground, &payment)
}

type State = BTreeMap<Vec<u8>, Vec<u8>>;

fn state(database: &Connection) -> anyhow::Result<State> {
    let mut rows = database.prepare("SELECT state_key, state_value FROM journal_state")?;
    let pairs = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(pairs.collect::<Result<State, _>>()?)
}

/// Gives what stands in the changed rows then.
fn put_back(database: &Connection, before: &State) -> anyhow::Result<Vec<u8>> {
    let mut put = Vec::new();
    for (key, value) in state(database)? {
        let changed = match before.get(&key) {
            Some(was) if *was == value => continue,
            Some(was) => {
                put.extend_from_slice(was);
                let write = "UPDATE journal_state SET state_value = ?2 WHERE state_key = ?1";
                database.execute(write, params![key, was])?
            }
            None => database.execute("DELETE FROM journal_state WHERE state_key = ?1", [key])?,
        };
        anyhow::ensure!(changed == 1, "a row of the state");
    }
    Ok(put)
}

pub(super) fn database(ground: &mut Ground, seat: u16) -> anyhow::Result<Connection> {
    let file = ground.node(seat)?.files().data().join("signer.db");
    Connection::open(&file).with_context(|| file.display().to_string())
}

fn told(refusal: strongroom_types::Refusal) -> anyhow::Error {
    anyhow::anyhow!("{refusal}")
}
