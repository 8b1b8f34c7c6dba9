//! Records that a hostile part makes on its own.

use super::tamper::{home, with_coins_of};
use super::{HostileParts, State};
use crate::dice::below;
use crate::event::Event;
use crate::kinds::Hostile;
use strongroom_journal::Body;
use strongroom_ports::bus::{Headers, Record, Topic};
use strongroom_signing::request_digest;
use strongroom_stage::post::id_from;
use strongroom_types::attempt::unsigned_digest;
use strongroom_types::{
    Attempt, AttemptKind, ConflictKey, KeyId, NodeId, Scope, SessionId, UnixMs, digest,
};
use strongroom_wire::envelope::{Heading, seal};
use strongroom_wire::{
    CoordinatorMessage, JournalSubmitted, NonceCommitment, Payload, Role, SigningRequest,
    SigningRequested, encode, topics,
};

/// Life of such a record, milliseconds: above the skew, so that no signer refuses it as late.
const LIFE_MS: u64 = 8_000;

/// The service in whose name a record leaves, its topic and key, and the node that it is for.
struct Route<'a> {
    role: Role,
    topic: &'a str,
    key: &'a [u8],
    to: Option<NodeId>,
}

impl HostileParts {
    /// One act of a hostile part: the records it sends. `ForkedLog` is done at the link of its
    /// victim.
    pub(crate) fn act(&self, what: Hostile) -> Vec<Record> {
        let state = &mut *self.state();
        let mut act = Acting {
            now: UnixMs(self.time.now()),
            state,
            records: Vec::new(),
        };
        let done = match what {
            Hostile::ReplayRequests => act.replay_request(),
            Hostile::TwoQuorums => act.two_quorums(),
            Hostile::ReuseNonce => act.reuse_nonce(),
            Hostile::UnapprovedCeremony => act.unapproved_ceremony(),
            Hostile::OtherAnchor => act.other_anchor(),
            Hostile::OpenAttempts => act.open_attempt(),
            Hostile::TakeCoins => act.take_coins(),
            Hostile::SwapTransaction
            | Hostile::PayStranger
            | Hostile::ForeignChange
            | Hostile::WithholdTightening
            | Hostile::ForkedLog
            | Hostile::BackDate
            | Hostile::RunAhead
            | Hostile::GoQuiet
            | Hostile::HoldWitnessed
            | Hostile::LateCosignatures
            | Hostile::LyingWitness => None,
        };

        // Counted only when it had what it needs: a nonce, a request, a transaction to go by.
        let records = act.records;
        if done.is_some() {
            self.trace.log(Event::Hostile(what));
        }
        records
    }
}

/// An act in the making.
struct Acting<'a> {
    now: UnixMs,
    state: &'a mut State,
    records: Vec<Record>,
}

