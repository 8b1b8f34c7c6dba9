//! strongroom-approvals
