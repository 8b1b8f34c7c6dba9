//! 42: database and boot marker are lost together; a crash comes between the two.

use super::r31_restored_disk::{put_back, show_the_other, vouch_for_one_more};
use super::usual;
use crate::ground::{Ground, Kind, copy};
use crate::row::{Attack, Elsewhere, Outcome, Row};
use anyhow::Context as _;
use strongroom_guard::G;
use strongroom_types::Code;

pub const ROW: Row = Row {
    id: "42",
    story: "A signer's database and the mark beside it are both gone, only its keys are left: it \
            looks as if it had never vouched for anything. And the other way round: the power \
            fails while a signer starts, which must not cost the bank an honest signer.",
    attacks: &[
        Attack {
            guard: G::InitMarker,
            code: Code::SignerRetired,
            red_when: "one witness vouches for two histories of one length",
            world: usual,
            run: both_lost,
        },
        Attack {
            guard: G::TwoStepStart,
            code: Code::SignerRetired,
            red_when: "an honest signer is retired by a crash while it starts",
            world: usual,
            run: crash_while_it_starts,
        },
    ],
};

/// The victim.
const SEAT: u16 = 1;

fn both_lost(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let mut other = vouch_for_one_more(ground)?;
    ground.node(SEAT)?.kill()?;
    let files = ground.node(SEAT)?.files().clone();
    for file in ["signer.db", "signer.db-wal", "signer.db-shm"] {
        let _ = std::fs::remove_file(files.data().join(file));
    }
    std::fs::remove_file(files.marker())?;
    ground.keep_hostile(Kind::Disk, b"signer.db and the boot marker are gone");

    ground.cut_off.insert(SEAT);
    if let Some(code) = ground.start_again(SEAT)? {
        return Ok(Outcome {
            codes: vec![code],
            by: Some(Elsewhere::Ended),
            ..Outcome::default()
        });
    }
    for batch in other.batches.clone() {
        ground.show(SEAT, &batch);
    }
    show_the_other(ground, &mut other)
}

/// What a power cut leaves between the moment at which the marker has moved and the one at which
/// the database knows: the database still announces what the marker holds. The signer must start from
/// there; the same folder, put back later, must not.
fn crash_while_it_starts(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let data = ground.node(SEAT)?.files().data();
    let backup = data.with_extension("backup");
    ground.node(SEAT)?.kill()?;
    let database = rusqlite::Connection::open(data.join("signer.db"))?;
    let changed = database.execute(
        "UPDATE journal_witness SET generation_next = generation, generation = zeroblob(16)",
        [],
    )?;
    anyhow::ensure!(changed == 1, "the row of the boot generation");
    database.close().map_err(|(_, error)| error)?;
    copy(&data, &backup)?;

    if let Some(code) = ground.start_again(SEAT)? {
        return Ok(Outcome {
            harm: Some(format!("an honest signer ended its start for good: {code}")),
            ..Outcome::default()
        });
    }
    ground.node(SEAT)?.kill()?;
    put_back(ground, &backup, &data)?;
    let code = ground.start_again(SEAT)?;
    let code = code.context("a folder that was put back starts")?;
    Ok(Outcome {
        codes: vec![code],
        by: Some(Elsewhere::Ended),
        ..Outcome::default()
    })
}
