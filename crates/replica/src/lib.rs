//! strongroom-replica
