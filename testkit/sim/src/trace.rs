//! The event log: every line goes into one hash; the newest lines are kept, all are printed on
//! request.

use std::collections::VecDeque;
use strongroom_types::{Digest, digest};

/// Lines kept for the report of a failing seed.
const KEPT: usize = 120;

pub(crate) struct Trace {
    last: VecDeque<String>,
    hash: Digest,
    pub(crate) lines: u64,
    print: bool,
}

impl Trace {
    pub(crate) fn new(print: bool) -> Self {
        Self {
            last: VecDeque::new(),
            hash: Digest::default(),
            lines: 0,
            print,
        }
    }

    pub(crate) fn line(&mut self, at_ms: u64, text: &str) {
        self.lines += 1;
        self.hash = digest(
            "strongroom/sim-trace/v1",
            &[&self.hash.0, &at_ms.to_be_bytes(), text.as_bytes()],
        );
        let line = format!("{:>9.3} {text}", at_ms as f64 / 1000.0);
        if self.print {
            eprintln!("{line}");
        }
        self.last.push_back(line);
        if self.last.len() > KEPT {
            self.last.pop_front();
        }
    }

    pub(crate) fn hash(&self) -> Digest {
        self.hash
    }

    pub(crate) fn tail(&self) -> Vec<String> {
        self.last.iter().cloned().collect()
    }
}
