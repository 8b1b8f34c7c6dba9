//! C24: one record in two encodings.

use super::{brought, usual};
use crate::ground::Ground;
use crate::row::{Attack, Outcome, Row};
use strongroom_guard::G;
use strongroom_types::Code;
use strongroom_wire::Role;

pub const ROW: Row = Row {
    id: "C24",
    story: "A message is written in another way than the one way in which it may be written: with \
            bytes behind its end that no one reads. Two messages of one meaning would have two \
            names, and what was approved could be another one than what is done. And an approver \
            is enrolled with a key under which every signature seems to be theirs.",
    attacks: &[
        Attack {
            guard: G::StrictCodec,
            code: Code::Malformed,
            red_when: "a signer answers a record that is not the one encoding of its content",
            world: usual,
            run: bytes_behind_the_end,
        },
        super::c24_weak_key::WEAK_KEY,
    ],
};

fn bytes_behind_the_end(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let coordinator = ground.world.service(Role::Coordinator).clone();
    let mut record = ground.prepare_record(&coordinator, 1, 1);
    record.extend_from_slice(b"and more");
    brought(ground, 1, record)
}
