//! For tests: what is opened in a folder or leaves it, as the system reports it.

use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::inotify::{self, CreateFlags, WatchFlags};

/// A folder that is watched from now on.
pub(in crate::session) struct Watched {
    events: OwnedFd,
}

impl Watched {
    pub(in crate::session) fn new(folder: &Path) -> Self {
        let events = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC).unwrap();
        let flags = WatchFlags::OPEN | WatchFlags::MOVED_FROM;
        inotify::add_watch(&events, folder, flags).unwrap();
        Self { events }
    }

    /// The names in it that have been opened or have left it, in order; the folder itself as an empty one.
    pub(in crate::session) fn names(&self) -> Vec<String> {
        let mut room = [MaybeUninit::<u8>::uninit(); 1 << 12];
        let mut reader = inotify::Reader::new(&self.events, &mut room);
        let mut names = Vec::new();
        while let Ok(event) = reader.next() {
            let name = event.file_name();
            names.push(name.map_or_else(String::new, |name| name.to_string_lossy().into_owned()));
        }
        names
    }
}
