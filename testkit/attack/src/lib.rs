//! strongroom-attack
