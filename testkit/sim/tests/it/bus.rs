//! The simulated bus keeps the contract of the port (without faults; it has no disk, no threads and
//! no retention).

use strongroom_conformance::bus::{self, BusFixture};
use strongroom_ports::bus::{Bus, Topic};
use strongroom_sim::bus::SimBus;

struct Fixture(SimBus);

impl BusFixture for Fixture {
    fn bus(&self) -> &dyn Bus {
        &self.0
    }
    fn trim(&self, _topic: &Topic, _oldest: u64) {
        unreachable!("it keeps everything")
    }
    fn reopen(&mut self) {
        unreachable!("it lives as long as its seed")
    }
    fn recreate(&mut self) {
        self.0 = SimBus::quiet(2);
    }
}

#[test]
fn the_bus_keeps_the_contract_of_its_port() {
    let fixture = &mut Fixture(SimBus::quiet(1));
    bus::records_come_back_whole(fixture);
    bus::one_key_keeps_its_order(fixture);
    bus::the_same_position_gives_the_same_records_again(fixture);
    bus::consumers_are_independent(fixture);
    bus::an_unknown_topic_begins_at_zero(fixture);
    bus::a_position_beyond_the_end_is_an_error(fixture);
    bus::an_oversize_record_is_refused_with_its_size(fixture);
    bus::duplicates_are_delivered_not_merged(fixture);
    bus::a_busy_topic_does_not_starve_a_quiet_one(fixture);
    bus::a_position_of_another_log_is_an_error(fixture);
}
