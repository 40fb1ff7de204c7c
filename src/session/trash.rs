//! Deleting a session by moving its files to the folder `trash` beside the sessions, so that nothing is
//! lost by mistake and `mv` restores it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::error::{StoreError, io_error};
use super::store::{Lock, Store, now, synced};

/// The trash folder, beside the sessions.
const TRASH: &str = "trash";

/// The endings of files that are kept. In this order, an interruption at any point leaves a session that
/// opens: the older generation goes before the newer.
const KEPT: [&str; 3] = [".ron.bak", ".ron", ".log"];

/// The endings of files that are useless without the session.
const DROPPED: [&str; 3] = [".sock", ".ron.tmp", ".ron.bak.tmp"];

impl Store {
    /// Moves a session, its previous generation, its log and its shards to a new folder in the trash,
    /// and returns that folder.
    ///
    /// # Errors
    /// [`StoreError::Locked`] if an engine runs it, or I/O errors.
    pub fn to_trash(&self, name: &str) -> Result<PathBuf, StoreError> {
        // Until it is locked, an engine may begin with it, and what is read is soon outdated.
        let mut locks: Vec<Lock> = vec![self.lock(name)?];
        let sharding = self
            .load_head(name)
            .ok()
            .and_then(|session| session.record.sharding);
        let shards = match sharding {
            Some(sharding) => self.shards(name, sharding.count)?,
            None => Vec::new(),
        };
        // The shards of a divided session are moved before it: what is left is still divided.
        let mut names: Vec<&str> = shards.iter().map(|file| file.name.as_str()).collect();
        for shard in &names {
            locks.push(self.lock(shard)?);
        }
        names.push(name);
        let place = self.place_in_trash(name)?;
        for name in names {
            self.move_to(&place, name)?;
        }
        for folder in [place.as_path(), self.folder()] {
            sync_names(folder)?;
        }
        drop(locks);
        Ok(place)
    }

