//! A coordinator's records: each gets its answer, or waits for the journal and gets it then.

use crate::fatal::Fatal;
use crate::held::{Asker, HELD_MS_MAX, Waiting, Wanted};
use crate::judge::Denied;
use crate::node::SignerNode;
use strongroom_signing::{message_digest, request_digest};
use strongroom_types::{KeyId, Refusal, SessionId, TenantId, UnixMs};
use strongroom_wire::frame::FromSigner;
use strongroom_wire::{
    CoordinatorMessage, Envelope, Role, SignerMessage, SignerRefusal, SigningRequest, open,
};

type Out = Vec<FromSigner>;

impl SignerNode {
    /// A record of the own inbox. What is not verifiably of a coordinator and for this node is
    /// ignored: to answer it would let anybody make this node talk.
    pub(crate) fn inbox(&mut self, record: &[u8], now: UnixMs, out: &mut Out) -> Result<(), Fatal> {
        let registered = std::sync::Arc::clone(self.journal.follower().state().registered());
        let opened = open(record, registered.as_ref(), &[Role::Coordinator])
            .and_then(|envelope| envelope.addressed_to(self.identity.node).map(|()| envelope));
        let envelope = match opened {
            Ok(envelope) => envelope,
            Err(refusal) => {
                self.ignore("inbox", &refusal);
                return Ok(());
            }
        };
        let asker = asker(&envelope, now);
        let message = envelope
            .in_time(now)
            .and_then(|()| envelope.payload::<CoordinatorMessage>());
        match message {
            Err(refusal) => self.say_no(&asker, self.denied(refusal), now, out),
            Ok(CoordinatorMessage::Sign(request)) => {
                let bytes = envelope.payload.len();
                let session = request.session.0;
                let asker = Asker {
                    request: request_digest(&request),
                    session,
                    ..asker
                };
                self.want(Wanted::Shares(request), asker, bytes, now, out)?;
            }
            Ok(CoordinatorMessage::Prepare { tenant, key, count }) => {
                self.prepare((tenant, key), count, &asker, now, out)?;
            }
            Ok(CoordinatorMessage::Ceremony { tenant, key, run }) => {
                self.want(
                    Wanted::Ceremony { tenant, key, run },
                    asker,
                    envelope.payload.len(),
                    now,
                    out,
                )?;
            }
            Ok(CoordinatorMessage::Relay(inner)) => self.relay(&inner, now, out)?,
        }
        Ok(())
    }

    fn prepare(
        &mut self,
        name: (TenantId, KeyId),
        count: u32,
        asker: &Asker,
        now: UnixMs,
        out: &mut Out,
    ) -> Result<(), Fatal> {
        let made = match self.may_act().and_then(|()| self.identity.index()) {
            Ok(_) => self.keys.prepare(name, count, &mut *self.entropy.rng())?,
            Err(refusal) => Err(refusal),
        };
        match made {
            Ok(commitments) => {
                let message = SignerMessage::Commitments {
                    tenant: name.0,
                    key: name.1,
                    commitments,
                };
                self.answer(asker, &message, now, out);
            }
            Err(refusal) => self.say_no(asker, self.denied(refusal), now, out),
        }
        Ok(())
    }

    /// Judges a request: answer, or wait.
    fn want(
        &mut self,
        wanted: Wanted,
        asker: Asker,
        bytes: usize,
        now: UnixMs,
        out: &mut Out,
    ) -> Result<(), Fatal> {
        if self.held.has(&asker.request) {
            return Ok(());
        }
        let Some(last) = self.answer_wanted(&wanted, &asker, now, out)? else {
            return Ok(());
        };
        self.wait_or_refuse(
            Box::new(Waiting {
                wanted,
                asker,
                bytes,
                last,
            }),
            now,
            out,
        );
        Ok(())
    }

    fn wait_or_refuse(&mut self, waiting: Box<Waiting>, now: UnixMs, out: &mut Out) {
        let refused = if waiting.last.hold && now < waiting.asker.deadline {
            self.held.put(waiting).err()
        } else {
            Some(waiting)
        };
        if let Some(waiting) = refused {
            let Waiting { asker, last, .. } = *waiting;
            self.say_no(&asker, last, now, out);
        }
    }

