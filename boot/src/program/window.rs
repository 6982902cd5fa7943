//! What boot has sent to the agent and the agent has not passed on, and the room that is left.

use std::collections::VecDeque;

use agent::protocol::{HEADER, SEGMENT_LENGTH, Segment, WINDOW};

/// A frame with data for the agent.
#[derive(Debug)]
struct Frame {
    /// The length of the frame in the channel's device.
    in_device: usize,
    /// The number of bytes of data for which the agent has given no credit.
    data: usize,
    /// The number of its segment.
    segment: Option<u64>,
}

/// The frames for which the agent has not given all credit.
#[derive(Debug)]
pub(crate) struct Window {
    frames: VecDeque<Frame>,
    /// How many more bytes may be in the device.
    device: usize,
    /// For how many bytes of data the agent has room.
    agent: usize,
}

impl Window {
    /// An empty window to a device in which so many bytes may be.
    pub(crate) fn new(device: usize) -> Window {
        Window {
            frames: VecDeque::new(),
            device,
            agent: WINDOW,
        }
    }

    /// The number of bytes of data that can be sent now, in a segment or in the channel itself.
    pub(crate) fn room(&self, as_segment: bool) -> usize {
        match as_segment {
            true if self.device >= HEADER + SEGMENT_LENGTH => self.agent,
            true => 0,
            false => self.agent.min(self.device.saturating_sub(HEADER)),
        }
    }

    /// A frame with this many bytes of data is sent. There must be room for it.
    pub(crate) fn send(&mut self, data: usize) {
        self.add(HEADER + data, data, None);
    }

    /// A segment is sent. There must be room for it.
    pub(crate) fn send_segment(&mut self, segment: Segment) {
        let in_device = HEADER + SEGMENT_LENGTH;
        self.add(in_device, segment.length, Some(segment.number));
    }

    fn add(&mut self, in_device: usize, data: usize, segment: Option<u64>) {
        self.device -= in_device;
        self.agent -= data;
        self.frames.push_back(Frame {
            in_device,
            data,
            segment,
        });
    }

    /// The agent has passed so many bytes of data on. Gives the numbers of the segments that it does not need any more.
    pub(crate) fn credit(&mut self, mut data: usize) -> Vec<u64> {
        let mut segments = Vec::new();
        while let Some(frame) = self.frames.front_mut() {
            let passed = frame.data.min(data);
            frame.data -= passed;
            data -= passed;
            self.agent += passed;
            if frame.data > 0 {
                break;
            }
            self.device += frame.in_device;
            segments.extend(frame.segment);
            self.frames.pop_front();
        }
        segments
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_need_room_in_the_agent_and_in_the_device() {
        let mut window = Window::new(usize::MAX);
        assert_eq!(window.room(false), WINDOW);
        window.send(WINDOW - 1);
        assert_eq!((window.room(false), window.room(true)), (1, 1));

        let mut window = Window::new(3 * HEADER + SEGMENT_LENGTH);
        assert_eq!(window.room(false), 2 * HEADER + SEGMENT_LENGTH);
        window.send(1);
        assert_eq!(window.room(true), WINDOW - 1);
        window.send_segment(Segment {
            number: 7,
            length: WINDOW - 2,
        });
        // One byte would fit into the agent, but no header into the device.
        assert_eq!((window.room(false), window.room(true)), (0, 0));

        // The agent passes a part of the segment on, and then the rest.
        assert!(window.credit(2).is_empty());
        assert_eq!((window.room(false), window.room(true)), (3, 0));
        assert_eq!(window.credit(WINDOW), [7]);
        assert_eq!(window.room(false), 2 * HEADER + SEGMENT_LENGTH);
    }
}
