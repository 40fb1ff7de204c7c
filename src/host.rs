//! Facts about this machine and its processes: free memory, host name, boot id, whether a process is alive.
//!
//! Read from Linux's `/proc`; other systems report less, and callers cope with `None`.

mod memory;

use std::fs;

use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};

pub use memory::available_memory;

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

/// Whether this user may send signals to process `pid` on this machine, if it exists.
pub fn may_signal(pid: u32) -> bool {
    let number = i32::try_from(pid).ok().and_then(Pid::from_raw);
    number.is_none_or(|number| test_kill_process(number) != Err(Errno::PERM))
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

    /// The rest of `/proc/meminfo`'s line of this name, without its unit.
    #[cfg(target_os = "linux")]
    fn kibibytes(name: &str) -> u64 {
        let about = fs::read_to_string("/proc/meminfo").unwrap();
        let line = about.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap().trim_end_matches("kB").trim().parse().unwrap()
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn free_memory_is_in_bytes_and_at_most_a_containers_limit() {
        let limit = fs::read_to_string("/sys/fs/cgroup/memory.max");
        let limit: Option<u64> = limit.ok().and_then(|limit| limit.trim().parse().ok());
        let free = available_memory().unwrap();
        assert!(free <= limit.unwrap_or(u64::MAX));
        assert!(free <= 1024 * kibibytes("MemTotal:"));
        if limit.is_none() {
            // Other processes allocate and free some in the meantime.
            assert!(free > 1024 * kibibytes("MemAvailable:") / 8, "{free}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_machine_is_named_as_its_kernel_names_it() {
        let machine = Machine::current().unwrap();
        let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
        assert_eq!(format!("{}\n", machine.name), name);
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
        assert!(machine.boot.starts_with(&format!("{} ", boot.trim_end())));
        assert!(machine.boot.contains(" pid:["), "{}", machine.boot);
    }
}
