//! The content of a lock, written by the engine that holds it: its process, its machine, its socket for
//! viewers, and a beat that shows other machines that it is alive.

use std::fs::File;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::now;
use crate::host::{self, Machine};

/// How often an engine updates its beat.
pub const BEAT: Duration = Duration::from_secs(2);

/// Maximum number of bytes read from a lock.
const MOST: usize = 1 << 15;

/// The holder of a lock. In the file: the process, the socket, then one line for each of the other
/// fields, the inode of the file itself, and `end`. The device is not written: one file has several where its file
/// system is mounted twice. Programs of earlier versions wrote only the first two lines, or no inode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) pid: u32,
    pub(super) socket: Option<PathBuf>,
    /// `None` in locks of earlier versions, and if the system does not provide it.
    pub(super) machine: Option<Machine>,
    /// When the process was started, in clock ticks of its machine; 0 if unknown.
    started: u64,
    /// Unique to each lock; empty in locks of earlier versions.
    token: String,
    /// Increases while the engine is alive.
    beat: u64,
    /// Whether it was read from another file than the one that it was written into.
    is_copy: bool,
}

/// The state of a lock's owner, as far as it can be determined from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OwnerState {
    /// Its process is alive on this machine.
    Alive,
    /// Its process is alive on this machine, but holds the lock that this one is a copy of: the session
    /// was copied while it ran.
    Copied,
    /// Its process ran on this machine and has ended.
    Dead,
    /// It is on another machine, or did not record one.
    Unknown,
}

impl Owner {
    /// This process, as the owner of a new lock.
    pub(super) fn current() -> Self {
        static LOCKS: AtomicU64 = AtomicU64::new(0);
        let (pid, lock) = (std::process::id(), LOCKS.fetch_add(1, Ordering::Relaxed));
        let (machine, started) = (Machine::current(), host::start_time(pid).unwrap_or(0));
        let name = machine.as_ref().map_or("", |machine| &machine.name);
        Self {
            token: format!("{name}-{pid}-{started}-{}-{lock}", now()),
            pid,
            socket: None,
            machine,
            started,
            beat: 0,
            is_copy: false,
        }
    }

