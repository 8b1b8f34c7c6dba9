//! The key protector suite on the software provider.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use strongroom_keys_software::SoftwareKeyProtector;
use strongroom_ports::bus::Mode;

/// Reopened, so that what one object wrapped another one unwraps.
fn make() -> (
    SoftwareKeyProtector,
    SoftwareKeyProtector,
    tempfile::TempDir,
) {
    let dir = tempfile::tempdir().unwrap();
    let make = |name: &str, seed| {
        let path = dir.path().join(name);
        SoftwareKeyProtector::create(&path, Mode::Dev, Box::new(ChaCha20Rng::seed_from_u64(seed)))
            .unwrap();
        SoftwareKeyProtector::open(
            &path,
            Mode::Dev,
            Box::new(ChaCha20Rng::seed_from_u64(seed + 10)),
        )
        .unwrap()
    };
    let (one, two) = (make("one", 1), make("two", 2));
    (one, two, dir)
}

strongroom_conformance::keys_suite!(make);
