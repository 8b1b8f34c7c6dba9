//! strongroom-ports
