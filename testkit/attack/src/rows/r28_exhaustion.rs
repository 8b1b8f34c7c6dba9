//! 28: a node's memory and time are used up.

use super::usual;
use crate::evidence::Refused;
use crate::ground::{Answer, Ground, Kind, now, refused};
use crate::row::{Attack, Elsewhere, Outcome, Row};
use anyhow::Context as _;
use std::collections::BTreeMap;
use strongroom_guard::G;
use strongroom_journal::Body;
use strongroom_types::{ActBody, Code, Document as _, SessionId, Tighten};
use strongroom_wire::frame::ToSigner;
use strongroom_wire::{CoordinatorMessage, Role};

pub const ROW: Row = Row {
    id: "28",
    story: "The thief wants no money and no secret, but a platform that stands still: requests \
            without end, huge messages, texts nested a thousand times, more work than a signer can \
            do. Each of them has a bound, and the honest are served beside it.",
    attacks: &[
        Attack {
            guard: G::HeldBound,
            code: Code::QuotaExceeded,
            red_when: "more requests wait at a signer than its bound",
            world: usual,
            run: requests_that_wait,
        },
        Attack {
            guard: G::StockBound,
            code: Code::CommitmentUnknown,
            red_when: "a signer keeps more nonces than its bound",
            world: usual,
            run: nonces_without_end,
        },
        Attack {
            guard: G::BeyondMax,
            code: Code::NotReady,
            red_when: "one request makes a signer judge at more heads than its bound",
            world: usual,
            run: heads_without_witnesses,
        },
        Attack {
            guard: G::RefusalRate,
            code: Code::CeremonyFault,
            red_when: "a signer signs more refusals in one second than its bound",
            world: usual,
            run: refusals_without_end,
        },
        Attack {
            guard: G::RecordSize,
            code: Code::RecordTooLarge,
            red_when: "a node's memory grows with a message far beyond the largest record",
            world: usual,
            run: huge_message,
        },
        Attack {
            guard: G::JsonDepth,
            code: Code::Malformed,
            red_when: "a nested text ends a signer's process, and an honest payment starves",
            world: usual,
            run: nested_text,
        },
    ],
};

/// The victim.
const SEAT: u16 = 1;

/// Refusals that are kept as evidence: a thousand are worth as little as a few.
const KEPT: usize = 3;

/// Requests for a payment that the journal does not have: each waits for it.
fn requests_that_wait(ground: &mut Ground) -> anyhow::Result<Outcome> {
    /// The bound for one coordinator, and what is sent.
    const HELD_MAX: usize = 1_024;
    const SENT: u32 = 1_060;

    let payment = ground.payment(300_000)?;
    let mut request = ground.request(&payment, &[SEAT])?;
    let before = ground.said.len();
    for number in 0..SENT {
        let mut session = [0x28; 16];
        session[..4].copy_from_slice(&number.to_be_bytes());
        request.session = SessionId(session);
        ground.ask(SEAT, &request);
    }

    // The honest request behind them is served, and so all of them were.
    let coordinator = ground.world.service(Role::Coordinator).clone();
    let behind = ground.prepare_record(&coordinator, SEAT, 1);
    ground.bring(SEAT, behind)?;
    let held = number(ground, "held")?;
    let refused = refusals(ground, before);
    Ok(Outcome {
        harm: (held > HELD_MAX).then(|| format!("{held} requests wait, the bound is {HELD_MAX}")),
        refused: refused.into_iter().take(KEPT).collect(),
        ..Outcome::default()
    })
}

