//! The process that holds a lock which only its user may read: the system's tables of locks and mounts give it.

use std::fs;
use std::path::{Path, PathBuf};

use rustix::fs::{lstat, major, minor};

/// The process that holds a lock; `None` if none does, or the system has no table of locks.
pub(super) fn holder(lock: &Path) -> Option<u32> {
    let about = lstat(lock).ok()?;
    let locks = fs::read_to_string("/proc/locks").ok()?;
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let device = (major(about.st_dev), minor(about.st_dev));
    let path = fs::canonicalize(lock).ok()?;
    let devices = [Some(device), mounted_device(&mounts, &path)];
    let devices = devices.into_iter().flatten();
    let places: Vec<String> = devices.map(|at| place(at, about.st_ino)).collect();
    holder_in(&locks, &places)
}

/// A file as the table of locks names it: the major and minor number of its device, and its inode.
fn place((major, minor): (u32, u32), inode: u64) -> String {
    format!("{major:02x}:{minor:02x}:{inode}")
}

/// The process that holds a lock in one of these places.
fn holder_in(locks: &str, places: &[String]) -> Option<u32> {
    locks.lines().find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [_, "FLOCK", _, "WRITE", pid, held, ..] = fields[..] else {
            return None;
        };
        let is_held = places.iter().any(|place| place == held);
        is_held.then_some(pid)?.parse().ok()
    })
}

/// The device of the file system that holds a path, by the table of mounts. The table of locks names this one, also
/// where a file's own device is that of a subvolume.
fn mounted_device(mounts: &str, path: &Path) -> Option<(u32, u32)> {
    let mount = |line: &str| -> Option<(usize, (u32, u32))> {
        let fields: Vec<&str> = line.split(' ').collect();
        let [_, _, device, _, point, ..] = fields[..] else {
            return None;
        };
        let (major, minor) = device.split_once(':')?;
        let device = (major.parse().ok()?, minor.parse().ok()?);
        let point = unescaped(point);
        let depth = point.components().count();
        path.starts_with(&point).then_some((depth, device))
    };
    // Of several mounts in the same place, the last one covers the others.
    let deepest = mounts.lines().filter_map(mount).max_by_key(|pair| pair.0);
    deepest.map(|(_, device)| device)
}

/// A mount point, in which the table writes a space as `\040`.
fn unescaped(point: &str) -> PathBuf {
    let mut parts = point.split('\\');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let code = part.get(..3).map(|digits| u8::from_str_radix(digits, 8));
        match code {
            Some(Ok(code)) => {
                text.push(char::from(code));
                text.push_str(&part[3..]);
            }
            _ => {
                text.push('\\');
                text.push_str(part);
            }
        }
    }
    text.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_holder_of_a_lock_is_found_by_device_and_inode() {
        let locks = "\
1: POSIX  ADVISORY  WRITE 11 fd:00:4242 0 EOF
2: FLOCK  ADVISORY  READ  12 fd:00:4242 0 EOF
3: FLOCK  ADVISORY  WRITE 13 fd:01:4242 0 EOF
4: FLOCK  ADVISORY  WRITE 14 fd:00:42420 0 EOF
5: FLOCK  ADVISORY  WRITE 15 fd:00:4242 0 EOF
6: FLOCK  ADVISORY  WRITE 16 103:0a:7 0 EOF
";
        let of = |device, inode| holder_in(locks, &[place(device, inode)]);
        assert_eq!(of((253, 0), 4242), Some(15));
        assert_eq!(of((253, 1), 4242), Some(13));
        assert_eq!(of((259, 10), 7), Some(16));
        assert_eq!(of((253, 2), 4242), None);
        let places = [place((0, 45), 4242), place((253, 1), 4242)];
        assert_eq!(holder_in(locks, &places), Some(13));
    }

    #[test]
    fn a_path_is_on_the_last_and_innermost_mount_above_it() {
        let mounts = "\
22 1 253:0 / / rw,relatime - ext4 /dev/vda rw
30 22 0:42 /@home /home rw,relatime shared:1 - btrfs /dev/vdb rw
31 22 8:17 / /mnt/two\\040words rw - ext4 /dev/vdc rw
32 30 0:50 / /home rw - tmpfs tmpfs rw
";
        let of = |path: &str| mounted_device(mounts, Path::new(path));
        assert_eq!(of("/home/me/mine.lock"), Some((0, 50)));
        assert_eq!(of("/mnt/two words/mine.lock"), Some((8, 17)));
        assert_eq!(of("/homely/mine.lock"), Some((253, 0)));
        assert_eq!(mounted_device("", Path::new("/mine.lock")), None);
    }

    #[test]
    fn a_lock_of_this_process_is_found_in_the_systems_table() {
        if !Path::new("/proc/locks").exists() {
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.lock");
        let file = fs::File::create(&path).unwrap();
        assert_eq!(holder(&path), None);
        file.lock().unwrap();
        assert_eq!(holder(&path), Some(std::process::id()));
    }
}
