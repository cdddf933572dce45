//! Looks for bytes that break what `rollcall::fuzzing` asks of "nights".
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| rollcall::fuzzing::ask("nights", bytes));
