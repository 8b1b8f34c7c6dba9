//! Names of nodes, faults, write points and hostile acts: what the summary counts and the debugger
//! stops at.

use std::fmt;

// A macro, so that a kind without a name, or one that a summary does not list, cannot be.
macro_rules! kinds {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident $text:literal;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        pub enum $name { $($(#[$vdoc])* $variant,)* }

        impl $name {
            /// Every kind, in the order of its declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Stable name in reports.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

kinds! {
    /// A node of the simulated installation, services first: [`Self::at`] is also their index among
    /// the services.
    NodeName {
        /// Journal writer.
        Writer "writer";
        /// Approvals service.
        Approvals "approvals";
        /// Transactions service.
        Transactions "transactions";
        /// Coordinator.
        Coordinator "coordinator";
        /// The API, without its HTTP server.
        Api "api";
        /// Signer 1.
        Signer1 "signer_1";
        /// Signer 2.
        Signer2 "signer_2";
        /// Signer 3.
        Signer3 "signer_3";
        /// The independent witness.
        Witness "witness";
    }
}

impl NodeName {
    /// The services.
    pub const SERVICES: [Self; 5] = [
        Self::Writer,
        Self::Approvals,
        Self::Transactions,
        Self::Coordinator,
        Self::Api,
    ];
    /// The signers, in the order of their roster indexes.
    pub const SIGNERS: [Self; 3] = [Self::Signer1, Self::Signer2, Self::Signer3];
    /// Signers and the witness, in the order of their seats.
    pub const SEATS: [Self; 4] = [Self::Signer1, Self::Signer2, Self::Signer3, Self::Witness];

    /// Place in [`Self::ALL`].
    #[must_use]
    pub const fn at(self) -> usize {
        self as usize
    }

    /// Number of the seat, from 1: the roster index of a signer, 4 for the witness; 0 for a
    /// service.
    #[must_use]
    pub const fn seat(self) -> u16 {
        match self {
            Self::Signer1 => 1,
            Self::Signer2 => 2,
            Self::Signer3 => 3,
            Self::Witness => 4,
            Self::Writer | Self::Approvals | Self::Transactions | Self::Coordinator | Self::Api => {
                0
            }
        }
    }
}

kinds! {
    /// A fault of the surroundings.
    Fault {
        /// A consumer gets nothing of a topic for a while; later everything.
        BusDrop "bus_drop";
        /// A record is twice in the log.
        BusDuplicate "bus_duplicate";
        /// A record is overtaken by records of other keys.
        BusReorder "bus_reorder";
        /// A record arrives late.
        BusDelay "bus_delay";
        /// Old records appear again.
        BusReplay "bus_replay";
        /// A copy with a flipped bit appears beside the record.
        BusFlip "bus_flip";
        /// A publish is refused: the queue is full.
        BusFull "bus_full";
        /// A publish fails with unknown outcome: it happened, or not.
        BusUnknown "bus_unknown";
        /// A connection between bus and signer is lost; frames are sent again from the positions.
        LinkDrop "link_drop";
        /// A frame arrives twice.
        LinkDuplicate "link_duplicate";
        /// A frame arrives late, and all behind it.
        LinkDelay "link_delay";
        /// A frame arrives with a flipped bit, then as it was.
        LinkFlip "link_flip";
        /// The chain's node refuses a broadcast that it takes later.
        NodeRejects "node_rejects";
        /// A node reaches no other for a while.
        Partition "partition";
        /// A signer sees no entry and no cosignature for a while, but all requests.
        JournalHidden "journal_hidden";
        /// A process dies between two steps.
        Kill "kill";
        /// A disk is full for a while: commits fail.
        DiskFull "disk_full";
        /// A service's disk is put back.
        ServiceRestored "service_restored";
        /// The writer's disk is put back: it must not order on.
        WriterRestored "writer_restored";
        /// A signer's or witness's disk is put back: its key must retire.
        WitnessRestored "witness_restored";
        /// A signer's or witness's database and marker are lost together: its key must retire.
        WitnessLost "witness_lost";
        /// An honest clock jumps within the skew.
        ClockJump "clock_jump";
        /// A node's clock is wrong by ten minutes for a while.
        ClockOff "clock_off";
        /// The operator stops a signer for a while.
        LocalStop "local_stop";
    }
}

kinds! {
    /// Where a process dies in the middle of a step.
    WritePoint {
        /// Stage: everything written, nothing committed.
        StageBeforeCommit "stage_before_commit";
        /// Stage: committed, nothing published.
        StageAfterCommit "stage_after_commit";
        /// Stage: published, the outbox still full.
        StageAfterPublish "stage_after_publish";
        /// API: a request is checked, nothing is stored.
        RequestBeforeCommit "request_before_commit";
        /// API: a request is stored, nothing is published, the client is not told.
        RequestAfterCommit "request_after_commit";
        /// API: a request is published, the client is not told.
        RequestAfterPublish "request_after_publish";
        /// Signer: at a commit that does not happen.
        SignerBeforeCommit "signer_before_commit";
        /// Signer: a commit happened, nothing of the call left the process: persisted, cosignature
        /// lost.
        SignerAfterCommit "signer_after_commit";
        /// Signer: shares or cosignature computed, not (all) sent.
        SignerBeforeSend "signer_before_send";
        /// Signer: everything sent, the link's position not moved.
        SignerAfterSend "signer_after_send";
        /// Signer: while starting.
        SignerAtStart "signer_at_start";
    }
}

kinds! {
    /// What a hostile part does, each with its service's own valid key.
    Hostile {
        /// The coordinator asks for another transaction than the attempt's.
        SwapTransaction "swap_transaction";
        /// The coordinator sends old requests again.
        ReplayRequests "replay_requests";
        /// The coordinator asks two quorums for one intent.
        TwoQuorums "two_quorums";
        /// The coordinator uses a commitment for a second package.
        ReuseNonce "reuse_nonce";
        /// The coordinator starts a ceremony that no committee released.
        UnapprovedCeremony "unapproved_ceremony";
        /// The transactions service opens an attempt that pays an address the intent does not name.
        PayStranger "pay_stranger";
        /// The transactions service opens an attempt whose change goes elsewhere.
        ForeignChange "foreign_change";
        /// The transactions service offers a further attempt on another anchor.
        OtherAnchor "other_anchor";
        /// The writer leaves a tightening out; it is handed to signers directly.
        WithholdTightening "withhold_tightening";
        /// The writer signs a second line and shows it to one signer.
        ForkedLog "forked_log";
        /// The writer stamps entries with the oldest time that it can: the last entry's.
        BackDate "back_date";
        /// The writer stamps entries as far ahead as witnesses take.
        RunAhead "run_ahead";
        /// The writer appends nothing for a while, then everything.
        GoQuiet "go_quiet";
        /// The writer makes no `witnessed` entry for a while.
        HoldWitnessed "hold_witnessed";
        /// The writer makes `witnessed` entries of the latest cosignatures that there are.
        LateCosignatures "late_cosignatures";
        /// A witness's key vouches for any time, in `witnessed` entries.
        LyingWitness "lying_witness";
        /// Further attempts are opened, early and late, and signers are asked for them.
        OpenAttempts "open_attempts";
        /// Further attempts of one intent are opened that spend the coins of another one.
        TakeCoins "take_coins";
    }
}

kinds! {
    /// A step of founding the installation, once the journal shows it.
    Milestone {
        /// The tenant exists.
        TenantCreated "tenant_created";
        /// The committee proposed the key's ceremony.
        KeyProposed "key_proposed";
        /// The committee released it.
        KeyReleased "key_released";
        /// Every signer certified the key.
        KeyFinished "key_finished";
        /// The vault exists.
        VaultCreated "vault_created";
        /// The vault has coins: the workload begins.
        Ready "ready";
    }
}

kinds! {
    /// Something that a rule of time is for, as the observer reads it from entries and shares.
    Situation {
        /// A release took effect when witnesses vouched for it.
        ReleaseInForce "release_in_force";
        /// A release was void: a tightening came after it.
        ReleaseUndone "release_undone";
        /// A proposal was vetoed while its release waited.
        ReleaseVetoed "release_vetoed";
        /// A resume took effect when witnesses vouched for it.
        ResumeInForce "resume_in_force";
        /// One `witnessed` entry covers several items.
        SeveralWitnessed "several_witnessed";
        /// A share was released for a payment whose lock had ended.
        LockEnded "lock_ended";
        /// A share was released for a payment that a looser policy decided.
        LooserPolicyUsed "looser_policy_used";
        /// A share was released for a further attempt.
        FurtherAttempt "further_attempt";
        /// A share was released for a payment into another vault of the tenant.
        VaultPaid "vault_paid";
        /// An entry is stamped more than the skew before the moment at which it is published; it
        /// counts where the writer was told to do that.
        OldStamp "old_stamp";
    }
}
