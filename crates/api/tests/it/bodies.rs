//! Every answer of the API, byte by byte, in `tests/golden/*.txt`. `BLESS=1` writes the files
//! again.

mod acts;
mod approvals;
mod book;
pub mod payments;
mod refusals;
mod registry;
mod transactions;

use crate::fixture::Served;

/// An API that has read the whole journal, of which nothing is witnessed.
pub fn served() -> Served {
    let served = Served::new();
    served.at(served.now());
    served.all_batches();
    served
}
