//! More of what a hostile network, writer or witness can do, and what people can do against them.

use super::{Answer, Ground, now};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use strongroom_types::{Signed, UnixMs};
use strongroom_wire::{CoordinatorMessage, Role, SigningRequest};
use strongroom_world::ServiceKeys;

impl Ground {
    /// As [`Self::answers`], but what a signer does not know within this time it refuses.
    pub fn answers_within(
        &mut self,
        time: Duration,
        seats: &[u16],
        request: &SigningRequest,
    ) -> anyhow::Result<BTreeMap<u16, Answer>> {
        let life_ms = u64::try_from(time.as_millis())?;
        for seat in seats {
            self.ask_within(*seat, &CoordinatorMessage::Sign(request.clone()), life_ms);
        }
        self.wait_answers(seats, request)
    }

    /// Waits for the answer of each of these signers.
    pub fn wait_answers(
        &mut self,
        seats: &[u16],
        request: &SigningRequest,
    ) -> anyhow::Result<BTreeMap<u16, Answer>> {
        self.until("a signer does not answer", |ground| {
            let answers = seats.iter().map(|seat| {
                let answer = ground.answer(*seat, request);
                answer.map(|answer| (*seat, answer))
            });
            Ok(answers.collect())
        })
    }

    /// Whether the writer's end is witnessed within this time.
    pub fn is_witnessed_within(&mut self, time: Duration) -> anyhow::Result<bool> {
        let until = now().plus(u64::try_from(time.as_millis())?);
        while now() < until {
            let follower = &self.log.follower;
            let fresh = follower.fresh(now()).map(|head| head.size);
            if fresh.is_ok_and(|size| size == follower.size()) {
                return Ok(true);
            }
            self.wait(Duration::from_millis(20))?;
        }
        Ok(false)
    }

    /// Waits until a whole quorum has cosigned the writer's end, whatever a node counts.
    pub fn wait_cosigned(&mut self) -> anyhow::Result<()> {
        let body = self.log.follower.tip().body.clone();
        let quorum = usize::try_from(self.world.genesis.quorum)?;
        self.until("no quorum cosigned the newest entry", |ground| {
            let over = ground.cosignatures.iter();
            let over = over.filter(|(_, cosignature)| cosignature.body == body);
            let seats: BTreeSet<u16> = over.map(|(seat, _)| *seat).collect();
            Ok((seats.len() >= quorum).then_some(()))
        })
    }

    /// A cosignature that is made with a witness's stolen key, as a record.
    pub fn false_word(&mut self, seat: u16, body: &str, at: UnixMs) -> Vec<u8> {
        let cosignature = self.world.cosignature(seat, body, at);
        let keys = self.world.seat(seat);
        let sender = ServiceKeys {
            role: Role::Witness,
            node: keys.node,
            signing: keys.signing,
        };
        self.seal_as(&sender, None, &cosignature, now().plus(60_000))
    }

    /// People hand an act straight to these nodes.
    pub fn hand(&mut self, seats: &[u16], act: &Signed) -> anyhow::Result<()> {
        let file = self.folder.join("handed.json");
        std::fs::write(&file, act.to_json().to_text())?;
        for seat in seats {
            let node = self.node(*seat)?;
            node.operator(&["hand", &file.to_string_lossy()])?;
        }
        Ok(())
    }
}
