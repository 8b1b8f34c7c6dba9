//! The guards, each with the claim that stands or falls with it.

/// Declares the guards: the doc comment of each is its claim, the text after it the test of the
/// ordinary suites that fails without it.
macro_rules! guards {
    ($($(#[doc = $claim:literal])+ $name:ident => $test:literal,)+) => {
        /// A guard, by its name.
        #[derive(Clone, Copy, PartialEq, Eq)]
        pub enum G {
            $($(#[doc = $claim])+ $name,)+
        }

        impl G {
            /// All of them, in the order of their declaration.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// Its name, as `STRONGROOM_GUARD_OFF` takes it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)+
                }
            }

            /// The claim that stands or falls with it.
            #[must_use]
            pub const fn claim(self) -> &'static str {
                match self {
                    $(Self::$name => concat!($($claim),+),)+
                }
            }

            /// The test that fails without it, as `journal/it module::test`; empty: there is none.
            #[must_use]
            pub const fn test(self) -> &'static str {
                match self {
                    $(Self::$name => $test,)+
                }
            }
        }
    };
}

guards! {
    // Installation and genesis.
    /// A node starts only with the genesis whose hash its operator pinned.
    GenesisPin => "journal/it formats::a_genesis_opens_only_under_its_pinned_hash",
    /// The witness quorum of a genesis is the one at which two quorums share an honest witness.
    QuorumSize =>
        "journal/it formats::a_genesis_has_exactly_the_quorum_its_witnesses_and_faults_need",
    /// One signer too few for a signature are never more than the witnesses may be hostile.
    ThresholdWithinF =>
        "journal/it ceremonies::a_ceremony_with_more_hostile_signers_than_the_quorum_bears_is_refused",

    // Freshness: which head a decision rests on.
    /// A head counts only while a quorum cosigned it lately.
    Freshness =>
        "journal/it follower::freshness::a_head_is_fresh_only_while_the_same_quorum_cosigned_lately",
    /// A head counts only where a whole quorum of witnesses stands.
    WitnessQuorum =>
        "journal/it follower::cosignatures::a_head_is_witnessed_by_k_distinct_witnesses_and_not_by_fewer",
    /// A node never acts on a smaller head than one it acted on.
    HeadNeverBack =>
        "journal/it follower::freshness::a_head_that_was_fresh_does_not_go_back_when_a_witness_falls_silent",
    /// A head whose newest entry is old is stale, however lately it was cosigned.
    EntryLag =>
        "journal/it follower::freshness::hole_quiet_journal_whose_newest_entry_is_old_is_stale",
    /// A head that leaves an item waiting for witnessed time too long is stale.
    ItemLag =>
        "journal/it follower::freshness::hole_item_that_waits_for_too_long_makes_the_journal_stale",
    /// A node whose clock is off by more than the skew refuses.
    ClockSkew =>
        "journal/it follower::freshness::a_clock_that_is_faster_than_most_witnesses_refuses",

    // Witnesses.
    /// A witness cosigns no entry that is dated ahead of its clock.
    EntryNotAhead => "journal/it witness::journal_time_is_bounded_by_the_witness_clock",
    /// A witness cosigns no new entry that is dated long before its clock.
    EntryNotOld => "journal/it witness::an_outage_does_not_wedge_the_journal",
    /// A witness cosigns one tree of each size.
    OneTreePerSize => "journal/it witness::two_trees_of_one_size_are_never_cosigned",
    /// Evidence of two histories stops a node over every restart until its operator lifts it.
    DurableFreeze => "signer/it freeze::hole_1_9_a_split_view_is_not_forgotten_at_a_restart",
    /// A node that lost its database, or was given an older one, never cosigns again.
    BootMarker => "replica/it boot::a_disk_put_back_retires_the_key_however_far_it_catches_up",
    /// A node without a marker is new only once.
    InitMarker =>
        "replica/it boot::hole_1_7_a_lost_database_with_a_lost_marker_is_not_a_first_start",
    /// No crash between database and marker retires an honest node.
    TwoStepStart => "replica/it boot::a_crash_while_starting_is_a_restart",
    /// A node that sees a newer cosignature of its own than it stored retires its key.
    OwnNewerCosignature =>
        "journal/it witness::a_cosignature_by_this_witness_above_its_memory_retires_the_key_for_good",
    /// A cosignature leaves a node only after what it covers is stored.
    PersistThenCosign => "journal/it witness::nothing_is_signed_before_it_is_persisted",
    /// Two processes never work on one folder.
    FolderLock =>
        "strongroom-signer/it process::status_stop_and_resume_work_at_the_admin_socket_and_without_it",

    // Witnessed time.
    /// A delay runs from a time that a quorum of witnesses vouches for, not from a stamp.
    DelayFromWitnessed => "journal/it waiting::hole_delay_of_a_back_dated_proposal_is_not_over",
    /// Vouching takes a quorum of distinct witnesses over one head.
    WitnessedQuorum =>
        "journal/it witnessed::hole_fewer_than_a_quorum_of_cosignatures_vouch_for_nothing",
    /// The largest time that the quorum names is the one that counts.
    LargestTime =>
        "journal/it witnessed::hole_the_largest_of_the_times_counts_to_the_end_of_its_second",
    /// No time that witnesses name lies ahead of the entry that carries it.
    WitnessedNotAhead => "journal/it witnessed::hole_a_time_ahead_of_the_entry_is_refused",
    /// A release acts only once it is witnessed itself.
    ReleaseWaits => "journal/it platform::a_platform_release_takes_effect_when_it_is_witnessed",
    /// A payment's lock runs from witnessed time.
    LockFromWitnessed => "journal/it authorized::a_time_lock_runs_from_the_witnessed_authorization",
    /// No share before a payment's lock is over.
    TimeLock => "journal/it share::a_time_lock_holds_the_share_by_the_signers_own_clock",
    /// A payment that waited for its time is counted in the windows of that time.
    CountedInTime =>
        "journal/it holes::far_apart::hole_locked_payments_of_many_windows_do_not_leave_in_one_second",

    // Time at the journal and at the share.
    /// The journal's time never goes back.
    TimeNeverBack => "journal/it order::journal_time_never_goes_back_and_may_stand_still",
    /// No signature after an intent's end.
    IntentExpiry =>
        "journal/it share::an_intent_that_expired_by_the_signers_own_clock_gets_no_share",
    /// No share for an attempt that is dated ahead of the signer's clock.
    AttemptNotAhead =>
        "journal/it share::an_attempt_ahead_of_the_signers_clock_gets_no_share_beyond_the_skew",
    /// No share for an attempt that is older than an attempt may become.
    AttemptLife =>
        "journal/it share::an_attempt_older_than_its_life_gets_no_share_until_the_next_one",

    // Acts of boards and committees.
    /// A loosening needs its board's quorum.
    CommitteeSigns => "journal/it acts::every_act_needs_its_boards_quorum",
    /// A board counts humans, not credentials.
    BoardsCountHumans =>
        "journal/it boards::hole_one_human_with_two_credentials_does_not_make_a_quorum",
    /// Every signature of an act verifies.
    ActSignatures => "journal/it acts::one_bad_signature_among_enough_good_ones_is_refused",
    /// An act counts in the scope it names and in no other.
    ActScope => "journal/it acts::an_act_made_for_another_platform_is_refused",
    /// An act counts once.
    ActOnce => "journal/it acts::an_act_is_used_once",
    /// An act has no effect after its expiry.
    ActExpiry => "journal/it acts::an_expired_act_is_refused",
    /// A loosening is for one version of its scope.
    ScopeVersion => "journal/it acts::a_loosening_changes_exactly_the_version_it_names",
    /// Whether a policy is tighter is computed, never declared.
    Tighter => "journal/it proposals::a_looser_policy_waits_however_it_is_called",
    /// A loosening waits for its delay.
    LooseningDelay => "journal/it proposals::every_loosening_waits_for_its_delay_in_journal_time",
    /// A veto counts as long as a release has not taken effect.
    VetoWhileWaiting => "journal/it waiting::hole_veto_applies_while_a_release_waits",
    /// A wide pause is cut to its bound, and is not lost beside a narrow one.
    PauseCut =>
        "journal/it holes::handed::hole_handed_pause_is_not_displaced_by_an_older_one_of_another_vault",
    /// No board is left with fewer humans than its quorum.
    BoardAble => "journal/it board_changes::hole_a_revocation_leaves_no_board_below_its_quorum",
    /// One public key is one credential and never another.
    KeyOnce => "journal/it boards::hole_one_key_does_not_count_as_two_humans",
    /// Taking an address off a list loosens nothing that a block rule held.
    RemovalNoLoosening =>
        "journal/it holes::removals::hole_leaving_a_group_leads_past_no_stricter_rule",
    /// A vault under a policy that tells vaults apart is made by the committee.
    VaultByCommittee =>
        "journal/it sources::hole_admins_alone_create_no_vault_where_tags_choose_the_rule",
    /// No account of a key belongs to two vaults.
    AccountUnique =>
        "journal/it ceremonies::an_account_of_a_key_and_a_vault_id_belong_to_one_vault",

    // Tightenings: handed, bounded, never in the way.
    /// An act that was handed to a signer binds its shares before the journal has it.
    HandedCounts =>
        "signer/it journal::a_handed_tightening_forbids_at_once_and_silences_the_witness_until_it_is_included",
    /// A witness cosigns nothing while an act that was handed to it is left out for too long.
    HandedDuty =>
        "journal/it witness::a_withheld_tightening_ends_all_cosignatures_until_the_journal_has_it",
    /// A witness refuses a head with a release that a handed veto forbids.
    VetoedRelease =>
        "journal/it holes::handed::hole_handed_veto_is_not_outrun_by_the_release_it_forbids",
    /// An operator stops a signer without anyone else.
    LocalStop =>
        "signer/it admin::a_local_stop_refuses_everything_over_restarts_until_it_is_resumed",
    /// A "no" is bound to the intent and outlives every change of policy.
    Reject => "journal/it holes::no::hole_a_no_made_before_the_policy_changed_still_counts",
    /// Ended intents take a bounded room for each credential.
    KeptRoom =>
        "journal/it quotas::tightenings::so_many_records_of_cancels_are_kept_for_a_credential_and_forgetting_brings_room_back",
    /// Tightenings of one credential come at a bounded rate.
    TighteningsPerMinute =>
        "journal/it quotas::tightenings::a_credential_adds_so_many_tightenings_in_a_minute_of_journal_time",
    /// Cancels, pauses and vetoes void no act that others are signing.
    NoVersionBump => "journal/it waiting::hole_what_one_person_can_sign_makes_no_release_void",
    /// One credential never fills all room for open intents.
    HalfOfOpen =>
        "journal/it holes::quotas::hole_a_clerk_leaves_half_of_the_room_for_open_intents_to_others",
    /// A scope's entries are bounded by the minute.
    EntryQuota => "journal/it quotas::a_tenant_adds_so_many_entries_in_a_minute_of_journal_time",
    /// The items that wait for witnessed time are bounded.
    WaitingMax => "journal/lib apply::waiting::tests::locks_of_all_tenants_leave_half_of_the_room",

    // Intents and approvals.
    /// An intent is its initiator's own signature.
    InitiatorSigns =>
        "journal/it authorized::the_intent_carries_exactly_its_initiators_valid_signature",
    /// An intent counts in its own tenant.
    IntentScope => "journal/it authorized::an_intent_for_another_platform_or_tenant_is_refused",
    /// An intent is authorized once, and an external id names one intent, once.
    ExternalIdOnce => "journal/it authorized::an_external_id_is_used_once",
    /// An approval is its approver's own signature.
    ApprovalSignature =>
        "journal/it approvals::an_approval_carries_exactly_its_approvers_valid_signature",
    /// An approval is for one intent and one decision.
    ApprovalSubject =>
        "journal/it approvals::an_approval_for_another_intent_or_decision_is_refused",
    /// The initiator approves nothing of their own.
    NotInitiator => "journal/it approvals::the_initiator_never_approves_by_whichever_credential",
    /// One human counts once.
    DistinctHumans => "journal/it approvals::one_human_counts_once_also_with_two_credentials",
    /// Only members of a rule's group approve.
    ApproverInGroup => "journal/it approvals::who_is_not_in_the_group_is_not_eligible",
    /// As many approve as the rule asks.
    ApprovalCount => "journal/it approvals::as_many_approvals_are_needed_as_the_decision_says",
    /// Above one of n, one approval is by a key that shows its own words.
    KeyApproval =>
        "journal/it approvals::above_one_of_n_one_approval_is_by_a_credential_of_class_key",
    /// A revoked credential signs nothing.
    CredentialInForce => "journal/it approvals::a_revoked_approver_approves_nothing",
    /// An approval ends at its expiry, also between the entry and the share.
    ApprovalExpiry =>
        "journal/it holes::asked_again::hole_an_approval_that_expired_since_carries_nothing",
    /// An approval holds only while its approver may still give it.
    ApprovalInForce => "journal/it share::a_revoked_approver_ends_what_they_approved",
    /// A lock and an attempt's life fit into an intent's life.
    LockTooLong =>
        "journal/it holes::far_apart::a_payment_whose_lock_outlasts_its_intent_is_refused",

    // Limits.
    /// A window's sum never passes its limit.
    Window => "journal/it velocity::of_two_requests_at_once_only_one_fits",
    /// A payment counts with the whole fee it may cost.
    WorstCase => "journal/it velocity::a_window_takes_its_limit_and_not_one_unit_more",
    /// A window frees what is old, and nothing else frees it.
    WindowsByAge => "journal/it velocity::a_cancel_an_expiry_and_the_way_home_give_nothing_back",
    /// Every further attempt is judged like the first one.
    AttemptAsksAgain =>
        "journal/it holes::asked_again::hole_a_series_held_back_is_limited_by_every_ceiling",
    /// At the head, whatever denies still denies.
    AskedAtHead =>
        "journal/it holes::asked_again::hole_a_destination_that_is_blocked_since_gets_no_share",
    /// A destination that a list vouched for is still on it.
    StillListed => "journal/it share::a_removed_allow_list_entry_ends_what_relied_on_it",
    /// A stop or a pause holds whatever it covers.
    NotHeld => "journal/it share::a_stop_holds_shares",
    /// A vault receives only under a key that is finished and not revoked.
    ReceiverUsable =>
        "journal/it holes::receivers::hole_a_vault_with_a_revoked_key_is_not_a_destination",
    /// A revoked key signs nothing.
    KeyRevoked => "journal/it share::a_revoked_key_signs_nothing",

    // Attempts.
    /// Every attempt of a payment spends the coin of its first one.
    Anchor => "journal/it attempts::every_attempt_spends_the_anchor_of_attempt_1",
    /// A coin is the anchor of one payment.
    AnchorTaken => "journal/it authorized::an_anchor_belongs_to_one_intent",
    /// Another payment's coins are not taken.
    CoinHeld => "journal/it holes::coins::hole_attempt_spends_the_coin_of_another_payment",
    /// Only the newest attempt is signed.
    LastAttempt => "journal/it share::only_the_last_attempt_gets_a_share",
    /// A payment has a bounded number of attempts.
    AttemptsMax => "journal/it attempts::attempts_are_exhausted",
    /// No attempt costs more than the intent's cap.
    FeeCap => "journal/it attempts::no_attempt_costs_more_than_the_cap",
    /// The first attempt leaves half of the cap to those after it.
    FeeHalf => "journal/it authorized::attempt_1_uses_at_most_half_of_the_fee_cap",
    /// A cancel costs no more than its share of the cap.
    CancelFee =>
        "journal/it holes::cancels::hole_cancel_costs_the_cap_of_an_intent_that_never_offered_it",
    /// A payment is cancelled on the chain only after it has ended in the journal.
    CancelOnlyEnded =>
        "journal/it attempts::only_a_cancelled_or_expired_intent_brings_its_anchor_home",
    /// A stop and a pause hold cancels too.
    CancelHeld => "journal/it holes::cancels::hole_cancel_is_signed_under_a_stop_or_a_pause",

    // The signer: this request, this attempt, this transaction.
    /// No share before a quorum witnessed the attempt.
    AttemptWitnessed =>
        "signer/it heads::hole_heads_that_no_witness_has_seen_make_nothing_be_judged_again",
    /// The bytes to be signed are those of the attempt.
    AttemptDigest => "signer/it effects::a_transaction_swapped_after_the_attempt_is_refused",
    /// The decoded effects are those of the intent, and no others.
    Effects =>
        "ports/lib chain::effects::tests::another_amount_recipient_or_number_of_moves_is_refused",
    /// A transaction spends what its attempt declares.
    SpendsAsDeclared =>
        "signer/it effects::an_attempt_that_declares_other_coins_than_it_spends_is_refused",
    /// A transaction's fee is at most what its attempt declares.
    FeeDeclared => "ports/lib chain::effects::tests::a_fee_above_the_attempt_is_refused",
    /// Change goes to the vault's own scripts.
    ChangeOwn => "adapters/chain-bitcoin/it hostile::change_to_another_vault_is_refused",
    /// A path below a key has a bounded index.
    PathBounds =>
        "adapters/chain-bitcoin/it hostile::hole_change_to_an_address_that_is_not_watched_is_not_own",
    /// A request names the key of the payment's vault.
    KeyOfVault =>
        "signer/it packages::a_request_that_is_not_well_formed_is_refused_and_burns_no_nonce",
    /// A prohibition in this signer's log counts before it is witnessed.
    TipCounts =>
        "signer/it journal::a_tightening_in_this_signers_log_counts_before_it_is_witnessed",
    /// A prohibition between head and tip counts, too.
    BetweenCounts => "signer/it heads::a_stop_behind_its_own_resume_counts_at_the_head_in_between",
    /// The rules of a signer's own operator hold whatever the journal says.
    OperatorRules => "signer/it rules::more_than_the_operators_amount_in_one_intent_is_refused",
    /// A signer in quarantine takes part in nothing.
    PeersInService => "journal/it share::a_quarantined_signer_shares_nothing",
    /// A signer believes of its own disk only what the journal committed to.
    ReadBack => "signer/it disk::an_attempt_that_was_edited_on_disk_is_not_believed",
    /// A signer starts only with a state whose root is the one it stored.
    StoreChecked =>
        "journal/it follower::heads::a_restored_replica_refuses_until_a_fresh_head_covers_all_it_had_stored",

    // Ceremonies and keys.
    /// A signer joins a key ceremony only when a committee released it.
    CeremonyReleased => "signer/it ceremony_turns::a_ceremony_whose_proposal_waits_for_witnessed_time_is_not_joined",
    /// A signer joins a key ceremony only under a witnessed head.
    CeremonyWitnessed =>
        "signer/it ceremony::a_released_ceremony_is_joined_only_under_a_witnessed_head",
    /// A run of a ceremony is begun once.
    RunOnce => "signer/it ceremony::a_run_is_never_begun_twice_and_its_certificate_is_given_again",
    /// A message of another run is not taken into this one.
    Session =>
        "mpc-core/it sharp_edges::a_proof_of_knowledge_replays_in_the_library_and_not_in_a_session",
    /// A message that is not the member's own is ignored and blames no one.
    IgnoreNotBlame =>
        "mpc-core/it dkg_hostile::delivery::messages_of_other_sessions_epochs_and_senders_are_ignored_and_abort_nothing",
    /// Every member saw the same first round.
    Echo => "mpc-core/it dkg_hostile::delivery::two_packages_to_two_peers_are_found_by_the_echo",
    /// A polynomial has the degree of the plan.
    Degree => "mpc-core/it dkg_hostile::rounds::a_raised_or_lowered_degree_names_its_sender",
    /// No member has index zero.
    IndexNonZero => "mpc-core/it dkg::bad_parameters_are_refused_before_anything_is_sent",
    /// A chain code's part is the one its member committed to.
    ChainCodeOpening =>
        "mpc-core/it dkg_hostile::rounds::a_chain_code_opening_that_differs_from_its_commitment_names_its_sender",
    /// Each wrapped secret has a nonce of its own.
    WrapNonce => "adapters/keys-software/it wrapping_twice_gives_different_blobs",

    // Signing.
    /// A signing nonce is used once.
    NonceOnce =>
        "mpc-core/it sharp_edges::the_library_reuses_a_nonce_which_gives_the_share_away_and_we_do_not",
    /// A wrong share is found and its signer named.
    SignatureVerified =>
        "mpc-core/it signing_hostile::bad_shares_name_every_liar_and_no_other_signer",

    // Records from the bus.
    /// An envelope is its sender's own signature.
    EnvelopeSignature =>
        "wire/lib envelope::tests::every_flipped_byte_is_refused_and_the_unflipped_record_opens",
    /// A role sends only its own messages.
    SenderRole => "wire/lib envelope::tests::a_sender_of_another_role_is_refused",
    /// A record is for the node it names.
    Recipient => "signer/it records::a_record_for_another_signer_or_without_a_recipient_is_ignored",
    /// A record is void after its deadline.
    Deadline => "signer/it records::a_request_at_its_deadline_is_refused",
    /// A stranger's record is ignored and answered by no one.
    IgnoreInauthentic => "signer/it records::a_request_of_any_other_role_is_ignored",
    /// One meaning has one encoding.
    StrictCodec => "wire/lib codec::tests::what_is_not_written_as_it_was_read_is_refused",
    /// A signature has one verdict everywhere: the strict rule.
    StrictEd25519 =>
        "ed25519/lib tests::a_key_of_small_order_and_bytes_that_encode_none_verify_nothing",
    /// A record's size is bounded.
    RecordSize => "journal/it formats::a_sealed_entry_opens_strictly",
    /// A text's nesting is bounded.
    JsonDepth => "types/lib json::tests::deep_and_long_texts_are_refused",
    /// Held requests are bounded.
    HeldBound => "signer/lib held::tests::no_more_than_so_many_requests_and_bytes_wait",
    /// A signer's stock of nonces is bounded.
    StockBound => "mpc-core/it signing_hostile::the_stock_is_bounded",
    /// Signed refusals come at a bounded rate.
    RefusalRate => "signer/lib refusals::tests::hole_refusals_are_bounded_per_requester_and_second",
    /// Work ahead of the witnessed head is bounded.
    BeyondMax => "signer/it heads::too_many_heads_without_witnesses_are_named_in_the_refusal",
    /// Names hold no hidden characters.
    NoHiddenText =>
        "types/lib text::tests::hole_names_with_characters_that_hide_or_reorder_are_refused",

    // The journal's line.
    /// A checkpoint's state root is the one that the entries give.
    StateRoot =>
        "journal/it follower::batches::a_batch_is_applied_whole_or_not_at_all_and_a_wrong_state_stops_the_replica",
    /// Each service submits only what is its own to submit.
    Submitter => "writer/it service::a_witness_passes_on_tightenings_and_nothing_else",
    /// A writer orders nothing until it knows that the witnesses are not ahead of its database.
    WriterStart =>
        "writer/it start::witnesses_that_know_more_than_the_database_stop_a_start_on_a_new_bus",

    // Clients.
    /// A client signs only what it recomputed from the intent's own text.
    ClientRecomputes => "client/lib check::tests::every_lie_about_a_transaction_is_noticed",
    /// A client shows only destinations that it derived itself.
    DestinationProved => "client/lib client::tests::an_internal_destination_is_taken_from_no_servers_word",
    /// An address is proved for the vault that was asked for.
    ProvedVault =>
        "client/lib proof::tests::hole_the_vault_of_another_tenant_under_the_same_id_is_not_proved",
    /// A proof rests on witnessed entries and on every signer's certificate.
    ClientWitnessed => "client/lib proof::tests::one_witness_too_few_proves_nothing",
}
