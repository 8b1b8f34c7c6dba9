//! A node fits its pinned genesis or does not start; what holds secrets prints none.

use crate::machine::Machine;
use strongroom_signer_core::{SignerNode, SignerSetup};
use strongroom_types::{Code, Digest, NodeId};
use strongroom_world::{START, World, WorldOptions};

fn refused(change: impl FnOnce(&mut SignerSetup, &World)) -> Code {
    let world = World::new(1, WorldOptions::default());
    let machine = Machine::new(&world, world.signer(1).node);
    let mut setup = machine.setup(START);
    change(&mut setup, &world);
    let code = SignerNode::open(setup).expect_err("refused").code();
    assert!(
        SignerNode::open(machine.setup(START)).is_ok(),
        "the honest one starts"
    );
    code
}

#[test]
fn another_genesis_than_the_pinned_one_is_refused() {
    assert_eq!(
        refused(|setup, _| setup.pinned = Digest([1; 32])),
        Code::GenesisMismatch
    );
    let other = World::new(2, WorldOptions::default()).genesis.to_bytes();
    assert_eq!(
        refused(|setup, _| setup.genesis = other),
        Code::GenesisMismatch
    );
    assert_eq!(refused(|setup, _| setup.genesis.push(0)), Code::Malformed);
}

#[test]
fn a_genesis_with_one_wrong_peer_key_is_another_genesis() {
    let code = refused(|setup, world| {
        let mut genesis = (*world.genesis).clone();
        genesis.signers[1].sealing_key = world.signer(3).seat().sealing_key;
        setup.genesis = genesis.to_bytes();
    });
    assert_eq!(code, Code::GenesisMismatch);
}

#[test]
fn a_node_that_genesis_does_not_name_is_refused() {
    assert_eq!(
        refused(|setup, _| setup.me = NodeId([8; 16])),
        Code::InvalidReference
    );
}

#[test]
fn keys_that_are_not_those_of_the_seat_are_refused() {
    let other = |world: &World| Machine::new(world, world.signer(2).node).secrets();
    assert_eq!(
        refused(|setup, world| setup.secrets.signing = other(world).signing),
        Code::InvalidReference
    );
    assert_eq!(
        refused(|setup, world| setup.secrets.witness = other(world).witness),
        Code::InvalidReference
    );
    assert_eq!(
        refused(|setup, world| setup.secrets.sealing = other(world).sealing),
        Code::InvalidReference
    );
    assert_eq!(
        refused(|setup, world| setup.me = world.witnesses[0].node),
        Code::InvalidReference
    );
}

#[test]
fn what_holds_secrets_prints_none() {
    let world = World::new(1, WorldOptions::default());
    let mut machine = Machine::new(&world, world.signer(1).node);
    let secrets = machine.secrets();
    let bytes = [
        hex(&secrets.signing.to_bytes()),
        hex(secrets.witness.as_ref()),
        hex(secrets.sealing.to_secret_bytes().as_ref()),
    ];
    let plain = [
        format!("{:?}", secrets.signing.to_bytes()),
        format!("{:?}", *secrets.witness),
        format!("{:?}", *secrets.sealing.to_secret_bytes()),
    ];
    let setup = format!("{:?}", machine.setup(START));
    machine.start(START).unwrap();
    let texts = [
        format!("{secrets:?}"),
        setup,
        format!("{:?}", machine.node()),
    ];
    for text in &texts {
        assert!(text.ends_with("(..)") || text.ends_with(", ..)"), "{text}");
        assert!(
            !bytes
                .iter()
                .chain(&plain)
                .any(|secret| text.contains(secret.as_str())),
            "{text}"
        );
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
