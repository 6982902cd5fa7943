use super::*;

fn fed(expected: &str, pieces: &[&[u8]]) -> Console {
    let mut console = Console::new(Some(expected), false);
    pieces.iter().for_each(|piece| console.feed(piece, |_| {}));
    console
}

#[test]
fn the_text_is_found_across_every_split() {
    let stream = b"x Hello, Hello, world!";
    for at in 0..stream.len() {
        let console = fed("Hello, world!", &[&stream[..at], &stream[at..]]);
        assert_eq!(console.seen(), Seen::Yes);
    }
}

#[test]
fn similar_texts_do_not_count() {
    for almost in [
        "Hello, world",
        "Hello,world!",
        "hello, world!",
        "Hello, \r\nworld!",
        "Hello, wor\0ld!",
    ] {
        let console = fed("Hello, world!", &[almost.as_bytes()]);
        assert_eq!(console.seen(), Seen::No, "{almost}");
    }
}

#[test]
fn the_text_counts_where_programs_write() {
    const COMMAND_LINE: &str = "[    0.000000] Command line: x -- Hello, world!\r\n";
    const RUN: &str = "[    0.080000] Run /init as init process\r\n";
    for (stream, seen) in [
        (COMMAND_LINE, Seen::Elsewhere),
        ("[    0.000000] Hello, world!", Seen::Elsewhere),
        ("Hello, world!", Seen::Yes),
        (
            "Hello, [    0.300000] random: crng init done\r\nworld!",
            Seen::Yes,
        ),
        // Written before the kernel's first line.
        ("Hello, world!\n[    0.000000] Linux version 6", Seen::Yes),
        (
            "Hello, world!\n[    0.000000] Linux version 6\n",
            Seen::Elsewhere,
        ),
        (
            "Linux version 6\nCommand line: Hello, world!\n",
            Seen::Elsewhere,
        ),
    ] {
        let mut console = fed("Hello, world!", &[stream.as_bytes()]);
        assert_eq!(console.seen(), seen, "{stream}");
        console.feed(format!("\n{RUN}Hello, world!").as_bytes(), |_| {});
        assert_eq!(console.seen(), Seen::Yes, "{stream}");
        let mut anywhere = Console::new(Some("Hello, world!"), true);
        anywhere.feed(stream.as_bytes(), |_| {});
        assert_eq!(anywhere.seen(), Seen::Yes, "{stream}");
    }
}

#[test]
fn the_last_line_is_the_last_that_is_not_blank() {
    assert_eq!(fed("x", &[]).last_line(), None);
    assert_eq!(fed("x", &[b"one\r\n\r\n \n"]).last_line().unwrap(), "one");
    assert_eq!(fed("x", &[b"one\n# "]).last_line().unwrap(), "#");
}

#[test]
fn the_last_lines_of_programs_exclude_the_kernels() {
    let console = fed(
        "x",
        &[
            b"one\ntwo\n\nthr[    0.300000] random: crng init done\r\nee\r\n",
            b"[    0.400000] Run /init as init process\n \x1b[31mfo",
            b"ur\x1b[m",
        ],
    );
    assert_eq!(console.said(), ["two", "three", "four"]);
    let console = fed("x", &[b"SeaBIOS\n[    0.000000] Linux version 6\n"]);
    assert_eq!(console.said(), [""; 0]);
}

#[test]
fn sentences_have_no_control_characters_of_the_guest() {
    let console = fed("x", &[b"\x1b[31mred\x07\0 \xff\n"]);
    assert_eq!(console.last_line().unwrap(), "red \u{fffd}");
    assert!(console.escapes());
    let mut messages = Vec::new();
    Console::new(None, false).feed(
        b"Initramfs unpacking failed: \x1b[31m\xc2\x9b1m\xff\n",
        |message| messages.push(message.to_owned()),
    );
    assert_eq!(messages, ["Initramfs unpacking failed: \u{fffd}"]);
}

#[test]
fn endless_output_is_forgotten() {
    let mut console = fed("end", &[]);
    for _ in 0..10_000 {
        console.feed(&[b'e'; 100], |_| {});
    }
    console.feed(b"Kernel panic - not syncing: late", |_| {});
    assert!(console.line.capacity() <= 2 * LINE);
    assert_eq!(console.unfinished(), "Kernel panic - not syncing: late");
    console.feed(b"\nend", |_| {});
    assert_eq!(console.seen(), Seen::Yes);
}
