//! strongroom-chain-bitcoin
