//! The connection to the link process.

use std::io;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;
use strongroom_wire::encode;
use strongroom_wire::frame::{FrameRead, Frames, FromSigner, ToSigner, write_frame};

/// One read waits this long; then the node ticks and the operator is heard.
const READ_TIMEOUT: Duration = Duration::from_millis(50);
/// A link that takes nothing for so long is gone.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// A connected link.
pub struct LinkConnection {
    stream: UnixStream,
    frames: Frames<UnixStream>,
}

impl LinkConnection {
    /// Connects to the socket of the link process.
    pub fn connect(path: &Path) -> io::Result<Self> {
        let stream = UnixStream::connect(path)?;

        // A read that blocked would hold back ticks, and with them refusals that are due and
        // cosignatures.
        stream.set_read_timeout(Some(READ_TIMEOUT))?;
        stream.set_write_timeout(Some(WRITE_TIMEOUT))?;
        let frames = Frames::new(stream.try_clone()?);
        Ok(Self { stream, frames })
    }

    /// Sends frames in order.
    pub fn send(&mut self, frames: &[FromSigner]) -> io::Result<()> {
        frames
            .iter()
            .try_for_each(|frame| write_frame(&mut self.stream, &encode(frame)))
    }

    /// The next frame; none after a while.
    ///
    /// # Errors
    /// The connection is over: closed, broken, or used for something that is not a frame.
    pub fn next(&mut self) -> io::Result<Option<ToSigner>> {
        match self.frames.next_frame()? {
            FrameRead::Nothing => Ok(None),
            FrameRead::End => Err(io::Error::new(
                io::ErrorKind::ConnectionAborted,
                "the link closed",
            )),
            FrameRead::Frame(bytes) => {
                // The strict decoder is not used here: it bounds records, and a frame is a little
                // longer. The record inside is decoded strictly.
                let frame = borsh::from_slice(&bytes).map_err(io::Error::other)?;
                Ok(Some(frame))
            }
        }
    }
}

/// Waits between attempts to connect: 100 ms, doubled up to 5 s.
pub struct Backoff(Duration);

impl Backoff {
    const FIRST: Duration = Duration::from_millis(100);
    const LAST: Duration = Duration::from_secs(5);

    /// Pauses that begin at 100 ms.
    pub const fn new() -> Self {
        Self(Self::FIRST)
    }

    /// The pause before the next attempt, which doubles the one after it.
    pub fn next(&mut self) -> Duration {
        let now = self.0;
        self.0 = (now * 2).min(Self::LAST);
        now
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::os::unix::net::UnixListener;

    /// A read or write that blocked for good would hold back ticks, cosignatures and `stop`.
    #[test]
    fn a_link_that_sends_nothing_or_reads_nothing_does_not_block_the_node() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("link.sock");
        let _listener = UnixListener::bind(&path).unwrap();
        let link = LinkConnection::connect(&path).unwrap();
        // The system rounds a timeout up to its own ticks.
        let read = link.stream.read_timeout().unwrap();
        assert!(read.is_some_and(|read| read < READ_TIMEOUT * 2), "{read:?}");
        assert_eq!(link.stream.write_timeout().unwrap(), Some(WRITE_TIMEOUT));
    }

    #[test]
    fn pauses_between_connects_double_up_to_five_seconds() {
        let mut backoff = Backoff::new();
        let pauses: Vec<_> = (0..9).map(|_| backoff.next().as_millis()).collect();
        let doubled = [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000];
        assert_eq!(pauses, doubled);
    }
}
