//! A folder that is held open: its files are accessed through the open handle, so nothing is ever
//! created in another folder that has taken its place.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{self as at, AtFlags, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

use super::StoreError;
use crate::files;
use crate::session::error::io_error;

/// The identity of a file or folder, independent of its name: unique at any time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileId {
    device: u64,
    inode: u64,
}

impl From<&fs::Metadata> for FileId {
    fn from(about: &fs::Metadata) -> Self {
        Self {
            device: about.dev(),
            inode: about.ino(),
        }
    }
}

/// Whether written data has reached the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::session) enum Synced {
    /// The system confirmed it.
    Yes,
    /// This file system does not report it.
    Unknown,
}

/// A folder that is held open.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    file: File,
    place: FileId,
}

impl Folder {
    /// Opens a folder, creating it if it does not exist.
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        create(path).map_err(io_error(path, "create the folder"))?;
        let open = |flags| {
            at::open(
                path,
                flags | OFlags::DIRECTORY | OFlags::CLOEXEC,
                Mode::empty(),
            )
        };
        let file = match open(OFlags::RDONLY) {
            // Files can be created in a folder that cannot be listed.
            #[cfg(target_os = "linux")]
            Err(Errno::ACCESS) => open(OFlags::PATH),
            opened => opened,
        };
        let opened = file.map(File::from).map_err(io::Error::from);
        let held = opened.and_then(|file| {
            let place = FileId::from(&file.metadata()?);
            Ok(Self {
                path: path.to_owned(),
                file,
                place,
            })
        });
        held.map_err(io_error(path, "open the folder"))
    }

    /// The path of a file in it, for messages.
    pub(super) fn path_of(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Whether the path still refers to this folder.
    pub(super) fn is_in_place(&self) -> io::Result<bool> {
        match fs::metadata(&self.path) {
            Ok(about) => Ok(FileId::from(&about) == self.place),
            Err(error) => match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Ok(false),
                _ => Err(error),
            },
        }
    }

    /// Opens a file in it with these flags, never through a link; a new one is accessible to its owner
    /// only.
    pub(super) fn open_file(&self, name: &str, flags: OFlags) -> io::Result<File> {
        let flags = flags | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        match at::openat(&self.file, name, flags, Mode::RUSR | Mode::WUSR) {
            Ok(file) => Ok(File::from(file)),
            Err(Errno::LOOP) => Err(files::symlink_error()),
            Err(error) => Err(error.into()),
        }
    }

    /// Creates a file, which must not exist yet.
    pub(super) fn new_file(&self, name: &str) -> io::Result<File> {
        self.open_file(name, OFlags::RDWR | OFlags::CREATE | OFlags::EXCL)
    }

    /// Metadata of a name itself, without following links; `None` if it does not exist.
    pub(super) fn about(&self, name: &str) -> io::Result<Option<at::Stat>> {
        match at::statat(&self.file, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(about) => Ok(Some(about)),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The identity of the file with this name; `None` if it does not exist.
    pub(super) fn file_id(&self, name: &str) -> io::Result<Option<FileId>> {
        Ok(self.about(name)?.map(|about| file_id(&about)))
    }

    /// Renames a file, replacing any existing one.
    pub(super) fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        Ok(at::renameat(&self.file, from, &self.file, to)?)
    }

    /// Renames a file to a name that must not exist.
    pub(super) fn rename_to_new(&self, from: &str, to: &str) -> io::Result<()> {
        match at::renameat_with(&self.file, from, &self.file, to, RenameFlags::NOREPLACE) {
            // Not every file system supports this.
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => match self.link(from, to) {
                Ok(()) => self.remove(from),
                // Some have no hard links either. If the name exists, it cannot be taken.
                Err(_) => self.take_new_name(from, to),
            },
            renamed => Ok(renamed?),
        }
    }

    /// The same with neither: the new name is taken by an empty file first.
    fn take_new_name(&self, from: &str, to: &str) -> io::Result<()> {
        self.new_file(to)?;
        let renamed = self.rename(from, to);
        if renamed.is_err() {
            let _ = self.remove(to);
        }
        renamed
    }

    /// Creates a hard link.
    pub(super) fn link(&self, from: &str, to: &str) -> io::Result<()> {
        Ok(at::linkat(
            &self.file,
            from,
            &self.file,
            to,
            AtFlags::empty(),
        )?)
    }

    /// Removes a file; a missing file is not an error.
    pub(super) fn remove(&self, name: &str) -> io::Result<()> {
        match at::unlinkat(&self.file, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// The names in it; empty if it cannot be listed.
    pub(super) fn names(&self) -> Vec<String> {
        let entries = at::Dir::read_from(&self.file).into_iter().flatten();
        let names =
            entries.filter_map(|entry| entry.ok()?.file_name().to_str().ok().map(str::to_owned));
        names.collect()
    }

    /// Syncs its directory entries to the disk.
    pub(super) fn sync(&self) -> io::Result<Synced> {
        synced(self.file.sync_all())
    }
}

/// Creates a folder and those around it that do not exist, and syncs their names: what is saved in a folder is lost
/// with its name.
fn create(path: &Path) -> io::Result<()> {
    let is_missing = |folder: &&Path| !folder.as_os_str().is_empty() && !folder.exists();
    let missing: Vec<&Path> = path.ancestors().take_while(is_missing).collect();
    fs::create_dir_all(path)?;
    for parent in missing.into_iter().filter_map(around) {
        // One that may not be listed cannot be synced either.
        if let Ok(parent) = File::open(parent) {
            synced(parent.sync_all())?;
        }
    }
    Ok(())
}

/// The folder that has the name of another one; `None` for the root.
fn around(folder: &Path) -> Option<&Path> {
    let parent = folder.parent()?;
    match parent.as_os_str().is_empty() {
        true => Some(Path::new(".")),
        false => Some(parent),
    }
}

/// The identity of a file.
pub(super) fn file_id(about: &at::Stat) -> FileId {
    #[allow(clippy::unnecessary_cast, reason = "the types differ between systems")]
    FileId {
        device: about.st_dev as u64,
        inode: about.st_ino as u64,
    }
}

/// Treats missing support for syncing as success.
pub(in crate::session) fn synced(result: io::Result<()>) -> io::Result<Synced> {
    const UNKNOWN: [Errno; 4] = [Errno::INVAL, Errno::NOSYS, Errno::OPNOTSUPP, Errno::BADF];
    match result {
        Ok(()) => Ok(Synced::Yes),
        Err(error)
            if UNKNOWN
                .iter()
                .any(|errno| error.raw_os_error() == Some(errno.raw_os_error())) =>
        {
            Ok(Synced::Unknown)
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moved_folder_is_not_recreated_in_its_old_place() {
        let outer = tempfile::tempdir().unwrap();
        let (old, new) = (outer.path().join("old"), outer.path().join("new"));
        let folder = Folder::open(&old).unwrap();
        assert!(folder.is_in_place().unwrap());
        fs::rename(&old, &new).unwrap();
        assert!(!folder.is_in_place().unwrap());
        folder.new_file("mine").unwrap();
        assert!(new.join("mine").exists() && !old.exists());
        fs::create_dir(&old).unwrap();
        assert!(
            !folder.is_in_place().unwrap(),
            "another folder of that name"
        );
    }

    /// A folder is opened in order to sync it.
    #[cfg(target_os = "linux")]
    #[test]
    fn the_folder_around_a_name_alone_is_the_current_one() {
        let around = |folder: &str| super::around(Path::new(folder)).map(Path::to_owned);
        assert_eq!(around("sessions"), Some(".".into()));
        assert_eq!(around("./sessions"), Some(".".into()));
        assert_eq!(around("/work/sessions"), Some("/work".into()));
        assert_eq!(around("/"), None);
    }

    #[test]
    fn the_name_of_a_new_folder_is_synced_in_the_folder_around_it() {
        use crate::session::store::watched::Watched;
        let outer = tempfile::tempdir().unwrap();
        let watched = Watched::new(outer.path());
        let path = outer.path().join("new/sessions");
        Folder::open(&path).unwrap();
        let opened = watched.names();
        for folder in ["", "new"] {
            assert!(opened.iter().any(|name| name == folder), "{opened:?}");
        }
        // One that exists already is not created.
        Folder::open(&path).unwrap();
        assert_eq!(watched.names(), Vec::<String>::new());
    }

    #[test]
    fn no_file_is_created_through_a_planted_link_or_over_another() {
        let outer = tempfile::tempdir().unwrap();
        let folder = Folder::open(outer.path()).unwrap();
        let victim = outer.path().join("victim");
        std::os::unix::fs::symlink(&victim, outer.path().join("link")).unwrap();
        assert!(folder.new_file("link").is_err());
        let opened = folder.open_file("link", OFlags::RDWR | OFlags::CREATE);
        assert!(opened.unwrap_err().to_string().contains("symbolic link"));
        assert!(!victim.exists());
        folder.new_file("a").unwrap();
        folder.new_file("b").unwrap();
        assert!(folder.rename_to_new("a", "b").is_err());
        folder.rename_to_new("a", "c").unwrap();
        let mode = fs::metadata(outer.path().join("c")).unwrap().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_new_name_is_taken_without_hard_links_and_never_another_ones() {
        let outer = tempfile::tempdir().unwrap();
        let folder = Folder::open(outer.path()).unwrap();
        let path = |name: &str| outer.path().join(name);
        fs::write(path("a"), "mine").unwrap();
        fs::write(path("b"), "theirs").unwrap();
        let error = folder.take_new_name("a", "b").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(path("b")).unwrap(), b"theirs");
        folder.take_new_name("a", "c").unwrap();
        assert_eq!(fs::read(path("c")).unwrap(), b"mine");
        assert!(!path("a").exists());
        // What cannot be renamed leaves no empty file.
        assert!(folder.take_new_name("a", "d").is_err());
        assert!(!path("d").exists());
    }

    #[test]
    fn a_file_system_without_syncing_is_distinguished_from_a_failing_disk() {
        let error = |code: Errno| Err(io::Error::from(code));
        assert_eq!(synced(error(Errno::INVAL)).unwrap(), Synced::Unknown);
        assert_eq!(synced(Ok(())).unwrap(), Synced::Yes);
        assert!(synced(error(Errno::IO)).is_err());
        assert!(synced(error(Errno::NOSPC)).is_err());
    }

    #[test]
    fn the_names_in_a_folder_are_listed_and_have_paths_in_it() {
        let outer = tempfile::tempdir().unwrap();
        let folder = Folder::open(outer.path()).unwrap();
        for name in ["a.ron", "b.lock"] {
            folder.new_file(name).unwrap();
            assert_eq!(folder.path_of(name), outer.path().join(name));
            assert!(folder.path_of(name).exists());
        }
        for _ in 0..2 {
            let mut names = folder.names();
            // The folder itself and the one around it may be listed too.
            names.retain(|name| !name.starts_with('.'));
            names.sort();
            assert_eq!(names, ["a.ron", "b.lock"]);
        }
    }

    #[test]
    fn no_program_that_is_started_gets_a_folder_or_a_file_in_it() {
        use rustix::io::{FdFlags, fcntl_getfd};
        let outer = tempfile::tempdir().unwrap();
        let folder = Folder::open(outer.path()).unwrap();
        let file = folder.new_file("a").unwrap();
        for opened in [&folder.file, &file] {
            let flags = fcntl_getfd(opened).unwrap();
            assert!(flags.contains(FdFlags::CLOEXEC));
        }
    }

    #[test]
    fn opening_a_pipe_never_waits_for_a_program_at_its_other_end() {
        let outer = tempfile::tempdir().unwrap();
        let folder = Folder::open(outer.path()).unwrap();
        let pipe = outer.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        let (opened, waited) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let _ = opened.send(folder.open_file("pipe", OFlags::RDONLY).is_ok());
        });
        let limit = std::time::Duration::from_secs(10);
        assert_eq!(waited.recv_timeout(limit), Ok(true));
    }

    /// For root, which may list any folder, this always holds.
    #[cfg(target_os = "linux")]
    #[test]
    fn files_are_created_in_a_folder_that_cannot_be_listed() {
        use std::os::unix::fs::PermissionsExt;
        let outer = tempfile::tempdir().unwrap();
        let path = outer.path().join("hidden");
        fs::create_dir(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o300)).unwrap();
        let folder = Folder::open(&path).unwrap();
        folder.new_file("mine").unwrap();
        assert!(folder.file_id("mine").unwrap().is_some());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        assert!(path.join("mine").exists());
    }
}
