//! strongroom-host
