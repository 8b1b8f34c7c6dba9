//! The link: passes sealed envelopes between the bus and one signer over its Unix socket.
//!
//! It is trusted with nothing: every record is signed end to end. The signer connects; nothing
//! listens but this socket file, which only the owner can open.

use anyhow::Context as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use strongroom_journal::Genesis;
use strongroom_ports::bus::{Bus, Headers, Position, Record, Topic};
use strongroom_stage::StopFlag;
use strongroom_stage::post::first_half;
use strongroom_types::{NodeId, digest};
use strongroom_wire::frame::{FromSigner, ToSigner, read_frame, write_frame};
use strongroom_wire::{encode, topics};

const ACCEPT_POLL: Duration = Duration::from_millis(20);
const FETCH_WAIT: Duration = Duration::from_millis(100);
const RECORDS_MAX: usize = 256;

/// The link of one signer or witness.
pub struct Link {
    bus: Arc<dyn Bus>,
    node: NodeId,
    inbox: Topic,
    outbox: Topic,
    cosignatures: Topic,
    journal: Vec<Topic>,
    stop: StopFlag,
}

impl Link {
    /// Prepares the socket and starts serving the signer on two threads.
    ///
    /// # Errors
    /// The socket's or the bus's.
    pub fn start(
        bus: Arc<dyn Bus>,
        genesis: &Genesis,
        node: NodeId,
        socket: &Path,
        stop: StopFlag,
    ) -> anyhow::Result<JoinHandle<()>> {
        let listener = listen(socket)?;
        let journal = strongroom_replica::journal_topics(genesis)?;
        let cosignatures = Topic::new(&topics::cosignatures(node))?;
        let link = Arc::new(Self {
            inbox: Topic::new(&topics::signer_inbox(node))?,
            outbox: Topic::new(&topics::signer_outbox(node))?,
            journal: journal
                .into_iter()
                .filter(|topic| *topic != cosignatures)
                .collect(),
            cosignatures,
            bus,
            node,
            stop,
        });
        // Requests published while no signer is connected are read when it comes; older ones are
        // over.
        let from = link.bus.end(&link.inbox)?;
        Ok(spawn(&format!("link-{node}"), move || {
            link.serve(&listener, from)
        }))
    }

    fn serve(self: &Arc<Self>, listener: &UnixListener, mut inbox: Position) {
        while !self.stop.is_set() {
            match listener.accept() {
                Ok((stream, _)) => match self.session(stream, inbox) {
                    Ok(next) => inbox = next,
                    Err(error) => tracing::warn!(node = %self.node, %error, "link session ended"),
                },
                Err(_) => {
                    let _ = self.stop.wait(ACCEPT_POLL);
                }
            }
        }
    }

    /// One connection: a thread reads what the signer says, this one sends what it should hear.
    fn session(self: &Arc<Self>, stream: UnixStream, inbox: Position) -> anyhow::Result<Position> {
        stream.set_nonblocking(false)?;
        stream.set_read_timeout(None)?;
        let gone = Arc::new(AtomicBool::new(false));
        let reader = {
            let (link, stream, gone) = (Arc::clone(self), stream.try_clone()?, Arc::clone(&gone));
            spawn(&format!("link-in-{}", self.node), move || {
                if let Err(error) = link.listen_to(stream) {
                    tracing::warn!(node = %link.node, %error, "signer connection");
                }
                gone.store(true, Ordering::Relaxed);
            })
        };
        let sent = self.send_all(&stream, inbox, &gone);
        let _ = stream.shutdown(std::net::Shutdown::Both);
        let _ = reader.join();
        sent
    }

    fn send_all(
        &self,
        mut stream: &UnixStream,
        inbox: Position,
        gone: &AtomicBool,
    ) -> anyhow::Result<Position> {
        let mut wants = vec![(self.inbox.clone(), inbox)];
        for topic in &self.journal {
            let mut position = self.bus.start(topic)?;
            if topic.as_str() != topics::JOURNAL_ENTRIES {
                // Of a witness only the latest word counts, and a late one looks like a clock that
                // is wrong.
                position.next = position
                    .next
                    .max(self.bus.end(topic)?.next.saturating_sub(1));
            }
            wants.push((topic.clone(), position));
        }
        while !gone.load(Ordering::Relaxed) && !self.stop.is_set() {
            for delivered in self.bus.fetch(&wants, RECORDS_MAX, FETCH_WAIT)? {
                let payload = delivered.record.payload;
                let frame = if delivered.topic == self.inbox {
                    ToSigner::Inbox(payload)
                } else if delivered.topic.as_str() == topics::JOURNAL_ENTRIES {
                    ToSigner::Batch(payload)
                } else {
                    ToSigner::Cosignature(payload)
                };
                if write_frame(&mut stream, &encode(&frame)).is_err() {
                    gone.store(true, Ordering::Relaxed);
                    break;
                }
                let want = wants
                    .iter_mut()
                    .find(|(topic, _)| *topic == delivered.topic);
                if let Some((_, position)) = want {
                    position.next = delivered.offset + 1;
                }
            }
        }
        wants
            .first()
            .map(|(_, position)| *position)
            .context("the inbox position")
    }

    fn listen_to(&self, mut stream: UnixStream) -> anyhow::Result<()> {
        while let Some(bytes) = read_frame(&mut stream)? {
            let frame: FromSigner = borsh::from_slice(&bytes)?;
            let (topic, payload) = match frame {
                FromSigner::Hello { next_seq } => {
                    tracing::info!(node = %self.node, next_seq, "signer connected");
                    continue;
                }
                FromSigner::Outbox(payload) => (self.outbox.clone(), payload),
                FromSigner::Cosignature(payload) => (self.cosignatures.clone(), payload),
            };
            let msg_id = first_half(digest("strongroom/link-record/v1", &[&payload]));
            let headers = Headers {
                msg_id,
                ..Headers::default()
            };
            self.bus.publish(&[Record {
                topic,
                key: self.node.0.to_vec(),
                headers,
                payload,
            }])?;
        }
        Ok(())
    }
}

fn listen(socket: &Path) -> anyhow::Result<UnixListener> {
    if socket.exists() {
        std::fs::remove_file(socket)?;
    }
    let listener =
        UnixListener::bind(socket).with_context(|| format!("socket {}", socket.display()))?;
    std::fs::set_permissions(socket, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// A named thread of the composition root.
#[expect(
    clippy::disallowed_methods,
    reason = "the composition root starts the threads"
)]
#[expect(
    clippy::expect_used,
    reason = "a process that cannot start its threads must stop"
)]
pub fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(work)
        .expect("a thread can be started")
}

/// Socket paths are short (a Unix limit of about 100 bytes), so they live in a folder of their own.
#[must_use]
pub fn socket_path(run: &Path, name: &str) -> PathBuf {
    run.join(format!("{name}.sock"))
}
