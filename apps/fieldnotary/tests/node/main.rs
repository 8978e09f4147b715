//! Whole nodes, collectors and the command line under test, in one program: what is shared is built and linked once.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests may fail as tests do"
)]

mod backfill;
mod bench;
mod catalogue_cases;
mod common;
mod journal_harms;

mod answered;
mod bad_input;
mod bad_keys;
mod booted;
mod burst;
mod bus;
mod bus_mbus;
mod bus_watch;
mod bus_watch_node;
mod calibrations;
mod catalogue;
mod clock_set;
mod collector_killed;
mod command_line;
mod containment;
mod containment_latency;
mod damaged_cures;
mod damaged_words;
mod decode;
mod decode_values;
mod demo;
mod enrolment;
mod false_signer;
mod firmware;
mod firmware_met;
mod first_steps;
mod gaps;
mod hints;
mod hook;
mod journal_budget;
mod journal_export;
mod journal_goldens;
mod journal_tools;
mod kept;
mod keys_in_tpm;
mod line_faults;
mod manners;
mod markers;
mod mbus_node;
mod mbus_tcp;
mod memory_peer;
mod meter_life;
mod modems;
mod one_directory;
mod opaque;
mod outputs;
mod overload;
mod own_signer;
mod polls;
mod reading_verbs;
mod reasons;
mod remote_io;
mod replacement;
mod restarts;
mod ring_files;
mod ring_full;
mod rollback;
mod rollback_alone;
mod rotation;
mod rotation_away;
mod rotation_cut;
mod sign_off_points;
mod site;
mod stamps;
mod station_points;
mod street_points;
mod surroundings;
mod syslog;
mod tamper;
mod tamper_collector;
mod tamper_files;
mod threat_model;
mod time;
mod time_node;
mod time_offered;
mod tpm_cleared;
mod truth_stores;
mod typed_polls;
mod unplugged;
mod uplink_words;
mod verify_words;
mod without_us;
