//! Threads that compress chunks.

use std::collections::VecDeque;
use std::io;
use std::num::NonZero;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

/// Compresses a chunk.
pub(super) type CompressChunk<P> = Box<dyn FnMut(&Chunk) -> io::Result<P> + Send>;

/// A part of the data to compress.
pub(super) struct Chunk {
    pub(super) data: Vec<u8>,
    /// Whether no data follows it.
    pub(super) is_last: bool,
}

/// Threads that take chunks from a queue. Each chunk has its own channel for the result. The channels are in
/// the order of the chunks.
pub(super) struct Threads<P> {
    jobs: NonZero<usize>,
    /// Without a limit, because callers ask [`are_busy`](Self::are_busy) to limit the memory.
    queue: Option<Sender<Task<P>>>,
    tasks: Arc<Mutex<Receiver<Task<P>>>>,
    pending: VecDeque<Receiver<io::Result<P>>>,
    handles: Vec<JoinHandle<()>>,
    /// Whether the chunks in the queue are no longer needed.
    abandoned: Arc<AtomicBool>,
}

/// A chunk and the channel for its result.
type Task<P> = (Chunk, Sender<io::Result<P>>);

impl<P: Send + 'static> Threads<P> {
    pub(super) fn new(jobs: NonZero<usize>) -> Self {
        let (queue, tasks) = mpsc::channel();
        Self {
            jobs,
            queue: Some(queue),
            tasks: Arc::new(Mutex::new(tasks)),
            pending: VecDeque::new(),
            handles: Vec::new(),
            abandoned: Arc::default(),
        }
    }

    /// Whether the queue has enough chunks. One chunk waits for each thread, so that no thread is idle while
    /// the caller waits for the oldest chunk.
    pub(super) fn are_busy(&self) -> bool {
        self.pending.len() >= self.jobs.get().saturating_mul(2)
    }

    pub(super) fn submit(
        &mut self,
        data: Vec<u8>,
        is_last: bool,
        compressor: impl FnOnce() -> CompressChunk<P>,
    ) -> io::Result<()> {
        // Do not start more threads than there are chunks. A small archive has only one.
        if self.handles.len() < self.jobs.get() && self.handles.len() <= self.pending.len() {
            self.start(compressor())?;
        }
        let chunk = Chunk { data, is_last };
        let (result, receiver) = mpsc::channel();
        self.pending.push_back(receiver);
        // If all threads have panicked, `next` returns the error.
        let _ = self.queue.as_ref().map(|queue| queue.send((chunk, result)));
        Ok(())
    }

    fn start(&mut self, mut compress: CompressChunk<P>) -> io::Result<()> {
        let tasks = self.tasks.clone();
        let abandoned = self.abandoned.clone();
        let run = move || {
            loop {
                let task = tasks.lock().unwrap_or_else(PoisonError::into_inner).recv();
                let Ok((chunk, result)) = task else { break };
                if !abandoned.load(Ordering::Relaxed) {
                    // If the encoder was dropped, nobody receives the result.
                    let _ = result.send(compress(&chunk));
                }
            }
        };
        let name = "compress".to_owned();
        match thread::Builder::new().name(name).spawn(run) {
            Ok(handle) => self.handles.push(handle),
            // Continue with fewer threads, which give the same bytes.
            Err(_) if !self.handles.is_empty() => {}
            Err(error) => {
                let message = format!("cannot start a thread that compresses: {error}");
                return Err(io::Error::new(error.kind(), message));
            }
        }
        Ok(())
    }

    /// Waits for the result of the oldest chunk. `None` if there is no chunk.
    pub(super) fn next(&mut self) -> Option<io::Result<P>> {
        let receiver = self.pending.pop_front()?;
        Some(
            receiver
                .recv()
                .unwrap_or_else(|_| Err(io::Error::other("a thread that compresses panicked"))),
        )
    }
}

impl<P> Drop for Threads<P> {
    fn drop(&mut self) {
        self.abandoned.store(true, Ordering::Relaxed);
        self.queue = None;
        for handle in self.handles.drain(..) {
            // `next` has reported a panic, or the result was not needed.
            let _ = handle.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;
    use std::time::Duration;

    fn threads(jobs: usize) -> Threads<u8> {
        Threads::new(NonZero::new(jobs).unwrap())
    }

    fn first_byte() -> CompressChunk<u8> {
        Box::new(|chunk| Ok(chunk.data[0]))
    }

    #[test]
    fn no_more_threads_than_chunks_under_way() {
        let mut threads = threads(8);
        for i in 0..3 {
            threads.submit(vec![i], false, first_byte).unwrap();
            assert_eq!(threads.handles.len(), usize::from(i) + 1);
        }
        for i in 0..3 {
            assert_eq!(threads.next().unwrap().unwrap(), i);
        }
        assert!(threads.next().is_none());
        threads.submit(vec![3], false, first_byte).unwrap();
        assert_eq!(threads.handles.len(), 3);
        while !threads.are_busy() {
            threads.submit(vec![4], false, first_byte).unwrap();
        }
        assert_eq!(threads.pending.len(), 16);
        assert_eq!(threads.handles.len(), 8);
    }

    #[test]
    fn dropping_midway_ends_the_threads() {
        for chunks in [0, 1, 2, 5] {
            let begun = Arc::new(AtomicUsize::new(0));
            let may_end = Arc::new(AtomicBool::new(false));
            let until_told = || -> CompressChunk<u8> {
                let (begun, may_end) = (begun.clone(), may_end.clone());
                Box::new(move |_| {
                    begun.fetch_add(1, Ordering::Relaxed);
                    while !may_end.load(Ordering::Relaxed) {
                        thread::yield_now();
                    }
                    Ok(0)
                })
            };
            let mut threads = threads(2);
            for _ in 0..chunks {
                threads.submit(vec![0], false, until_told).unwrap();
            }
            // A thread that went on would still hold one of these.
            let tasks = Arc::downgrade(&threads.tasks);
            let dropping = thread::spawn(|| drop(threads));
            thread::sleep(Duration::from_millis(300));
            may_end.store(true, Ordering::Relaxed);
            dropping.join().unwrap();
            assert_eq!(tasks.strong_count(), 0);
            // The others were in the queue.
            assert!(begun.load(Ordering::Relaxed) <= 2, "{chunks}");
        }
    }
}