/// A coordinator that asks for nonces and never uses them. The signer throws them away.
fn nonces_without_end(ground: &mut Ground) -> anyhow::Result<Outcome> {
    /// The bound for one key, and how it is passed.
    const STOCK_MAX: u32 = 4_096;
    const EACH: u32 = 256;
    const TIMES: u32 = 17;

    let payment = ground.authorized(300_000, &[])?;
    ground.wait_nodes()?;
    let request = ground.request(&payment, &[SEAT, 3])?;
    for _ in 0..TIMES {
        ground.prepare(SEAT, EACH)?;
    }

    let answers = ground.answers(&[SEAT], &request)?;
    let given = matches!(answers.get(&SEAT), Some(Answer::Shares(_)));
    let harm = given.then(|| {
        let kept = EACH * TIMES + 1;
        format!("{kept} nonces are kept, and the first is used: the bound is {STOCK_MAX}")
    });
    Ok(Outcome {
        harm,
        refused: Refused::among(&answers),
        ..Outcome::default()
    })
}

/// A writer that shows one signer hundreds of heads that no quorum has seen. Each may hold a stop,
/// so each is asked.
fn heads_without_witnesses(ground: &mut Ground) -> anyhow::Result<Outcome> {
    /// The bound, and what is shown.
    const BEYOND_MAX: usize = 256;
    const SHOWN: usize = 270;

    let payment = ground.authorized(300_000, &[])?;
    ground.wait_nodes()?;
    let request = ground.request(&payment, &[SEAT, 3])?;
    ground.cut_off.extend([2, 3, 4]);
    ground.unheard.extend([1, 2, 3, 4]);
    for _ in 0..SHOWN {
        ground
            .order(&Body::Tick, now())
            .map_err(|refusal| anyhow::anyhow!("a tick: {refusal}"))?;
    }
    let size = usize::try_from(ground.size())?;
    ground.until("the heads are not taken", |ground| {
        Ok((number(ground, "tip")? == size).then_some(()))
    })?;

    let before = number(ground, "asked")?;
    ground.ask_within(SEAT, &CoordinatorMessage::Sign(request.clone()), 1_500);
    let answer = ground.share_or_refusal(SEAT, &request)?;
    let asked = number(ground, "asked")?.saturating_sub(before);
    let answers = BTreeMap::from([(SEAT, answer)]);
    Ok(Outcome {
        harm: (asked > BEYOND_MAX).then(|| {
            format!("one request was judged {asked} times: the bound is {BEYOND_MAX} heads")
        }),
        refused: Refused::among(&answers),
        ..Outcome::default()
    })
}

/// Requests that are refused at once, as fast as they can be sent.
fn refusals_without_end(ground: &mut Ground) -> anyhow::Result<Outcome> {
    /// The bound for one coordinator and second, and what is sent.
    const PER_SECOND_MAX: usize = 2_048;
    const SENT: u32 = 9_000;

    let (tenant, key) = (ground.world.tenant.id, ground.world.tenant.key);
    let coordinator = ground.world.service(Role::Coordinator).clone();
    let to = Some(ground.world.seat(SEAT).node);
    let records: Vec<ToSigner> = (0..SENT)
        .map(|number| {
            let run = 1_000 + number;
            let message = CoordinatorMessage::Ceremony { tenant, key, run };
            let until = now().plus(60_000);
            ToSigner::Inbox(ground.seal_as(&coordinator, to, &message, until))
        })
        .collect();
    let before = ground.said.len();
    for record in &records {
        ground.send(SEAT, record);
    }
    let behind = ground.prepare_record(&coordinator, SEAT, 1);
    ground.bring(SEAT, behind)?;

    let refused = refusals(ground, before);
    let mut seconds: BTreeMap<u64, usize> = BTreeMap::new();
    for one in &refused {
        *seconds.entry(one.refusal.at.0 / 1_000).or_default() += 1;
    }
    let most = seconds.values().copied().max().unwrap_or_default();
    Ok(Outcome {
        harm: (most > PER_SECOND_MAX).then(|| {
            format!("{most} signed refusals in one second: the bound is {PER_SECOND_MAX}")
        }),
        refused: refused.into_iter().take(KEPT).collect(),
        ..Outcome::default()
    })
}

