#![no_main]

#[allow(dead_code)] // The other target's.
#[path = "../properties.rs"]
mod properties;

libfuzzer_sys::fuzz_target!(|image: &[u8]| properties::reader(image));
