//! strongroom-transactions
