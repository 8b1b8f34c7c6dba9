//! C2SP tlog-checkpoint: the text that a log signs over its tree head.

use thiserror::Error;

use crate::{SIZE_MAX, hash::Hash, text};

/// Longest origin line, in bytes.
pub const ORIGIN_LEN_MAX: usize = 255;
/// Largest number of extension lines; this journal writes one.
pub const EXTENSION_LINES_MAX: usize = 16;
/// Longest extension line, in bytes.
pub const EXTENSION_LEN_MAX: usize = 1024;

const STATE_PREFIX: &str = "state ";

/// A tree head: the log's origin, the number of leaves, the root, and extension lines.
///
/// Body text: origin, size (canonical decimal), root (canonical base64), then the extension lines,
/// each line ended by `\n`. The journal's extension line is `state <base64 of the 32-byte root of
/// the Merkle map of the state>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    origin: String,
    size: u64,
    root: Hash,
    extension: Vec<String>,
}

/// Reason to refuse a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CheckpointError {
    /// The origin is empty, too long or has a control character.
    #[error("origin line is not valid")]
    Origin,
    /// The size is not a canonical decimal, or above [`SIZE_MAX`].
    #[error("size line is not valid")]
    Size,
    /// The root is not the canonical base64 of 32 bytes, or not the empty root at size 0.
    #[error("root line is not valid")]
    Root,
    /// An extension line is empty, too long or has a control character, or there are too many.
    #[error("extension line is not valid")]
    Extension,
    /// The body does not end in a newline.
    #[error("body does not end in a newline")]
    Unterminated,
}

impl Checkpoint {
    /// A checkpoint without extension lines.
    ///
    /// # Errors
    /// [`CheckpointError`] if a part breaks the format.
    pub fn new(origin: &str, size: u64, root: Hash) -> Result<Self, CheckpointError> {
        Self::with_extension(origin, size, root, Vec::new())
    }

    /// A checkpoint that carries the root of the state's Merkle map.
    ///
    /// # Errors
    /// [`CheckpointError`] if a part breaks the format.
    pub fn with_state(
        origin: &str,
        size: u64,
        root: Hash,
        state_root: Hash,
    ) -> Result<Self, CheckpointError> {
        Self::with_extension(
            origin,
            size,
            root,
            vec![format!("{STATE_PREFIX}{state_root}")],
        )
    }

    /// A checkpoint with any extension lines (without their newlines).
    ///
    /// # Errors
    /// [`CheckpointError`] if a part breaks the format.
    pub fn with_extension(
        origin: &str,
        size: u64,
        root: Hash,
        extension: Vec<String>,
    ) -> Result<Self, CheckpointError> {
        // Control characters are refused: with a newline in its origin, a log could sign a body
        // that reads as another log's.
        if origin.is_empty() || origin.len() > ORIGIN_LEN_MAX || text::has_control(origin) {
            return Err(CheckpointError::Origin);
        }

        if size > SIZE_MAX {
            return Err(CheckpointError::Size);
        }

        // RFC 6962 §2.1: the empty tree has exactly one root. Another one could prove entries that
        // do not exist.
        if size == 0 && root != Hash::EMPTY_ROOT {
            return Err(CheckpointError::Root);
        }

        // An empty line is refused, because it would end the text of the note early.
        let line_ok = |line: &String| {
            !line.is_empty() && line.len() <= EXTENSION_LEN_MAX && !text::has_control(line)
        };
        if extension.len() > EXTENSION_LINES_MAX || !extension.iter().all(line_ok) {
            return Err(CheckpointError::Extension);
        }

        Ok(Self {
            origin: origin.to_owned(),
            size,
            root,
            extension,
        })
    }

    /// Reads a body; accepts exactly what [`Checkpoint::to_body`] writes.
    ///
    /// # Errors
    /// [`CheckpointError`] naming the first bad part.
    pub fn parse(body: &str) -> Result<Self, CheckpointError> {
        let mut lines = body
            .strip_suffix('\n')
            .ok_or(CheckpointError::Unterminated)?
            .split('\n');

        let origin = lines.next().ok_or(CheckpointError::Origin)?;
        let size = lines
            .next()
            .and_then(text::decimal)
            .ok_or(CheckpointError::Size)?;
        let root = lines
            .next()
            .and_then(Hash::from_base64)
            .ok_or(CheckpointError::Root)?;

        // At most one line more than allowed is read, which is enough to refuse the body, so that a
        // long hostile body costs little.
        let extension = lines
            .take(EXTENSION_LINES_MAX + 1)
            .map(str::to_owned)
            .collect();

        Self::with_extension(origin, size, root, extension)
    }

    /// Body: the text that log and witnesses sign, including the final newline.
    #[must_use]
    pub fn to_body(&self) -> String {
        let mut body = format!("{}\n{}\n{}\n", self.origin, self.size, self.root);
        for line in &self.extension {
            body.push_str(line);
            body.push('\n');
        }
        body
    }

