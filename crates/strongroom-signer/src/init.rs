//! `init`: keys are made here and never leave.

use crate::folder::Folder;
use crate::marker::{FileMarker, check_outside};
use anyhow::Context as _;
use ed25519_dalek::SigningKey;
use rand_core::RngCore as _;
use std::io::Write as _;
use std::path::Path;
use strongroom_host::SystemEntropy;
use strongroom_keys_software::SoftwareKeyProtector;
use strongroom_mpc_core::seal::SealingSecret;
use strongroom_ports::bus::Mode;
use strongroom_ports::host::Entropy as _;
use strongroom_signer_core::{Marker as _, NodeSecrets, install};
use strongroom_types::json::Json;
use strongroom_types::{Digest, digest};
use strongroom_wire::encode;
use strongroom_wire::frame::PublicRecord;
use zeroize::Zeroizing;

/// Makes the keys of a node, its database and its boot marker (none: beside the folder), and prints
/// its public record.
pub fn init(data: &Path, marker: Option<&Path>, witness: bool) -> anyhow::Result<()> {
    let marker = marker.map_or_else(|| Folder::at(data).marker(), Path::to_owned);
    let shown = marker.display().to_string();
    check_outside(data, &marker)?;

    // A marker that is there is not overwritten: if it were another node's, that node's key would
    // be retired at its next start.
    let mut marker = FileMarker::at(&marker);
    let found = marker.read();
    let found = found.with_context(|| format!("cannot use {shown} as boot marker"))?;
    anyhow::ensure!(
        found.is_none(),
        "{shown} is there already, and a boot marker is never overwritten: leave it alone if this node was made before; \
         another node needs its own"
    );

    let folder = Folder::create(data)?;

    // Two runs at once would leave keys of both in one folder.
    let _lock = folder.lock()?;
    let mut rng = SystemEntropy.rng();

    // The three seeds are independent: a leak of one key must not give the others.
    let mut seed = || {
        let mut bytes = Zeroizing::new([0; 32]);
        rng.fill_bytes(bytes.as_mut_slice());
        bytes
    };

    let secrets = NodeSecrets {
        signing: SigningKey::from_bytes(&seed()),
        witness: seed(),
        sealing: SealingSecret::from_bytes(&seed()),
    };

    folder.write_secrets(&secrets)?;

    // This key wraps key shares in development. A production genesis refuses it at `run`.
    SoftwareKeyProtector::create(&folder.wrapping_key(), Mode::Dev, SystemEntropy.rng())
        .context("cannot make the wrapping key")?;

    // This writes both halves of the first boot generation. From here on a folder or marker that is
    // missing was lost: `run` cannot mistake it for a first start, since that one has both.
    let db = folder.open_store()?;
    install(&db, &mut marker, &mut *SystemEntropy.rng())
        .context("cannot write the first boot generation")?;

    // The record is printed last: a record whose keys are not on disk would be a dead seat in
    // genesis.
    let record = secrets.public_record(measurement())?;
    let text = json(&record, witness).to_text();
    writeln!(std::io::stdout(), "{text}").context("cannot print the public record")
}

/// Digest of this program's file; zeros when it cannot be read. Informational.
fn measurement() -> Digest {
    let bytes = std::env::current_exe().and_then(std::fs::read);
    bytes.map_or(Digest::default(), |bytes| {
        digest("strongroom/build/v1", &[&bytes])
    })
}

/// `record` is the borsh form; the other members say the same for people and scripts.
fn json(record: &PublicRecord, witness: bool) -> Json<'_> {
    Json::object([
        ("measurement", Json::text(record.measurement)),
        ("record", Json::text(hex::encode(encode(record)))),
        (
            "role",
            Json::text(if witness { "witness" } else { "signer" }),
        ),
        ("sealing_key", Json::text(hex::encode(&record.sealing_key))),
        ("signing_key", Json::text(hex::encode(record.signing_key))),
        ("witness_key", Json::text(hex::encode(record.witness_key))),
    ])
}
