//! A signer's folder is put back together with its marker: nothing on its machine shows it, and the
//! link does, from the bus.

use crate::processes::{Site, within};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use strongroom_bus_embedded::{EmbeddedBus, Options};
use strongroom_client::Client;
use strongroom_dev::children::{SignerProcess, status};
use strongroom_host::SystemClock;
use strongroom_ports::bus::{Bus as _, Mode, Topic};
use strongroom_ports::host::Clock as _;
use strongroom_tlog::Checkpoint;
use strongroom_types::UnixMs;
use strongroom_wire::{Envelope, WitnessCosignature, topics};

const SIGNER: &str = "signer-1";

/// Files of a signer: its folder, and its marker beside it.
struct Copy {
    folder: PathBuf,
    files: Vec<(OsString, Vec<u8>)>,
    marker: Vec<u8>,
}

impl Copy {
    fn of(folder: PathBuf) -> Self {
        let read = |name: OsString| (name.clone(), std::fs::read(folder.join(name)).unwrap());
        Self {
            files: files(&folder).into_iter().map(read).collect(),
            marker: std::fs::read(folder.with_extension("marker")).unwrap(),
            folder,
        }
    }

    fn put_back(&self) {
        for name in files(&self.folder) {
            std::fs::remove_file(self.folder.join(name)).unwrap();
        }
        for (name, bytes) in &self.files {
            // Keys are for their owner alone, or the program refuses them.
            let path = self.folder.join(name);
            std::fs::write(&path, bytes).unwrap();
            let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
            std::fs::set_permissions(&path, private).unwrap();
        }
        std::fs::write(self.folder.with_extension("marker"), &self.marker).unwrap();
    }
}

fn files(folder: &Path) -> Vec<OsString> {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    let files = entries.filter(|entry| entry.file_type().unwrap().is_file());
    files.map(|entry| entry.file_name()).collect()
}

fn now() -> UnixMs {
    UnixMs(SystemClock.now_ms())
}

/// Size of the journal that the signer has cosigned whole, if it is above `floor`.
fn cosigned(site: &Site, floor: u64) -> u64 {
    within("the signer has cosigned", || {
        // No process answers while it starts.
        let status = status(&site.layout, SIGNER).ok()?;
        let size = |name: &str| status[name].parse::<u64>().unwrap();
        let is_whole = size("cosigned") > floor && size("cosigned") == size("tip");
        is_whole.then(|| size("cosigned"))
    })
}

fn ended(signer: &mut SignerProcess) -> Option<i32> {
    within("the signer ends", || {
        (!signer.alive()).then(|| signer.exit_code())
    })
}

/// Each cosignature of the signer on the bus, which no process holds any more: when it was sealed,
/// and its size.
fn own_cosignatures(site: &Site) -> Vec<(UnixMs, u64)> {
    let path = site.layout.bus().join("bus.sqlite");
    let bus = EmbeddedBus::open(&path, Mode::Dev, Options::default(), [1; 16]).unwrap();
    let topic = topics::cosignatures(site.installation.genesis.signers[0].node);
    let topic = Topic::new(&topic).unwrap();
    let from = bus.start(&topic).unwrap();
    let records = bus.fetch(&[(topic, from)], 10_000, std::time::Duration::ZERO);
    let size = |envelope: &Envelope| {
        let cosignature: WitnessCosignature = envelope.payload().unwrap();
        Checkpoint::parse(&cosignature.body).unwrap().size()
    };
    let opened = records.unwrap().into_iter().map(|delivered| {
        let envelope = Envelope::unverified(&delivered.record.payload).unwrap();
        (envelope.created, size(&envelope))
    });
    opened.collect()
}

#[test]
fn hole_signer_that_was_put_back_with_its_marker_is_retired_and_cosigns_nothing() {
    let site = Site::install();
    let mut services = site.run("writer,api,link");
    let operator = Client::new(&services.url(), &site.installation.operator_key);
    let mut signers = site.start_signers();
    let old = cosigned(&site, 0);
    let signer = signers
        .iter_mut()
        .find(|signer| signer.name() == SIGNER)
        .unwrap();
    signer.stop();
    let copy = Copy::of(site.layout.signer(SIGNER));

    signer.restart().unwrap();
    site.wait_ready(&operator);
    site.create_tenant(&operator);
    let new = cosigned(&site, old);
    signer.stop();
    copy.put_back();
    let put_back = now();

    // For good: a later start finds it on its disk.
    for _ in 0..2 {
        signer.restart().unwrap();
        assert_eq!(ended(signer), Some(12), "signer_retired");
    }
    let log = std::fs::read_to_string(signer.log()).unwrap();
    assert!(log.contains("a cosignature of this key is not of this disk"));

    signers.iter_mut().for_each(SignerProcess::stop);
    assert_eq!(services.terminate(), Some(0));
    let own = own_cosignatures(&site);
    assert!(own.iter().any(|(_, size)| *size == new));
    assert!(own.iter().all(|(sealed, _)| *sealed < put_back));
}
