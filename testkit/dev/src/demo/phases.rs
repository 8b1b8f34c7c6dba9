//! What the demo shows, phase by phase, in the order in which it shows it.

mod approval;
mod attacks;
mod bring_up;
mod going_on;
mod interpreter;
mod losses;
mod processes;
mod transfers;

pub use approval::{approved_transfer, ask_for_approval};
pub use attacks::attacks;
pub use bring_up::bring_up;
pub use going_on::how_to_go_on;
pub use interpreter::interpreter;
pub use losses::{killed_signer, services_lost};
pub use processes::separate_processes;
pub use transfers::automatic_transfers;

use strongroom_ports::chain::OwnPath;
use strongroom_types::{Signed, TransactionId};

use super::people::intent_digest;
use super::stand::Stand;

/// Whom honest transfers pay.
const PAYEE: &str = "bcrt1pccz8l9zpa47k6vz9gphftsrumpw80rjt3nhnefat4symjhrsnmjsgkm3r6";

/// The vault's first receive address: the client proves key and vault from the pinned genesis,
/// derives it itself and compares.
fn own_address(stand: &Stand) -> anyhow::Result<String> {
    let (genesis, codec) = (
        &stand.installation.genesis,
        stand.platform()?.codec.as_ref(),
    );
    let first = OwnPath {
        change: 0,
        index: 0,
    };
    Ok(stand
        .client()?
        .proved_address(genesis, codec, stand.people.vault_name(), first)?
        .address)
}

fn transaction_id(signed: &Signed) -> TransactionId {
    TransactionId::from(intent_digest(signed))
}
