//! Looks for bytes that break what `rollcall::fuzzing` asks of "packed".
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| rollcall::fuzzing::ask("packed", bytes));
