//! Texts with their signatures.
//!
//! The text is exactly what was signed; digests are recomputed from it. [`Signed`] is the parsed
//! container; these are its two forms in JSON: strict in a request, open in an answer.

use serde::{Deserialize, Serialize};
use strongroom_types::text::lower_hex;
use strongroom_types::{Code, Endorsement, Refusal, Signed};
use utoipa::ToSchema;

/// A signed text as clients send it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignedRequest {
    /// The signed text, byte for byte.
    pub text: String,
    /// Signatures over the text's digest.
    pub endorsements: Vec<EndorsementRequest>,
}

/// One signature as clients send it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EndorsementRequest {
    /// Credential that signed (`crd_…`).
    pub credential: String,
    /// Ed25519 signature, 128 lower-case hex digits.
    pub signature: String,
}

/// A signed text as the API shows it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct SignedText {
    /// Signatures over the text's digest.
    pub endorsements: Vec<EndorsementText>,
    /// The signed text, byte for byte.
    pub text: String,
}

/// One signature as the API shows it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct EndorsementText {
    /// Credential that signed (`crd_…`).
    pub credential: String,
    /// Ed25519 signature, 128 lower-case hex digits.
    pub signature: String,
}

/// Credential and signature from their texts.
fn endorsement(credential: &str, signature: &str) -> Result<Endorsement, Refusal> {
    let signature = lower_hex(signature)
        .ok_or_else(|| Refusal::new(Code::Malformed, "signature: 128 lower-case hex digits"))?;

    let credential = credential
        .parse()
        .map_err(|e| Refusal::new(Code::Malformed, e))?;

    Ok(Endorsement {
        credential,
        signature,
    })
}

/// Credential and signature as text.
fn texts(endorsement: &Endorsement) -> (String, String) {
    (
        endorsement.credential.to_string(),
        hex::encode(endorsement.signature),
    )
}

impl TryFrom<SignedRequest> for Signed {
    type Error = Refusal;

    fn try_from(request: SignedRequest) -> Result<Self, Refusal> {
        let endorsements = request
            .endorsements
            .iter()
            .map(|e| endorsement(&e.credential, &e.signature))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            text: request.text,
            endorsements,
        })
    }
}

impl TryFrom<SignedText> for Signed {
    type Error = Refusal;

    fn try_from(shown: SignedText) -> Result<Self, Refusal> {
        let endorsements = shown
            .endorsements
            .iter()
            .map(|e| endorsement(&e.credential, &e.signature))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            text: shown.text,
            endorsements,
        })
    }
}

impl From<&Signed> for SignedRequest {
    fn from(signed: &Signed) -> Self {
        let endorsement = |e| {
            let (credential, signature) = texts(e);
            EndorsementRequest {
                credential,
                signature,
            }
        };
        Self {
            text: signed.text.clone(),
            endorsements: signed.endorsements.iter().map(endorsement).collect(),
        }
    }
}

impl From<&Signed> for SignedText {
    fn from(signed: &Signed) -> Self {
        let endorsement = |e| {
            let (credential, signature) = texts(e);
            EndorsementText {
                credential,
                signature,
            }
        };
        Self {
            endorsements: signed.endorsements.iter().map(endorsement).collect(),
            text: signed.text.clone(),
        }
    }
}
