//! Texts with their signatures.
//!
//! The text is exactly what was signed; digests are recomputed from it. [`Signed`] is the parsed
//! container; these are its two forms in JSON: strict in a request, open in an answer.

use serde::{Deserialize, Serialize};
use strongroom_types::fields::FormError;
use strongroom_types::{Code, Endorsement, Proof, Refusal, Signed};
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
    /// Its signature.
    pub proof: ProofRequest,
}

/// What a signature consists of, as clients send it. All bytes in lower-case hex.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "algorithm", rename_all = "lowercase", deny_unknown_fields)]
pub enum ProofRequest {
    /// Ed25519 over the digest.
    Ed25519 {
        /// Signature, 64 bytes.
        signature: String,
    },
    /// ECDSA over P-256 with SHA-256, the digest being the message.
    P256 {
        /// Signature r ‖ s, 64 bytes.
        signature: String,
    },
    /// A passkey's assertion with the digest as challenge.
    WebAuthn {
        /// Authenticator data, 37 to 256 bytes.
        authenticator_data: String,
        /// Client data, the exact JSON bytes that the browser hashed, at most 1024.
        client_data: String,
        /// ECDSA signature in DER, at most 72 bytes.
        signature: String,
    },
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
    /// Its signature.
    pub proof: ProofText,
}

/// What a signature consists of, as the API shows it. All bytes in lower-case hex.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "algorithm", rename_all = "lowercase")]
pub enum ProofText {
    /// Ed25519 over the digest.
    Ed25519 {
        /// Signature, 64 bytes.
        signature: String,
    },
    /// ECDSA over P-256 with SHA-256, the digest being the message.
    P256 {
        /// Signature r ‖ s, 64 bytes.
        signature: String,
    },
    /// A passkey's assertion with the digest as challenge.
    WebAuthn {
        /// Authenticator data, 37 to 256 bytes.
        authenticator_data: String,
        /// Client data, the exact JSON bytes that the browser hashed, at most 1024.
        client_data: String,
        /// ECDSA signature in DER, at most 72 bytes.
        signature: String,
    },
}

/// Both forms have the same members; they differ in whether unknown ones are refused.
macro_rules! proofs {
    ($form:ident) => {
        impl TryFrom<&$form> for Proof {
            type Error = FormError;

            fn try_from(form: &$form) -> Result<Self, FormError> {
                match form {
                    $form::Ed25519 { signature } => Self::ed25519(signature),
                    $form::P256 { signature } => Self::p256(signature),
                    $form::WebAuthn {
                        authenticator_data,
                        client_data,
                        signature,
                    } => Self::webauthn(authenticator_data, client_data, signature),
                }
            }
        }

        impl From<&Proof> for $form {
            fn from(proof: &Proof) -> Self {
                match proof {
                    Proof::Ed25519(signature) => Self::Ed25519 {
                        signature: hex::encode(signature),
                    },
                    Proof::P256(signature) => Self::P256 {
                        signature: hex::encode(signature),
                    },
                    Proof::WebAuthn(assertion) => Self::WebAuthn {
                        authenticator_data: hex::encode(assertion.authenticator_data()),
                        client_data: hex::encode(assertion.client_data()),
                        signature: hex::encode(assertion.signature()),
                    },
                }
            }
        }
    };
}

proofs!(ProofRequest);
proofs!(ProofText);

/// An endorsement from the texts of its parts.
fn endorsement<'a, P>(credential: &str, proof: &'a P) -> Result<Endorsement, Refusal>
where
    Proof: TryFrom<&'a P, Error = FormError>,
{
    Ok(Endorsement {
        credential: credential
            .parse()
            .map_err(|e| Refusal::new(Code::Malformed, e))?,
        proof: Proof::try_from(proof)?,
    })
}

impl TryFrom<SignedRequest> for Signed {
    type Error = Refusal;

    fn try_from(request: SignedRequest) -> Result<Self, Refusal> {
        let endorsements = request
            .endorsements
            .iter()
            .map(|e| endorsement(&e.credential, &e.proof))
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
            .map(|e| endorsement(&e.credential, &e.proof))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            text: shown.text,
            endorsements,
        })
    }
}

impl From<&Signed> for SignedRequest {
    fn from(signed: &Signed) -> Self {
        let endorsement = |e: &Endorsement| EndorsementRequest {
            credential: e.credential.to_string(),
            proof: (&e.proof).into(),
        };
        Self {
            text: signed.text.clone(),
            endorsements: signed.endorsements.iter().map(endorsement).collect(),
        }
    }
}

impl From<&Signed> for SignedText {
    fn from(signed: &Signed) -> Self {
        let endorsement = |e: &Endorsement| EndorsementText {
            credential: e.credential.to_string(),
            proof: (&e.proof).into(),
        };
        Self {
            endorsements: signed.endorsements.iter().map(endorsement).collect(),
            text: signed.text.clone(),
        }
    }
}
