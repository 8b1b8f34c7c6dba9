//! The other processes' side: a connection per call in flight.

use super::message::{Answer, Request, WireRecord, receive, send};
use super::server::io_error;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use strongroom_ports::bus::{Bus, BusError, Delivered, Position, Record, Topic};

/// Longest wait of one call, so that a closed bus is noticed soon; a longer fetch asks again.
const CALL_WAIT: Duration = Duration::from_millis(250);

/// A bus that another process holds.
pub struct SocketBus {
    socket: PathBuf,
    /// Connections that no call uses.
    idle: Mutex<Vec<UnixStream>>,
    closed: AtomicBool,
}

impl SocketBus {
    /// Connects to the holder.
    ///
    /// # Errors
    /// [`BusError::Io`] when no process listens.
    pub fn connect(socket: &Path) -> Result<Self, BusError> {
        let stream = UnixStream::connect(socket).map_err(|error| io_error(socket, &error))?;
        let idle = Mutex::new(vec![stream]);
        Ok(Self {
            socket: socket.to_owned(),
            idle,
            closed: AtomicBool::new(false),
        })
    }

    /// One call. A connection that broke is not used again; whether its call was served is then
    /// unknown, as [`Bus::publish`] says of [`BusError::Io`].
    fn call(&self, request: &Request) -> Result<Answer, BusError> {
        if self.closed.load(Ordering::Acquire) {
            return Err(BusError::Closed);
        }

        // A connection carries one call at a time, so calls of several threads take one each.
        let io = |error: std::io::Error| io_error(&self.socket, &error);
        let idle = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        let mut stream = match idle {
            Some(stream) => stream,
            None => UnixStream::connect(&self.socket).map_err(io)?,
        };
        send(&mut stream, request).map_err(io)?;
        let answer = receive(&mut stream).map_err(io)?;

        // Given back only now: after an error its next answer could be the one to this call.
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(stream);
        match answer {
            Answer::Refused(error) => Err(error.into()),
            answer => Ok(answer),
        }
    }

    fn position(&self, request: &Request) -> Result<Position, BusError> {
        match self.call(request)? {
            Answer::Position(position) => Ok(position.into()),
            _ => Err(unexpected()),
        }
    }

    fn fetch_once(
        &self,
        wants: &[(Topic, Position)],
        records_max: usize,
        wait: Duration,
    ) -> Result<Vec<Delivered>, BusError> {
        let wants = wants
            .iter()
            .map(|(topic, at)| (topic.as_str().to_owned(), (*at).into()));
        let request = Request::Fetch {
            wants: wants.collect(),
            records_max: u32::try_from(records_max).unwrap_or(u32::MAX),
            wait_ms: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
        };
        let Answer::Records(records) = self.call(&request)? else {
            return Err(unexpected());
        };
        let delivered = |(record, partition, offset): (WireRecord, u32, u64)| {
            record.delivered(partition, offset)
        };
        records.into_iter().map(delivered).collect()
    }
}

fn unexpected() -> BusError {
    BusError::Io("the holder of the bus answered another question".to_owned())
}

impl Bus for SocketBus {
    fn publish(&self, records: &[Record]) -> Result<(), BusError> {
        records.iter().try_for_each(Record::check)?;
        let wire = records.iter().map(WireRecord::of).collect();
        match self.call(&Request::Publish(wire))? {
            Answer::Done => Ok(()),
            _ => Err(unexpected()),
        }
    }

    fn start(&self, topic: &Topic) -> Result<Position, BusError> {
        self.position(&Request::Start(topic.as_str().to_owned()))
    }

    fn end(&self, topic: &Topic) -> Result<Position, BusError> {
        self.position(&Request::End(topic.as_str().to_owned()))
    }

    fn fetch(
        &self,
        wants: &[(Topic, Position)],
        records_max: usize,
        wait: Duration,
    ) -> Result<Vec<Delivered>, BusError> {
        // In steps, so that a call that waits sees the bus closed within one of them.
        let mut left = wait;
        loop {
            let step = left.min(CALL_WAIT);
            let records = self.fetch_once(wants, records_max, step)?;
            left = left.saturating_sub(step);
            if !records.is_empty() || left.is_zero() {
                return Ok(records);
            }
        }
    }

    /// Closes this client; the holder and its other clients go on.
    fn shutdown(&self, _within: Duration) -> Result<(), BusError> {
        self.closed.store(true, Ordering::Release);
        Ok(())
    }

    fn fsyncs(&self) -> u64 {
        match self.call(&Request::Fsyncs) {
            Ok(Answer::Count(count)) => count,
            Ok(_) | Err(_) => 0,
        }
    }
}
