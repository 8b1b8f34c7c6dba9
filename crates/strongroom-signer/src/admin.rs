//! The admin socket: requests reach the node between two frames.

use anyhow::Context as _;
use std::io;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;
use strongroom_wire::frame::{AdminReply, AdminRequest, read_frame, write_frame};
use strongroom_wire::{decode, encode};

/// Most requests that wait for the node: an operator is a person, or a script of theirs.
const WAITING_MAX: usize = 8;
/// Longest hold of the one admin connection.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A request with the way back.
pub struct OperatorRequest {
    /// The operator's request.
    pub request: AdminRequest,
    reply: SyncSender<AdminReply>,
}

impl OperatorRequest {
    /// Sends the answer back to the operator's connection.
    pub fn answer(&self, reply: AdminReply) {
        // The result is dropped: an operator who hung up needs no answer.
        let _ = self.reply.try_send(reply);
    }
}

/// The listening socket; its file goes with it.
pub struct AdminSocket {
    path: PathBuf,
    asked: Receiver<OperatorRequest>,
}

impl AdminSocket {
    /// Listens, for this user only (the process's umask), and serves one connection after the other
    /// on its own thread. Must be called under the data folder's lock: a socket file that is there
    /// was left by a process that has ended.
    pub fn listen(path: &Path) -> anyhow::Result<Self> {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("cannot replace {}", path.display()));
            }
            Ok(()) | Err(_) => {}
        }

        let listener = UnixListener::bind(path);
        let listener = listener.with_context(|| format!("cannot listen on {}", path.display()))?;

        // One connection at a time is served, with a bound and on a thread of its own: requests
        // reach the node between two frames and never while it judges one.
        let (sender, asked) = sync_channel(WAITING_MAX);
        let serve = move || {
            for stream in listener.incoming().flatten() {
                if let Err(error) = serve(stream, &sender) {
                    tracing::debug!(%error, "admin connection");
                }
            }
        };

        std::thread::Builder::new()
            .name("admin".to_owned())
            .spawn(serve)
            .context("cannot start a thread")?;

        Ok(Self {
            path: path.to_owned(),
            asked,
        })
    }

    /// A request, if one is there.
    pub fn try_next(&self) -> Option<OperatorRequest> {
        self.asked.try_recv().ok()
    }

    /// A request, waiting for it.
    pub fn wait(&self, timeout: Duration) -> Option<OperatorRequest> {
        match self.asked.recv_timeout(timeout) {
            Ok(asked) => Some(asked),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => {
                // If the thread is gone, this returns at once: the caller's loop would spin.
                std::thread::sleep(timeout);
                None
            }
        }
    }
}

impl Drop for AdminSocket {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

fn serve(mut stream: UnixStream, node: &SyncSender<OperatorRequest>) -> io::Result<()> {
    // A client that connects and says nothing must not keep the next `stop` out.
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    while let Some(bytes) = read_frame(&mut stream)? {
        let request: AdminRequest = decode(&bytes).map_err(io::Error::other)?;
        let (reply, answer) = sync_channel(1);

        node.send(OperatorRequest { request, reply })
            .map_err(io::Error::other)?;
        let answer = answer.recv_timeout(TIMEOUT).map_err(io::Error::other)?;
        write_frame(&mut stream, &encode(&answer))?;
    }
    Ok(())
}

/// Asks a running node. `None`: no process listens there.
pub fn ask(path: &Path, request: &AdminRequest) -> anyhow::Result<Option<AdminReply>> {
    let mut stream = match UnixStream::connect(path) {
        Ok(stream) => stream,
        Err(error)
            // There is no file, or one of a process that has ended: `stop` may then write to the
            // disk itself.
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused
            ) =>
        {
            return Ok(None);
        }
        Err(error) => {
            return Err(error).with_context(|| format!("cannot connect to {}", path.display()));
        }
    };

    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    write_frame(&mut stream, &encode(request)).context("the node took no request")?;
    let bytes = read_frame(&mut stream).context("the node gave no answer")?;
    let bytes = bytes.context("the node hung up")?;
    Ok(Some(decode(&bytes)?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// One connection is served at a time.
    #[test]
    fn a_connection_that_says_nothing_or_reads_nothing_keeps_no_later_one_out() {
        let (stream, operator) = UnixStream::pair().unwrap();
        let served = stream.try_clone().unwrap();
        drop(operator);
        serve(stream, &sync_channel(1).0).unwrap();
        assert_eq!(served.read_timeout().unwrap(), Some(TIMEOUT));
        assert_eq!(served.write_timeout().unwrap(), Some(TIMEOUT));
    }
}
