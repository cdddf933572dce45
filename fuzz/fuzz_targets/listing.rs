//! Looks for bytes that break what `rollcall::fuzzing` asks of "listing".
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| rollcall::fuzzing::ask("listing", bytes));