/// A message of 64 MiB on the link's socket. The node closes the connection; nothing is signed for
/// it, so the code is that of the rule which all receivers share.
fn huge_message(ground: &mut Ground) -> anyhow::Result<Outcome> {
    /// Size of the message, and how far memory may grow beside it.
    const BYTES: usize = 64 * 1024 * 1024;
    const GROWTH_MAX: usize = 32 * 1024 * 1024;

    let before = peak(ground)?;
    let mut message = u32::try_from(BYTES)?.to_be_bytes().to_vec();
    message.resize(4 + BYTES, 0x28);
    ground.keep_hostile(Kind::Bytes, &message);
    ground.node(SEAT)?.send_bytes(&message);
    let codes = strongroom_wire::decode::<ToSigner>(&message).err();

    // It comes back on a new connection, and serves an honest request.
    ground.until("the node does not come back", |ground| {
        let node = ground.node(SEAT)?;
        Ok((node.is_connected() && node.status().is_ok()).then_some(()))
    })?;
    ground.tick()?;
    ground.wait_nodes()?;
    let grown = peak(ground)?.saturating_sub(before);
    Ok(Outcome {
        harm: (grown > GROWTH_MAX)
            .then(|| format!("{} MiB more memory by one message", grown / 1024 / 1024)),
        codes: codes.into_iter().map(|refusal| refusal.code).collect(),
        by: Some(Elsewhere::Ignored),
        ..Outcome::default()
    })
}

/// An act whose text is nested: deeper than the bound for one signer, and as deep as a text can be
/// for another. Its keeper signs for it, so both read it.
fn nested_text(ground: &mut Ground) -> anyhow::Result<Outcome> {
    /// Depths: a little beyond the bound, and what fills the largest text.
    const DEPTHS: [(u16, usize); 2] = [(1, 40), (3, 60_000)];

    let payment = ground.authorized(300_000, &[])?;
    ground.wait_nodes()?;
    let mut outcome = Outcome::default();
    for (seat, depth) in DEPTHS {
        let batch = nested(ground, depth)?;
        ground.show(seat, &batch);
        let stops = ground.until("the text has no effect", |ground| {
            let node = ground.node(seat)?;
            if let Some(status) = node.ended() {
                return Ok(Some(Err(status)));
            }
            let status = node.status().ok();
            let halted = status.and_then(|status| status.get("halted").cloned());
            Ok(halted.is_some_and(|why| why != "no").then_some(Ok(())))
        })?;
        match stops {
            Ok(()) => {
                let mut refused = ground.refuses(seat)?.context("a halted signer answers")?;
                refused.stopped_by = Some(batch);
                outcome.refused.push(refused);
            }
            Err(status) => {
                let session = payment.intent.digest();
                outcome.harm = Some(format!(
                    "one text ended the process of signer {seat} (status {status}): the payment \
                     {session} has no quorum any more"
                ));
            }
        }
    }
    Ok(outcome)
}

/// The signature beside the text is an admin's, of another act: no one looks at it before the text
/// is read.
fn nested(ground: &Ground, depth: usize) -> anyhow::Result<strongroom_wire::JournalBatch> {
    let admins = ground.ledger().admins();
    let stop = ActBody::Tighten(Tighten::Stop);
    let mut act = ground.ledger().signed_act(stop, &admins);
    act.text = "[".repeat(depth);
    let offer = strongroom_journal::writer::Offer {
        scope: strongroom_types::Scope::Platform,
        body: Body::Act(act),
    };
    ground.forge(&offer, now(), strongroom_tlog::Hash([0x28; 32]))
}

/// A number that the victim says of itself.
fn number(ground: &mut Ground, name: &str) -> anyhow::Result<usize> {
    let status = ground.node(SEAT)?.status()?;
    let value = status.get(name).with_context(|| name.to_owned())?;
    Ok(value.parse()?)
}

/// Largest memory of the victim so far, bytes.
fn peak(ground: &mut Ground) -> anyhow::Result<usize> {
    let pid = ground.node(SEAT)?.pid().context("the process")?;
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
    Ok(kib.context("VmHWM")?.trim().parse::<usize>()? * 1024)
}

fn refusals(ground: &Ground, from: usize) -> Vec<Refused> {
    let said = ground.said.iter().skip(from);
    said.filter_map(refused).collect()
}
