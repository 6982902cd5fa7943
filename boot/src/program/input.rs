//! What boot sends the agent: the steps, and then the program's stdin. No more than the agent has room for.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::{Condvar, Mutex, PoisonError};

use agent::protocol::{CLOSE, DATA, FILE, PAYLOAD, SEGMENT, Segment, WINDOW};

use crate::program::channel::{Channel, Escapes, Event, Tell, lock};
use crate::program::segments::Segments;
use crate::program::window::Window;
use crate::streams::Patient;

/// A piece of input that is no longer than this goes through the channel itself: that takes less time than a segment.
const SMALL: usize = 256;

/// The input of an agent.
#[derive(Debug)]
pub(super) struct Input {
    state: Mutex<State>,
    more_room: Condvar,
}

#[derive(Debug)]
struct State {
    window: Window,
    /// Where to make the file for segments, until it is made.
    directory: Option<&'static Path>,
    segments: Option<Segments>,
    /// Whether the agent wants no more.
    ended: bool,
}

impl Input {
    /// Nothing is sent yet. `device` is the number of bytes that the channel's device holds. If there is a `directory`,
    /// boot may make the file for segments there.
    pub(super) fn new(device: usize, directory: Option<&'static Path>) -> Input {
        Input {
            state: Mutex::new(State {
                window: Window::new(device),
                directory,
                segments: None,
                ended: false,
            }),
            more_room: Condvar::new(),
        }
    }

    /// Passes `input` to the agent, to its end.
    pub(super) fn pass(&self, channel: &Channel, input: File, is_terminal: bool, tell: &Tell) {
        let mut input = Patient(input);
        let mut buffer = vec![0; WINDOW];
        let mut escapes = Escapes::default();
        loop {
            let Some(room) = self.wait_for_room(channel, !is_terminal) else {
                return;
            };
            match input.read(&mut buffer[..room]) {
                Ok(length @ 1..) => {
                    if is_terminal && escapes.complete(&buffer[..length]) {
                        return tell(Event::Escaped);
                    }
                    self.send_input(channel, &buffer[..length]);
                }
                // A stdin that cannot be read, such as a directory, is an empty one.
                Ok(_) | Err(_) => return channel.send(CLOSE, 0, &[]),
            }
        }
    }

    /// Waits until input can be sent: how many bytes. Nothing if the agent wants no more. If there is no room,
    /// and `may_offer`, offers the agent a file once.
    fn wait_for_room(&self, channel: &Channel, may_offer: bool) -> Option<usize> {
        let mut state = lock(&self.state);
        loop {
            let room = state.room();
            if room.is_none_or(|room| room > 0) {
                return room;
            }
            // Little input never comes here, so its program does not wait for a file.
            if let Some(directory) = state.directory.take_if(|_| may_offer) {
                // Without the file, input only takes longer.
                state.segments = Segments::create(directory).ok();
                if let Some(names) = state.segments.as_ref().and_then(Segments::names) {
                    channel.send(FILE, 0, &names);
                }
            }
            let waited = self.more_room.wait(state);
            state = waited.unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Sends input, as a segment if possible.
    fn send_input(&self, channel: &Channel, mut data: &[u8]) {
        if data.len() > SMALL {
            let segment = lock(&self.state).segment(data);
            if let Some(segment) = segment {
                channel.send(SEGMENT, 0, &segment.encode());
                data = &data[segment.length..];
            }
        }
        self.send_all(channel, DATA, data);
    }

    /// Sends all `data` in frames of this kind.
    pub(super) fn send_all(&self, channel: &Channel, kind: u8, mut data: &[u8]) {
        while !data.is_empty() {
            let state = lock(&self.state);
            let is_full = |state: &mut State| !state.ended && state.window.room(false) == 0;
            let state = self.more_room.wait_while(state, is_full);
            let mut state = state.unwrap_or_else(PoisonError::into_inner);
            if state.ended {
                return;
            }
            let length = data.len().min(PAYLOAD).min(state.window.room(false));
            state.window.send(length);
            drop(state);
            channel.send(kind, 0, &data[..length]);
            data = &data[length..];
        }
    }

    /// The agent has passed so many bytes on.
    pub(super) fn credit(&self, data: usize) {
        self.change(|state| {
            for number in state.window.credit(data) {
                // It succeeded when the file was made.
                let _ = state.segments.as_ref().map(|file| file.free(number));
            }
        });
    }

    /// The agent has answered to the offer of a file.
    pub(super) fn answered(&self, has_opened: bool) {
        self.change(|state| match &mut state.segments {
            Some(segments) if has_opened => segments.opened(),
            segments => *segments = None,
        });
    }

    /// The agent wants no more.
    pub(super) fn end(&self) {
        self.change(|state| {
            state.ended = true;
            state.directory = None;
            state.segments = None;
        });
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut lock(&self.state));
        self.more_room.notify_all();
    }
}

impl State {
    /// A segment with the beginning of `data`, if the agent has opened the file, and the file has room.
    fn segment(&mut self, data: &[u8]) -> Option<Segment> {
        let room = self.window.room(true).min(data.len());
        let segments = self.segments.as_mut().filter(|file| file.is_open())?;
        let segment = segments.write(&data[..room]).ok();
        let segment = segment.filter(|segment| segment.length > 0)?;
        self.window.send_segment(segment);
        Some(segment)
    }

    /// How many bytes of input can be sent. Nothing if the agent wants no more.
    fn room(&self) -> Option<usize> {
        let as_segment = self.segments.as_ref().is_some_and(Segments::is_open);
        (!self.ended).then(|| self.window.room(as_segment))
    }
}
