//! The table: which folder sits in which ring, and what each ring may see.
//!
//! ```text
//! guard · ed25519 ─► tlog · types
//! types ─► wire · tlog · policy · mpc-core ─► journal ─► signing  Pure: no I/O, no async, no clock
//!             └─► ports                                           Ports: traits, and the plain values in them
//!                   ├─► replica ─► stage                          Shell: what all services share
//!                   │      └─► writer · api · link · …            Application: never see each other, nor an adapter
//!                   └─► adapters/* ─► chains                      Adapter: one port each · Registry: the codecs of this build
//!                          └─► strongroom · strongroom-signer     Root: configuration and wiring
//! ```
//!
//! Adapters and the test kit are known by their folder, so that a new one is placed by being there.
//! The rest is placed by hand: what it may see is a decision.

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
    /// The list of chain codecs that a build decodes.
    Registry,
    /// A shipped program: every package below `crates/` with a binary target, and no other.
    Root,
    /// Tests, measurements, development parts.
    Testkit,
    /// Developer tools.
    Tool,
}

/// Crates directly below `crates/`, which are placed by hand.
const PLACED: [(&str, Ring); 24] = [
    ("guard", Ring::Pure),
    ("ed25519", Ring::Pure),
    ("types", Ring::Pure),
    ("wire", Ring::Pure),
    ("tlog", Ring::Pure),
    ("policy", Ring::Pure),
    ("mpc-core", Ring::Pure),
    ("signing", Ring::Pure),
    ("journal", Ring::Pure),
    ("api-types", Ring::Pure),
    ("ports", Ring::Ports),
    ("replica", Ring::Shell),
    ("stage", Ring::Shell),
    ("writer", Ring::Application),
    ("coordinator", Ring::Application),
    ("approvals", Ring::Application),
    ("transactions", Ring::Application),
    ("signer", Ring::Application),
    ("api", Ring::Application),
    ("client", Ring::Application),
    ("link", Ring::Application),
    ("chains", Ring::Registry),
    ("strongroom", Ring::Root),
    ("strongroom-signer", Ring::Root),
];

/// Development parts among the adapters that do not end in `-dev`.
const DEVELOPMENT_ADAPTERS: [&str; 1] = ["bus-embedded"];

/// Crates whose tests change single fields of a chain's own encoding, as a hostile builder would,
/// and so must know that chain.
const FORGES_TRANSACTIONS: [&str; 1] = ["signer"];

/// Packages from outside the workspace that no artefact contains: script interpreters. A signer
/// that could run a chain's scripts would have their bugs beside its shares. Complete, because a
/// development chain judges spends with one, and one that links none of these is refused.
const INTERPRETERS: [&str; 1] = ["bitcoinconsensus"];

/// Features for tests, by package. No manifest turns one on for what is shipped, so only a build has
/// it that asks for it by name; and with it neither program compiles.
pub const TEST_FEATURES: [(&str, &str); 1] = [("strongroom-ed25519", "verified-memo")];

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

/// One of our packages: where it lies and what that makes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// Last part of the folder: `chain-bitcoin` of `crates/adapters/chain-bitcoin`.
    pub name: &'a str,
    /// The ring of that folder.
    pub ring: Ring,
}

/// The place of a folder below the workspace's root; `None` when it still needs a row in
/// [`PLACED`].
pub fn place_of(folder: &str) -> Option<Place<'_>> {
    if folder == "xtask" {
        return Some(Place {
            name: folder,
            ring: Ring::Tool,
        });
    }
    if let Some(name) = folder.strip_prefix("testkit/") {
        return Some(Place {
            name,
            ring: Ring::Testkit,
        });
    }
    if let Some(name) = folder.strip_prefix("crates/adapters/") {
        return Some(Place {
            name,
            ring: Ring::Adapter,
        });
    }

    let name = folder.strip_prefix("crates/")?;
    let (_, ring) = PLACED.into_iter().find(|(placed, _)| *placed == name)?;
    Some(Place { name, ring })
}

/// May the crate at `from` depend on our own crate at `to`?
pub fn ours_allowed(from: Place<'_>, to: Place<'_>) -> bool {
    // The guards' names stand wherever something is refused; they see nothing themselves.
    if to.name == "guard" && from.ring != Ring::Tool {
        return from.name != "guard";
    }

    let inner = matches!(to.ring, Ring::Pure | Ring::Ports);
    match from.ring {
        Ring::Pure => pure_allowed(from.name).contains(&to.name),
        Ring::Ports => to.name == "types",
        Ring::Shell => inner || (from.name, to.name) == ("stage", "replica"),
        Ring::Application => inner || to.ring == Ring::Shell,
        Ring::Adapter => inner || (to.ring == Ring::Adapter && is_variant(from.name, to.name)),
        Ring::Registry => inner || (to.name.starts_with("chain-") && !is_development(to)),
        // A root wires everything, but the two programs are two artefacts, and they read the list
        // of chains: one that names a chain itself is edited for each new one. Development parts
        // among the adapters are found by the walk over what an artefact contains.
        Ring::Root => !matches!(to.ring, Ring::Root | Ring::Testkit | Ring::Tool) && !is_chain(to),
        Ring::Testkit => to.ring != Ring::Tool,
        Ring::Tool => false,
    }
}

/// `chain-bitcoin-dev` may use `chain-bitcoin`: another face of the same outside part.
fn is_variant(of: &str, base: &str) -> bool {
    of.strip_prefix(base)
        .is_some_and(|rest| rest.starts_with('-'))
}

/// A codec or node of one chain.
fn is_chain(place: Place<'_>) -> bool {
    place.ring == Ring::Adapter && place.name.starts_with("chain-")
}

/// A chain's own network as a part for development.
pub fn is_development_chain(place: Place<'_>) -> bool {
    is_chain(place) && is_development(place)
}

/// May the tests of the crate at `from` name `to`? A test may put anything behind a port, except
/// that tests too take their chain from the list.
pub fn dev_allowed(from: Place<'_>, to: Place<'_>) -> bool {
    !is_chain(to)
        || matches!(from.ring, Ring::Adapter | Ring::Registry | Ring::Testkit)
        || FORGES_TRANSACTIONS.contains(&from.name)
}

/// Serves tests and development only, and must not be in an artefact.
pub fn is_development(place: Place<'_>) -> bool {
    match place.ring {
        Ring::Testkit | Ring::Tool => true,
        Ring::Adapter => place.name.ends_with("-dev") || DEVELOPMENT_ADAPTERS.contains(&place.name),
        Ring::Pure
        | Ring::Ports
        | Ring::Shell
        | Ring::Application
        | Ring::Registry
        | Ring::Root => false,
    }
}

/// Runs a chain's scripts; such a package from outside must not be in an artefact.
pub fn is_interpreter(package: &str) -> bool {
    INTERPRETERS.contains(&package)
}

/// May a crate of `ring` depend on `package` from outside the workspace? `deny.toml` fences single
/// crates further.
pub fn external_allowed(ring: Ring, package: &str) -> bool {
    match ring {
        Ring::Pure | Ring::Ports | Ring::Shell | Ring::Registry => !OUTSIDE.contains(&package),
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
        "types" | "tlog" => &["ed25519"],
        "wire" | "policy" => &["types"],
        "mpc-core" => &["types", "ed25519"],
        "signing" => &["types", "wire", "mpc-core", "journal"],
        "api-types" => &["types", "wire"],
        "journal" => &["types", "wire", "tlog", "policy", "mpc-core"],
        _ => &[],
    }
}
