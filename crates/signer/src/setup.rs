//! Parts of a node, and whether they fit the pinned genesis.

use crate::fatal::Fatal;
use crate::rules::LocalRules;
use ed25519_dalek::SigningKey;
use std::fmt;
use std::sync::Arc;
use strongroom_journal::Genesis;
use strongroom_mpc_core::dkg::RosterMember;
use strongroom_mpc_core::seal::SealingSecret;
use strongroom_ports::chain::ChainCodec;
use strongroom_ports::db::Db;
use strongroom_ports::host::Entropy;
use strongroom_ports::keys::KeyProtector;
use strongroom_replica::Marker;
use strongroom_types::{Code, Digest, NodeId, Refusal, UnixMs};
use strongroom_wire::frame::PublicRecord;
use zeroize::Zeroizing;

/// A node's own private keys. Wiped on drop; not `Clone`.
pub struct NodeSecrets {
    /// Ed25519 key of envelopes and ceremony certificates.
    pub signing: SigningKey,
    /// Ed25519 seed of cosignatures.
    pub witness: Zeroizing<[u8; 32]>,
    /// X-Wing secret for sealed ceremony messages. A witness without shares has one too and never
    /// uses it.
    pub sealing: SealingSecret,
}

impl NodeSecrets {
    /// The public keys, as genesis names them. `measurement` is informational.
    ///
    /// # Errors
    /// Never for keys of the right length; the sealing library says otherwise.
    pub fn public_record(&self, measurement: Digest) -> Result<PublicRecord, Refusal> {
        let sealing_key = self
            .sealing
            .public_key()
            .map_err(|e| Refusal::new(Code::Internal, e))?;
        let witness_key = SigningKey::from_bytes(&self.witness)
            .verifying_key()
            .to_bytes();
        Ok(PublicRecord {
            signing_key: self.signing.verifying_key().to_bytes(),
            witness_key,
            sealing_key,
            measurement,
        })
    }
}

impl fmt::Debug for NodeSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NodeSecrets(..)")
    }
}

/// Everything a node is made from.
pub struct SignerSetup {
    /// The genesis file's bytes.
    pub genesis: Vec<u8>,
    /// The hash its operator pinned at install. Another file is refused.
    pub pinned: Digest,
    /// Sender id of this node's seat in genesis.
    pub me: NodeId,
    /// The keys of that seat.
    pub secrets: NodeSecrets,
    /// The node's own database.
    pub db: Arc<dyn Db>,
    /// Protects key shares at rest.
    pub protector: Arc<dyn KeyProtector>,
    /// The decoders of the chains it signs on.
    pub codecs: Vec<Arc<dyn ChainCodec>>,
    /// Source of nonces, polynomials, boot ids and the boot marker.
    pub entropy: Arc<dyn Entropy>,
    /// The operator's own rules.
    pub rules: LocalRules,
    /// The boot marker, outside of the data folder.
    pub marker: Box<dyn Marker>,
    /// This machine's clock at start.
    pub now: UnixMs,
}

impl fmt::Debug for SignerSetup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignerSetup({}, ..)", self.me)
    }
}

/// A node that fits its genesis.
pub(crate) struct Identity {
    pub(crate) node: NodeId,
    /// Roster index; none for an independent witness, which holds no shares.
    pub(crate) index: Option<u16>,
    pub(crate) genesis: Arc<Genesis>,
    pub(crate) hash: Digest,
    pub(crate) sealing: SealingSecret,
}

impl Identity {
    /// Reads the pinned genesis and finds this node's seat in it, with exactly these keys.
    pub(crate) fn find(
        genesis: &[u8],
        pinned: Digest,
        me: NodeId,
        secrets: &NodeSecrets,
    ) -> Result<(Option<u16>, Arc<Genesis>), Fatal> {
        let genesis = Genesis::pinned(genesis, pinned)?;
        let own = secrets.public_record(Digest::default())?;
        let other = |what: &str| {
            Fatal::Refused(Refusal::new(
                Code::InvalidReference,
                format!(
                    "genesis has another {what} for {me}: this data folder belongs to another node"
                ),
            ))
        };

        // Each key is compared on its own: with one wrong key a node would look alive and be
        // counted by no one, or could not open what its peers seal to it in a ceremony.
        if let Some(seat) = genesis.signer_by_node(me) {
            if seat.signing_key != own.signing_key {
                return Err(other("signing key"));
            }
            if seat.witness_key != own.witness_key {
                return Err(other("witness key"));
            }
            if seat.sealing_key != own.sealing_key {
                return Err(other("sealing key"));
            }
            let index = seat.index;
            return Ok((Some(index), Arc::new(genesis)));
        }

        if let Some(seat) = genesis.witnesses.iter().find(|seat| seat.node == me) {
            if seat.signing_key != own.signing_key {
                return Err(other("signing key"));
            }
            if seat.witness_key != own.witness_key {
                return Err(other("witness key"));
            }
            return Ok((None, Arc::new(genesis)));
        }

        let detail = format!("genesis has no signer and no witness {me}");
        Err(Refusal::new(Code::InvalidReference, detail).into())
    }

    /// The roster of a ceremony, with the keys of genesis.
    pub(crate) fn roster(&self, indices: &[u16]) -> Result<Vec<RosterMember>, Refusal> {
        // Peers' keys come from the pinned genesis, never from a message.
        let member = |index: &u16| {
            let seat = self.genesis.signer(*index);
            let seat =
                seat.ok_or_else(|| Refusal::new(Code::NotInRoster, format!("signer {index}")))?;
            Ok(RosterMember {
                index: seat.index,
                signing_key: seat.signing_key,
                sealing_key: seat.sealing_key.clone(),
            })
        };
        indices.iter().map(member).collect()
    }

    /// This signer's roster index, or `not_in_roster` for a witness.
    pub(crate) fn index(&self) -> Result<u16, Refusal> {
        self.index.ok_or_else(|| {
            Refusal::new(Code::NotInRoster, "an independent witness holds no shares")
        })
    }
}
