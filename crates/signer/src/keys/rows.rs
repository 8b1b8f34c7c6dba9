//! Key shares at rest: wrapped rows, and what a row must be to be used.

use super::{KeyName, KeyRing, Stored};
use crate::fatal::Fatal;
use crate::schema as sql;
use rand_core::CryptoRngCore;
use strongroom_journal::View;
use strongroom_journal::model::KeyRecord;
use strongroom_journal::state::Lookup as _;
use strongroom_mpc_core::KeyShareRecord;
use strongroom_mpc_core::signing::KeyShare;
use strongroom_ports::db::Tx;
use strongroom_ports::keys::KeyProtectorError;
use strongroom_types::{Code, Digest, Refusal};

impl KeyRing {
    /// The stored share, unwrapped; one of another signer or transcript is not taken.
    pub(super) fn read(
        &self,
        tx: &mut dyn Tx,
        name: KeyName,
        stored: &Stored,
    ) -> Result<KeyShareRecord, Fatal> {
        let corrupt =
            |what: &str| Refusal::new(Code::StoreCorrupt, format!("share of {}: {what}", name.1));
        let args = [
            (&name.0.0).into(),
            (&name.1.0).into(),
            stored.epoch.into(),
            (&stored.transcript.0).into(),
        ];
        let row = tx
            .query_opt(sql::SHARE, &args)?
            .ok_or_else(|| corrupt("missing"))?;

        // The protector checks the associated data: a wrapped share copied from another row, node
        // or installation fails here.
        let aad = self.aad(name, stored.epoch, &stored.transcript);
        let secret = self
            .protector
            .unwrap(&aad, row.blob(0)?)
            .map_err(|error| match error {
                KeyProtectorError::Integrity => corrupt("failed its integrity check"),
                KeyProtectorError::Unavailable(why) => {
                    Refusal::new(Code::Internal, format!("key protector: {why}"))
                }
            })?;

        // The record itself also says whose it is, in case a protector does not bind its data.
        let record =
            KeyShareRecord::from_secret_bytes(&secret).map_err(|e| corrupt(&e.to_string()))?;
        let fits = record.index() == self.index && *record.transcript() == stored.transcript.0;
        if fits {
            Ok(record)
        } else {
            Err(corrupt("of another signer or transcript").into())
        }
    }

    /// Associated data of a stored share: every field with its length before it.
    pub(super) fn aad(&self, name: KeyName, epoch: u32, transcript: &Digest) -> Vec<u8> {
        let (epoch, index) = (epoch.to_be_bytes(), self.index.to_be_bytes());
        let fields: [&[u8]; 7] = [
            b"strongroom/key-share/v1",
            &self.genesis.0,
            &name.0.0,
            &name.1.0,
            &epoch,
            &index,
            &transcript.0,
        ];

        // Lengths keep two fields from running together: (a, bc) and (ab, c) differ.
        let mut aad = Vec::with_capacity(160);
        for field in fields {
            aad.extend(u32::try_from(field.len()).unwrap_or(u32::MAX).to_be_bytes());
            aad.extend_from_slice(field);
        }
        aad
    }
}

/// Whether the journal's public record of the key is exactly that of the share.
pub(super) fn in_force(
    view: &dyn View,
    name: KeyName,
    record: &KeyShareRecord,
) -> Result<(), Fatal> {
    // Transcript and whole public record are compared: an equal group key alone could come with
    // other verifying shares, under which honest shares look false.
    let key: KeyRecord = view.threshold_key(name.0, name.1)?;
    let fits = key.public.is_some_and(|public| {
        public.transcript.0 == *record.transcript() && public.record == record.public().to_bytes()
    });
    let other = || {
        Refusal::new(
            Code::StoreCorrupt,
            format!("the share of {} is not the journal's", name.1),
        )
    };
    if fits { Ok(()) } else { Err(other().into()) }
}

/// The share in use, under a new random boot id. Compares the signing share with its verifying
/// share.
pub(super) fn opened(
    record: &KeyShareRecord,
    rng: &mut dyn CryptoRngCore,
) -> Result<KeyShare, Fatal> {
    // The boot id tells commitments of an earlier process apart, whose nonces are gone.
    let mut boot = [0; 16];
    rng.fill_bytes(&mut boot);
    KeyShare::open(record, boot).map_err(|e| Refusal::new(Code::StoreCorrupt, e).into())
}

/// A number of a column, which holds 64 bits, in the 32 bits that it has here.
pub(super) fn number(value: u64) -> Result<u32, Refusal> {
    u32::try_from(value).map_err(|e| Refusal::new(Code::StoreCorrupt, e))
}
