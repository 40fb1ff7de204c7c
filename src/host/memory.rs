//! Memory that is still free for this process.

use std::fs;
use std::path::{Path, PathBuf};

use rustix::process::{Resource, getrlimit};

/// Bytes of memory that this process can still get: what the machine has left, or less, if a control group of the process
/// has a limit (a Slurm job, a container, a systemd slice), or the process itself (`ulimit -v` or `-d`, as some schedulers
/// set it). Files that the kernel only keeps cached count as free. `None` if unknown.
pub fn available_memory() -> Option<u64> {
    let about = fs::read_to_string("/proc/meminfo").ok()?;
    let free = 1024 * field(&about, "MemAvailable:")?;
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let groups = control_groups(&groups);
    let around = groups.iter().filter_map(|group| left_in(group));
    let sizes = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let below_limits = left_below_limits(&sizes, |resource| getrlimit(resource).current);
    Some(around.chain(below_limits).fold(free, u64::min))
}

/// Bytes below each of a process's own limits, of its address space and of its data. `sizes` is its `/proc/…/status`.
fn left_below_limits(sizes: &str, limit: impl Fn(Resource) -> Option<u64>) -> Vec<u64> {
    let limits = [(Resource::As, "VmSize:"), (Resource::Data, "VmData:")];
    let left = limits.map(|(resource, name)| {
        let used = field(sizes, name)?.saturating_mul(1024);
        Some(limit(resource)?.saturating_sub(used))
    });
    left.into_iter().flatten().collect()
}

/// The folders of the control groups that a process is in, and of those around them, which may limit memory: of version 2,
/// and of version 1's memory controller. `about` is its `/proc/…/cgroup`.
fn control_groups(about: &str) -> Vec<PathBuf> {
    let group = |line: &str| {
        let mut fields = line.splitn(3, ':').skip(1);
        let (controllers, path) = (fields.next()?, fields.next()?);
        let root = match controllers {
            "" => "/sys/fs/cgroup",
            _ if controllers.split(',').any(|name| name == "memory") => "/sys/fs/cgroup/memory",
            _ => return None,
        };
        Some((Path::new(root), path.to_owned()))
    };
    let around = |(root, path): (&Path, String)| -> Vec<PathBuf> {
        let inside = Path::new(&path).ancestors();
        let inside = inside.filter_map(|group| group.strip_prefix("/").ok());
        inside.map(|group| root.join(group)).collect()
    };
    about.lines().filter_map(group).flat_map(around).collect()
}

/// Bytes below a control group's limit; `None` if it has none.
fn left_in(group: &Path) -> Option<u64> {
    let text = |name: &str| fs::read_to_string(group.join(name)).ok();
    let number = |name: &str| text(name)?.trim().parse::<u64>().ok();
    let limit = number("memory.max").or_else(|| number("memory.limit_in_bytes"))?;
    let used = number("memory.current").or_else(|| number("memory.usage_in_bytes"));
    let about = text("memory.stat").unwrap_or_default();
    let cached = field(&about, "total_inactive_file").or_else(|| field(&about, "inactive_file"));
    let used = used.unwrap_or(0).saturating_sub(cached.unwrap_or(0));
    Some(limit.saturating_sub(used))
}

/// The number behind a name at the beginning of a line.
fn field(about: &str, name: &str) -> Option<u64> {
    let mut lines = about.lines().map(str::split_whitespace);
    lines.find_map(|mut words| (words.next()? == name).then(|| words.next()?.parse().ok())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_may_have_limits_of_its_own() {
        let sizes =
            "Name:\tnoisescope\nVmSize:\t     700 kB\nVmRSS:\t     300 kB\nVmData:\t     400 kB\n";
        let left = |all: Option<u64>, data: Option<u64>| {
            let limit = |resource: Resource| match resource {
                Resource::As => all,
                _ => data,
            };
            left_below_limits(sizes, limit)
        };
        assert!(left(None, None).is_empty());
        assert_eq!(left(Some(1000 << 10), None), vec![300_u64 << 10]);
        assert_eq!(left(Some(600 << 10), Some(401 << 10)), vec![0_u64, 1 << 10]);
        assert!(left_below_limits("", |_| Some(1)).is_empty());
    }

    #[test]
    fn every_control_group_around_a_process_may_limit_it() {
        let slurm = "0::/system.slice/slurmstepd.scope/job_7/step_0\n";
        let folders = [
            "/sys/fs/cgroup/system.slice/slurmstepd.scope/job_7/step_0",
            "/sys/fs/cgroup/system.slice/slurmstepd.scope/job_7",
            "/sys/fs/cgroup/system.slice/slurmstepd.scope",
            "/sys/fs/cgroup/system.slice",
            "/sys/fs/cgroup/",
        ];
        assert_eq!(control_groups(slurm), folders.map(PathBuf::from));
        let first =
            "5:cpu,cpuacct:/a\n4:memory:/slurm/job_7\n1:name=systemd:/a:b\n0::/\nnonsense\n";
        let folders = [
            "/sys/fs/cgroup/memory/slurm/job_7",
            "/sys/fs/cgroup/memory/slurm",
            "/sys/fs/cgroup/memory/",
            "/sys/fs/cgroup/",
        ];
        assert_eq!(control_groups(first), folders.map(PathBuf::from));
    }

    #[test]
    fn cached_files_are_free_and_a_group_without_a_limit_limits_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        assert_eq!(left_in(folder.path()), None);
        write("memory.max", "max\n");
        write("memory.current", "900\n");
        assert_eq!(left_in(folder.path()), None);
        write("memory.max", "1000\n");
        assert_eq!(left_in(folder.path()), Some(100));
        write("memory.stat", "anon 200\nfile 700\ninactive_file 600\n");
        assert_eq!(left_in(folder.path()), Some(700));
        write("memory.current", "1700\n");
        assert_eq!(left_in(folder.path()), Some(0));

        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        write("memory.limit_in_bytes", "1000\n");
        write("memory.usage_in_bytes", "400\n");
        write("memory.stat", "inactive_file 1\ntotal_inactive_file 300\n");
        assert_eq!(left_in(folder.path()), Some(900));
    }
}
