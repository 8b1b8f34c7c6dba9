//! The lists of cases.

/// One test per case of the database port.
#[macro_export]
macro_rules! store_suite {
    ($make:path) => {
        $crate::store_suite! { @cases $make:
            a_dropped_transaction_leaves_nothing,
            a_commit_is_seen_by_the_next_transaction,
            placeholders_go_by_number,
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
