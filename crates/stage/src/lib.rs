//! strongroom-stage
