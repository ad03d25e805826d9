//! Any text is read or refused; what was read prints as text that reads as the same.
#![no_main]

use datomite::{read, read_all};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = read_all(text);
    let Ok(form) = read(text) else { return };
    let printed = form.to_string();
    let again = read(&printed).unwrap_or_else(|error| panic!("{printed}: {error}"));
    assert_eq!(again.to_string(), printed);
    assert!(again == form, "{printed}");
});
