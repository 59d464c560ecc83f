#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| surehook_fuzz::diagnosis::run(bytes));
