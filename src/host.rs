//! Facts about this machine and its processes: free memory, host name, boot id, whether a process is alive.
//!
//! Read from Linux's `/proc`; other systems report less, and callers cope with `None`.

use std::fs;

use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};

/// Bytes of memory still available on this machine or in this container; `None` if unknown.
pub fn available_memory() -> Option<u64> {
    let about = fs::read_to_string("/proc/meminfo").ok()?;
    let line = about
        .lines()
        .find(|line| line.starts_with("MemAvailable:"))?;
    let free = line.split_whitespace().nth(1)?.parse::<u64>().ok()? * 1024;
    let number = |path: &str| -> Option<u64> { fs::read_to_string(path).ok()?.trim().parse().ok() };
    // A container's limit, if it has one.
    let limit = number("/sys/fs/cgroup/memory.max");
    let used = number("/sys/fs/cgroup/memory.current").unwrap_or(0);
    Some(limit.map_or(free, |limit| free.min(limit.saturating_sub(used))))
}

/// A machine as seen by a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// Its host name.
    pub name: String,
    /// The boot id and the PID namespace (a container has its own). Processes that share this value can be
    /// told apart by their PIDs.
    pub boot: String,
}

impl Machine {
    /// This machine; `None` if the system does not say.
    pub fn current() -> Option<Self> {
        let line = |path: &str| Some(fs::read_to_string(path).ok()?.trim().to_owned());
        let namespace = fs::read_link("/proc/self/ns/pid").ok();
        let namespace = namespace.map_or_else(String::new, |path| path.display().to_string());
        Some(Self {
            name: line("/proc/sys/kernel/hostname")?,
            boot: format!("{} {namespace}", line("/proc/sys/kernel/random/boot_id")?),
        })
    }
}

/// Start time of a process on this machine, in ticks since boot; `None` if it cannot be read or if the
/// process is a zombie.
pub fn start_time(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The program's name is in parentheses and may itself contain parentheses.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    if matches!(fields.next()?, "Z" | "X") {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

/// Whether process `pid`, started at tick `since`, is alive on this machine; `since` is 0 if unknown.
pub fn is_alive(pid: u32, since: u64) -> bool {
    let Some(number) = i32::try_from(pid).ok().and_then(Pid::from_raw) else {
        return false;
    };
    match (test_kill_process(number), start_time(pid)) {
        (Err(Errno::SRCH), _) => false,
        (_, Some(began)) => since == 0 || began == since,
        // It exists but its start time is unreadable, or there is no `/proc`; a zombie has a readable `stat`.
        (_, None) => fs::metadata(format!("/proc/{pid}/stat")).is_err(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_alive_and_has_one_start_time() {
        let pid = std::process::id();
        let began = start_time(pid).unwrap_or(0);
        assert!(is_alive(pid, began) && is_alive(pid, 0));
        assert!(
            began == 0 || !is_alive(pid, began + 1),
            "another process with the same PID"
        );
        assert!(!is_alive(0, 0) && !is_alive(u32::MAX, 0));
    }

    #[test]
    fn a_process_that_has_ended_is_not_alive() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let pid = child.id();
        let began = start_time(pid).unwrap_or(0);
        // It becomes a zombie: it has ended, and its exit code has not been collected.
        while start_time(pid).is_some() {
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        assert!(!is_alive(pid, began));
        child.wait().unwrap();
        assert!(!is_alive(pid, began));
    }
}
