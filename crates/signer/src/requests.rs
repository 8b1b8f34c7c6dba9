//! A coordinator's records: each gets its answer at once, or waits for the journal and gets it
//! then.

use crate::ceremonies::CeremonyRun;
use crate::fatal::{Fatal, NotTaken};
use crate::held::{Asker, HELD_MS_MAX, Request, RequestBody, WaitingRequest};
use crate::keys::KeyName;
use crate::node::SignerNode;
use crate::verdict::{JudgedRefusal, Served, Verdict};
use std::sync::Arc;
#[cfg(mutants)]
use strongroom_guard::{G, guard};
use strongroom_signing::{message_digest, request_digest};
use strongroom_types::{SessionId, UnixMs};
use strongroom_wire::{CoordinatorMessage, Envelope, Role, SignerMessage, SigningRequest, open};

impl SignerNode {
    /// A record from this node's inbox.
    pub(crate) fn on_coordinator_record(
        &mut self,
        record: &[u8],
        now: UnixMs,
    ) -> Result<(), Fatal> {
        let registered = Arc::clone(self.journal.follower().state().registered());

        let opened = open(record, registered.as_ref(), &[Role::Coordinator])
            .and_then(|envelope| envelope.addressed_to(self.identity.node).map(|()| envelope));
        let envelope = match opened {
            Ok(envelope) => envelope,
            // The record is not provably from a coordinator and for this node. It gets no answer:
            // any party on the bus could make this node sign refusals without end.
            Err(refusal) => {
                // Without the rule, everyone gets an answer.
                #[cfg(mutants)]
                if !guard(G::IgnoreInauthentic, true) {
                    let asker = stranger(record, now);
                    self.send_refusal(&asker, JudgedRefusal::unjudged(refusal), now);
                    return Ok(());
                }
                self.ignore("inbox", &refusal);
                return Ok(());
            }
        };

        let asker = asker_of(&envelope, now);
        let bytes = envelope.payload.len();
        let message = envelope
            .in_time(now)
            .and_then(|()| envelope.payload::<CoordinatorMessage>());

        // From here on the coordinator is known, so each message gets an answer under its digest.
        match message {
            Err(refusal) => self.send_refusal(&asker, JudgedRefusal::unjudged(refusal), now),
            Ok(CoordinatorMessage::Sign(request)) => {
                let asker = Asker {
                    request: request_digest(&request),
                    session: request.session,
                    ..asker
                };
                let body = RequestBody::Shares(request);
                self.on_request(Request { body, asker, bytes }, now)?;
            }
            Ok(CoordinatorMessage::Ceremony { tenant, key, run }) => {
                let body = RequestBody::Ceremony { tenant, key, run };
                self.on_request(Request { body, asker, bytes }, now)?;
            }
            Ok(CoordinatorMessage::Prepare { tenant, key, count }) => {
                self.on_prepare((tenant, key), count, &asker, now)?;
            }
            Ok(CoordinatorMessage::Relay(inner)) => self.on_relay(&inner, now)?,
        }
        Ok(())
    }

    /// Makes nonce commitments ahead of any request.
    fn on_prepare(
        &mut self,
        name: KeyName,
        count: u32,
        asker: &Asker,
        now: UnixMs,
    ) -> Result<(), Fatal> {
        // A signer has no use for a nonce if it may not sign, and each one costs memory.
        let may_act = self.judge(&[]).may_act();
        let made = match may_act.and_then(|()| self.identity.index()) {
            Ok(_) => self.keys.prepare(name, count, &mut *self.entropy.rng()),
            Err(refusal) => Err(NotTaken::Refused(refusal)),
        };

        match made {
            Ok(commitments) => {
                let message = SignerMessage::Commitments {
                    tenant: name.0,
                    key: name.1,
                    commitments,
                };
                self.send_answer(asker, &message, now);
            }
            Err(NotTaken::Refused(refusal)) => {
                self.send_refusal(asker, JudgedRefusal::unjudged(refusal), now);
            }
            Err(NotTaken::Fatal(fatal)) => return Err(fatal),
        }
        Ok(())
    }

    /// A request that the journal decides.
    fn on_request(&mut self, request: Request, now: UnixMs) -> Result<(), Fatal> {
        // A coordinator that repeats itself must not fill the queue with one request.
        if self.held.has(&request.asker) {
            return Ok(());
        }
        self.serve(request, now)
    }

