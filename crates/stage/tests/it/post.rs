//! Payloads that are never sealed under a service's signature.

use borsh::io::{ErrorKind, Read, Result, Write};
use borsh::{BorshDeserialize, BorshSerialize};
use strongroom_stage::StageErrorKind;
use strongroom_stage::post::{Cause, Post};
use strongroom_types::{Digest, NodeId, UnixMs};
use strongroom_wire::{Payload, Schema};

/// A payload that cannot be encoded, such as one with a collection that is too long.
#[derive(Debug)]
struct TooLong;

impl BorshSerialize for TooLong {
    fn serialize<W: Write>(&self, _: &mut W) -> Result<()> {
        Err(ErrorKind::InvalidData.into())
    }
}

impl BorshDeserialize for TooLong {
    fn deserialize_reader<R: Read>(_: &mut R) -> Result<Self> {
        Ok(Self)
    }
}

impl Payload for TooLong {
    const SCHEMA: Schema = Schema(u16::MAX);
}

#[test]
fn a_payload_without_an_encoding_is_not_published() {
    let mut post = Post::new(Digest([1; 32]), NodeId([2; 16]), &[3; 32]);
    let cause = Cause::own(&[b"test"], UnixMs(2));
    let record = post.record(UnixMs(1), ("topic.v1", b""), None, &TooLong, &cause);
    let error = record.unwrap_err();
    assert_eq!(error.kind(), StageErrorKind::Fatal, "{}", error.chain());
}
