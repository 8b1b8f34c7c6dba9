//! strongroom-chain-bitcoin-dev
