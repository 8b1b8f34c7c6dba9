//! A witness's statement on the bus, verified without a replica.

use std::collections::BTreeMap;
use strongroom_journal::Genesis;
use strongroom_journal::follower::witness_name;
use strongroom_journal::genesis::Registered;
use strongroom_tlog::{Checkpoint, CosignVerifier, Cosignature, verify_cosignature};
use strongroom_types::{Code, NodeId, Refusal, UnixMs};
use strongroom_wire::{Role, WitnessCosignature, open};

/// Size of the log that one witness cosigned, with the time of its record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WitnessStatement {
    /// The witness that cosigned and sent the record.
    pub witness: NodeId,
    /// Time of the record by the witness's clock, Unix milliseconds: the cosignature in it may be
    /// older.
    pub made: UnixMs,
    /// Number of entries that the cosigned tree has.
    pub size: u64,
    /// The cosigned checkpoint body.
    pub body: String,
}

/// Verifies the records of cosignature topics. It needs genesis only, so a process can use it whose
/// replica is not loaded or may be an old one.
#[derive(Debug)]
pub struct WitnessStatements {
    origin: String,
    registered: Registered,
    verifiers: BTreeMap<NodeId, CosignVerifier>,
}

impl WitnessStatements {
    /// A verifier for the witnesses of genesis.
    ///
    /// # Errors
    /// `invalid_reference` when a key of genesis cannot be used.
    pub fn new(genesis: &Genesis) -> Result<Self, Refusal> {
        let verifier = |(node, key): (NodeId, [u8; 32])| {
            let verifier = CosignVerifier::new(&witness_name(node), &key).map_err(|e| {
                Refusal::new(Code::InvalidReference, format!("witness {node}: {e}"))
            })?;
            Ok((node, verifier))
        };

        Ok(Self {
            origin: genesis.origin.clone(),
            registered: Registered::of(genesis),
            verifiers: genesis
                .witness_keys()
                .map(verifier)
                .collect::<Result<_, Refusal>>()?,
        })
    }

    /// Opens a record that the witness itself sealed and that holds its valid cosignature of this
    /// log.
    ///
    /// # Errors
    /// What [`open`] refuses; `unknown_sender`, `malformed`, `bad_signature`.
    pub fn open(&self, record: &[u8]) -> Result<WitnessStatement, Refusal> {
        let envelope = open(record, &self.registered, &[Role::Signer, Role::Witness])?;
        let cosignature: WitnessCosignature = envelope.payload()?;
        let verifier = self
            .verifiers
            .get(&envelope.from)
            .ok_or_else(|| Refusal::new(Code::UnknownSender, envelope.from))?;

        // One witness key may serve several logs. A cosignature of another log says nothing about
        // this one.
        let checkpoint =
            Checkpoint::parse(&cosignature.body).map_err(|e| Refusal::new(Code::Malformed, e))?;
        if checkpoint.origin() != self.origin {
            return Err(Refusal::new(Code::Malformed, "cosignature of another log"));
        }

        // The witness key must have signed this body and time (C2SP cosignature/v1).
        let signed = Cosignature {
            name: verifier.name().to_owned(),
            key_id: verifier.key_id(),
            time_s: cosignature.time_s,
            signature: cosignature.signature,
        };
        verify_cosignature(&cosignature.body, &signed, verifier)
            .map_err(|e| Refusal::new(Code::BadSignature, e))?;
        Ok(WitnessStatement {
            witness: envelope.from,
            made: envelope.created,
            size: checkpoint.size(),
            body: cosignature.body,
        })
    }
}
