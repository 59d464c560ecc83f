//! One suite over every dedup store, on real servers.
#![cfg(unix)]
#![allow(clippy::unwrap_used, unreachable_pub, reason = "a test may panic, and its modules are its own")]

mod behaviour;
mod bench;
mod cluster;
mod crash;
mod extremes;
mod faults;
mod held;
mod model;
mod proxy;
mod refusals;
mod senders;
mod sentinel;
mod servers;
#[path = "../support/mod.rs"]
mod support;
mod tls;
mod unwritable;

/// The tests of one store; each has a name, e.g. `redis::concurrent_duplicates_run_once`.
macro_rules! suite {
    ($store:ident: $cases:literal, [$($fault:ident)*] $($behaviour:ident)*) => {
        mod $store {
            #[test]
            fn decides_as_the_model() {
                let Some(bench) = crate::bench::$store() else { return };
                crate::model::decides_as_the_model(&bench, $cases);
            }

            $(#[test]
            fn $behaviour() {
                let Some(bench) = crate::bench::$store() else { return };
                crate::behaviour::$behaviour(&bench);
            })*

            #[test]
            fn other_secrets_are_another_sender() {
                let Some(bench) = crate::bench::$store() else { return };
                crate::senders::other_secrets_are_another_sender(&bench);
            }

            #[test]
            fn no_message_runs_twice_in_a_rotation() {
                let Some(bench) = crate::bench::$store() else { return };
                crate::senders::no_message_runs_twice_in_a_rotation(&bench);
            }

            #[test]
            fn a_record_that_was_lost_is_written_back() {
                let Some(bench) = crate::bench::$store() else { return };
                crate::senders::a_record_that_was_lost_is_written_back(&bench);
            }

            #[test]
            fn a_record_that_cannot_be_read_is_a_store_that_is_down() {
                let Some(bench) = crate::bench::$store() else { return };
                crate::senders::a_record_that_cannot_be_read_is_a_store_that_is_down(&bench);
            }

            $(#[test]
            fn $fault() {
                let Some(bench) = crate::bench::$store() else { return };
                crate::faults::$fault(&bench);
            })*
        }
    };
}

macro_rules! every_store {
    ($($store:ident: $cases:literal, [$($fault:ident)*], [$($more:ident)*];)*) => {
        $(suite!($store: $cases, [$($fault)*] concurrent_duplicates_run_once shuffled_duplicates_run_once_each replays_are_equal
            failed_messages_run_again a_stopped_owner_is_fenced a_fenced_answer_is_counted_once forged_requests_touch_nothing
            waiting_duplicates_get_the_answer only_so_many_wait clocks_may_jump large_and_streamed_answers_are_handled
            $($more)*);)*
    };
}

every_store! {
    memory: 500, [], [];
    sqlite: 200, [], [leases_are_renewed operators_can_look_and_forget killed_owners_lose_nothing processes_share_the_work];
    redis: 100, [a_failing_store_is_answered_for a_claim_whose_reply_was_lost_is_given_back an_answer_outlives_a_short_failure
        a_failing_store_can_be_ignored partitions_lose_nothing a_connection_is_made_again_in_few_exchanges
        one_unreadable_message_is_no_failing_store],
        [leases_are_renewed operators_can_look_and_forget killed_owners_lose_nothing processes_share_the_work];
    redis_cluster: 50, [], [leases_are_renewed operators_can_look_and_forget killed_owners_lose_nothing processes_share_the_work];
    postgres: 60, [a_failing_store_is_answered_for a_claim_whose_reply_was_lost_is_given_back an_answer_outlives_a_short_failure
        a_failing_store_can_be_ignored partitions_lose_nothing a_connection_is_made_again_in_few_exchanges
        one_unreadable_message_is_no_failing_store],
        [leases_are_renewed operators_can_look_and_forget killed_owners_lose_nothing processes_share_the_work];
}
