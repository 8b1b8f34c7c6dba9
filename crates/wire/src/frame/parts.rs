//! Frames from a socket that is read with a timeout: a frame that came in parts is not lost.

use super::FRAME_BYTES_MAX;
use std::io::{self, Read};
use strongroom_guard::{G, guard};

/// Bytes taken from the socket at once.
const CHUNK: usize = 64 * 1024;

/// Result of one read.
#[derive(Debug, PartialEq, Eq)]
pub enum FrameRead {
    /// One whole frame.
    Frame(Vec<u8>),
    /// No whole frame has arrived yet.
    Nothing,
    /// The other side closed.
    End,
}

/// Reads `u32be(length) ‖ bytes` frames.
#[derive(Debug)]
pub struct Frames<R> {
    reader: R,
    /// Bytes of frames that are not whole yet.
    buffer: Vec<u8>,
    /// Room for one read. Made once: a frame may come in many small parts, and to fill it
    /// with zeros for each would cost more than to read them.
    chunk: Box<[u8]>,
}

impl<R: Read> Frames<R> {
    /// Frames of a stream that has a read timeout.
    pub fn new(reader: R) -> Self {
        Self {
            reader,
            buffer: Vec::new(),
            chunk: vec![0; CHUNK].into_boxed_slice(),
        }
    }

    /// The next frame; waits as long as one read waits.
    ///
    /// # Errors
    /// A frame that is too long, an end in the middle of a frame, and the stream's own errors.
    pub fn next_frame(&mut self) -> io::Result<FrameRead> {
        if let Some(frame) = self.take()? {
            return Ok(FrameRead::Frame(frame));
        }

        // Less than one whole frame is left here, so the buffer never holds more than one frame and
        // one chunk.
        match self.reader.read(&mut self.chunk) {
            // An end between two frames is how a link closes; within one, bytes were lost.
            Ok(0) if self.buffer.is_empty() => Ok(FrameRead::End),
            Ok(0) => Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the link closed within a frame",
            )),
            Ok(read) => {
                let bytes = self.chunk.get(..read).unwrap_or_default();
                self.buffer.extend_from_slice(bytes);
                Ok(self.take()?.map_or(FrameRead::Nothing, FrameRead::Frame))
            }
            // The bytes of a frame that is not whole stay for the next call.
            Err(error) if is_timeout(&error) => Ok(FrameRead::Nothing),
            Err(error) => Err(error),
        }
    }

    fn take(&mut self) -> io::Result<Option<Vec<u8>>> {
        let Some((length, rest)) = self.buffer.split_first_chunk::<4>() else {
            return Ok(None);
        };
        let length = u32::from_be_bytes(*length) as usize;

        // The length is checked before the frame is waited for: without a bound the link could fill
        // the memory.
        if guard(G::RecordSize, length > FRAME_BYTES_MAX) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "frame too large",
            ));
        }

        let Some(frame) = rest.get(..length).map(<[u8]>::to_vec) else {
            return Ok(None);
        };
        self.buffer.drain(..4 + length);
        Ok(Some(frame))
    }
}

fn is_timeout(error: &io::Error) -> bool {
    use io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
    matches!(error.kind(), WouldBlock | TimedOut | Interrupted)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::frame::write_frame;
    use std::collections::VecDeque;

    /// Gives its bytes in the sizes named, with a timeout between them.
    struct Dribble(VecDeque<Vec<u8>>);

    impl Read for Dribble {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            match self.0.pop_front() {
                None => Ok(0),
                Some(part) if part.is_empty() => Err(io::ErrorKind::WouldBlock.into()),
                Some(part) => {
                    out.get_mut(..part.len()).unwrap().copy_from_slice(&part);
                    Ok(part.len())
                }
            }
        }
    }

    #[test]
    fn frames_in_parts_and_together_come_out_whole() {
        let mut bytes = Vec::new();
        for frame in [&b"one"[..], b"", b"three"] {
            write_frame(&mut bytes, frame).unwrap();
        }
        for size in 1..=bytes.len() {
            let parts = bytes
                .chunks(size)
                .flat_map(|part| [part.to_vec(), vec![]])
                .collect();
            let (mut frames, mut got) = (Frames::new(Dribble(parts)), Vec::new());
            loop {
                match frames.next_frame().unwrap() {
                    FrameRead::Frame(frame) => got.push(frame),
                    FrameRead::Nothing => {}
                    FrameRead::End => break,
                }
            }
            assert_eq!(got, [b"one".to_vec(), vec![], b"three".to_vec()], "{size}");
        }
    }

    #[test]
    fn a_frame_that_is_too_long_or_cut_is_an_error() {
        let long = Dribble([u32::MAX.to_be_bytes().to_vec()].into());
        assert!(Frames::new(long).next_frame().is_err());
        let mut cut = Frames::new(Dribble([vec![0, 0, 0, 5, 1, 2]].into()));
        assert_eq!(cut.next_frame().unwrap(), FrameRead::Nothing);
        assert!(cut.next_frame().is_err());
    }
}
