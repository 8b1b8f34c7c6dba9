//! strongroom-writer
