//! 45: the writer's database is put back, and its bus is new.

use super::usual;
use crate::ground::{Ground, Kind, Started};
use crate::row::{Attack, Elsewhere, Outcome, Row};
use anyhow::{Context as _, ensure};
use strongroom_guard::G;
use strongroom_types::Code;
use strongroom_wire::Role;

pub const ROW: Row = Row {
    id: "45",
    story: "The machine that keeps the journal's order fails. Its disk is put back from a backup \
            that lacks the newest entry, and its message queue is new and empty. If it went on \
            from where its disk ends, one place in the journal would have two entries, and every \
            signer that sees both stops.",
    attacks: &[Attack {
        guard: G::WriterStart,
        code: Code::Conflict,
        red_when: "the writer orders a second entry in one place, and no payment can be signed",
        world: usual,
        run: put_back,
    }],
};

/// The writer is the role's own code in this process, honest; its start has an end of its own (exit
/// code 12), for which the code stands.
fn put_back(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let (held, size) = (ground.log.batches.len(), ground.size());
    let kept = borsh::to_vec(&ground.log.batches)?;
    let payment = ground.payment(300_000)?;
    let body = ground.authorization(&payment, &[]);
    ground.tick()?;
    ground.wait_nodes()?;

    ground.keep_hostile(Kind::Disk, &kept);
    let mut writer = match ground.start_writer(held)? {
        Started::Ended(error) => {
            ensure!(error.proves_restore(), "another end: {error}");
            return Ok(Outcome {
                codes: vec![Code::Conflict],
                by: Some(Elsewhere::Writer),
                ..Outcome::default()
            });
        }
        Started::Runs(writer) => writer,
    };

    // It takes the next payment, like on any other day.
    ground.carry(&mut writer)?;
    let taken = writer.submit(Role::Transactions, &body)?;
    taken.map_err(|refusal| anyhow::anyhow!("the writer refuses: {refusal}"))?;
    let published = writer.published()?;
    let second = published.iter().find(|batch| batch.first_seq == size);
    let second = second.context("nothing is ordered")?.clone();
    let first = ground.log.batches.get(held).context("the newest batch")?;
    ensure!(first.note != second.note, "the entries are the same");

    ground.carry(&mut writer)?;
    let signers: Vec<u16> = ground.world.signers.iter().map(|s| s.index).collect();
    let mut stopped = Vec::new();
    for seat in &signers {
        if ground.refuses(*seat)?.is_some() {
            stopped.push(*seat);
        }
    }
    let quorum = usize::from(ground.world.options.min_signers);
    let is_starved = signers.len() - stopped.len() < quorum;
    Ok(Outcome {
        harm: is_starved.then(|| {
            format!("two entries in place {size} under the log's key; signers {stopped:?} stop")
        }),
        ..Outcome::default()
    })
}
