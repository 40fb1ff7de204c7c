//! The files of a divided session: `NAME.ron`, and `NAME.shard-3-of-32.ron` for each shard that has
//! begun.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{Result, Store, StoreError};
use crate::session::Session;
use crate::session::error::io_error;

/// The name of a shard's session.
pub fn shard_name(name: &str, index: u32, count: u32) -> String {
    format!("{name}.shard-{index}-of-{count}")
}

/// The name of the session that a shard belongs to; any other name is returned unchanged.
pub fn session_of_shard(name: &str) -> &str {
    parse_shard_name(name).map_or(name, |(whole, ..)| whole)
}

/// Parses a shard's name into its session, index and count; `None` for other names.
pub fn parse_shard_name(name: &str) -> Option<(&str, u32, u32)> {
    let (whole, rest) = name.rsplit_once(".shard-")?;
    let (index, count) = rest.split_once("-of-")?;
    let number = |text: &str| {
        text.parse::<u32>()
            .ok()
            .filter(|number| number.to_string() == text)
    };
    let (index, count) = (number(index)?, number(count)?);
    (!whole.is_empty() && (1..=count).contains(&index)).then_some((whole, index, count))
}

/// The file of a shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardFile {
    /// Its number, from 1.
    pub index: u32,
    /// Its session's name.
    pub name: String,
    /// Its path.
    pub path: PathBuf,
}

