//! The lists of cases.

/// One test per case of the database port.
#[macro_export]
macro_rules! store_suite {
    ($make:path) => {
        $crate::store_suite! { @cases $make:
            a_dropped_transaction_leaves_nothing,
            a_commit_is_seen_by_the_next_transaction,
            arguments_go_by_number,
            values_come_back_exactly,
            nulls_are_typed_and_come_back,
            text_is_compared_by_bytes_and_nulls_sort_where_told,
            text_with_nul_is_refused,
            a_failed_statement_poisons_the_transaction,
            bad_text_poisons_the_transaction,
            a_wrong_number_of_values_is_an_error,
            constraints_are_reported_as_such,
            a_column_refuses_another_type,
            nested_transactions_are_refused,
            at_most_one_row_means_it,
            sums_are_cast,
            bulk_returns_exactly_the_new_keys,
            bulk_takes_any_number_of_rows,
            a_folded_upsert_counts_every_row_once,
            a_limit_is_kept_by_a_conditional_update,
            opposite_lock_order_is_run_again_and_succeeds,
            uncommitted_changes_are_invisible_to_others,
            identities_ascend,
            rows_changed_are_counted,
            commits_that_change_something_are_counted,
            migrations_run_once,
            a_newer_database_is_refused,
            an_edited_migration_is_refused,
            a_failing_migration_leaves_nothing,
            components_share_a_database,
        }
    };
    (@cases $make:path: $($case:ident),* $(,)?) => {
        $(#[test]
        fn $case() {
            let (db, _keep) = $make();
            $crate::store::$case(&db);
        })*
    };
}

/// One test per case of the bus port.
#[macro_export]
macro_rules! bus_suite {
    ($make:path) => {
        $crate::bus_suite! { @cases $make:
            records_come_back_whole,
            one_key_keeps_its_order,
            offsets_are_dense_and_a_batch_stays_in_order,
            the_same_position_gives_the_same_records_again,
            consumers_are_independent,
            an_unknown_topic_begins_at_zero,
            a_position_beyond_the_end_is_an_error,
            a_position_before_the_oldest_record_is_an_error,
            a_position_of_another_log_is_an_error,
            an_oversize_record_is_refused_with_its_size,
            published_records_survive_reopening,
            duplicates_are_delivered_not_merged,
            many_publishers_lose_nothing,
            a_waiting_consumer_is_woken,
            an_empty_fetch_times_out_empty,
            a_busy_topic_does_not_starve_a_quiet_one,
            a_closed_bus_refuses_everything,
            syncs_are_counted,
        }
    };
    (@cases $make:path: $($case:ident),* $(,)?) => {
        $(#[test]
        fn $case() {
            $crate::bus::$case(&mut $make());
        })*
    };
}

/// One test per case of the key protector port.
#[macro_export]
macro_rules! keys_suite {
    ($make:path) => {
        $crate::keys_suite! { @cases $make:
            what_was_wrapped_unwraps,
            another_aad_is_an_integrity_failure,
            any_flipped_bit_is_an_integrity_failure,
            a_truncated_or_longer_blob_is_an_integrity_failure,
            another_key_is_an_integrity_failure,
            wrapping_twice_gives_different_blobs,
            the_blob_does_not_show_the_secret,
        }
    };
    (@cases $make:path: $($case:ident),* $(,)?) => {
        $(#[test]
        fn $case() {
            let (protector, other, _keep) = $make();
            $crate::keys::$case(&protector, &other);
        })*
    };
}

/// One test per case of the chain codec port.
#[macro_export]
macro_rules! chain_suite {
    ($make:path) => {
        $crate::chain_suite! { @cases $make:
            addresses: an_address_is_accepted_in_one_text_form_only,
            addresses: other_networks_and_wrong_texts_are_refused,
            addresses: a_changed_character_is_refused,
            addresses: own_addresses_are_addresses_and_differ,
            addresses: paths_out_of_bounds_are_refused,
            addresses: keys_of_other_schemes_and_broken_keys_have_no_address,
            intents: an_intent_becomes_its_moves,
            intents: another_vault_is_paid_at_its_receive_address,
            intents: other_chains_and_assets_are_refused,
            intents: wrong_destinations_are_refused,
            intents: the_largest_amounts_never_overflow,
            facts: impossible_facts_are_refused,
            facts: amounts_up_to_256_bits_never_panic,
            facts: an_empty_vault_pays_nothing,
            facts: more_than_the_vault_holds_is_refused,
            facts: a_view_that_is_not_this_codecs_is_refused,
            facts: a_damaged_view_changes_no_payment,
            building: what_is_built_is_what_was_planned,
            building: the_same_arguments_give_the_same_answer,
            building: a_fee_above_the_plan_is_refused,
            building: plans_that_cannot_be_built_are_refused,
            building: taken_conflict_keys_are_not_used_again,
            building: a_replacement_uses_up_the_anchor_and_adds_no_recipient,
            building: a_replacement_without_the_anchor_is_refused,
            building: a_replacement_that_pays_otherwise_is_refused,
            building: a_replacement_of_damaged_bytes_is_refused,
            reading: arbitrary_bytes_are_refused,
            reading: truncated_and_extended_forms_are_refused,
            reading: a_changed_form_is_refused_or_asks_for_other_signatures,
            reading: a_form_of_another_vault_is_refused,
            signing: signed_bytes_are_proved_and_named,
            signing: wrong_signatures_are_refused,
            signing: changed_signed_bytes_are_refused,
            signing: signed_bytes_of_another_transaction_are_refused,
        }
    };
    (@cases $make:path: $($file:ident: $case:ident),* $(,)?) => {
        $(#[test]
        fn $case() {
            $crate::chain::$file::$case(&$make());
        })*
    };
}
