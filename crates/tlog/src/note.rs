//! C2SP signed-note: a text and Ed25519 signature lines under it.

use thiserror::Error;

use crate::text;

pub mod key;
#[cfg(test)]
mod tests;

pub use key::KeyError;

/// Longest note, in bytes.
pub const NOTE_LEN_MAX: usize = 64 * 1024;
/// Largest number of signature lines: twice the largest roster (30 witnesses), and the log.
pub const SIGNATURES_MAX: usize = 64;
/// Longest signature after the key id, in bytes. An ML-DSA-44 cosignature (8 + 2420 bytes), which
/// this crate does not know and must ignore, fits.
const PAYLOAD_LEN_MAX: usize = 4096;

/// First line of a cosignature's message: [`sign_note`] refuses texts that start with it, so one
/// key used for both purposes can never be made to cosign.
const COSIGNATURE_HEADER: &str = "cosignature/v1\n";

/// Public key of a note signer (key type 0x01), e.g. the log.
pub type NoteVerifier = key::Verifier<0x01>;
/// Signing key of a note signer (key type 0x01); zeroised on drop.
pub type NoteSigner = key::SecretKey<0x01>;

/// Reason to refuse a note.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NoteError {
    /// Longer than [`NOTE_LEN_MAX`] or more than [`SIGNATURES_MAX`] lines.
    #[error("note is too large")]
    TooLarge,
    /// The note is not a text, a blank line and signature lines, or has a control character other
    /// than newline.
    #[error("note is malformed")]
    Malformed,
    /// A signature line is not `— <name> <base64(key id ‖ signature)>`.
    #[error("signature line is malformed")]
    SignatureLine,
    /// The text belongs to another kind of signature.
    #[error("text may not be signed as a note")]
    ForeignText,
    /// A signature by a known key does not verify, or a known key signed twice.
    #[error("a known key's signature is not valid")]
    BadSignature,
    /// No known key signed the note.
    #[error("no known key signed the note")]
    Unsigned,
}

/// One signature line, not verified yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteSignature {
    /// Name of the key, as in its verifier string.
    pub name: String,
    /// First four bytes of SHA-256 over name, type and key, big-endian.
    pub key_id: u32,
    /// Bytes after the key id: 64 bytes for type 0x01, time and signature for type 0x04.
    pub payload: Vec<u8>,
}

impl NoteSignature {
    /// Text of the line, with its newline.
    #[must_use]
    pub fn to_line(&self) -> String {
        let mut bytes = self.key_id.to_be_bytes().to_vec();
        bytes.extend_from_slice(&self.payload);
        format!("— {} {}\n", self.name, text::base64(&bytes))
    }

    /// Reads one line that ends in a newline.
    ///
    /// # Errors
    /// `SignatureLine` unless the line is what [`NoteSignature::to_line`] writes.
    pub fn parse_line(line: &str) -> Result<Self, NoteError> {
        Self::read(line).ok_or(NoteError::SignatureLine)
    }

    fn read(line: &str) -> Option<Self> {
        let (name, encoded) = line
            .strip_suffix('\n')?
            .strip_prefix("— ")?
            .split_once(' ')?;
        let bytes = text::from_base64(encoded)?;

        let (id, payload) = bytes.split_first_chunk::<4>()?;
        let valid = key::name_is_valid(name) && (1..=PAYLOAD_LEN_MAX).contains(&payload.len());

        valid.then(|| Self {
            name: name.to_owned(),
            key_id: u32::from_be_bytes(*id),
            payload: payload.to_vec(),
        })
    }
}

/// A note split into text and signature lines; nothing is verified yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    body: String,
    signatures: Vec<NoteSignature>,
}

impl Note {
    /// Reads a note; accepts exactly what [`Note::to_text`] writes.
    ///
    /// # Errors
    /// `TooLarge`, `Malformed` or `SignatureLine`.
    pub fn parse(note: &str) -> Result<Self, NoteError> {
        if note.len() > NOTE_LEN_MAX {
            return Err(NoteError::TooLarge);
        }

        // C2SP signed-note: the last empty line separates text and signatures, so that a text may
        // itself have empty lines. The text keeps the first newline of the pair.
        let blank = note.rfind("\n\n").ok_or(NoteError::Malformed)?;
        let (body, rest) = note
            .split_at_checked(blank + 1)
            .ok_or(NoteError::Malformed)?;

        let lines = rest.strip_prefix('\n').ok_or(NoteError::Malformed)?;
        check_body(body)?;

        // One line more than allowed is enough to refuse the note.
        let signatures = lines
            .split_inclusive('\n')
            .take(SIGNATURES_MAX + 1)
            .map(NoteSignature::parse_line)
            .collect::<Result<Vec<_>, _>>()?;

        match signatures.len() {
            0 => Err(NoteError::Malformed),
            1..=SIGNATURES_MAX => Ok(Self {
                body: body.to_owned(),
                signatures,
            }),
            _ => Err(NoteError::TooLarge),
        }
    }

