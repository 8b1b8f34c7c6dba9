//! Published vectors: RFC 9591, frost's key generation, BIP-32, BIP-340, BIP-341.

use crate::cluster::path;
use frost_core::keys::dkg::{part2, part3, round1, round2};
use frost_core::keys::{SigningShare, VerifiableSecretSharingCommitment, VerifyingShare};
use frost_core::{Ciphersuite, Field, Group, Identifier, Signature};
use serde_json::Value;
use std::collections::BTreeMap;
use strongroom_mpc_core::hd::{derive_public, secp256k1::derive, taproot_output_key};
use strongroom_mpc_core::signing::*;
use strongroom_mpc_core::verify::verify_bip340;
use strongroom_mpc_core::{ChildPath, KeyShareRecord, PublicKeyRecord, SuiteId};
use zeroize::Zeroizing;

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

fn array<const N: usize>(value: &Value) -> [u8; N] {
    bytes(value).try_into().unwrap()
}

/// A random source that returns the vector's nonce randomness in order.
struct Script(Vec<u8>);

impl rand_core::RngCore for Script {
    fn next_u32(&mut self) -> u32 {
        panic!("nonces are drawn as bytes")
    }
    fn next_u64(&mut self) -> u64 {
        panic!("nonces are drawn as bytes")
    }
    fn fill_bytes(&mut self, dest: &mut [u8]) {
        let rest = self.0.split_off(dest.len());
        dest.copy_from_slice(&self.0);
        self.0 = rest;
    }
    fn try_fill_bytes(&mut self, dest: &mut [u8]) -> Result<(), rand_core::Error> {
        self.fill_bytes(dest);
        Ok(())
    }
}

impl rand_core::CryptoRng for Script {}

fn rfc9591<C: Ciphersuite>(suite: SuiteId, text: &str) {
    let vector: Value = serde_json::from_str(text).unwrap();
    let inputs = &vector["inputs"];
    let secrets: BTreeMap<u16, [u8; 32]> = inputs["participant_shares"]
        .as_array()
        .unwrap()
        .iter()
        .map(|share| {
            (
                share["identifier"].as_u64().unwrap() as u16,
                array(&share["participant_share"]),
            )
        })
        .collect();
    let verifying_shares = secrets
        .iter()
        .map(|(index, secret)| {
            let share = SigningShare::<C>::deserialize(secret).unwrap();
            (*index, VerifyingShare::from(share).serialize().unwrap())
        })
        .collect();
    let public = PublicKeyRecord {
        suite,
        key_id: Vec::new(),
        epoch: 0,
        min_signers: 2,
        group_key: bytes(&inputs["verifying_key_key"]),
        verifying_shares,
        chain_code: [0; 32],
    };
    let mut signers = BTreeMap::new();
    let mut commitments = BTreeMap::new();
    for output in vector["round_one_outputs"]["outputs"].as_array().unwrap() {
        let index = output["identifier"].as_u64().unwrap() as u16;
        let secret = Zeroizing::new(secrets[&index]);
        let record = KeyShareRecord::new(index, secret, public.clone(), [0; 32], [0; 32]).unwrap();
        let mut share = KeyShare::open(&record, [0; 16]).unwrap();
        let mut script = bytes(&output["hiding_nonce_randomness"]);
        script.extend(bytes(&output["binding_nonce_randomness"]));
        let commitment = share.prepare(1, &mut Script(script)).unwrap().remove(0);
        assert_eq!(commitment.hiding, bytes(&output["hiding_nonce_commitment"]));
        assert_eq!(
            commitment.binding,
            bytes(&output["binding_nonce_commitment"])
        );
        signers.insert(index, share);
        commitments.insert(index, commitment);
    }
    let package = SigningPackage {
        suite,
        key_id: Vec::new(),
        epoch: 0,
        message: bytes(&inputs["message"]),
        commitments,
        path: ChildPath::root(),
        tweak: Tweak::None,
    };
    let mut shares = Vec::new();
    for output in vector["round_two_outputs"]["outputs"].as_array().unwrap() {
        let index = output["identifier"].as_u64().unwrap() as u16;
        let share = signers.get_mut(&index).unwrap().sign(&package).unwrap();
        assert_eq!(share.share.to_vec(), bytes(&output["sig_share"]));
        shares.push(share);
    }
    let signature = PublicKeys::open(public)
        .unwrap()
        .aggregate(&package, &shares)
        .unwrap();
    assert_eq!(signature, bytes(&vector["final_output"]["sig"]));
}

