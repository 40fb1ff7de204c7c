//! This machine and its processes: memory that is free, its name and its boot, whether a process lives.
//!
//! What Linux tells in `/proc`; elsewhere less is known, and whoever asks does with less.

use std::fs;

use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};

/// Bytes that may still be taken on this machine, or in this container; `None` where nobody says.
pub fn available_memory() -> Option<u64> {
    let about = fs::read_to_string("/proc/meminfo").ok()?;
    let line = about
        .lines()
        .find(|line| line.starts_with("MemAvailable:"))?;
    let free = line.split_whitespace().nth(1)?.parse::<u64>().ok()? * 1024;
    let number = |path: &str| -> Option<u64> { fs::read_to_string(path).ok()?.trim().parse().ok() };
    // A container's limit, where it has one.
    let limit = number("/sys/fs/cgroup/memory.max");
    let used = number("/sys/fs/cgroup/memory.current").unwrap_or(0);
    Some(limit.map_or(free, |limit| free.min(limit.saturating_sub(used))))
}

/// A machine as a process sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// What it is called.
    pub name: String,
    /// Which start of it, and which numbering of processes: a container has its own. Processes of two
    /// machines with the same boot can be told by their numbers.
    pub boot: String,
}

impl Machine {
    /// This one; `None` where the system does not tell.
    pub fn this() -> Option<Self> {
        let line = |path: &str| Some(fs::read_to_string(path).ok()?.trim().to_owned());
        let numbering = fs::read_link("/proc/self/ns/pid").ok();
        let numbering = numbering.map_or_else(String::new, |it| it.display().to_string());
        Some(Self {
            name: line("/proc/sys/kernel/hostname")?,
            boot: format!("{} {numbering}", line("/proc/sys/kernel/random/boot_id")?),
        })
    }
}

/// When a process of this machine was started, in ticks since its boot; `None` where that cannot be
/// seen, or where it has ended and only waits to be told so.
pub fn started(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The program's name stands in parentheses and may hold any of them.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    if matches!(fields.next()?, "Z" | "X") {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

/// Whether a process lives on this machine that was started at that time; 0 where the time is not known.
pub fn lives(pid: u32, since: u64) -> bool {
    let Some(number) = i32::try_from(pid).ok().and_then(Pid::from_raw) else {
        return false;
    };
    match (test_kill_process(number), started(pid)) {
        (Err(Errno::SRCH), _) => false,
        (_, Some(began)) => since == 0 || began == since,
        // It is there and cannot be seen, or there is nowhere to look; a dead one that waits is seen.
        (_, None) => fs::metadata(format!("/proc/{pid}/stat")).is_err(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_lives_and_was_started_once() {
        let own = std::process::id();
        let began = started(own).unwrap_or(0);
        assert!(lives(own, began) && lives(own, 0));
        assert!(
            began == 0 || !lives(own, began + 1),
            "another of its number"
        );
        assert!(!lives(0, 0) && !lives(u32::MAX, 0));
    }

    #[test]
    fn a_process_that_has_ended_does_not_live() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let pid = child.id();
        let began = started(pid).unwrap_or(0);
        // It has ended, and nobody has taken its exit code yet.
        while started(pid).is_some() {
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        assert!(!lives(pid, began));
        child.wait().unwrap();
        assert!(!lives(pid, began));
    }
}