    /// Moves the files of one session, and deletes those that are useless without it.
    fn move_to(&self, place: &Path, name: &str) -> Result<(), StoreError> {
        for ending in KEPT {
            let file = format!("{name}{ending}");
            let from = self.folder().join(&file);
            match fs::rename(&from, place.join(&file)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(io_error(&from, "move the file to the trash")(error));
                }
                _ => {}
            }
        }
        for ending in DROPPED {
            let path = self.folder().join(format!("{name}{ending}"));
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(io_error(&path, "delete the file")(error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// A new folder in the trash, named after the session and the time. It is on the disk before anything is moved into
    /// it.
    fn place_in_trash(&self, name: &str) -> Result<PathBuf, StoreError> {
        let trash = self.folder().join(TRASH);
        fs::create_dir_all(&trash).map_err(io_error(&trash, "create the folder"))?;
        let time = jiff::Timestamp::from_second(now()).map_or_else(
            |_| "undated".to_owned(),
            |time| time.strftime("%Y%m%dT%H%M%SZ").to_string(),
        );
        let mut more = 1;
        loop {
            let place = match more {
                1 => trash.join(format!("{name}.{time}")),
                more => trash.join(format!("{name}.{time}.{more}")),
            };
            match fs::create_dir(&place) {
                Ok(()) => {
                    sync_names(&trash)?;
                    sync_names(self.folder())?;
                    return Ok(place);
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => more += 1,
                Err(error) => return Err(io_error(&place, "create the folder")(error)),
            }
        }
    }
}

/// Syncs the names in a folder.
fn sync_names(folder: &Path) -> Result<(), StoreError> {
    sync(folder).map_err(io_error(folder, "sync the folder"))
}

/// The same. Some file systems cannot, which loses nothing that was moved.
fn sync(folder: &Path) -> io::Result<()> {
    synced(fs::File::open(folder)?.sync_all()).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::{Config, Session};

    #[test]
    fn a_deleted_session_is_in_the_trash_with_its_previous_generation_and_opens_there() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path());
        let mut session = Session::new("mine", Config::default());
        store.save(&session).unwrap();
        session.record.updated = 7;
        store.save(&session).unwrap();
        fs::write(folder.path().join("mine.log"), "it began").unwrap();
        let place = store.to_trash("mine").unwrap();
        assert!(place.starts_with(folder.path().join("trash")));
        assert!(!store.exists("mine") && store.names().unwrap().is_empty());
        let kept = Store::new(&place);
        assert_eq!(kept.load("mine").unwrap().record.updated, 7);
        assert_eq!(kept.previous("mine").unwrap().unwrap().record.updated, 0);
        assert!(place.join("mine.log").exists());
        // A second session of that name gets its own folder.
        store.save(&session).unwrap();
        assert_ne!(store.to_trash("mine").unwrap(), place);
    }

    /// A folder is opened in order to sync it.
    #[cfg(target_os = "linux")]
    #[test]
    fn the_new_folder_is_on_the_disk_before_a_session_is_moved_into_it() {
        use crate::session::store::watched::Watched;
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path());
        let session = Session::new("mine", Config::default());
        for _generation in 0..2 {
            store.save(&session).unwrap();
        }
        let watched = Watched::new(folder.path());
        store.to_trash("mine").unwrap();
        let names = watched.names();
        let first = |name: &str| names.iter().position(|other| other == name);
        let (trash, moved) = (first("trash"), first("mine.ron.bak"));
        assert!(trash.is_some() && moved > trash, "{names:?}");
        let itself = names.iter().rposition(|name| name.is_empty());
        assert!(itself > moved, "the old names are synced too: {names:?}");
    }

    #[test]
    fn folders_of_the_same_second_are_numbered_and_any_other_failure_is_reported() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path());
        // A second may pass between two of them, but not between all.
        let places: [PathBuf; 9] = std::array::from_fn(|_| store.place_in_trash("mine").unwrap());
        let is_second = |place: &PathBuf| place.to_string_lossy().ends_with("Z.2");
        assert!(places.iter().any(is_second), "{places:?}");
        let long = "a".repeat(300);
        let error = store.place_in_trash(&long).unwrap_err().to_string();
        assert!(error.contains("cannot create the folder"), "{error}");
    }

    #[test]
    fn a_file_that_cannot_be_moved_or_deleted_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path());
        let place = store.place_in_trash("mine").unwrap();
        store.move_to(&place, "mine").unwrap();
        // A folder in the place of a file is neither replaced nor deleted as one.
        fs::create_dir(folder.path().join("mine.sock")).unwrap();
        let error = store.move_to(&place, "mine").unwrap_err().to_string();
        assert!(
            error.contains("mine.sock: cannot delete the file"),
            "{error}"
        );
        fs::write(store.log_path("mine"), "it began").unwrap();
        fs::create_dir(place.join("mine.log")).unwrap();
        let error = store.move_to(&place, "mine").unwrap_err().to_string();
        assert!(
            error.contains("mine.log: cannot move the file to the trash"),
            "{error}"
        );
        assert!(store.log_path("mine").exists());
    }

    #[test]
    fn a_folder_that_cannot_be_opened_is_not_taken_for_synced() {
        let folder = tempfile::tempdir().unwrap();
        sync(folder.path()).unwrap();
        assert!(sync(&folder.path().join("none")).is_err());
    }

    /// `/proc` refuses to sync, since it is on no disk.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_system_that_cannot_sync_is_no_error() {
        sync(Path::new("/proc")).unwrap();
    }

    #[test]
    fn a_session_that_an_engine_runs_is_not_moved() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path());
        store
            .save(&Session::new("mine", Config::default()))
            .unwrap();
        let _engine = store.lock("mine").unwrap();
        assert!(matches!(
            store.to_trash("mine"),
            Err(StoreError::Locked { .. })
        ));
        assert!(store.exists("mine"));
    }
}