#[test]
fn rfc_9591_signing_vectors_are_reproduced() {
    rfc9591::<frost_ed25519::Ed25519Sha512>(
        SuiteId::FrostEd25519,
        include_str!("../../vectors/frost-ed25519-vectors.json"),
    );
    rfc9591::<frost_secp256k1::Secp256K1Sha256>(
        SuiteId::FrostSecp256k1,
        include_str!("../../vectors/frost-secp256k1-vectors.json"),
    );
    rfc9591::<frost_secp256k1_tr::Secp256K1Sha256TR>(
        SuiteId::FrostSecp256k1Tr,
        include_str!("../../vectors/frost-secp256k1-tr-vectors.json"),
    );
}

fn scalar<C: Ciphersuite>(value: &Value) -> frost_core::Scalar<C> {
    let encoded = bytes(value).as_slice().try_into().ok().unwrap();
    <<C::Group as Group>::Field as Field>::deserialize(&encoded).unwrap()
}

fn key_generation<C: Ciphersuite>(text: &str) {
    let vector: Value = serde_json::from_str(text).unwrap();
    let inputs = &vector["inputs"];
    let commitment = |i: u16| {
        let list = inputs[i.to_string()]["vss_commitments"].as_array().unwrap();
        VerifiableSecretSharingCommitment::<C>::deserialize(list.iter().map(bytes)).unwrap()
    };
    let id = |i: u16| Identifier::<C>::try_from(i).unwrap();
    for me in 1..=3_u16 {
        let mine = &inputs[me.to_string()];
        let secret = round1::SecretPackage::<C>::new(
            id(me),
            vec![
                scalar::<C>(&mine["signing_key"]),
                scalar::<C>(&mine["coefficient"]),
            ],
            commitment(me),
            2,
            3,
        );
        let others: Vec<u16> = (1..=3).filter(|other| *other != me).collect();
        let round1: BTreeMap<_, _> = others
            .iter()
            .map(|other| {
                let proof = bytes(&inputs[other.to_string()]["proof_of_knowledge"]);
                let proof = Signature::<C>::deserialize(&proof).unwrap();
                (id(*other), round1::Package::new(commitment(*other), proof))
            })
            .collect();
        let (secret, shares) = part2(secret, &round1).unwrap();
        for other in &others {
            let expected = bytes(&inputs[other.to_string()]["signing_shares"][me.to_string()]);
            assert_eq!(shares[&id(*other)].signing_share().serialize(), expected);
        }
        let round2 = others
            .iter()
            .map(|other| {
                let share =
                    SigningShare::deserialize(&bytes(&mine["signing_shares"][other.to_string()]));
                (id(*other), round2::Package::new(share.unwrap()))
            })
            .collect();
        let (key, public) = part3(&secret, &round1, &round2).unwrap();
        assert_eq!(
            key.signing_share().serialize(),
            bytes(&mine["signing_share"])
        );
        assert_eq!(
            key.verifying_share().serialize().unwrap(),
            bytes(&mine["verifying_share"])
        );
        assert_eq!(
            public.verifying_key().serialize().unwrap(),
            bytes(&inputs["verifying_key"])
        );
    }
}

#[test]
fn key_generation_vectors_are_reproduced() {
    key_generation::<frost_ed25519::Ed25519Sha512>(include_str!(
        "../../vectors/frost-ed25519-vectors_dkg.json"
    ));
    key_generation::<frost_secp256k1::Secp256K1Sha256>(include_str!(
        "../../vectors/frost-secp256k1-vectors_dkg.json"
    ));
    key_generation::<frost_secp256k1_tr::Secp256K1Sha256TR>(include_str!(
        "../../vectors/frost-secp256k1-tr-vectors_dkg.json"
    ));
}

#[test]
fn bip32_public_derivation_vectors_are_reproduced() {
    let vectors: Value =
        serde_json::from_str(include_str!("../../vectors/bip32-public-derivation.json")).unwrap();
    assert_eq!(vectors.as_array().unwrap().len(), 5);
    for vector in vectors.as_array().unwrap() {
        let step = path(&[vector["index"].as_u64().unwrap() as u32]);
        let (key, chain_code) = (
            array(&vector["parent_key"]),
            array(&vector["parent_chain_code"]),
        );
        let derived = derive(&key, &chain_code, &step).unwrap();
        assert_eq!(derived.key, array(&vector["child_key"]));
        assert_eq!(derived.chain_code, array(&vector["child_chain_code"]));
        assert_eq!(
            derive_public(&key, &chain_code, &step).unwrap(),
            derived.key
        );
    }
}

