//! 24: what was sent once is sent again.

use super::{ask_for, brought, usual};
use crate::ground::{Ground, now, refused};
use crate::row::{Attack, Outcome, Row};
use std::collections::BTreeSet;
use std::time::Duration;
use strongroom_guard::G;
use strongroom_types::Code;
use strongroom_wire::{CoordinatorMessage, Role, SignerMessage};

pub const ROW: Row = Row {
    id: "24",
    story: "Old messages are kept and sent again: a request to sign whose time is over, a message \
            that was meant for another signer, the start of a key ceremony that a signer has begun \
            before.",
    attacks: &[
        Attack {
            guard: G::Deadline,
            code: Code::DeadlineExpired,
            red_when: "a payment is signed on requests whose time was over",
            world: usual,
            run: after_its_deadline,
        },
        Attack {
            guard: G::Recipient,
            code: Code::WrongRecipient,
            red_when: "a signer answers what was meant for another one",
            world: usual,
            run: for_another_signer,
        },
        Attack {
            guard: G::RunOnce,
            code: Code::Replayed,
            red_when: "one signer sends two different first messages in one run of a ceremony",
            world: usual,
            run: begun_again,
        },
    ],
};

/// How long the coordinator gives its requests, milliseconds.
const LIFE_MS: u64 = 200;

/// The coordinator gave up; the attacker's network delivers its requests afterwards.
fn after_its_deadline(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let payment = ground.authorized(300_000, &[])?;
    ground.wait_nodes()?;
    let request = ground.request(&payment, &super::QUORUM)?;
    let message = CoordinatorMessage::Sign(request.clone());
    let coordinator = ground.world.service(Role::Coordinator).clone();
    let deadline = now().plus(LIFE_MS);
    let records = super::QUORUM.map(|seat| {
        let to = ground.world.seat(seat).node;
        let sealed = ground.seal_as(&coordinator, Some(to), &message, deadline);
        (seat, sealed)
    });
    ground.wait(Duration::from_millis(2 * LIFE_MS))?;

    // What is refused for its time is named by the whole message, and not by the request in it.
    let mut outcome = Outcome::default();
    for (seat, record) in records {
        let said = ground.bring(seat, record)?;
        outcome.refused.extend(said.iter().filter_map(refused));
    }
    if !outcome.refused.is_empty() {
        return Ok(outcome);
    }
    let served = super::QUORUM
        .iter()
        .map(|seat| ground.answer(*seat, &request));
    anyhow::ensure!(served.flatten().count() == 2, "the signers say nothing");

    // The journal allows this payment: what is wrong with the signature is its time.
    let mut outcome = ask_for(ground, &payment, &request, None)?;
    if outcome.stolen.take().is_some() {
        outcome.harm = Some("signed on requests whose time was over".to_owned());
    }
    Ok(outcome)
}

fn for_another_signer(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let coordinator = ground.world.service(Role::Coordinator).clone();
    let record = ground.prepare_record(&coordinator, 3, 1);
    brought(ground, 1, record)
}

/// A run that a signer joined before it was restarted. Two polynomials under one name would show
/// its peers their difference.
fn begun_again(ground: &mut Ground) -> anyhow::Result<Outcome> {
    ground.mean_another_key();
    let proposal = ground.propose_ceremony()?;
    ground.release(proposal)?;
    ground.wait_nodes()?;

    let (tenant, key) = (ground.world.tenant.id, ground.world.tenant.key);
    let message = CoordinatorMessage::Ceremony {
        tenant,
        key,
        run: 1,
    };
    let before = ground.said.len();
    ground.ask_of(1, &message);
    ground.until("the first run", |ground| {
        Ok((!first_messages(ground, before).is_empty()).then_some(()))
    })?;

    let ended = ground.restart(1)?;
    anyhow::ensure!(ended.is_none(), "signer 1 ended: {ended:?}");
    ground.tick()?;
    ground.wait_nodes()?;

    let again = ground.said.len();
    ground.ask_of(1, &message);
    let answered = ground.until("no answer to the second start", |ground| {
        let refusals = ground.said.iter().skip(again).filter_map(refused);
        let refusals: Vec<_> = refusals.collect();
        let began = !first_messages(ground, again).is_empty();
        Ok((began || !refusals.is_empty()).then_some(refusals))
    })?;

    let packages = first_messages(ground, before);
    let harm = (packages.len() > 1).then(|| {
        let number = packages.len();
        format!("{number} different first messages of signer 1 in run 1 of one ceremony")
    });
    Ok(Outcome {
        harm,
        refused: answered,
        ..Outcome::default()
    })
}

/// The different first messages of signer 1 in the meant key's ceremony.
fn first_messages(ground: &Ground, from: usize) -> BTreeSet<Vec<u8>> {
    let of_signer = ground.said.iter().skip(from).filter(|said| said.seat == 1);
    let first = of_signer.filter_map(|said| match &said.message {
        SignerMessage::Ceremony(message) if message.key == ground.world.tenant.key => {
            Some(message.body.clone())
        }
        _ => None,
    });
    first.collect()
}
