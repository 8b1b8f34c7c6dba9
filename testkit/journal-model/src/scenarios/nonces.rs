//! A signer's nonces.

use super::Expected::{Breaks, Holds};
use super::Scenario;
use crate::nonce::{NonceModel, NonceRules};
use crate::property::Goal::Signs;
use crate::property::Property::OnePackage;

pub(super) fn scenarios() -> Vec<Scenario> {
    let in_memory = NonceModel {
        on_disk: false,
        memory_snapshots: false,
        rules: NonceRules::ALL,
    };
    let on_disk = NonceModel {
        on_disk: true,
        ..in_memory.clone()
    };
    let burned_late = NonceModel {
        rules: NonceRules {
            burned_first: false,
            ..NonceRules::ALL
        },
        ..on_disk.clone()
    };
    let recomputed = NonceModel {
        rules: NonceRules {
            never_recomputed: false,
            ..NonceRules::ALL
        },
        ..in_memory.clone()
    };
    let snapshot = NonceModel {
        memory_snapshots: true,
        ..in_memory.clone()
    };

    let scenario = Scenario::nonce;
    let used_twice = Breaks(&[OnePackage]);
    vec![
        scenario("nonce, memory only", in_memory, Holds(&[Signs])),
        scenario("nonce, disk, burn before share", on_disk, Holds(&[Signs])),
        scenario("nonce, disk, burn after share", burned_late, used_twice),
        scenario(
            "nonce, retry recognised by message only",
            recomputed,
            used_twice,
        ),
        // No rule helps against this; SECURITY.md says so.
        scenario("nonce, memory snapshot resumed", snapshot, used_twice),
    ]
}
