//! The table: which crate sits in which ring, and what each ring may see.
//!
//! ```text
//! types ─► wire · tlog · policy · mpc-core ─► journal          Pure: no I/O, no async, no clock
//!             └─► ports                                        Ports: traits
//!                   ├─► replica ─► stage                       Shell: what all services share
//!                   │      └─► writer · api · signer-core · …  Application: never see each other, nor an adapter
//!                   └─► adapters/*                             Adapter: behind a port
//!                          └─► strongroom · strongroom-signer  Root: configuration and wiring
//! ```

/// Where a crate sits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ring {
    /// No I/O, no async, no clock; the order inside is [`pure_allowed`].
    Pure,
    /// Traits only.
    Ports,
    /// The parts that every service is built from.
    Shell,
    /// One service, or the client library.
    Application,
    /// One implementation of a port.
    Adapter,
    /// A binary that is shipped.
    Root,
    /// Tests and measurements.
    Testkit,
    /// Developer tools.
    Tool,
}

const PURE: [&str; 6] = [
    "strongroom-types",
    "strongroom-wire",
    "strongroom-tlog",
    "strongroom-policy",
    "strongroom-mpc-core",
    "strongroom-journal",
];
const SHELL: [&str; 2] = ["strongroom-replica", "strongroom-stage"];
const APPLICATIONS: [&str; 7] = [
    "strongroom-writer",
    "strongroom-coordinator",
    "strongroom-approvals",
    "strongroom-transactions",
    "strongroom-signer-core",
    "strongroom-api",
    "strongroom-client",
];
const ADAPTERS: [&str; 7] = [
    "strongroom-store-sqlite",
    "strongroom-store-postgres",
    "strongroom-bus-embedded",
    "strongroom-chain-bitcoin",
    "strongroom-chain-bitcoin-dev",
    "strongroom-keys-software",
    "strongroom-host",
];
const ROOTS: [&str; 2] = ["strongroom", "strongroom-signer"];
const TESTKIT: [&str; 5] = [
    "strongroom-conformance",
    "strongroom-world",
    "strongroom-sim",
    "strongroom-bench",
    "strongroom-fuzz",
];

/// The outside world. A crate that links one of these does I/O, or has a clock or randomness of its
/// own.
const OUTSIDE: [&str; 11] = [
    "axum",
    "getrandom",
    "hyper",
    "rdkafka",
    "rusqlite",
    "rustix",
    "rustls",
    "sqlx",
    "tokio",
    "tracing-subscriber",
    "ureq",
];

/// The ring of one of our packages; `None` for a package that is not ours, or that nobody has
/// placed.
pub fn ring_of(package: &str) -> Option<Ring> {
    let rows: [(&[&str], Ring); 8] = [
        (&PURE, Ring::Pure),
        (&["strongroom-ports"], Ring::Ports),
        (&SHELL, Ring::Shell),
        (&APPLICATIONS, Ring::Application),
        (&ADAPTERS, Ring::Adapter),
        (&ROOTS, Ring::Root),
        (&TESTKIT, Ring::Testkit),
        (&["xtask"], Ring::Tool),
    ];
    rows.into_iter()
        .find(|(names, _)| names.contains(&package))
        .map(|(_, ring)| ring)
}

/// May `from`, in `ring`, depend on our own crate `to`, in `to_ring`?
pub fn ours_allowed(from: &str, ring: Ring, to: &str, to_ring: Ring) -> bool {
    match ring {
        Ring::Pure => pure_allowed(from).contains(&to),
        Ring::Ports => ["strongroom-types", "strongroom-wire"].contains(&to),
        Ring::Shell => {
            matches!(to_ring, Ring::Pure | Ring::Ports)
                || (from, to) == ("strongroom-stage", "strongroom-replica")
        }
        Ring::Application => matches!(to_ring, Ring::Pure | Ring::Ports | Ring::Shell),
        Ring::Adapter => {
            matches!(to_ring, Ring::Pure | Ring::Ports)
                || (from, to) == ("strongroom-chain-bitcoin-dev", "strongroom-chain-bitcoin")
        }
        // A root wires everything, but the signer and the main binary are two artefacts, and
        // neither ships test code.
        Ring::Root => !matches!(to_ring, Ring::Root | Ring::Testkit | Ring::Tool),
        Ring::Testkit => !matches!(to_ring, Ring::Tool),
        Ring::Tool => false,
    }
}

/// May a crate of `ring` depend on `package` from outside the workspace? `deny.toml` fences single
/// crates further.
pub fn external_allowed(ring: Ring, package: &str) -> bool {
    match ring {
        Ring::Pure | Ring::Ports | Ring::Shell => !OUTSIDE.contains(&package),
        // The api serves HTTP and the client calls it: those two are what `deny.toml` lets through.
        Ring::Application => ![
            "getrandom",
            "rdkafka",
            "rusqlite",
            "rustix",
            "sqlx",
            "tracing-subscriber",
        ]
        .contains(&package),
        Ring::Adapter | Ring::Root | Ring::Testkit | Ring::Tool => true,
    }
}

/// The order inside the pure ring.
fn pure_allowed(from: &str) -> &'static [&'static str] {
    match from {
        "strongroom-wire" | "strongroom-tlog" | "strongroom-policy" | "strongroom-mpc-core" => {
            &["strongroom-types"]
        }
        "strongroom-journal" => &[
            "strongroom-types",
            "strongroom-wire",
            "strongroom-tlog",
            "strongroom-policy",
            "strongroom-mpc-core",
        ],
        _ => &[],
    }
}
