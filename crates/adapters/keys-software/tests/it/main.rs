//! The conformance suite of the key protector port on the software provider.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use strongroom_keys_software::SoftwareKeyProtector;
use strongroom_ports::bus::Mode;

/// Two protectors with a key file each. The files are opened again after their creation, so that
/// the suite uses keys that were read from disk.
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
