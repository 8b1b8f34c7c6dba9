//! The parts of a stage's test that the matrix needs.

use std::sync::Arc;
use strongroom_ports::bus::Record;
use strongroom_ports::db::Db;
use strongroom_stage::Stage;
use strongroom_stage::post::message_id;
use strongroom_types::UnixMs;
use strongroom_world::World;

/// One installation around the stage. Each cell has a fixture of its own, so cells share nothing;
/// the same calls must give the same records in each of them.
pub trait Fixture {
    /// The stage under test.
    type Stage: Stage;

    /// The stage as a new process makes it: called at the start and after each crash. Nothing the
    /// earlier stage kept in memory may survive in the fixture.
    fn stage(&self) -> Self::Stage;

    /// The installation whose registered senders speak, rightly or wrongly.
    fn world(&self) -> &World;

    /// Present time, milliseconds.
    fn now(&self) -> UnixMs;

    /// Fills the stage's tables with what does not arrive as a record, such as a server's requests.
    /// Called once, when the first process has started.
    fn prepare(&self, db: Arc<dyn Db>) {
        drop(db);
    }

    /// Instants to run through once the record was handled, ascending, so that ticks act.
    fn later(&self) -> Vec<UnixMs> {
        Vec::new()
    }

    /// The part of a published record that must be the same in every cell.
    fn identity(&self, record: &Record) -> String {
        let (key, id) = (hex(&record.key), hex(&message_id(record)));
        format!("{} key {key} msg-id {id}", record.topic)
    }

    /// Columns (table, column) that may differ between cells.
    fn volatile_columns(&self) -> &'static [(&'static str, &'static str)] {
        &[]
    }
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