    /// Decides a request: an answer, a refusal, or a place in the queue.
    fn serve(&mut self, request: Request, now: UnixMs) -> Result<(), Fatal> {
        let served = match &request.body {
            RequestBody::Shares(signing) => self.share(signing, &request.asker, now)?,
            RequestBody::Ceremony { tenant, key, run } => {
                let run = CeremonyRun {
                    name: (*tenant, *key),
                    number: *run,
                };
                self.join(run, &request.asker, now)?
            }
        };

        match served {
            Served::Done => {}
            Served::Refuse(refused) => self.send_refusal(&request.asker, refused, now),
            Served::Wait(last) => self.wait_or_refuse(WaitingRequest { request, last }, now),
        }
        Ok(())
    }

    fn wait_or_refuse(&mut self, waiting: WaitingRequest, now: UnixMs) {
        // An answer after the deadline is of no use, so nothing waits longer than that.
        let refused = if now < waiting.request.asker.deadline {
            self.held.put(Box::new(waiting)).err()
        } else {
            Some(Box::new(waiting))
        };
        if let Some(waiting) = refused {
            let WaitingRequest { request, last } = *waiting;
            self.send_refusal(&request.asker, last, now);
        }
    }

    /// Judges a signing request, and signs it if it may be signed. A share leaves here and nowhere
    /// else.
    fn share(
        &mut self,
        request: &SigningRequest,
        asker: &Asker,
        now: UnixMs,
    ) -> Result<Served, Fatal> {
        // Tightenings that were handed to this signer count now, because the writer may keep them
        // back.
        let handed = self.journal.handed(now);
        let judged = self.judge(&handed).judge(request, now);
        self.asked += judged.questions;

        let allowed = match judged.verdict {
            Verdict::Share(allowed) => allowed,
            Verdict::Wait(refused) => return Ok(Served::Wait(refused)),
            Verdict::Refuse(refused) => return Ok(Served::Refuse(refused)),
            Verdict::Fatal(fatal) => return Err(fatal),
        };

        // The key ring spends each nonce once, whatever the coordinator asks.
        let name = (request.tenant, request.key);
        let shares = match self.keys.sign(name, allowed.epoch, &allowed.packages) {
            Ok(shares) => shares,
            Err(refusal) => {
                return Ok(Served::Refuse(JudgedRefusal {
                    refusal,
                    evidence: allowed.evidence,
                    head: allowed.head,
                }));
            }
        };

        // From now on no older head is good enough for this process.
        self.floor.act_under(allowed.head);
        self.shared += 1;
        let message = SignerMessage::Shares {
            session: request.session,
            request: asker.request,
            // Each share is in its group's scalar encoding; the envelope says which signer made it.
            shares: shares.iter().map(|share| share.share.to_vec()).collect(),
            head: allowed.head,
            covered_us: self.coverage.covered_us(allowed.seq),
        };
        self.send_answer(asker, &message, now);
        Ok(Served::Done)
    }

    /// Decides again what waits and was not judged at this fresh head yet.
    pub(crate) fn serve_held(&mut self, head: u64, now: UnixMs) -> Result<(), Fatal> {
        // Each is judged from the start, by every rule: the new entries may just as well forbid it.
        for waiting in self.held.take_not_judged_at(head) {
            self.serve(waiting.request, now)?;
        }
        Ok(())
    }

    /// Refuses what has waited until its deadline, with the last reason.
    pub(crate) fn refuse_late(&mut self, now: UnixMs) {
        for WaitingRequest { request, last } in self.held.take_late(now) {
            self.send_refusal(&request.asker, last, now);
        }
    }
}

/// The sender of a record that proves none.
#[cfg(mutants)]
fn stranger(record: &[u8], now: UnixMs) -> Asker {
    Asker {
        node: strongroom_types::NodeId([0; 16]),
        request: message_digest(record),
        session: SessionId([0; 16]),
        deadline: now,
    }
}

fn asker_of(envelope: &Envelope, now: UnixMs) -> Asker {
    // A deadline far in the future must not keep this machine's memory that long.
    Asker {
        node: envelope.from,
        request: message_digest(&envelope.payload),
        session: SessionId([0; 16]),
        deadline: envelope.deadline.min(now.plus(HELD_MS_MAX)),
    }
}
