//! strongroom-signer
