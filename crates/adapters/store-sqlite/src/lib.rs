//! strongroom-store-sqlite
