//! Verification of a WebAuthn assertion (W3C WebAuthn Level 3 §7.2) that needs only the credential
//! and the digest. The steps that compare with a session or a stored counter are left out, because
//! every replica must come to the same answer years later.

use super::{Assertion, verify_p256};
use crate::credential::{BackupPolicy, RelyingParty};
use crate::digest::Digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::Signature;
use sha2::{Digest as _, Sha256};

// Flags of the authenticator data (§6.1).
const USER_PRESENT: u8 = 0x01;
const USER_VERIFIED: u8 = 0x04;
const BACKUP_ELIGIBLE: u8 = 0x08;
const BACKED_UP: u8 = 0x10;

/// Whether the passkey asserted this digest for a page of its relying party.
pub(super) fn verify(
    key: &[u8; 33],
    web: &RelyingParty,
    digest: &Digest,
    assertion: &Assertion,
) -> bool {
    // §7.2, client data: the browser's statement of what it asked the authenticator for.
    let asks = web
        .origins
        .iter()
        .any(|origin| is_client_data(&assertion.client_data, digest, origin));

    // §7.2, authenticator data: the authenticator's statement of what it did.
    let did = is_authenticator_data(&assertion.authenticator_data, web);

    // §7.2, signature: it must cover both statements, because a client could otherwise replace
    // either.
    asks && did && is_signed(key, assertion)
}

/// The limited verification algorithm of §5.8.1.2. It compares the bytes with those that a browser
/// serialises (§5.8.1.1) and uses no JSON reader, because two readers could disagree on a doubled
/// member.
fn is_client_data(client_data: &[u8], digest: &Digest, origin: &str) -> bool {
    // An assertion over another digest, or a registration (`webauthn.create`) of that digest, says
    // nothing about this one; one for another origin was made on a page that may lie.
    let challenge = URL_SAFE_NO_PAD.encode(digest.0);
    let expected =
        format!(r#"{{"type":"webauthn.get","challenge":"{challenge}","origin":"{origin}""#);
    let Some(rest) = client_data.strip_prefix(expected.as_bytes()) else {
        return false;
    };

    // Older browsers leave `crossOrigin` out and add no other member. So nothing may follow here
    // without it: a later member could be a `crossOrigin` that is true.
    if rest == b"}" {
        return true;
    }

    // An assertion that was made in a frame of another site's page is refused, because that page
    // decides what the person sees around the frame.
    let Some(rest) = rest.strip_prefix(br#","crossOrigin":false"#) else {
        return false;
    };
    rest == b"}" || (rest.starts_with(b",") && rest.ends_with(b"}"))
}

/// Checks relying party and flags. The signature counter is not checked: authenticators that
/// synchronise keep it at zero, and replicas that see signatures in another order would disagree.
fn is_authenticator_data(data: &[u8], web: &RelyingParty) -> bool {
    let Some((rp_id_hash, [flags, ..])) = data.split_first_chunk::<32>() else {
        return false;
    };
    let has = |flag: u8| flags & flag != 0;

    // A key is scoped to one relying party. The comparison also fails when a person uses the key by
    // mistake on another product's page.
    let expected: [u8; 32] = Sha256::digest(web.rp_id.as_bytes()).into();
    if *rp_id_hash != expected {
        return false;
    }

    // The person must be present (they touched the authenticator) and verified by PIN or
    // biometrics, so that a stolen authenticator alone approves nothing.
    if !has(USER_PRESENT) || !has(USER_VERIFIED) {
        return false;
    }

    // A key that may be copied is only as safe as the person's account at the provider. §6.1.3: no
    // authenticator can be backed up without being eligible.
    match web.backup {
        BackupPolicy::DeviceBound => !has(BACKUP_ELIGIBLE) && !has(BACKED_UP),
        BackupPolicy::SyncedAllowed => has(BACKUP_ELIGIBLE) || !has(BACKED_UP),
    }
}

/// Signature over authenticatorData ‖ SHA-256(clientDataJSON).
pub(super) fn is_signed(key: &[u8; 33], assertion: &Assertion) -> bool {
    let mut message = assertion.authenticator_data.clone();
    message.extend_from_slice(&Sha256::digest(&assertion.client_data));

    Signature::from_der(&assertion.signature)
        .is_ok_and(|signature| verify_p256(key, &message, &signature))
}
