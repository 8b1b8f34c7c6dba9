//! The bus suite over the socket: the case's bus is a client of a holder in this process.

use std::time::Duration;
use strongroom_bus_embedded::{EmbeddedBus, Options};
use strongroom_conformance::bus::BusFixture;
use strongroom_dev::shared_bus::{self, BusServer, SocketBus, socket_of};
use strongroom_ports::bus::{Bus, Mode, Topic};

struct Fixture {
    client: Option<SocketBus>,
    holder: Option<BusServer>,
    dir: tempfile::TempDir,
    logs: u8,
}

impl Fixture {
    fn log(&self) -> std::path::PathBuf {
        self.dir.path().join(format!("bus-{}.db", self.logs))
    }
}

impl BusFixture for Fixture {
    fn bus(&self) -> &dyn Bus {
        self.client.as_ref().unwrap()
    }

    fn trim(&self, topic: &Topic, oldest: u64) {
        self.holder
            .as_ref()
            .unwrap()
            .embedded()
            .trim(topic, oldest)
            .unwrap();
    }

    fn reopen(&mut self) {
        self.client = None;
        self.holder = None;
        // A queue far smaller than what the suite publishes at once.
        let options = Options {
            queue_records_max: 16,
            publish_wait: Duration::from_secs(30),
            ..Options::default()
        };
        let log = self.log();
        let bus = EmbeddedBus::open(&log, Mode::Dev, options, [self.logs; 16]).unwrap();
        self.holder = Some(BusServer::start(bus, &socket_of(&log)).unwrap());
        self.client = Some(SocketBus::connect(&socket_of(&log)).unwrap());
    }

    fn recreate(&mut self) {
        self.logs += 1;
        self.reopen();
    }
}

fn make() -> Fixture {
    let dir = tempfile::tempdir().unwrap();
    let mut fixture = Fixture {
        client: None,
        holder: None,
        dir,
        logs: 1,
    };
    fixture.reopen();
    fixture
}

strongroom_conformance::bus_suite!(make);

#[test]
fn the_first_to_open_a_log_holds_it_and_the_next_is_its_client() {
    let dir = tempfile::tempdir().unwrap();
    let open = || shared_bus::open(&dir.path().join("bus.db"), Mode::Dev, [1; 16]).unwrap();
    let (holder, client) = (open(), open());
    let topic = Topic::new("t").unwrap();
    assert_eq!(holder.start(&topic).unwrap(), client.start(&topic).unwrap());

    // A client that shuts down leaves the holder at work; a holder that ends leaves its place.
    client.shutdown(Duration::from_secs(1)).unwrap();
    assert!(client.start(&topic).is_err());
    assert!(holder.start(&topic).is_ok());
    drop(holder);
    assert!(open().start(&topic).is_ok());
}

#[test]
fn a_client_whose_holder_has_ended_gets_an_error_that_may_pass() {
    let mut fixture = make();
    let topic = Topic::new("t").unwrap();
    fixture.holder = None;
    let refused = fixture.bus().start(&topic).unwrap_err();
    assert!(refused.is_transient(), "{refused}");
}
