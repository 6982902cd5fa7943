use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt};
use std::path::PathBuf;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use agent::protocol::{SEGMENT, Segment};

use super::*;
use crate::machine::user_mode::SHARED_MEMORY;

const LONG: Duration = Duration::from_secs(30);

/// A stream of the host: boot's file, and the other end.
fn stream() -> (File, UnixStream) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    (File::from(OwnedFd::from(ours)), theirs)
}

fn frame(kind: u8, number: u8, payload: &[u8]) -> Vec<u8> {
    [&header(kind, number, payload.len()), payload].concat()
}

fn credit_frame(credit: u32) -> Vec<u8> {
    frame(CREDIT, 0, &credit.to_le_bytes())
}

#[test]
fn no_more_is_sent_than_the_agent_has_room_for() {
    let (input, mut user) = stream();
    let (stdout, mut reader) = stream();
    let (stderr, no_reader) = stream();
    drop(no_reader);
    let (tell, events) = channel();
    let streams = Streams {
        is_terminal: false,
        input,
        outputs: [stream().0, stdout, stderr],
    };
    let tell: Tell = Arc::new(move |event| tell.send(event).unwrap_or(()));
    let (_channel, agent) = Channel::open(vec![7; 10], HEADER + 6, None, streams, tell).unwrap();
    let mut agent = UnixStream::from(agent);
    agent.set_read_timeout(Some(LONG)).unwrap();
    user.write_all(b"abcdefgh").unwrap();

    agent.write_all(&frame(HELLO, 0, GREETING)).unwrap();
    assert_eq!(events.recv_timeout(LONG), Ok(Event::Ready));
    assert_eq!(
        read_frame(&mut agent).unwrap(),
        (START, 0, vec![10, 0, 0, 0])
    );
    assert_eq!(read_frame(&mut agent).unwrap(), (STEPS, 0, vec![7; 6]));
    agent.write_all(&credit_frame(6)).unwrap();
    assert_eq!(read_frame(&mut agent).unwrap(), (STEPS, 0, vec![7; 4]));
    for (credit, data) in [(4, &b"abcdef"[..]), (6, b"gh")] {
        agent.write_all(&credit_frame(credit)).unwrap();
        assert_eq!(read_frame(&mut agent).unwrap(), (DATA, 0, data.to_vec()));
    }
    agent.write_all(&credit_frame(2)).unwrap();
    drop(user);
    assert_eq!(read_frame(&mut agent).unwrap(), (CLOSE, 0, vec![]));

    // Nobody reads stderr. Credit for stdout comes for a quarter of the window at a time.
    agent.write_all(&frame(DATA, 2, b"x")).unwrap();
    assert_eq!(read_frame(&mut agent).unwrap(), (CLOSE, 2, vec![]));
    agent.write_all(&frame(DATA, 1, &[b'y'; PAYLOAD])).unwrap();
    let mut output = vec![0; PAYLOAD];
    reader.read_exact(&mut output).unwrap();
    assert!(output.iter().all(|byte| *byte == b'y'));
    let credit = (PAYLOAD as u32).to_le_bytes().to_vec();
    assert_eq!(read_frame(&mut agent).unwrap(), (CREDIT, 1, credit));

    // The end comes after the last output.
    agent.write_all(&frame(DATA, 1, b"last")).unwrap();
    agent
        .write_all(&frame(EXITED, 0, &(7_u32 << 8).to_le_bytes()))
        .unwrap();
    let told: Vec<_> = events.iter().take(5).collect();
    let wrote = Event::Wrote;
    assert_eq!(
        told,
        [wrote, wrote, wrote, Event::Ended(7 << 8), Event::Closed]
    );
    let mut output = String::new();
    reader.read_to_string(&mut output).unwrap();
    assert_eq!(output, "last");
}

/// Waits until `is_true`.
fn wait_until(is_true: impl Fn() -> bool) {
    let started = Instant::now();
    while !is_true() {
        assert!(started.elapsed() < LONG);
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn large_input_goes_through_a_file() {
    for can_open in [true, false] {
        let (input, mut user) = stream();
        let streams = Streams {
            is_terminal: false,
            input,
            outputs: [stream().0, stream().0, stream().0],
        };
        let directory = Path::new(SHARED_MEMORY);
        let (_channel, agent) =
            Channel::open(vec![], 100, Some(directory), streams, Arc::new(|_| ())).unwrap();
        let mut agent = UnixStream::from(agent);
        agent.set_read_timeout(Some(LONG)).unwrap();
        user.write_all(&[b'x'; 1000]).unwrap();
        agent.write_all(&frame(HELLO, 0, GREETING)).unwrap();
        assert_eq!(read_frame(&mut agent).unwrap().0, START);
        let in_device = 100 - HEADER;
        assert_eq!(
            read_frame(&mut agent).unwrap(),
            (DATA, 0, vec![b'x'; in_device])
        );
        let (kind, _, names) = read_frame(&mut agent).unwrap();
        assert_eq!(kind, FILE);
        let names = String::from_utf8(names).unwrap();
        let names: PathBuf = names.split_terminator('\0').collect();
        let file = File::open(&names).unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);

        agent
            .write_all(&frame(FILE, u8::from(can_open), &[]))
            .unwrap();
        wait_until(|| !names.exists());
        agent.write_all(&credit_frame(in_device as u32)).unwrap();
        let next = read_frame(&mut agent).unwrap();
        if !can_open {
            assert_eq!(next, (DATA, 0, vec![b'x'; in_device]));
            continue;
        }
        let segment = Segment {
            number: 0,
            length: 1000 - in_device,
        };
        assert_eq!(next, (SEGMENT, 0, segment.encode().to_vec()));
        let mut data = vec![0; segment.length];
        file.read_exact_at(&mut data, segment.place()).unwrap();
        assert!(data.iter().all(|byte| *byte == b'x'));
        // The memory is free when the agent has passed the data on, and all of it at the end.
        agent
            .write_all(&credit_frame(segment.length as u32))
            .unwrap();
        wait_until(|| file.metadata().unwrap().blocks() == 0);
        drop(user);
        assert_eq!(read_frame(&mut agent).unwrap(), (CLOSE, 0, vec![]));
    }
}

#[test]
fn another_program_than_the_agent_is_foreign() {
    let (tell, events) = channel();
    let streams = Streams {
        is_terminal: false,
        input: stream().0,
        outputs: [stream().0, stream().0, stream().0],
    };
    let tell: Tell = Arc::new(move |event| tell.send(event).unwrap_or(()));
    let (channel, agent) = Channel::open(vec![], 9, None, streams, tell).unwrap();
    let mut agent = UnixStream::from(agent);
    agent
        .write_all(&frame(HELLO, 0, b"another agent 9"))
        .unwrap();
    assert_eq!(events.recv_timeout(LONG), Ok(Event::Foreign));
    assert_eq!(events.recv_timeout(LONG), Ok(Event::Closed));
    drop(channel);
    assert_eq!(
        events.recv_timeout(LONG),
        Err(RecvTimeoutError::Disconnected)
    );
}
