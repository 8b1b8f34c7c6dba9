//! One signer's socket: accepts its connections, one after the other.

use crate::LinkError;
use crate::session::Session;
use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use strongroom_journal::Genesis;
use strongroom_journal::genesis::Registered;
use strongroom_ports::bus::{Bus, Position, Topic};
use strongroom_stage::StopFlag;
use strongroom_types::{Code, NodeId, Refusal};
use strongroom_wire::{Role, open, topics};

/// Interval at which a link without a signer looks at its stop flag.
const ACCEPT_POLL: Duration = Duration::from_millis(20);

/// Starts a named thread. Threads belong to the composition root, which passes its way to make one.
pub type Spawn = dyn Fn(&str, Box<dyn FnOnce() + Send>) -> JoinHandle<()>;

/// The link of one signer or witness.
pub struct Link {
    listener: UnixListener,
    /// First request of the inbox that was not passed on yet.
    inbox_from: Position,
    routes: Arc<LinkRoutes>,
}

/// Topics and bus of one signer; shared by the two directions of a connection.
pub(crate) struct LinkRoutes {
    pub(crate) bus: Arc<dyn Bus>,
    pub(crate) node: NodeId,
    /// Requests to the signer.
    pub(crate) inbox: Topic,
    /// The signer's answers.
    pub(crate) outbox: Topic,
    /// The signer's own cosignatures.
    pub(crate) cosignatures: Topic,
    /// The journal's submissions: what the signer passes on of what was handed to it.
    pub(crate) submitted: Topic,
    /// Entries, and the cosignatures of all witnesses.
    pub(crate) journal: Vec<Topic>,
    pub(crate) registered: Registered,
    /// Frames that were dropped since the link was opened.
    pub(crate) dropped: AtomicU64,
    pub(crate) stop: StopFlag,
}

impl LinkRoutes {
    /// Refuses a payload that its signer did not seal. What no reader opens becomes a dead letter
    /// for each of them, and a hostile signer would fill the bus with those.
    pub(crate) fn check(&self, payload: &[u8]) -> Result<(), Refusal> {
        let envelope = open(payload, &self.registered, &[Role::Signer, Role::Witness])?;
        if envelope.from == self.node {
            return Ok(());
        }
        Err(Refusal::new(Code::UnknownSender, envelope.from))
    }

    /// Logs a dropped frame: each time when their number has doubled, or the log would be filled
    /// in place of the bus.
    pub(crate) fn note_dropped(&self, refusal: &Refusal) {
        let dropped = self.dropped.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        if dropped.is_power_of_two() {
            tracing::warn!(node = %self.node, dropped, %refusal, "a frame of the signer was dropped");
        }
    }
}

impl Link {
    /// Listens on `socket` for the signer or witness `node`. A file in its place is replaced: it is
    /// what a process that was killed left behind, since the lock of the sockets' folder keeps a second
    /// link away.
    ///
    /// # Errors
    /// [`LinkError::Listen`], [`LinkError::Bus`].
    pub fn open(
        bus: Arc<dyn Bus>,
        genesis: &Genesis,
        node: NodeId,
        socket: &Path,
        stop: StopFlag,
    ) -> Result<Self, LinkError> {
        let cosignatures = Topic::new(&topics::cosignatures(node))?;
        // Its own cosignatures among them: another copy of the signer may run elsewhere, and what
        // that one cosigns must retire the key here.
        let journal = strongroom_replica::journal_topics(genesis)?;

        // Requests published while no signer is connected are read when it comes. Older ones are
        // past their deadline.
        let inbox = Topic::new(&topics::signer_inbox(node))?;
        let inbox_from = bus.end(&inbox)?;

        let outbox = Topic::new(&topics::signer_outbox(node))?;
        let submitted = Topic::new(topics::JOURNAL_SUBMITTED)?;
        let listener = listen(socket).map_err(|source| LinkError::Listen {
            path: socket.to_owned(),
            source,
        })?;

        let routes = LinkRoutes {
            bus,
            node,
            inbox,
            outbox,
            cosignatures,
            submitted,
            journal,
            registered: Registered::of(genesis),
            dropped: AtomicU64::new(0),
            stop,
        };

        Ok(Self {
            listener,
            inbox_from,
            routes: Arc::new(routes),
        })
    }

    /// Serves the signer's connections until the stop flag is set.
    pub fn serve(mut self, spawn: &Spawn) {
        let mut failures = AcceptFailures::default();
        while !self.routes.stop.is_set() {
            match self.listener.accept() {
                Ok((stream, _)) => {
                    failures.clear();
                    self.serve_connection(stream, spawn);
                }
                Err(error) => {
                    if failures.is_new(&error) {
                        let error: &dyn std::error::Error = &error;
                        tracing::warn!(node = %self.routes.node, error, "no connection is accepted");
                    }
                    let _ = self.routes.stop.wait(ACCEPT_POLL);
                }
            }
        }
    }

    fn serve_connection(&mut self, stream: UnixStream, spawn: &Spawn) {
        let served = Session::open(Arc::clone(&self.routes), stream)
            .and_then(|session| session.run(&mut self.inbox_from, spawn));
        if let Err(error) = served {
            let error: &dyn std::error::Error = &error;
            tracing::warn!(node = %self.routes.node, error, "the signer's connection ended");
        }
    }
}

/// Last error of accepting. A cause that lasts, such as too many open files, repeats with each
/// attempt, fifty times a second: it is logged when it changes.
#[derive(Default)]
struct AcceptFailures(Option<i32>);

impl AcceptFailures {
    /// Whether the error is another one than the last. That no signer is waiting is none, and does
    /// not end one: it comes between two attempts that fail as well.
    fn is_new(&mut self, error: &io::Error) -> bool {
        // The kind does not tell the errors apart: a full table of files has none of its own.
        let number = error.raw_os_error();
        error.kind() != io::ErrorKind::WouldBlock
            && std::mem::replace(&mut self.0, number) != number
    }

    /// A connection was accepted, so the next error is a new one.
    fn clear(&mut self) {
        self.0 = None;
    }
}

fn listen(socket: &Path) -> io::Result<UnixListener> {
    // Binding fails on a file that is there, in use or not.
    match std::fs::remove_file(socket) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }

    let listener = UnixListener::bind(socket)?;
    std::fs::set_permissions(socket, Permissions::from_mode(0o600))?;

    // An accept that blocked would not see the stop flag.
    listener.set_nonblocking(true)?;
    Ok(listener)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `EMFILE` and `ENFILE`: the standard library has no kind of its own for either.
    const PROCESS_FILES: i32 = 24;
    const SYSTEM_FILES: i32 = 23;

    #[test]
    fn an_accept_error_is_logged_when_it_changes_and_again_after_a_connection() {
        let mut failures = AcceptFailures::default();
        let mut is_new = |code| failures.is_new(&io::Error::from_raw_os_error(code));
        assert!(is_new(PROCESS_FILES));
        assert!(!is_new(PROCESS_FILES), "it lasts");
        assert!(is_new(SYSTEM_FILES), "another one");

        assert!(!failures.is_new(&io::ErrorKind::WouldBlock.into()));
        assert!(!failures.is_new(&io::Error::from_raw_os_error(SYSTEM_FILES)));

        failures.clear();
        assert!(failures.is_new(&io::Error::from_raw_os_error(SYSTEM_FILES)));
    }
}
