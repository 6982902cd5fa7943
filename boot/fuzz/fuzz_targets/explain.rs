//! Any bytes are judged, and a log that is cut after a failed boot is never that of a good one.
#![no_main]

use boot::explain::Boot;
use boot::explain::read::read;
use boot::explain::show;
use boot::verdict::Verdict;
use boot::verdict::judge::Goal;

fn explain(log: &[u8]) -> Option<Vec<Boot>> {
    read(log, Goal::default()).ok()
}

libfuzzer_sys::fuzz_target!(|log: &[u8]| {
    let Some(boots) = explain(log) else { return };
    assert!(!show::text("log", &boots, None).contains('\x1b'));
    show::json("log", &boots, None);
    let mut next = 1;
    for boot in &boots {
        assert_eq!(boot.first, next);
        assert!(boot.last >= boot.first);
        next = boot.last + 1;
    }
    // A harmless message in front of all changes no exit code, unless there is little text else.
    let longer = [b"[    9.876543] usb 1-1: new device found\n", log].concat();
    let is_text = boots.iter().all(|boot| boot.verdict != Verdict::Garbage);
    if is_text && !log.starts_with(b"\x1f\x8b") {
        let codes = explain(&longer).map(|boots| show::exit_code(&boots));
        assert_eq!(codes, Some(show::exit_code(&boots)));
    }
});
