//! The holder's side: a thread per connection, each serving one call after the other.

use super::message::{Answer, Request, WireError, WireRecord, receive, send};
use std::io;
use std::net::Shutdown;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use strongroom::supervise::spawn_thread;
use strongroom_bus_embedded::EmbeddedBus;
use strongroom_ports::bus::{Bus, BusError, Delivered, Position, Record, Topic};
use strongroom_stage::StopFlag;

/// How often the listening thread looks at its stop flag.
const ACCEPT_POLL: Duration = Duration::from_millis(20);

/// The embedded bus, for this process directly and for others over the socket.
pub struct BusServer {
    bus: Arc<EmbeddedBus>,
    stop: StopFlag,
    listening: Mutex<Option<JoinHandle<()>>>,
}

impl BusServer {
    /// Listens on a socket for its owner only. The file's lock says that no other process serves
    /// it, so a socket in its place was left behind.
    ///
    /// # Errors
    /// [`BusError::Io`].
    pub fn start(bus: EmbeddedBus, socket: &Path) -> Result<Self, BusError> {
        let listener = listen(socket).map_err(|error| io_error(socket, &error))?;
        let (bus, stop) = (Arc::new(bus), StopFlag::new());

        // Connections are accepted on a thread of their own; the caller's bus works without them.
        let accept = {
            let (bus, stop) = (Arc::clone(&bus), stop.clone());
            move || accept_until_stopped(&listener, &bus, &stop)
        };
        let listening = Mutex::new(Some(spawn_thread("bus", accept)));
        Ok(Self {
            bus,
            stop,
            listening,
        })
    }

    /// The bus itself.
    #[must_use]
    pub fn embedded(&self) -> &EmbeddedBus {
        &self.bus
    }

    /// Ends every connection.
    fn close(&self) {
        self.stop.set();
        let listening = self
            .listening
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = listening {
            let _ = thread.join();
        }
    }
}

impl Drop for BusServer {
    fn drop(&mut self) {
        self.close();
    }
}

fn listen(socket: &Path) -> io::Result<UnixListener> {
    match std::fs::remove_file(socket) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let listener = UnixListener::bind(socket)?;

    // Else every user of the machine could publish to the bus.
    std::fs::set_permissions(socket, std::fs::Permissions::from_mode(0o600))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

pub(super) fn io_error(socket: &Path, error: &io::Error) -> BusError {
    BusError::Io(format!("{}: {error}", socket.display()))
}

fn accept_until_stopped(listener: &UnixListener, bus: &Arc<EmbeddedBus>, stop: &StopFlag) {
    let mut connections = Vec::new();
    while !stop.is_set() {
        let Ok((stream, _)) = listener.accept() else {
            let _ = stop.wait(ACCEPT_POLL);
            continue;
        };

        // Accepted from a listener that does not block, which its streams must not inherit.
        let Ok(ours) = stream
            .set_nonblocking(false)
            .and_then(|()| stream.try_clone())
        else {
            continue;
        };

        let bus = Arc::clone(bus);
        connections.push((
            stream,
            spawn_thread("bus-client", move || serve(ours, bus.as_ref())),
        ));
    }

    // A connection's thread blocks in its socket: closing it is what ends the thread.
    for (stream, thread) in connections {
        let _ = stream.shutdown(Shutdown::Both);
        let _ = thread.join();
    }
}

/// Serves one connection until the client closes it.
fn serve(mut stream: UnixStream, bus: &EmbeddedBus) {
    while let Ok(request) = receive::<Request>(&mut stream) {
        let answer = answer(bus, request);
        let answer = answer.unwrap_or_else(|error| Answer::Refused(WireError::from(error)));
        if send(&mut stream, &answer).is_err() {
            return;
        }
    }
}

fn answer(bus: &EmbeddedBus, request: Request) -> Result<Answer, BusError> {
    match request {
        Request::Publish(records) => {
            let records: Vec<Record> = records
                .into_iter()
                .map(WireRecord::record)
                .collect::<Result<_, _>>()?;
            bus.publish(&records).map(|()| Answer::Done)
        }
        Request::Start(topic) => bus
            .start(&Topic::new(&topic)?)
            .map(|at| Answer::Position(at.into())),
        Request::End(topic) => bus
            .end(&Topic::new(&topic)?)
            .map(|at| Answer::Position(at.into())),
        Request::Fetch {
            wants,
            records_max,
            wait_ms,
        } => {
            let mut asked = Vec::new();
            for (topic, position) in wants {
                asked.push((Topic::new(&topic)?, Position::from(position)));
            }
            let wait = Duration::from_millis(wait_ms);
            let records = bus.fetch(&asked, records_max as usize, wait)?;
            let wire = |d: &Delivered| (WireRecord::of(&d.record), d.partition, d.offset);
            Ok(Answer::Records(records.iter().map(wire).collect()))
        }
        Request::Fsyncs => Ok(Answer::Count(bus.fsyncs())),
    }
}

impl Bus for BusServer {
    fn publish(&self, records: &[Record]) -> Result<(), BusError> {
        self.bus.publish(records)
    }

    fn start(&self, topic: &Topic) -> Result<Position, BusError> {
        self.bus.start(topic)
    }

    fn end(&self, topic: &Topic) -> Result<Position, BusError> {
        self.bus.end(topic)
    }

    fn fetch(
        &self,
        wants: &[(Topic, Position)],
        records_max: usize,
        wait: Duration,
    ) -> Result<Vec<Delivered>, BusError> {
        self.bus.fetch(wants, records_max, wait)
    }

    fn shutdown(&self, within: Duration) -> Result<(), BusError> {
        let done = self.bus.shutdown(within);
        self.close();
        done
    }

    fn fsyncs(&self) -> u64 {
        self.bus.fsyncs()
    }
}