    /// Origin line: unique name of the log.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Number of leaves.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// RFC 6962 root of the tree at this size.
    #[must_use]
    pub const fn root(&self) -> Hash {
        self.root
    }

    /// Extension lines, without newlines.
    #[must_use]
    pub fn extension(&self) -> &[String] {
        &self.extension
    }

    /// The state root; `None` unless there is exactly one `state` line and it is well formed.
    #[must_use]
    pub fn state_root(&self) -> Option<Hash> {
        let mut found = self
            .extension
            .iter()
            .filter_map(|line| line.strip_prefix(STATE_PREFIX));

        // With two state lines, two readers of one signed head could follow two states.
        match (found.next(), found.next()) {
            (Some(root), None) => Hash::from_base64(root),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;
    use crate::leaf_hash;

    const EXAMPLE: &str =
        "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
    const STATE: &str = "journal.example\n7\nAl8e++OhtBkXW/sa3/eD6l79clqEQwWPnv1LWjpRbVg=\n\
                         state bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=\n";

    #[test]
    fn checkpoint_bytes_do_not_change() {
        let root = Hash::from_base64("Al8e++OhtBkXW/sa3/eD6l79clqEQwWPnv1LWjpRbVg=");
        let checkpoint =
            Checkpoint::with_state("journal.example", 7, root.unwrap(), leaf_hash(b"")).unwrap();
        assert_eq!(checkpoint.to_body(), STATE);
        assert_eq!(Checkpoint::parse(STATE), Ok(checkpoint.clone()));
        assert_eq!(checkpoint.state_root(), Some(leaf_hash(b"")));
    }

    #[test]
    fn the_specification_example_is_read() {
        let checkpoint = Checkpoint::parse(EXAMPLE).unwrap();
        assert_eq!(
            (checkpoint.origin(), checkpoint.size()),
            ("example.com/behind-the-sofa", 20_852_163)
        );
        assert_eq!(
            (checkpoint.to_body().as_str(), checkpoint.state_root()),
            (EXAMPLE, None)
        );
    }

    #[test]
    fn anything_not_canonical_is_refused() {
        use CheckpointError as E;
        let long = "x".repeat(ORIGIN_LEN_MAX + 1);
        let root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";
        let cases = [
            (String::new(), E::Unterminated),
            (EXAMPLE.trim_end().to_owned(), E::Unterminated),
            (format!("\n1\n{root}\n"), E::Origin),
            (format!("a\rb\n1\n{root}\n"), E::Origin),
            (format!("{long}\n1\n{root}\n"), E::Origin),
            (format!("o\n01\n{root}\n"), E::Size),
            (format!("o\n+1\n{root}\n"), E::Size),
            (format!("o\n1 \n{root}\n"), E::Size),
            (format!("o\n4611686018427387905\n{root}\n"), E::Size),
            (format!("o\n18446744073709551616\n{root}\n"), E::Size),
            ("o\n".to_owned(), E::Size),
            ("o\n1\n".to_owned(), E::Root),
            (format!("o\n0\n{root}\n"), E::Root),
            (
                "o\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2J=\n".to_owned(),
                E::Root,
            ),
            (format!("o\n1\n{root}\r\n"), E::Root),
            (format!("o\n1\n{root}\n\n"), E::Extension),
            (format!("o\n1\n{root}\nx\n\ny\n"), E::Extension),
            (format!("o\n1\n{root}\na\tb\n"), E::Extension),
            (format!("o\n1\n{root}\n{}", "x\n".repeat(17)), E::Extension),
            (
                format!("o\n1\n{root}\n{}\n", "x".repeat(EXTENSION_LEN_MAX + 1)),
                E::Extension,
            ),
        ];
        for (body, error) in cases {
            assert_eq!(Checkpoint::parse(&body), Err(error), "{body:?}");
        }
    }

    #[test]
    fn two_or_malformed_state_lines_give_no_state_root() {
        let state = format!("state {}", leaf_hash(b""));
        for lines in [
            vec![state.clone(), state.clone()],
            vec!["state AA==".to_owned()],
            vec!["state".to_owned()],
        ] {
            let checkpoint = Checkpoint::with_extension("o", 1, leaf_hash(b""), lines).unwrap();
            assert_eq!(checkpoint.state_root(), None);
        }
    }

    proptest! {
        #[test]
        fn parse_accepts_only_what_to_body_writes(body in "[a-z \n0-9=+/\\PC]{0,200}") {
            if let Ok(checkpoint) = Checkpoint::parse(&body) {
                prop_assert_eq!(checkpoint.to_body(), body);
            }
        }

        #[test]
        fn a_changed_body_never_reads_as_the_same_checkpoint(at in 0usize..STATE.len(), byte in 0u8..128) {
            let mut bytes = STATE.as_bytes().to_vec();
            *bytes.get_mut(at).unwrap() = byte;
            let body = String::from_utf8(bytes).unwrap();
            if let Ok(checkpoint) = Checkpoint::parse(&body) {
                prop_assert_eq!(checkpoint.to_body(), body);
            }
        }
    }
}
