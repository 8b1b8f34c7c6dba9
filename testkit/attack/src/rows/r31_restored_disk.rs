//! 31: a witness's disk is put back to an earlier day.

use super::usual;
use crate::ground::{Ground, Kind, copy, now};
use crate::row::{Attack, Elsewhere, Outcome, Row};
use anyhow::Context as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use strongroom_guard::G;
use strongroom_types::Code;
use strongroom_wire::frame::ToSigner;

pub const ROW: Row = Row {
    id: "31",
    story: "A signer's disk is restored from a backup. It has forgotten what it vouched for since, \
            and the keeper of the journal shows it another history from that day on.",
    attacks: &[
        Attack {
            guard: G::BootMarker,
            code: Code::SignerRetired,
            red_when: "one witness vouches for two histories of one length",
            world: usual,
            run: backup_of_an_earlier_start,
        },
        Attack {
            guard: G::OwnNewerCosignature,
            code: Code::SignerRetired,
            red_when: "one witness vouches for two histories of one length",
            world: usual,
            run: snapshot_of_the_same_start,
        },
    ],
};

/// How long a node may take to end that learns of its own later word.
const TO_END_MS: u64 = 3_000;
/// The victim.
const SEAT: u16 = 1;

/// A copy of the folder from before the last start; the boot marker lies elsewhere and stays.
fn backup_of_an_earlier_start(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let (data, backup) = folders(ground)?;
    ground.node(SEAT)?.kill()?;
    copy(&data, &backup)?;
    let ended = ground.start_again(SEAT)?;
    anyhow::ensure!(ended.is_none(), "an honest start ended: {ended:?}");

    let mut other = vouch_for_one_more(ground)?;
    ground.node(SEAT)?.kill()?;
    put_back(ground, &backup, &data)?;

    // The restored node gets nothing of the history that it vouched for.
    ground.cut_off.insert(SEAT);
    if let Some(code) = ground.start_again(SEAT)? {
        return Ok(Outcome {
            codes: vec![code],
            by: Some(Elsewhere::Ended),
            ..Outcome::default()
        });
    }
    show_the_other(ground, &mut other)
}

/// A copy that was made while the node ran, as a storage system makes them: the marker agrees with
/// it. The link brings back what the node itself said since.
fn snapshot_of_the_same_start(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let (data, backup) = folders(ground)?;
    copy(&data, &backup)?;
    let mut other = vouch_for_one_more(ground)?;
    let own = ground.word(SEAT).context("its newest cosignature")?;
    ground.node(SEAT)?.kill()?;
    put_back(ground, &backup, &data)?;

    // The start itself moves the marker on: the snapshot is put back behind it as well.
    ground.cut_off.insert(SEAT);
    let from = std::fs::read(ground.node(SEAT)?.files().log())?.len();
    if let Some(code) = ground.start_again(SEAT)? {
        anyhow::bail!("the snapshot does not start: {code}");
    }
    ground.send(SEAT, &ToSigner::Cosignature(own));
    let until = now().plus(TO_END_MS);
    while now() < until {
        if let Some(code) = ground.ended(SEAT, from)? {
            return Ok(Outcome {
                codes: vec![code],
                by: Some(Elsewhere::Ended),
                ..Outcome::default()
            });
        }
        ground.wait(Duration::from_millis(20))?;
    }
    show_the_other(ground, &mut other)
}

/// The folder is as it was when the backup was made.
pub(super) fn put_back(ground: &Ground, backup: &Path, data: &Path) -> anyhow::Result<()> {
    std::fs::remove_dir_all(data)?;
    copy(backup, data)?;
    let database = std::fs::read(data.join("signer.db"))?;
    ground.keep_hostile(Kind::Disk, &database);
    Ok(())
}

fn folders(ground: &mut Ground) -> anyhow::Result<(PathBuf, PathBuf)> {
    let data = ground.node(SEAT)?.files().data();
    let backup = data.with_extension("backup");
    Ok((data, backup))
}

/// The journal goes on by an entry, which every witness cosigns; gives a history without it.
pub(super) fn vouch_for_one_more(ground: &mut Ground) -> anyhow::Result<strongroom_world::Log> {
    let other = ground.fork()?;
    ground.tick()?;
    let batch = ground.log.batches.last().context("a batch")?.clone();
    anyhow::ensure!(ground.cosigns(SEAT, &batch)?, "witness {SEAT} says nothing");
    ground.wait_nodes()?;
    Ok(other)
}

/// Shows the victim another entry in the same place.
pub(super) fn show_the_other(
    ground: &mut Ground,
    other: &mut strongroom_world::Log,
) -> anyhow::Result<Outcome> {
    let batch = other.tick(now());
    ground.show(SEAT, &batch);
    let cosigned = ground.cosigns(SEAT, &batch)?;
    let twice = ground.cosigned_twice(SEAT).filter(|_| cosigned);
    Ok(Outcome {
        harm: twice.map(|size| format!("witness {SEAT} cosigned two trees of {size} entries")),
        ..Outcome::default()
    })
}