#[test]
fn bip340_verification_vectors_are_reproduced() {
    let mut rows = 0;
    for row in include_str!("../../vectors/bip340-test-vectors.csv")
        .lines()
        .skip(1)
    {
        let fields: Vec<_> = row.split(',').collect();
        let key = hex::decode(fields[2]).unwrap().try_into().unwrap();
        let message = hex::decode(fields[4]).unwrap();
        let signature = hex::decode(fields[5]).unwrap().try_into().unwrap();
        assert_eq!(
            verify_bip340(&key, &message, &signature),
            fields[6] == "TRUE",
            "row {}",
            fields[0]
        );
        rows += 1;
    }
    assert_eq!(rows, 19);
}

#[test]
fn bip341_output_keys_without_script_tree_are_reproduced() {
    let vectors: Value = serde_json::from_str(include_str!(
        "../../vectors/bip341-wallet-test-vectors.json"
    ))
    .unwrap();
    let mut internal = [2; 33];
    let mut checked = 0;
    for vector in vectors["scriptPubKey"].as_array().unwrap() {
        if vector["given"]["scriptTree"].is_null() {
            internal[1..].copy_from_slice(&bytes(&vector["given"]["internalPubkey"]));
            let expected: [u8; 32] = array(&vector["intermediary"]["tweakedPubkey"]);
            // The parity of the internal key does not matter: BIP-341 lifts its x coordinate.
            for tag in [2, 3] {
                internal[0] = tag;
                assert_eq!(taproot_output_key(&internal).unwrap(), expected);
            }
            checked += 1;
        }
    }
    let secp = secp256k1::Secp256k1::new();
    for input in vectors["keyPathSpending"][0]["inputSpending"]
        .as_array()
        .unwrap()
    {
        if input["given"]["merkleRoot"].is_null() {
            internal[1..].copy_from_slice(&bytes(&input["intermediary"]["internalPubkey"]));
            let tweaked = bytes(&input["intermediary"]["tweakedPrivkey"]);
            let tweaked = secp256k1::Keypair::from_seckey_slice(&secp, &tweaked).unwrap();
            assert_eq!(
                taproot_output_key(&internal).unwrap(),
                tweaked.x_only_public_key().0.serialize()
            );
            checked += 1;
        }
    }
    assert!(checked >= 2);
}

#[test]
fn ed25519_child_keys_do_not_change() {
    let root = array::<32>(&Value::from(
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    ));
    let child =
        strongroom_mpc_core::hd::ed25519::derive_public(&root, &[3; 32], &path(&[44, 501, 0]))
            .unwrap();
    assert_eq!(hex::encode(child), ED25519_CHILD);
}

/// Child key that a plain-integer implementation of the documented scheme computed.
const ED25519_CHILD: &str = "b47d676d2a04af9cef53b3425f81d2d82b86dd860abca366f3c98ff1d9889f2f";

#[test]
fn keys_that_are_not_points_and_hardened_steps_are_refused() {
    assert!(ChildPath::new([1 << 31]).is_err());
    assert!(ChildPath::new([0; 11]).is_err());
    let bytes = borsh::to_vec(&vec![1_u32 << 31]).unwrap();
    assert!(borsh::from_slice::<ChildPath>(&bytes).is_err());
    let mut uncompressed_tag = [1; 33];
    for tag in [0, 1, 4, 5, 6] {
        uncompressed_tag[0] = tag;
        assert!(derive_public(&uncompressed_tag, &[0; 32], &ChildPath::root()).is_err());
        assert!(taproot_output_key(&uncompressed_tag).is_err());
    }
    let derive_ed =
        |key| strongroom_mpc_core::hd::ed25519::derive_public(&key, &[0; 32], &ChildPath::root());
    let mut identity = [0; 32];
    identity[0] = 1;
    assert!(derive_ed(identity).is_err(), "identity");
    assert!(derive_ed([0; 32]).is_err(), "order 4");
    let mut not_canonical = [0xff; 32];
    not_canonical[0] = 0xee;
    not_canonical[31] = 0x7f;
    assert!(derive_ed(not_canonical).is_err(), "y = p + 1");
}
