//! Sessions with references of an audit, named instead of given by their path: looked up in the sessions folder.

use std::path::{Path, PathBuf};

use crate::session::Config;
use crate::session::config::Analysis;
use crate::session::store::Store;

/// What the sessions folder is called in the paths of the documents, wherever it is.
const FOLDER: &str = "sessions";

/// Replaces, in the audits of a new plan, every path that leads nowhere by the session of that name in the sessions
/// folder, if there is one.
pub fn locate(config: &mut Config, store: &Store) {
    for analysis in &mut config.analyses {
        let Analysis::Audit(audit) = analysis else {
            continue;
        };
        for path in &mut audit.sessions {
            if let Some(found) = in_folder(path, store) {
                *path = found;
            }
        }
    }
}

/// The file in the sessions folder that `clean0`, `clean0.ron` or `sessions/clean0.ron` names if it is no file from here.
fn in_folder(path: &Path, store: &Store) -> Option<PathBuf> {
    if path.is_absolute() || path.is_file() {
        return None;
    }
    let above = path.parent()?;
    if !above.as_os_str().is_empty() && above != Path::new(FOLDER) {
        return None;
    }
    let file = path.file_name()?.to_str()?;
    let found = store.path(file.strip_suffix(".ron").unwrap_or(file));
    // The run may be continued from another folder.
    found
        .is_file()
        .then(|| std::path::absolute(&found).unwrap_or(found))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::config::Audit;

    #[test]
    fn a_session_is_found_by_its_name_only_where_its_path_leads_nowhere() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path());
        std::fs::write(store.path("clean0"), "").unwrap();
        let given = folder.path().join("elsewhere.ron");
        let paths = ["clean0", "clean0.ron", "sessions/clean0.ron"];
        let others = ["clean1", "old/clean0.ron", "../clean0.ron"];
        let mut config = Config::default();
        let listed = paths.iter().chain(&others).map(PathBuf::from);
        config.analyses = vec![Analysis::Audit(Audit {
            sessions: listed.chain([given.clone()]).collect(),
            ..Audit::default()
        })];
        locate(&mut config, &store);
        let Analysis::Audit(audit) = &config.analyses[0] else {
            unreachable!()
        };
        let (found, left) = audit.sessions.split_at(paths.len());
        assert!(found.iter().all(|path| *path == store.path("clean0")));
        let unchanged = others.iter().map(PathBuf::from).chain([given]);
        assert_eq!(left, unchanged.collect::<Vec<PathBuf>>());
    }
}
