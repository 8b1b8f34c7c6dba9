//! strongroom-bus-embedded