impl Acting<'_> {
    fn replay_request(&mut self) -> Option<()> {
        let count = self.state.tap.asked.len() as u64;
        let at = below(&mut self.state.rng, count) as usize;
        let request = self.state.tap.asked.get(at)?.clone();
        self.ask(&[1, 2, 3], &request);
        Some(())
    }

    /// One of the newest wanted transactions, asked of all three pairs.
    fn two_quorums(&mut self) -> Option<()> {
        // Of the newest three, so that some are signed already and some are not.
        let back = 1 + below(&mut self.state.rng, 3) as usize;
        let count = self.state.tap.wanted.len();
        let wanted = self.state.tap.wanted.get(count.checked_sub(back)?)?.clone();
        for pair in [[1, 2], [1, 3], [2, 3]] {
            let request = self.request(&wanted, &pair)?;
            self.ask(&pair, &request);
        }
        Some(())
    }

    /// The commitments of a request that was answered, under another package.
    fn reuse_nonce(&mut self) -> Option<()> {
        let tap = &self.state.tap;
        let is_answered = |r: &&SigningRequest| tap.shared.contains(&request_digest(r));
        let used = tap.asked.iter().rev().find(is_answered)?.clone();
        let newest = tap.wanted.last()?.clone();

        let fits =
            newest.slots.len() == used.commitments.len() && newest.attempt.intent != used.intent;
        let request = if fits {
            self.request_with(&newest, used.commitments.clone())
        } else {
            // The same transaction with another partner's commitment.
            let partner = used.commitments.first()?.last()?.0;
            let mut request = used.clone();
            request.commitments.first_mut()?.last_mut()?.1 = self.state.tap.take(partner)?;
            request
        };

        // The signers of the first package: each has a nonce in it that it must not use again.
        let signers: Vec<u16> = used
            .commitments
            .first()?
            .iter()
            .map(|(by, _)| *by)
            .collect();
        self.ask(&signers, &request);
        Some(())
    }

    fn unapproved_ceremony(&mut self) -> Option<()> {
        let number = self.next();
        let key = KeyId(self.state.world.seed.id("unapproved key", number));
        let tenant = self.state.world.tenant.id;
        let message = CoordinatorMessage::Ceremony {
            tenant,
            key,
            run: 1,
        };
        [1, 2, 3].iter().for_each(|to| self.command(*to, &message));
        Some(())
    }

    /// A second attempt on another anchor: offered to the journal, and signers are asked for it
    /// directly.
    fn other_anchor(&mut self) -> Option<()> {
        let wanted = self.state.tap.wanted.last()?.clone();

        // A coin that does not exist is enough: no rule may look at more than that it is another.
        let anchor = ConflictKey::Coin(format!("{}:7", wanted.attempt.intent));
        let attempt = Attempt {
            number: 2,
            kind: AttemptKind::Pay,
            parent: None,
            anchor: anchor.clone(),
            conflict_keys: vec![anchor],
            ..wanted.attempt.clone()
        };
        let other = SigningRequested {
            attempt,
            ..wanted.clone()
        };
        self.offer(&other);

        let request = SigningRequest {
            attempt: 2,
            ..self.request(&wanted, &[1, 2])?
        };
        self.ask(&[1, 2], &request);
        Some(())
    }

    /// A further attempt of some intent, with the transaction of the first; of a cancelled one its
    /// cancel, which no person has to sign.
    fn open_attempt(&mut self) -> Option<()> {
        self.ask_for_opened()?;

        let mut wanted = self.state.tap.next_attempt()?;
        if self.state.tap.cancelled.contains(&wanted.attempt.intent) {
            wanted.unsigned = home(&wanted.unsigned)?;
            wanted.attempt.unsigned_digest = unsigned_digest(&wanted.unsigned);
            wanted.attempt.kind = AttemptKind::Cancel;
        }
        self.open(wanted);
        Some(())
    }

    /// A further attempt of some intent that spends the coins of another payment of its vault as
    /// well: as a replacement, or as a cancel, which no person has to sign.
    fn take_coins(&mut self) -> Option<()> {
        self.ask_for_opened()?;

        let mut wanted = self.state.tap.next_attempt()?;
        let others = self.state.tap.wanted.iter();
        let mut others = others.filter(|other| {
            let taken = &other.attempt.conflict_keys;
            let has = |key| wanted.attempt.conflict_keys.contains(key);
            other.vault == wanted.vault && !taken.iter().any(has)
        });
        let other = others.next_back()?.clone();

        let is_cancel = self.next().is_multiple_of(2);
        wanted.unsigned = with_coins_of(&wanted.unsigned, &other.unsigned, is_cancel)?;
        wanted.slots.extend(other.slots.iter().cloned());
        let attempt = &mut wanted.attempt;
        attempt.unsigned_digest = unsigned_digest(&wanted.unsigned);
        attempt
            .conflict_keys
            .extend(other.attempt.conflict_keys.iter().cloned());
        attempt.conflict_keys.sort();
        attempt.fee_max = attempt.fee_max.checked_add(other.attempt.fee_max)?;
        attempt.kind = if is_cancel {
            AttemptKind::Cancel
        } else {
            AttemptKind::Bump
        };
        self.open(wanted);
        Some(())
    }

    fn open(&mut self, wanted: SigningRequested) {
        self.offer(&wanted);
        self.state.tap.opened.push(wanted);
    }

    /// Asks for the attempt that was opened last: it takes a while until signers know it.
    fn ask_for_opened(&mut self) -> Option<()> {
        if let Some(opened) = self.state.tap.opened.last().cloned() {
            let request = self.request(&opened, &[1, 2])?;
            self.ask(&[1, 2], &request);
            self.state.tap.opened.pop();
        }
        Some(())
    }

    /// Offers an attempt to the journal, as the transactions service does.
    fn offer(&mut self, wanted: &SigningRequested) {
        let bytes = encode(&wanted.attempt);
        let submitted = JournalSubmitted {
            submission: id_from(digest("strongroom/sim-attempt/v1", &[&bytes])),
            scope: Scope::Tenant(wanted.tenant),
            body: encode(&Body::from(wanted.attempt.clone())),
        };
        let route = Route {
            role: Role::Transactions,
            topic: topics::JOURNAL_SUBMITTED,
            key: &wanted.tenant.0,
            to: None,
        };
        self.send_as(&route, &submitted);
    }

    /// A request to these signers, under commitments of theirs that were not used yet.
    fn request(&mut self, wanted: &SigningRequested, signers: &[u16]) -> Option<SigningRequest> {
        let mut commitments = Vec::new();
        for _ in &wanted.slots {
            let taken = |by: &u16| Some((*by, self.state.tap.take(*by)?));
            let of_slot: Option<Vec<_>> = signers.iter().map(taken).collect();
            commitments.push(of_slot?);
        }
        Some(self.request_with(wanted, commitments))
    }

    fn request_with(
        &mut self,
        wanted: &SigningRequested,
        commitments: Vec<Vec<(u16, NonceCommitment)>>,
    ) -> SigningRequest {
        let number = self.next();
        SigningRequest {
            session: SessionId(self.state.world.seed.id("hostile session", number)),
            tenant: wanted.tenant,
            intent: wanted.attempt.intent,
            attempt: wanted.attempt.number,
            key: wanted.key,
            unsigned: wanted.unsigned.clone(),
            commitments,
        }
    }

    fn ask(&mut self, signers: &[u16], request: &SigningRequest) {
        let message = CoordinatorMessage::Sign(request.clone());
        signers.iter().for_each(|to| self.command(*to, &message));
    }

    /// A message of the coordinator to one signer.
    fn command(&mut self, index: u16, message: &CoordinatorMessage) {
        let node = self.state.world.signer(index).node;
        let route = Route {
            role: Role::Coordinator,
            topic: &topics::signer_inbox(node),
            key: &[],
            to: Some(node),
        };
        self.send_as(&route, message);
    }

    /// A record of a service, under its own key.
    fn send_as<T: Payload>(&mut self, route: &Route<'_>, payload: &T) {
        let sequence = self.next();
        let (from, key) = self.state.key(route.role);
        let deadline = self.now.plus(LIFE_MS);
        let heading = Heading {
            genesis: self.state.world.genesis.hash(),
            from,
            to: route.to,
            session: [0; 16],
            cause: u128::from(sequence).to_be_bytes(),
            sequence,
            created: self.now,
            deadline,
        };

        // Everything but the content is as an honest record has it: only that can be refused.
        let sealed = seal(heading, payload, &key);

        let headers = Headers {
            schema: T::SCHEMA.0,
            deadline_ms: deadline.0,
            ..Headers::default()
        };
        self.records.push(Record {
            topic: Topic::new(route.topic).unwrap(),
            key: route.key.to_vec(),
            headers,
            payload: sealed,
        });
    }

    fn next(&mut self) -> u64 {
        self.state.number += 1;
        self.state.number
    }
}
