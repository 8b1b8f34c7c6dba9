//! strongroom-conformance
