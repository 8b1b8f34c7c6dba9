//! One connection of a signer: a thread per direction.

use crate::LinkError;
use crate::link::{LinkRoutes, Spawn};
use crate::opening::Opening;
use std::io::{self, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::Duration;
use strongroom_ports::bus::{Delivered, Headers, Position, Record};
use strongroom_wire::frame::{FromSigner, ToSigner, read_frame, write_frame};
use strongroom_wire::{encode, topics};

/// Longest wait for records before the stop flag is looked at.
const FETCH_WAIT: Duration = Duration::from_millis(100);
/// Longest wait for a signer that does not read before the flags are looked at.
const WRITE_WAIT: Duration = Duration::from_millis(100);
/// Waits of that length for a signer's first frame: 5 s. A signer that does not hang sends it as soon
/// as it is connected.
const HELLO_POLLS: u32 = 50;
/// Records taken from the bus at once.
const RECORDS_MAX: usize = 256;

/// Marks a connection as closed when its reading thread ends, also by a panic: the signer would
/// otherwise be sent everything and heard no more.
struct Closes(Arc<AtomicBool>);

impl Drop for Closes {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// An accepted connection.
pub(crate) struct Session {
    routes: Arc<LinkRoutes>,
    stream: UnixStream,
    /// Set by the direction that finds the connection closed.
    closed: Arc<AtomicBool>,
}

impl Session {
    /// Takes over an accepted stream.
    pub(crate) fn open(routes: Arc<LinkRoutes>, stream: UnixStream) -> Result<Self, LinkError> {
        // Some systems pass the listener's non-blocking mode on; the two threads of a session
        // block.
        stream.set_nonblocking(false)?;
        stream.set_read_timeout(None)?;
        stream.set_write_timeout(Some(WRITE_WAIT))?;
        Ok(Self {
            routes,
            stream,
            closed: Arc::default(),
        })
    }

    /// Carries records both ways until the connection closes; moves `inbox_from` past every request
    /// that was passed on.
    pub(crate) fn run(self, inbox_from: &mut Position, spawn: &Spawn) -> Result<(), LinkError> {
        // The signer's own cosignatures go before everything else: one whose disk was put back must
        // learn of it before it is shown an entry that it could cosign again, or a request. Nothing
        // that it sends is read until they are on their way.
        let routes = self.routes.as_ref();
        let inbox = (routes.inbox.clone(), *inbox_from);
        let opening = Opening::read(
            routes.bus.as_ref(),
            inbox,
            &routes.journal,
            &routes.cosignatures,
        )?;
        for own in &opening.own {
            if !self.send(&ToSigner::Cosignature(own.clone()))? {
                return Ok(());
            }
        }

        let (said, hello) = mpsc::channel();
        let from_signer = {
            let (routes, closes) = (Arc::clone(&self.routes), Closes(Arc::clone(&self.closed)));
            let stream = self.stream.try_clone()?;
            let receive = move || {
                let _closes = closes;
                if let Err(error) = publish_frames(&routes, stream, &said) {
                    let error: &dyn std::error::Error = &error;
                    tracing::warn!(node = %routes.node, error, "reading from the signer");
                }
            };
            spawn(&format!("link-in-{}", self.routes.node), Box::new(receive))
        };

        let sent = self.send_records(opening, &hello, inbox_from);

        // The reading thread blocks in the socket: closing it is what ends that thread.
        let _ = self.stream.shutdown(Shutdown::Both);
        if from_signer.join().is_err() {
            // What one signer sent must not end the links of all: its next connection is served.
            tracing::error!(node = %self.routes.node, "reading from the signer panicked");
        }
        sent
    }

    /// Passes records of the bus on to the signer until the session is over.
    fn send_records(
        &self,
        mut opening: Opening,
        hello: &Receiver<u64>,
        inbox_from: &mut Position,
    ) -> Result<(), LinkError> {
        let Some(next_seq) = self.wait_for_hello(hello)? else {
            return Ok(());
        };
        let known = opening.known_to(next_seq);
        let wants = &mut opening.wants;

        while !self.is_over() {
            for delivered in self.routes.bus.fetch(wants, RECORDS_MAX, FETCH_WAIT)? {
                // Records that the signer did not get go to its next connection.
                if !known.include(&delivered) && !self.send(&self.frame(&delivered))? {
                    return Ok(());
                }

                // Requests are passed on once, across connections; of the journal each connection
                // carries what the signer does not have.
                let next = delivered.offset + 1;
                if delivered.topic == self.routes.inbox {
                    inbox_from.next = next;
                }
                let want = wants
                    .iter_mut()
                    .find(|(topic, _)| *topic == delivered.topic);
                if let Some((_, position)) = want {
                    position.next = next;
                }
            }
        }
        Ok(())
    }

    /// Position of the next entry that the signer needs, from its first frame; none when the session
    /// is over.
    fn wait_for_hello(&self, hello: &Receiver<u64>) -> Result<Option<u64>, LinkError> {
        for _ in 0..HELLO_POLLS {
            match hello.recv_timeout(FETCH_WAIT) {
                Ok(next_seq) => return Ok(Some(next_seq)),
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
                Err(RecvTimeoutError::Timeout) if self.is_over() => return Ok(None),
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
        Err(LinkError::NoHello)
    }

    /// Sends a frame. Says whether it went: a write that ends because the connection is over has its
    /// reason at the other direction.
    fn send(&self, frame: &ToSigner) -> io::Result<bool> {
        match write_frame(&mut Sending(self), &encode(frame)) {
            Ok(()) => Ok(true),
            Err(_) if self.is_over() => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn is_over(&self) -> bool {
        self.closed.load(Ordering::Relaxed) || self.routes.stop.is_set()
    }

    fn frame(&self, delivered: &Delivered) -> ToSigner {
        let payload = delivered.record.payload.clone();
        if delivered.topic == self.routes.inbox {
            ToSigner::Inbox(payload)
        } else if delivered.topic.as_str() == topics::JOURNAL_ENTRIES {
            ToSigner::Batch(payload)
        } else {
            ToSigner::Cosignature(payload)
        }
    }
}

/// The signer's end of a connection, for as long as the connection is to last: a signer that reads
/// nothing would otherwise hold the thread, and with it the stop of the whole process.
struct Sending<'a>(&'a Session);

impl Write for Sending<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // The flags are looked at before each part, so that slow reading does not hold it either.
        while !self.0.is_over() {
            match (&self.0.stream).write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                written => return written,
            }
        }
        Err(io::ErrorKind::ConnectionAborted.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        (&self.0.stream).flush()
    }
}

/// Signer → bus, until the signer closes the connection; `hello` gets the position that it names.
fn publish_frames(
    routes: &LinkRoutes,
    mut stream: UnixStream,
    hello: &Sender<u64>,
) -> Result<(), LinkError> {
    while let Some(bytes) = read_frame(&mut stream)? {
        let frame: FromSigner = borsh::from_slice(&bytes).map_err(io::Error::other)?;
        let (topic, payload) = match frame {
            FromSigner::Hello { next_seq } => {
                tracing::info!(node = %routes.node, next_seq, "signer connected");
                // Only the first one is waited for.
                let _ = hello.send(next_seq);
                continue;
            }
            FromSigner::Outbox(payload) => (routes.outbox.clone(), payload),
            FromSigner::Cosignature(payload) => (routes.cosignatures.clone(), payload),
            FromSigner::Submission(payload) => (routes.submitted.clone(), payload),
        };

        if let Err(refusal) = routes.check(&payload) {
            routes.note_dropped(&refusal);
            continue;
        }

        // A frame that is sent twice is one record to consumers, who go by its content.
        let (key, headers) = (routes.node.0.to_vec(), Headers::default());
        routes.bus.publish(&[Record {
            topic,
            key,
            headers,
            payload,
        }])?;
    }
    Ok(())
}