    /// Does what is wanted, or says why not.
    fn answer_wanted(
        &mut self,
        wanted: &Wanted,
        asker: &Asker,
        now: UnixMs,
        out: &mut Out,
    ) -> Result<Option<Denied>, Fatal> {
        match wanted {
            Wanted::Shares(request) => self.share(request, asker, now, out),
            Wanted::Ceremony { tenant, key, run } => {
                self.join((*tenant, *key), *run, asker, now, out)
            }
        }
    }

    /// The share leaves here and nowhere else.
    fn share(
        &mut self,
        request: &SigningRequest,
        asker: &Asker,
        now: UnixMs,
        out: &mut Out,
    ) -> Result<Option<Denied>, Fatal> {
        let allowed = match self.judge(request, now)? {
            Ok(allowed) => allowed,
            Err(denied) => return Ok(Some(denied)),
        };
        let name = (request.tenant, request.key);
        match self.keys.sign(name, allowed.epoch, &allowed.packages) {
            Ok(shares) => {
                self.floor.act_under(allowed.head);
                self.shared += 1;
                let message = SignerMessage::Shares {
                    session: request.session,
                    request: asker.request,
                    // The group's scalar encoding; whose it is says the envelope.
                    shares: shares.iter().map(|share| share.share.to_vec()).collect(),
                    head: allowed.head,
                    covered_us: self.coverage.covered_us(allowed.seq),
                };
                self.answer(asker, &message, now, out);
                Ok(None)
            }
            Err(refusal) => {
                let (evidence, head) = (allowed.evidence, allowed.head);
                Ok(Some(Denied {
                    refusal,
                    hold: false,
                    evidence,
                    head,
                }))
            }
        }
    }

    /// Judges everything that waits again: the journal has moved.
    pub(crate) fn judge_held(&mut self, now: UnixMs, out: &mut Out) -> Result<(), Fatal> {
        for mut waiting in self.held.take() {
            if let Some(denied) = self.answer_wanted(&waiting.wanted, &waiting.asker, now, out)? {
                waiting.last = denied;
                self.wait_or_refuse(Box::new(waiting), now, out);
            }
        }
        Ok(())
    }

    /// Refuses what has waited until its deadline, with the last reason.
    pub(crate) fn refuse_late(&mut self, now: UnixMs, out: &mut Out) {
        for Waiting { asker, last, .. } in self.held.take_late(now) {
            self.say_no(&asker, last, now, out);
        }
    }

    /// A refusal without evidence.
    pub(crate) fn denied(&self, refusal: Refusal) -> Denied {
        Denied {
            refusal,
            hold: false,
            evidence: crate::evidence::Evidence::default().digest(),
            head: 0,
        }
    }

    /// The signed refusal. The evidence can be computed again from the request and the journal.
    pub(crate) fn say_no(&mut self, asker: &Asker, denied: Denied, now: UnixMs, out: &mut Out) {
        let Denied {
            refusal: Refusal { code, detail },
            evidence,
            head,
            ..
        } = denied;
        tracing::warn!(%code, detail, request = %asker.request, %evidence, head, "refused");
        *self.refused.entry(code).or_default() += 1;
        let (session, request) = (SessionId(asker.session), asker.request);
        let detail = shortened(detail);
        let refusal = SignerRefusal {
            session,
            request,
            code,
            detail,
            evidence,
            head,
            at: now,
        };
        self.answer(asker, &SignerMessage::Refused(refusal), now, out);
    }

    pub(crate) fn answer(
        &mut self,
        asker: &Asker,
        message: &SignerMessage,
        now: UnixMs,
        out: &mut Out,
    ) {
        out.push(FromSigner::Outbox(self.outbox.answer(
            asker.node,
            asker.session,
            message,
            now,
        )));
    }
}

fn asker(envelope: &Envelope, now: UnixMs) -> Asker {
    Asker {
        node: envelope.from,
        request: message_digest(&envelope.payload),
        session: [0; 16],
        deadline: envelope.deadline.min(now.plus(HELD_MS_MAX)),
    }
}

/// Longest detail of a refusal in characters: some repeat what they were given.
const DETAIL_MAX: usize = 512;

fn shortened(detail: String) -> String {
    if detail.len() <= DETAIL_MAX {
        detail
    } else {
        detail.chars().take(DETAIL_MAX).collect()
    }
}
