//! Bounds of the bus.

use std::time::Duration;

/// Bounds of the bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Number of records that may wait for the disk before publishers are held back.
    pub queue_records_max: usize,
    /// Longest time that a publisher is held back before it gets [`strongroom_ports::bus::BusError::Full`].
    pub publish_wait: Duration,
    /// Largest number of records written by one commit.
    pub batch_records_max: usize,
    /// Number of newest records kept per topic; `None` keeps all but old dead letters.
    pub retention_records_max: Option<u64>,
}

impl Default for Options {
    /// A queue of 8 192 records (about a tenth of a second of writing), a wait of 5 s, batches of 1
    /// 024, and no retention limit.
    fn default() -> Self {
        Self {
            queue_records_max: 8192,
            publish_wait: Duration::from_secs(5),
            batch_records_max: 1024,
            retention_records_max: None,
        }
    }
}