    /// Reads a lock; `None` if it is empty so far, or not one of ours.
    pub(super) fn read(file: &File) -> io::Result<Option<Self>> {
        let mut bytes = vec![0; MOST];
        // It may be written at this moment.
        for _ in 0..5 {
            let length = file.read_at(&mut bytes, 0)?;
            let text = String::from_utf8_lossy(&bytes[..length]);
            if !text.contains("\nmachine") || text.contains("\nend") {
                let Some(owner) = Self::parsed(&text) else {
                    return Ok(None);
                };
                let place = text.lines().find_map(|line| line.strip_prefix("file "));
                let here = file.metadata()?.ino().to_string();
                return Ok(Some(Self {
                    is_copy: place.is_some_and(|place| place != here),
                    ..owner
                }));
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(None)
    }

    fn parsed(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let pid = lines.next()?.trim().parse().ok()?;
        let socket = lines.next().filter(|line| !line.is_empty()).map(unescaped);
        let mut owner = Self {
            pid,
            socket,
            machine: None,
            started: 0,
            token: String::new(),
            beat: 0,
            is_copy: false,
        };
        let mut machine = Machine {
            name: String::new(),
            boot: String::new(),
        };
        for (key, value) in lines.filter_map(|line| line.split_once(' ')) {
            match key {
                "machine" => value.clone_into(&mut machine.name),
                "boot" => value.clone_into(&mut machine.boot),
                "started" => owner.started = value.parse().ok()?,
                "token" => value.clone_into(&mut owner.token),
                "beat" => owner.beat = value.parse().ok()?,
                _ => {}
            }
        }
        owner.machine = (!machine.boot.is_empty()).then_some(machine);
        Some(owner)
    }

    /// Writes it, replacing the content of the lock.
    pub(super) fn write(&self, file: &File) -> io::Result<()> {
        let socket = self.socket.as_ref();
        let socket = socket.map_or_else(String::new, |path| escaped(path.as_os_str().as_bytes()));
        let (name, boot) = match &self.machine {
            Some(machine) => (machine.name.as_str(), machine.boot.as_str()),
            None => ("", ""),
        };
        let inode = file.metadata()?.ino();
        let text = format!(
            "{}\n{socket}\nmachine {name}\nboot {boot}\nstarted {}\ntoken {}\nbeat {}\nfile {inode}\nend\n",
            self.pid, self.started, self.token, self.beat
        );
        file.write_all_at(text.as_bytes(), 0)?;
        file.set_len(text.len() as u64)
    }

    /// Advances the beat.
    pub(super) fn beat(&mut self) {
        self.beat += 1;
    }

    /// Whether this is the same lock of the same engine, at any beat.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.token == other.token && self.pid == other.pid
    }

    /// Its state, as far as it can be determined from here.
    pub(super) fn standing(&self) -> OwnerState {
        if self.machine.is_none() || self.machine != Machine::current() {
            return OwnerState::Unknown;
        }
        match (host::is_alive(self.pid, self.started), self.is_copy) {
            (true, false) => OwnerState::Alive,
            (true, true) => OwnerState::Copied,
            (false, _) => OwnerState::Dead,
        }
    }

    /// The machine that it runs on, if it is another one.
    pub(super) fn remote_machine(&self) -> Option<&str> {
        let machine = self.machine.as_ref()?;
        (Some(machine) != Machine::current().as_ref()).then_some(&machine.name)
    }

    /// The number of beats so far.
    pub(super) fn beat_count(&self) -> u64 {
        self.beat
    }

    /// Whether it maintains a beat, which locks of earlier versions do not.
    pub(super) fn has_beat(&self) -> bool {
        !self.token.is_empty()
    }

    /// A description.
    pub(super) fn words(&self) -> String {
        match self.remote_machine() {
            Some(machine) => format!("process {} on {machine}", self.pid),
            None => format!("process {}", self.pid),
        }
    }
}

/// Bytes on one line, with anything but printable ASCII escaped as `%` and two hexadecimal digits.
fn escaped(bytes: &[u8]) -> String {
    let escape = |&byte: &u8| match byte {
        b'%' | 0..b' ' | 0x7f.. => format!("%{byte:02x}"),
        _ => char::from(byte).to_string(),
    };
    bytes.iter().map(escape).collect()
}

fn unescaped(text: &str) -> PathBuf {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, others)) = rest.split_first() {
        let code = others
            .get(..2)
            .and_then(|two| std::str::from_utf8(two).ok());
        let code = code.and_then(|two| u8::from_str_radix(two, 16).ok());
        match (first, code) {
            (b'%', Some(code)) => {
                bytes.push(code);
                rest = &others[2..];
            }
            _ => {
                bytes.push(first);
                rest = others;
            }
        }
    }
    std::ffi::OsString::from_vec(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsStr;

    fn written(owner: &Owner) -> File {
        let file = tempfile::tempfile().unwrap();
        owner.write(&file).unwrap();
        file
    }

    #[test]
    fn an_owner_is_read_back_from_its_lock_wherever_its_socket_is() {
        for path in [&b"/run/x.sock"[..], b"/a b/line\nfeed/\xff 100%.sock"] {
            let owner = Owner {
                socket: Some(OsStr::from_bytes(path).into()),
                ..Owner::current()
            };
            let back = Owner::read(&written(&owner)).unwrap().unwrap();
            assert_eq!(back, owner);
            assert!(back.is_same(&owner) && !back.is_same(&Owner::current()));
        }
        let none = Owner::current();
        assert_eq!(Owner::read(&written(&none)).unwrap(), Some(none));
    }

    #[test]
    fn a_shorter_entry_leaves_nothing_of_a_longer_one() {
        let long = Owner {
            socket: Some("/a/very/long/folder/x.sock".into()),
            ..Owner::current()
        };
        let file = written(&long);
        let short = Owner {
            socket: None,
            ..long
        };
        short.write(&file).unwrap();
        assert_eq!(Owner::read(&file).unwrap(), Some(short));
    }

    #[test]
    fn locks_of_earlier_versions_are_understood_and_invalid_ones_have_no_owner() {
        let old = Owner::parsed("123\n/tmp/x.sock").unwrap();
        assert_eq!(
            (old.pid, old.socket.as_deref()),
            (123, Some("/tmp/x.sock".as_ref()))
        );
        assert_eq!(
            (old.standing(), old.has_beat()),
            (OwnerState::Unknown, false)
        );
        assert_eq!(Owner::parsed("77").unwrap().socket, None);
        assert!(Owner::parsed("").is_none() && Owner::parsed("hello").is_none());
    }

    #[test]
    fn this_process_is_alive_and_another_boot_cannot_be_judged() {
        let this = Owner::current();
        if this.machine.is_none() {
            println!("skipped: this system does not tell its boot");
            return;
        }
        assert_eq!(this.standing(), OwnerState::Alive);
        let ended = Owner {
            started: this.started + 1,
            ..this.clone()
        };
        assert_eq!(ended.standing(), OwnerState::Dead);
        let mut machine = this.machine.clone().unwrap();
        machine.boot.push('x');
        let other = Owner {
            machine: Some(machine),
            ..this
        };
        assert_eq!(other.standing(), OwnerState::Unknown);
        assert!(other.remote_machine().is_some());
    }

    #[test]
    fn a_copy_of_a_lock_is_not_the_lock_of_the_engine_that_is_alive() {
        let this = Owner::current();
        if this.machine.is_none() {
            println!("skipped: this system does not tell its boot");
            return;
        }
        let file = written(&this);
        let mut text = [0; 1 << 10];
        let length = file.read_at(&mut text, 0).unwrap();
        let copy = tempfile::tempfile().unwrap();
        copy.write_all_at(&text[..length], 0).unwrap();
        let read = |file: &File| Owner::read(file).unwrap().unwrap();
        assert_eq!(read(&file).standing(), OwnerState::Alive);
        assert_eq!(read(&copy).standing(), OwnerState::Copied);
        // Written by an earlier version, it may be either.
        let text = String::from_utf8_lossy(&text[..length]);
        let lines = text.lines().filter(|line| !line.starts_with("file "));
        let old = lines.collect::<Vec<&str>>().join("\n");
        copy.set_len(0).unwrap();
        copy.write_all_at(old.as_bytes(), 0).unwrap();
        assert_eq!(read(&copy).standing(), OwnerState::Alive);
        // Whoever takes the copy makes it a lock.
        this.write(&copy).unwrap();
        assert_eq!(read(&copy), this);
    }

    #[test]
    fn a_holder_is_described_by_its_process_and_by_its_machine_if_that_is_another() {
        let far = Owner::parsed("4242\n\nmachine farm-7\nboot another\nend\n").unwrap();
        assert_eq!(far.words(), "process 4242 on farm-7");
        let here = Owner::current();
        assert_eq!(here.words(), format!("process {}", std::process::id()));
        assert_eq!(Owner::parsed("77").unwrap().words(), "process 77");
    }

    #[test]
    fn a_lock_of_an_earlier_version_is_complete_and_a_half_written_one_has_no_owner() {
        let read = |text: &[u8]| {
            let file = tempfile::tempfile().unwrap();
            file.write_all_at(text, 0).unwrap();
            Owner::read(&file).unwrap().map(|owner| owner.pid)
        };
        assert_eq!(read(b"123\n/tmp/x.sock"), Some(123));
        assert_eq!(read(b"123\n\nmachine farm-7\nboot a"), None);
        assert_eq!(read(b"123\n\nmachine farm-7\nboot a\nend\n"), Some(123));
    }

    #[test]
    fn each_beat_counts_one_more() {
        let mut owner = Owner::current();
        assert_eq!(owner.beat_count(), 0);
        for beats in 1..4 {
            owner.beat();
            assert_eq!(owner.beat_count(), beats);
        }
    }
}
