//! Requests that wait for the journal: a few, and not for long.

use crate::verdict::JudgedRefusal;
use std::collections::BTreeMap;
use strongroom_guard::{G, guard};
use strongroom_types::{Code, Digest, KeyId, NodeId, Refusal, SessionId, TenantId, UnixMs};
use strongroom_wire::SigningRequest;

/// Most requests of one coordinator that wait at once: seconds of full load.
pub const HELD_MAX: usize = 1_024;
/// Most bytes of unsigned transactions and commitments of one coordinator that wait at once.
pub const HELD_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Longest wait in milliseconds, whatever deadline the request has.
pub const HELD_MS_MAX: u64 = 120_000;

/// A coordinator's request that the journal decides.
pub(crate) enum RequestBody {
    Shares(SigningRequest),
    Ceremony {
        tenant: TenantId,
        key: KeyId,
        run: u32,
    },
}

/// To whom the answer goes, under which name, and until when it is of use.
#[derive(Clone, Copy)]
pub(crate) struct Asker {
    pub(crate) node: NodeId,
    /// Digest of the message to answer.
    pub(crate) request: Digest,
    pub(crate) session: SessionId,
    pub(crate) deadline: UnixMs,
}

pub(crate) struct Request {
    pub(crate) body: RequestBody,
    pub(crate) asker: Asker,
    /// Size of the message, in bytes.
    pub(crate) bytes: usize,
}

pub(crate) struct WaitingRequest {
    pub(crate) request: Request,
    /// Latest answer, given when its time is over.
    pub(crate) last: JudgedRefusal,
}

#[derive(Default)]
pub(crate) struct HeldRequests {
    waiting: BTreeMap<u64, WaitingRequest>,
    next: u64,
}

impl HeldRequests {
    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether this request of this coordinator waits. Another's of the same digest is another
    /// request: a copy of it, held first, must not take its place, and the answer with it.
    pub(crate) fn has(&self, asker: &Asker) -> bool {
        let mut askers = self.waiting.values().map(|waiting| waiting.request.asker);
        askers.any(|known| (known.node, known.request) == (asker.node, asker.request))
    }

    /// Adds a request to the queue, or gives it back with `quota_exceeded`: a coordinator must not
    /// be able to fill this machine's memory, nor the room of another.
    pub(crate) fn put(
        &mut self,
        mut waiting: Box<WaitingRequest>,
    ) -> Result<(), Box<WaitingRequest>> {
        // Genesis names the coordinators, so all of them together are bounded, too.
        let asker = waiting.request.asker.node;
        let of_asker = self.waiting.values().map(|waiting| &waiting.request);
        let of_asker = of_asker.filter(|request| request.asker.node == asker);
        let (count, bytes) = of_asker
            .fold((0, waiting.request.bytes), |(count, bytes), request| {
                (count + 1, bytes + request.bytes)
            });

        // There are two bounds, because many small requests cost entries and few large ones cost
        // bytes.
        let full = count >= HELD_MAX || bytes > HELD_BYTES_MAX;
        if guard(G::HeldBound, full) {
            // The reason for the wait is kept: it names what would have cured the request.
            let detail = format!(
                "too many requests wait; this one for: {}",
                waiting.last.refusal
            );
            waiting.last.refusal = Refusal::new(Code::QuotaExceeded, detail);
            return Err(waiting);
        }

        self.waiting.insert(self.next, *waiting);
        self.next += 1;
        Ok(())
    }

    /// Takes out what was judged at another head last, or at none, in the order in which it came.
    pub(crate) fn take_not_judged_at(&mut self, head: u64) -> Vec<WaitingRequest> {
        // At the same head a request would wait for the same reason: what is missing comes with
        // another head.
        self.take_if(|waiting| waiting.last.head != head)
    }

    /// Takes out what waits no longer.
    pub(crate) fn take_late(&mut self, now: UnixMs) -> Vec<WaitingRequest> {
        // At the deadline itself the coordinator has given up: a share sent then serves no run.
        self.take_if(|waiting| now >= waiting.request.asker.deadline)
    }

    fn take_if(&mut self, is_taken: impl Fn(&WaitingRequest) -> bool) -> Vec<WaitingRequest> {
        let seqs: Vec<u64> = self
            .waiting
            .iter()
            .filter(|(_, waiting)| is_taken(waiting))
            .map(|(seq, _)| *seq)
            .collect();

        seqs.iter()
            .filter_map(|seq| self.waiting.remove(seq))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn waiting(number: u8, bytes: usize, deadline: u64) -> Box<WaitingRequest> {
        let refusal = Code::AttemptUnknown.into();
        let last = JudgedRefusal {
            refusal,
            evidence: Digest([0; 32]),
            head: 0,
        };
        let (node, request) = (NodeId([1; 16]), Digest([number; 32]));
        let asker = Asker {
            node,
            request,
            session: SessionId([0; 16]),
            deadline: UnixMs(deadline),
        };
        let body = RequestBody::Ceremony {
            tenant: TenantId([1; 16]),
            key: KeyId([2; 16]),
            run: 1,
        };
        let request = Request { body, asker, bytes };
        Box::new(WaitingRequest { request, last })
    }

    #[test]
    fn no_more_than_so_many_requests_and_bytes_wait() {
        let mut held = HeldRequests::default();
        for _ in 0..HELD_MAX {
            assert!(held.put(waiting(1, 1, 9)).is_ok());
        }
        assert_eq!(
            held.put(waiting(1, 1, 9)).err().unwrap().last.refusal.code,
            Code::QuotaExceeded
        );
        assert!(held.take_not_judged_at(0).is_empty());
        assert_eq!(held.take_not_judged_at(1).len(), HELD_MAX);
        assert!(held.put(waiting(1, HELD_BYTES_MAX, 9)).is_ok());
        assert_eq!(
            held.put(waiting(1, 1, 9)).err().unwrap().last.refusal.code,
            Code::QuotaExceeded
        );
        assert_eq!(held.take_late(UnixMs(9)).len(), 1);
        assert!(held.put(waiting(1, HELD_BYTES_MAX, 9)).is_ok());
    }

    #[test]
    fn hole_one_coordinator_does_not_fill_the_room_of_another() {
        let mut held = HeldRequests::default();
        for _ in 0..HELD_MAX {
            assert!(held.put(waiting(1, 1, 9)).is_ok());
        }
        assert!(held.put(waiting(1, 1, 9)).is_err());
        let mut of_another = waiting(1, HELD_BYTES_MAX, 9);
        of_another.request.asker.node = NodeId([2; 16]);
        assert!(held.put(of_another).is_ok());
    }

    #[test]
    fn what_waits_is_taken_in_order_and_at_its_deadline() {
        let mut held = HeldRequests::default();
        for (number, deadline) in [(3, 30), (1, 10), (2, 20)] {
            assert!(held.put(waiting(number, 1, deadline)).is_ok());
        }
        assert!(held.take_late(UnixMs(9)).is_empty());
        let late: Vec<_> = held
            .take_late(UnixMs(10))
            .iter()
            .map(|w| w.request.asker.request)
            .collect();
        assert_eq!(late, [Digest([1; 32])]);
        let has = |number| held.has(&waiting(number, 1, 9).request.asker);
        assert!(has(2) && !has(1));
        let rest: Vec<_> = held
            .take_not_judged_at(1)
            .iter()
            .map(|w| w.request.asker.request)
            .collect();
        assert_eq!(
            (rest, held.len()),
            (vec![Digest([3; 32]), Digest([2; 32])], 0)
        );
    }
}
