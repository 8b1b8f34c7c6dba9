//! Requests of the operator to a running node: status, stop, a tightening past the writer.

use crate::fatal::NotTaken;
use crate::marks;
use crate::node::SignerNode;
use strongroom_types::{Code, Digest, Refusal, Signed, UnixMs};
use strongroom_wire::frame::{AdminReply, AdminRequest};

impl SignerNode {
    /// Answers a request that the operator makes through this node's administration socket.
    pub fn admin(&mut self, request: AdminRequest, now: UnixMs) -> AdminReply {
        match request {
            AdminRequest::Status => AdminReply::Status(self.status(now)),
            AdminRequest::Stop => self.stop(now),
            AdminRequest::Hand(json) => self.on_tightening(json.trim(), now),
            AdminRequest::Unfreeze(evidence) => self.unfreeze(&evidence, now),
        }
    }

    /// Stops at once, and for every later start too.
    fn stop(&mut self, now: UnixMs) -> AdminReply {
        // Memory is changed first: a disk that fails must not keep the signer in service.
        self.stopped = true;
        tracing::warn!("stopped by the operator");
        match marks::stop_local(self.db.as_ref(), now) {
            Ok(()) => AdminReply::Done,
            Err(error) => {
                self.dead = true;
                AdminReply::Refused(format!(
                    "{}: stopped, but not on disk: {error}",
                    error.code()
                ))
            }
        }
    }

    /// A tightening that the operator hands over, past the writer.
    fn on_tightening(&mut self, json: &str, now: UnixMs) -> AdminReply {
        if let Err(error) = self.check_alive() {
            return AdminReply::Refused(format!("{}: {error}", error.code()));
        }

        let signed = match read_signed(json) {
            Ok(signed) => signed,
            Err(refusal) => return AdminReply::Refused(refusal.to_string()),
        };

        // The journal's own rules verify the act: the operator has no authority over the tenant.
        let taken = self.journal.take_tightening(&signed, now);
        self.reply(taken)
    }

    /// The operator vouches that the line of this node's database is the one that lives.
    fn unfreeze(&mut self, evidence: &Digest, now: UnixMs) -> AdminReply {
        if let Err(error) = self.check_alive() {
            return AdminReply::Refused(format!("{}: {error}", error.code()));
        }

        let lifted = self.journal.unfreeze(evidence, now);
        if lifted.is_ok() {
            tracing::warn!(%evidence, "the operator lifted a freeze, from the next start on");
        }
        self.reply(lifted)
    }

    fn reply(&mut self, result: Result<(), NotTaken>) -> AdminReply {
        match result {
            Ok(()) => AdminReply::Done,
            Err(NotTaken::Refused(refusal)) => AdminReply::Refused(refusal.to_string()),
            Err(NotTaken::Fatal(fatal)) => {
                self.dead = true;
                AdminReply::Refused(format!("{}: {fatal}", fatal.code()))
            }
        }
    }
}

fn read_signed(json: &str) -> Result<Signed, Refusal> {
    Signed::from_json(json).map_err(|e| Refusal::new(Code::Malformed, e))
}
