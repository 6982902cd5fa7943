//! What PID 1 says, on the console that the kernel has opened for it.

use crate::system::write;

/// Writes a line. What cannot be written is lost: there is nobody to tell.
pub fn say(text: &str, number: u32) {
    say_words(&[text], number);
}

/// Writes a line of several words, or groups of them, and a number.
pub fn say_words(words: &[&str], number: u32) {
    write(b"supervisor: ");
    for word in words {
        write(word.as_bytes());
        write(b" ");
    }
    say_number(number);
    write(b"\n");
}

fn say_number(number: u32) {
    if number >= 10 {
        say_number(number / 10);
    }
    write(&[b'0' + (number % 10) as u8]);
}