impl Store {
    /// The files of a session's shards, out of `count`, by number; shards that have not begun have none.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub fn shards(&self, name: &str, count: u32) -> Result<Vec<ShardFile>> {
        let failed = || io_error(self.folder(), "read the sessions folder");
        let mut all = Vec::new();
        for entry in fs::read_dir(self.folder()).map_err(failed())? {
            let file = entry.map_err(failed())?.file_name();
            let stem = file.to_str().and_then(|file| file.strip_suffix(".ron"));
            let Some((whole, index, number)) = stem.and_then(parse_shard_name) else {
                continue;
            };
            if whole == name && number == count {
                let name = shard_name(name, index, count);
                all.push(ShardFile {
                    index,
                    path: self.path(&name),
                    name,
                });
            }
        }
        all.sort_by_key(|file| file.index);
        Ok(all)
    }

    /// Reads a session; if it is divided, with everything its shards have measured so far.
    ///
    /// # Errors
    /// As [`Self::load`], also for shards; and if a shard does not belong to this session.
    pub fn load_whole(&self, name: &str) -> Result<Session> {
        loop {
            if let Some(sum) = self.with_shards(self.load(name)?)? {
                return Ok(sum);
            }
        }
    }

    /// A session with what its shards have measured; `None` if its division has changed meanwhile: if they have been
    /// merged, some of their files may have been gone already.
    fn with_shards(&self, mut session: Session) -> Result<Option<Session>> {
        let Some(sharding) = session.record.sharding.clone() else {
            return Ok(Some(session));
        };
        for file in self.shards(&session.name, sharding.count)? {
            let shard = match self.load(&file.name) {
                // It was just merged or discarded.
                Err(StoreError::Missing { .. }) => continue,
                shard => shard?,
            };
            if session.has_merged(&shard) {
                continue;
            }
            session
                .absorb(&shard)
                .map_err(|error| self.foreign(&file.path, &error))?;
        }
        let now = self.load_head(&session.name)?.record.sharding;
        Ok((now == Some(sharding)).then_some(session))
    }

    /// The error that a shard's file does not belong to its session.
    pub fn foreign(&self, path: &Path, error: &dyn std::fmt::Display) -> StoreError {
        StoreError::Foreign {
            path: path.to_owned(),
            problem: error.to_string(),
        }
    }

    /// Removes the files of a shard that has been merged; its log stays.
    ///
    /// # Errors
    /// I/O errors.
    pub fn remove_shard(&self, file: &ShardFile) -> Result<()> {
        for path in [self.backup_path(&file.name), file.path.clone()] {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(io_error(&path, "remove a merged shard")(error));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Config;
    use crate::session::store::to_text;
    use crate::session::text::ARRAYS;

    #[test]
    fn a_shards_name_contains_its_session_and_number() {
        let name = shard_name("night.2", 3, 32);
        assert_eq!(name, "night.2.shard-3-of-32");
        assert_eq!(parse_shard_name(&name), Some(("night.2", 3, 32)));
        for other in [
            "night",
            "night.shard-0-of-4",
            "night.shard-5-of-4",
            "night.shard-03-of-4",
            "night.shard-1-of-",
            ".shard-1-of-2",
            "night.shard-+1-of-2",
        ] {
            assert_eq!(parse_shard_name(other), None, "{other}");
        }
    }

    #[test]
    fn a_shard_belongs_to_its_session_and_any_other_name_to_itself() {
        assert_eq!(session_of_shard("night.shard-3-of-32"), "night");
        assert_eq!(session_of_shard("night.2"), "night.2");
        assert_eq!(session_of_shard("night.shard-5-of-4"), "night.shard-5-of-4");
    }

    #[test]
    fn the_shards_of_one_session_and_division_are_listed_by_number() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path());
        assert!(store.shards("night", 12).unwrap().is_empty());
        let shards = [
            ("night", 10, 12),
            ("night", 2, 12),
            ("night", 1, 3),
            ("day", 1, 12),
        ];
        for (name, index, count) in shards {
            fs::write(store.path(&shard_name(name, index, count)), "").unwrap();
        }
        fs::write(store.path("night"), "").unwrap();
        fs::write(store.backup_path(&shard_name("night", 5, 12)), "").unwrap();
        let expected = [2, 10].map(|index| ShardFile {
            index,
            name: format!("night.shard-{index}-of-12"),
            path: folder.path().join(format!("night.shard-{index}-of-12.ron")),
        });
        assert_eq!(store.shards("night", 12).unwrap(), expected);
        let missing = Store::new(folder.path().join("missing"));
        assert!(missing.shards("night", 12).is_err());
    }

    #[test]
    fn a_session_that_was_merged_while_its_shards_were_read_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path());
        let mut session = Session::new("night", Config::default());
        session.divide(2, "any").unwrap();
        store.save(&session).unwrap();
        let divided = store.load("night").unwrap();
        let sum = store.with_shards(divided.clone()).unwrap();
        assert!(sum == Some(divided.clone()));
        // Both shards have been added, and their files removed.
        session.end_division();
        store.save(&session).unwrap();
        assert!(store.with_shards(divided).unwrap().is_none());
        assert!(store.load_whole("night").unwrap() == session);
    }

    #[test]
    fn a_session_whose_readable_part_is_too_long_to_list_is_still_one_with_its_shards() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path());
        let mut session = Session::new("night", Config::default());
        session.divide(2, "any").unwrap();
        let shard = session.new_shard("night.shard-1-of-2", 1).unwrap();
        store.save(&shard).unwrap();
        // Long, and with its arrays where no program looks for them.
        let text = to_text(&session).unwrap();
        let long = format!("{}config:", " ".repeat(25 << 20));
        let text = text.replacen("config:", &long, 1);
        let text = text.replacen(ARRAYS, ARRAYS.trim_start(), 1);
        fs::write(store.path("night"), text).unwrap();
        let listed = store.load_short_head("night");
        assert!(matches!(listed, Err(StoreError::TooLarge { .. })));
        assert!(store.load_head("night").unwrap() == session);
        assert!(store.load_whole("night").unwrap() == session);
        let place = store.to_trash("night").unwrap();
        assert!(place.join("night.shard-1-of-2.ron").exists());
    }

    #[test]
    fn a_merged_shards_generations_are_removed_and_its_log_stays() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path());
        let name = shard_name("night", 1, 2);
        let shard = ShardFile {
            index: 1,
            path: store.path(&name),
            name: name.clone(),
        };
        let backup = store.backup_path(&name);
        fs::write(store.log_path(&name), "").unwrap();
        // A shard that was saved once has no previous generation.
        for kept in [&[&shard.path][..], &[&shard.path, &backup]] {
            for path in kept {
                fs::write(path, "").unwrap();
            }
            store.remove_shard(&shard).unwrap();
            assert!(!shard.path.exists() && !backup.exists());
        }
        assert!(store.log_path(&name).exists());
        // A folder cannot be removed as a file.
        fs::create_dir(&shard.path).unwrap();
        let error = store.remove_shard(&shard).unwrap_err().to_string();
        assert!(error.contains("cannot remove a merged shard"), "{error}");
    }
}
