//! strongroom-store-postgres
