//! One connection of a signer: a thread per direction.

use crate::LinkError;
use crate::link::{LinkRoutes, Spawn};
use std::io::{self, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use strongroom_ports::bus::{Delivered, Headers, Position, Record, Topic};
use strongroom_wire::frame::{FromSigner, ToSigner, read_frame, write_frame};
use strongroom_wire::{encode, topics};

/// Longest wait for records before the stop flag is looked at.
const FETCH_WAIT: Duration = Duration::from_millis(100);
/// Longest wait for a signer that does not read before the flags are looked at.
const WRITE_WAIT: Duration = Duration::from_millis(100);
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
        let from_signer = {
            let (routes, closes) = (Arc::clone(&self.routes), Closes(Arc::clone(&self.closed)));
            let stream = self.stream.try_clone()?;
            let receive = move || {
                let _closes = closes;
                if let Err(error) = publish_frames(&routes, stream) {
                    let error: &dyn std::error::Error = &error;
                    tracing::warn!(node = %routes.node, error, "reading from the signer");
                }
            };
            spawn(&format!("link-in-{}", self.routes.node), Box::new(receive))
        };

        let sent = self.send_records(inbox_from);

        // The reading thread blocks in the socket: closing it is what ends that thread.
        let _ = self.stream.shutdown(Shutdown::Both);
        if from_signer.join().is_err() {
            // What one signer sent must not end the links of all: its next connection is served.
            tracing::error!(node = %self.routes.node, "reading from the signer panicked");
        }
        sent
    }

    /// Passes records of the bus on to the signer until the session is over.
    fn send_records(&self, inbox_from: &mut Position) -> Result<(), LinkError> {
        let mut wants = self.wants(*inbox_from)?;
        while !self.is_over() {
            for delivered in self.routes.bus.fetch(&wants, RECORDS_MAX, FETCH_WAIT)? {
                let frame = encode(&self.frame(&delivered));
                // Records that the signer did not get go to its next connection. A write that ends
                // because the connection is over has its reason at the other direction.
                match write_frame(&mut Sending(self), &frame) {
                    Ok(()) => {}
                    Err(_) if self.is_over() => return Ok(()),
                    Err(error) => return Err(error.into()),
                }

                // Requests are passed on once, across connections; journal topics begin again with
                // each connection, since a signer skips what it has.
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

    fn is_over(&self) -> bool {
        self.closed.load(Ordering::Relaxed) || self.routes.stop.is_set()
    }

    fn wants(&self, inbox_from: Position) -> Result<Vec<(Topic, Position)>, LinkError> {
        let LinkRoutes {
            bus,
            inbox,
            journal,
            ..
        } = self.routes.as_ref();

        let mut wants = vec![(inbox.clone(), inbox_from)];
        for topic in journal {
            let mut position = bus.start(topic)?;
            if topic.as_str() != topics::JOURNAL_ENTRIES {
                // Reading begins at the newest cosignature of each witness: only that one counts,
                // and an old one would make its clock look wrong.
                let latest = bus.end(topic)?.next.saturating_sub(1);
                position.next = position.next.max(latest);
            }
            wants.push((topic.clone(), position));
        }
        Ok(wants)
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

/// Signer → bus, until the signer closes the connection.
fn publish_frames(routes: &LinkRoutes, mut stream: UnixStream) -> Result<(), LinkError> {
    while let Some(bytes) = read_frame(&mut stream)? {
        let frame: FromSigner = borsh::from_slice(&bytes).map_err(io::Error::other)?;
        let (topic, payload) = match frame {
            FromSigner::Hello { next_seq } => {
                tracing::info!(node = %routes.node, next_seq, "signer connected");
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
