//! strongroom-keys-software
