//! The conformance suite of the bus port on the embedded bus.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::time::Duration;

use strongroom_bus_embedded::{EmbeddedBus, Options};
use strongroom_conformance::bus::BusFixture;
use strongroom_ports::bus::{Bus, Mode, Topic};

struct Fixture {
    bus: Option<EmbeddedBus>,
    dir: tempfile::TempDir,
    logs: u8,
}

impl Fixture {
    fn open(&self) -> EmbeddedBus {
        // The queue is far smaller than the number of records that the suite publishes at once.
        let options = Options {
            queue_records_max: 16,
            publish_wait: Duration::from_secs(30),
            ..Options::default()
        };
        let path = self.dir.path().join(format!("bus-{}.db", self.logs));
        EmbeddedBus::open(&path, Mode::Dev, options, [self.logs; 16]).unwrap()
    }
}

impl BusFixture for Fixture {
    fn bus(&self) -> &dyn Bus {
        self.bus.as_ref().unwrap()
    }

    fn trim(&self, topic: &Topic, oldest: u64) {
        self.bus.as_ref().unwrap().trim(topic, oldest).unwrap();
    }

    fn reopen(&mut self) {
        self.bus = None;
        self.bus = Some(self.open());
    }

    fn recreate(&mut self) {
        self.logs += 1;
        self.reopen();
    }
}

fn make() -> Fixture {
    let mut fixture = Fixture {
        bus: None,
        dir: tempfile::tempdir().unwrap(),
        logs: 1,
    };
    fixture.reopen();
    fixture
}

strongroom_conformance::bus_suite!(make);

#[test]
fn a_log_that_is_open_is_refused_to_a_second_bus() {
    let fixture = make();
    let path = fixture.dir.path().join("bus-1.db");
    let open = || EmbeddedBus::open(&path, Mode::Dev, Options::default(), [1; 16]);
    let refused = open().err().unwrap().to_string();
    assert!(refused.contains("another process"), "{refused}");
    drop(fixture.bus);
    assert!(open().is_ok());
}
