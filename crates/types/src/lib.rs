//! strongroom-types
