//! Status text for the operator: one `name: value` per line.

use crate::node::SignerNode;
use std::fmt::Write as _;
use strongroom_types::UnixMs;
use strongroom_types::words::words;

impl SignerNode {
    pub(crate) fn status(&self, now: UnixMs) -> String {
        let follower = self.journal.follower();
        // The text shows numbers only: which keys a signer holds concerns its tenants alone.
        let (active, candidates) = self.keys.counts();
        let fresh = match follower.fresh(now) {
            Ok(head) => format!("yes, up to {}", head.size),
            Err(refusal) => format!("no: {refusal}"),
        };
        let role = self
            .identity
            .index
            .map_or("witness".to_owned(), |index| format!("signer {index}"));
        let or_none = |refusal: Option<&strongroom_types::Refusal>| {
            refusal.map_or_else(|| "no".to_owned(), ToString::to_string)
        };

        let frozen = self.journal.frozen();
        let lines: [(&str, String); 21] = [
            ("node", self.identity.node.to_string()),
            ("role", role),
            ("genesis", self.identity.hash.to_string()),
            ("genesis_words", words(&self.identity.hash).join(" ")),
            ("tip", follower.size().to_string()),
            ("tip_at_ms", follower.tip().at.to_string()),
            ("witnessed", follower.witnessed().to_string()),
            ("fresh", fresh),
            ("cosigned", self.journal.cosigned().to_string()),
            ("silent", or_none(self.journal.silent())),
            ("floor", self.floor.start().to_string()),
            ("acted_under", self.floor.acted().to_string()),
            ("keys_active", active.to_string()),
            ("keys_candidate", candidates.to_string()),
            ("ceremonies", self.ceremonies.len().to_string()),
            ("held", self.held.len().to_string()),
            ("tightenings_owed", self.journal.owed().count().to_string()),
            ("stopped", yes_no(self.stopped)),
            ("retired", yes_no(self.is_retired())),
            ("halted", or_none(self.halted())),
            (
                "frozen",
                frozen.map_or_else(|| "no".to_owned(), |digest| digest.to_string()),
            ),
        ];

        let mut text = String::new();
        for (name, value) in lines {
            let _ = writeln!(text, "{name}: {value}");
        }
        let _ = writeln!(text, "asked: {}", self.asked);
        let _ = writeln!(text, "shared: {}", self.shared);
        let _ = writeln!(text, "ignored: {}", self.ignored);
        let _ = writeln!(text, "unanswered: {}", self.unanswered);
        let _ = writeln!(text, "commits: {}", self.db.commits());
        // Each line names the act's digest: a person looks up under it what they handed over, also
        // after its end.
        for owed in self.journal.owed() {
            let _ = writeln!(
                text,
                "tightening_{}: owed since {}",
                owed.digest, owed.since
            );
        }
        for ended in self.journal.ended() {
            let _ = writeln!(text, "tightening_{}: {ended}", ended.digest);
        }
        for (code, count) in &self.refused {
            let _ = writeln!(text, "refused_{code}: {count}");
        }
        text
    }
}

fn yes_no(value: bool) -> String {
    if value { "yes" } else { "no" }.to_owned()
}
