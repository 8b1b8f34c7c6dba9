//! strongroom-mpc-core