    /// Text of the whole note.
    #[must_use]
    pub fn to_text(&self) -> String {
        let lines: String = self.signatures.iter().map(NoteSignature::to_line).collect();
        format!("{}\n{lines}", self.body)
    }

    /// The signed text, with its final newline.
    #[must_use]
    pub fn body(&self) -> &str {
        &self.body
    }

    /// The signature lines, not verified.
    #[must_use]
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// Adds a signature line at the end (e.g. a cosignature); does not verify it.
    ///
    /// # Errors
    /// `TooLarge` beyond [`SIGNATURES_MAX`] lines; `SignatureLine` if the line is not valid.
    pub fn add(&mut self, signature: NoteSignature) -> Result<(), NoteError> {
        if self.signatures.len() >= SIGNATURES_MAX {
            return Err(NoteError::TooLarge);
        }

        // The line is written and read again: a name with a space or newline would change how the
        // whole note reads.
        let signature = NoteSignature::parse_line(&signature.to_line())?;
        self.signatures.push(signature);
        Ok(())
    }
}

/// A note of which at least one known key's signature was verified, and no known key's failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The signed text, with its final newline.
    pub body: String,
    /// Indices into the given list of verifiers, in the order of the lines.
    pub signers: Vec<usize>,
    /// Lines of keys that are not in the list, not verified. Cosignatures are among them.
    pub others: Vec<NoteSignature>,
}

/// Signs `body` (must end in a newline) and returns the whole note.
///
/// # Errors
/// `Malformed` or `TooLarge` if `body` is not a note text; `ForeignText` if it begins like a
/// cosignature's message.
pub fn sign_note(body: &str, signer: &NoteSigner) -> Result<String, NoteError> {
    check_body(body)?;

    // A text that begins like a cosignature's message is refused: a key that signs notes could
    // otherwise be made to cosign.
    if body.starts_with(COSIGNATURE_HEADER) {
        return Err(NoteError::ForeignText);
    }

    let signature = NoteSignature {
        name: signer.verifier().name().to_owned(),
        key_id: signer.verifier().key_id(),
        payload: signer.sign(body.as_bytes()).to_vec(),
    };

    let note = format!("{body}\n{}", signature.to_line());
    if note.len() > NOTE_LEN_MAX {
        Err(NoteError::TooLarge)
    } else {
        Ok(note)
    }
}

/// Parses a note and verifies every signature whose name and key id are in `verifiers`.
///
/// # Errors
/// Errors of [`Note::parse`]; `BadSignature` if a known key's line does not verify or is there
/// twice; `Unsigned` if no known key signed.
pub fn verify_note(note: &str, verifiers: &[NoteVerifier]) -> Result<Verified, NoteError> {
    let Note { body, signatures } = Note::parse(note)?;

    let (mut signers, mut others) = (Vec::new(), Vec::new());
    for line in signatures {
        // C2SP signed-note: lines of unknown keys are ignored, lines of known keys must verify. A
        // key is known by name and id together.
        let known = |v: &NoteVerifier| v.name() == line.name && v.key_id() == line.key_id;
        let Some((index, verifier)) = verifiers.iter().enumerate().find(|(_, v)| known(v)) else {
            others.push(line);
            continue;
        };

        let signature = line
            .payload
            .as_slice()
            .try_into()
            .map_err(|_| NoteError::BadSignature)?;

        // A line of a known key that does not verify is an attack, so the whole note is refused. A
        // second line of one key is refused too: it would count as a second signer.
        if signers.contains(&index) || !verifier.accepts(body.as_bytes(), signature) {
            return Err(NoteError::BadSignature);
        }
        signers.push(index);
    }

    if signers.is_empty() {
        Err(NoteError::Unsigned)
    } else {
        Ok(Verified {
            body,
            signers,
            others,
        })
    }
}

/// Checks that `body` is a note text.
fn check_body(body: &str) -> Result<(), NoteError> {
    if body.len() > NOTE_LEN_MAX {
        return Err(NoteError::TooLarge);
    }

    // Control characters could make a terminal show another text than the one that is signed.
    let valid = body.ends_with('\n') && body.bytes().all(|b| b >= 0x20 || b == b'\n');

    if valid {
        Ok(())
    } else {
        Err(NoteError::Malformed)
    }
}
