//! Any target of `strongroom_fuzz::all`, chosen by `STRONGROOM_FUZZ_TARGET`, under libFuzzer.

#![no_main]

use libfuzzer_sys::fuzz_target;
use std::sync::OnceLock;
use strongroom_fuzz::{Target, all};

fuzz_target!(|data: &[u8]| {
    (target().run)(data);
});

fn target() -> &'static Target {
    static TARGET: OnceLock<Target> = OnceLock::new();
    TARGET.get_or_init(|| {
        let name = std::env::var("STRONGROOM_FUZZ_TARGET").unwrap_or_default();
        let names: Vec<&str> = all().iter().map(|target| target.name).collect();
        all()
            .into_iter()
            .find(|target| target.name == name)
            .unwrap_or_else(|| panic!("STRONGROOM_FUZZ_TARGET must be one of {}", names.join(", ")))
    })
}
