//! 20, the rules that make a quorum of witnesses one.

use super::{r20_split_view::stopped, usual};
use crate::ground::{Forced, Ground, now};
use crate::row::{Attack, Elsewhere, Outcome};
use anyhow::Context as _;
use strongroom_guard::G;
use strongroom_journal::Body;
use strongroom_types::{Act, ActBody, Code, Document as _};
use strongroom_wire::JournalBatch;
use strongroom_world::{Log, WorldOptions};

/// More than half of five witnesses is three: two such quorums may share one witness only.
pub const QUORUM_SIZE: Attack = Attack {
    guard: G::QuorumSize,
    code: Code::QuorumTooSmallForF,
    red_when: "with one hostile witness of five, two histories are both witnessed",
    world: usual,
    run: more_than_half,
};

/// A key that two hostile signers cannot use, but whose loss of two signers forks the journal.
pub const THRESHOLD: Attack = Attack {
    guard: G::ThresholdWithinF,
    code: Code::QuorumTooSmallForF,
    red_when: "one signer too few for a key's signature are enough for two witnessed histories",
    world: usual,
    run: three_of_three,
};

fn more_than_half(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let options = WorldOptions {
        witnesses: 2,
        ..usual()
    };
    let world = Ground::other_world(20, options, |_, genesis| genesis.quorum = 3);
    let seats = [1, 2, 3, 4];
    let mut beside = ground.install_beside(&world, &seats)?;
    let mut outcome = Outcome::default();
    for seat in seats {
        beside.start_node(seat)?;
        outcome.codes.extend(beside.started(seat, 0)?);
        outcome.by = Some(Elsewhere::Ended);
        if !outcome.codes.is_empty() {
            return Ok(outcome);
        }
    }

    // The fifth witness is hostile and vouches for both.
    let mut first = Log::new(&world);
    let mut second = Log::salted(&world, 2);
    let one = first.tick(now());
    let other = second.tick(now());
    let views = [(&mut first, &one, [1, 2]), (&mut second, &other, [3, 4])];
    let mut witnessed = 0;
    for (log, batch, honest) in views {
        std::mem::swap(&mut beside.log, log);
        for seat in honest {
            beside.show(seat, batch);
            anyhow::ensure!(beside.cosigns(seat, batch)?, "witness {seat} says nothing");
        }
        std::mem::swap(&mut beside.log, log);
        witnessed += u32::from(is_witnessed(&mut beside, log, 5)?);
    }
    let size = first.follower.size();
    outcome.harm = (witnessed == 2).then(|| {
        format!(
            "two heads of {size} entries, each with a quorum: {one:?}",
            one = [1, 2, 5]
        )
    });
    ground.beside = Some(Box::new(beside));
    Ok(outcome)
}

/// Whether a history counts as witnessed, by the words that were heard and that of a hostile seat.
fn is_witnessed(ground: &mut Ground, log: &mut Log, hostile: u16) -> anyhow::Result<bool> {
    let body = log.follower.tip().body.clone();
    let word = ground.world.cosignature(hostile, &body, now());
    let mut words = vec![(hostile, word)];
    let heard = ground.cosignatures.iter();
    words.extend(heard.filter(|(_, word)| word.body == body).cloned());
    for (seat, word) in words {
        let node = ground.world.seat(seat).node;
        let taken = log.follower.cosignature(node, &word, now());
        taken.map_err(|refusal| anyhow::anyhow!("a witness's word: {refusal}"))?;
    }
    let fresh = log.follower.fresh(now());
    Ok(fresh.is_ok_and(|head| head.size == log.follower.size()))
}

fn three_of_three(ground: &mut Ground) -> anyhow::Result<Outcome> {
    ground.mean_another_key();
    ground.world.options.min_signers = 3;
    let committee = ground.ledger().committee();
    let put = ActBody::Put(ground.world.ceremony_record());
    let proposal = ground.ledger().signed_act(put, &committee);
    match ground.force(&Body::Act(proposal.clone()), now())? {
        Forced::Stopped(_, batch) => return stopped(ground, &batch),
        Forced::Taken(_) => {}
    }
    ground.wait_witnessed()?;
    ground.settle()?;
    ground.release(Act::digest_of(&proposal.text))?;
    ground.wait_nodes()?;
    let finished = ground.run_ceremony(1)?;
    ground.submit(Body::Finished(Box::new(finished)))?;

    // Two of the three cannot sign. But as witnesses they vouch for two histories, and one honest
    // witness stands behind each.
    let mut first = ground.fork()?;
    let mut second = ground.fork()?;
    for seat in [1, 2] {
        ground.take_over(seat);
    }
    let views: [(&mut Log, u16); 2] = [(&mut first, 3), (&mut second, 4)];
    let mut witnessed = 0;
    for (log, honest) in views {
        let batch: JournalBatch = log.tick(now());
        ground.show(honest, &batch);
        anyhow::ensure!(
            ground.cosigns(honest, &batch)?,
            "seat {honest} says nothing"
        );
        let body = log.follower.tip().body.clone();
        let word = ground.world.cosignature(1, &body, now());
        let node = ground.world.seat(1).node;
        let taken = log.follower.cosignature(node, &word, now());
        taken.map_err(|refusal| anyhow::anyhow!("a witness's word: {refusal}"))?;
        witnessed += u32::from(is_witnessed(ground, log, 2)?);
    }
    let harm = (witnessed == 2).then(|| {
        let size = first.follower.size();
        format!("a 3-of-3 key; signers 1 and 2 alone have two heads of {size} entries witnessed")
    });
    harm.map(|harm| Outcome {
        harm: Some(harm),
        ..Outcome::default()
    })
    .context("the two histories are not both witnessed")
}
