//! C22: two secrets are locked with one key and one nonce.

use super::r27_edited_database::database;
use super::usual;
use crate::ground::{Ground, Kind};
use crate::row::{Attack, Elsewhere, Outcome, Row};
use rusqlite::params;
use std::collections::BTreeMap;
use strongroom_guard::G;
use strongroom_types::{Code, KeyId};

pub const ROW: Row = Row {
    id: "C22",
    story: "A signer's shares of all keys lie on its disk, each in a lock of its own. A thief \
            copies the disk and compares the locks: two that were closed in the same way would \
            show how the secrets in them differ. Then the thief puts one share into another's \
            place.",
    attacks: &[Attack {
        guard: G::WrapNonce,
        code: Code::StoreCorrupt,
        red_when: "two wrapped shares on one disk have the same nonce",
        world: usual,
        run: compare_and_swap,
    }],
};

/// The victim.
const SEAT: u16 = 1;

/// Where the nonce lies in a wrapped share: behind the version.
const NONCE: std::ops::Range<usize> = 1..13;

fn compare_and_swap(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let mut keys = Vec::new();
    for _ in 0..2 {
        ground.mean_another_key();
        ground.make_key()?;
        keys.push(ground.world.tenant.key);
    }
    ground.wait_nodes()?;
    ground.node(SEAT)?.kill()?;

    let database = database(ground, SEAT)?;
    let mut rows = database.prepare("SELECT threshold_key, wrapped FROM signer_share")?;
    let pairs = rows.query_map([], |row| Ok((KeyId(row.get(0)?), row.get(1)?)))?;
    let wrapped: BTreeMap<KeyId, Vec<u8>> = pairs.collect::<Result<_, _>>()?;
    drop(rows);
    let shares: Vec<&Vec<u8>> = keys.iter().filter_map(|key| wrapped.get(key)).collect();
    let ([first_key, _], [first, second]) = (keys.as_slice(), shares.as_slice()) else {
        anyhow::bail!("two wrapped shares")
    };
    let mut outcome = Outcome::default();
    if first.get(NONCE) == second.get(NONCE) {
        let nonce = hex::encode(first.get(NONCE).unwrap_or_default());
        outcome.harm = Some(format!("two wrapped shares with the nonce {nonce}"));
    } else {
        let swap = "UPDATE signer_share SET wrapped = ?2 WHERE threshold_key = ?1";
        database.execute(swap, params![first_key.0, second])?;
        ground.keep_hostile(Kind::Disk, second);
    }
    drop(database);

    outcome.codes.extend(ground.start_again(SEAT)?);
    outcome.by = Some(Elsewhere::Ended);
    Ok(outcome)
}
