//! Records that say the right thing and come from the wrong sender.

use ed25519_dalek::{Signer as _, SigningKey};
use strongroom_ports::bus::Record;
use strongroom_types::{Digest, NodeId, digest};
use strongroom_wire::{Envelope, Role, encode};
use strongroom_world::World;

use crate::published::unsealed;

/// Domain of an envelope's signature (`docs/formats.md` §1).
const DOMAIN: &str = "strongroom/envelope/v1";

struct Sender {
    role: Role,
    node: NodeId,
    key: SigningKey,
}

/// Everyone genesis registers.
fn senders(world: &World) -> Vec<Sender> {
    let services = world.services.iter().map(|service| Sender {
        role: service.role,
        node: service.node,
        key: service.signing.clone(),
    });
    let signers = world.signers.iter().map(|signer| Sender {
        role: Role::Signer,
        node: signer.node,
        key: signer.signing.clone(),
    });
    let witnesses = world.witnesses.iter().map(|witness| Sender {
        role: Role::Witness,
        node: witness.node,
        key: witness.signing.clone(),
    });
    services.chain(signers).chain(witnesses).collect()
}

/// The record as each wrong sender would seal it, with the sender's description. Empty when it is
/// not an envelope.
pub(crate) fn impostors(
    world: &World,
    record: &Record,
    roles: &[Role],
    only_from: Option<NodeId>,
) -> Vec<(String, Record)> {
    let Some((envelope, _)) = unsealed(&record.payload) else {
        return Vec::new();
    };
    let senders = senders(world);
    let may_send = |sender: &Sender| {
        roles.contains(&sender.role) && only_from.is_none_or(|node| node == sender.node)
    };
    let mut found = Vec::new();

    // These senders are registered, have valid keys of their own, and are not entitled to this
    // record.
    for sender in senders.iter().filter(|sender| !may_send(sender)) {
        let own = Envelope {
            from: sender.node,
            ..envelope.clone()
        };
        let who = format!("{:?} {}", sender.role, sender.node);
        found.push((who, resealed(record, &own, &sender.key)));
    }

    // A network attacker has the right name with another key, an unknown name, or another
    // installation.
    let stranger = SigningKey::from_bytes(&[0xEE; 32]);
    let forged = resealed(record, &envelope, &stranger);
    found.push(("the right name with a stranger's key".to_owned(), forged));
    let unknown = Envelope {
        from: NodeId([0xEE; 16]),
        ..envelope.clone()
    };
    let unknown = resealed(record, &unknown, &stranger);
    found.push(("an unregistered node".to_owned(), unknown));
    if let Some(right) = senders.iter().find(|sender| sender.node == envelope.from) {
        let foreign = Envelope {
            genesis: Digest([0xEE; 32]),
            ..envelope
        };
        let foreign = resealed(record, &foreign, &right.key);
        found.push(("the right key in another installation".to_owned(), foreign));
    }
    found
}

fn resealed(record: &Record, envelope: &Envelope, key: &SigningKey) -> Record {
    let envelope = encode(envelope);
    let signature = key.sign(&digest(DOMAIN, &[&envelope]).0).to_bytes();
    let payload = borsh::to_vec(&(envelope, signature)).expect("memory");
    Record {
        payload,
        ..record.clone()
    }
}
