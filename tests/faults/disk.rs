//! A disk that can lose power.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::common::{Bench, both, wait_until};

/// A separate journalling file system in an image file.
pub struct Disk {
    image: PathBuf,
    pub mount: PathBuf,
}

impl Disk {
    /// `None` if the test does not run as root or a tool is missing.
    pub fn new(bench: &Bench) -> Option<Self> {
        let disk = Self {
            image: bench.path("disk.img"),
            mount: bench.path("disk"),
        };
        fs::create_dir(&disk.mount).ok()?;
        fs::File::create(&disk.image).ok()?.set_len(48 << 20).ok()?;
        let made = Command::new("mkfs.ext4")
            .args(["-q", "-F"])
            .arg(&disk.image)
            .status();
        let python = Command::new("python3").arg("--version").output();
        (made.ok()?.success() && python.is_ok() && disk.mount()).then_some(disk)
    }

    /// Mounts without ext4's protection for programs that do not sync.
    fn mount(&self) -> bool {
        let mounted = Command::new("mount")
            .args(["-o", "loop,noauto_da_alloc,commit=1"])
            .args([&self.image, &self.mount])
            .output();
        mounted.is_ok_and(|output| output.status.success())
    }

    /// Discards everything that is not on the disk, as a power failure does.
    pub fn cut(&self) {
        // EXT4_IOC_SHUTDOWN, without flushing the log.
        let shutdown = "import fcntl,os,struct,sys\nfcntl.ioctl(os.open(sys.argv[1],os.O_RDONLY),0x8004587d,struct.pack('I',2))";
        let cut = Command::new("python3")
            .args(["-c", shutdown])
            .arg(&self.mount)
            .output()
            .unwrap();
        assert!(cut.status.success(), "{}", both(&cut));
    }

    /// Mounts the disk again; the journal is replayed.
    pub fn remount(&self) {
        wait_until("the disk to be unmounted", || {
            Command::new("umount")
                .arg(&self.mount)
                .output()
                .unwrap()
                .status
                .success()
        });
        assert!(self.mount(), "the disk can be mounted again");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.mount).output();
    }
}
