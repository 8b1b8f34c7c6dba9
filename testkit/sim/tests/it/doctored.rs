//! A good history, and one doctored history for every way in which a property can break.

mod authority;
mod going_on;
mod payments;
mod scopes;
mod story;
mod tightenings;
mod time;

use story::{Story, doctored};

#[test]
fn a_good_history_breaks_nothing() {
    assert_eq!(doctored(Story::signed), None);
    // A retry of the same package with the same share is the same use of its nonce.
    assert_eq!(
        doctored(|s| {
            s.signed();
            s.signed();
        }),
        None
    );
}
