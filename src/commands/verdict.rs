//! The exit code of `run --exit-code`: the verdict of the session's audits.

use std::path::Path;
use std::process::ExitCode;

use super::{CommandError, output};
use crate::engine::{inputs, originals};
use crate::session::Session;
use crate::session::config::{Analysis as Plan, NetworkKind, WeightSource};
use crate::session::record::Analysis as Data;
use crate::session::store::Store;

/// Exit code if an audit found something.
const FOUND: u8 = 4;

/// Exit code if none found something, but of at least one nothing can be said.
const UNDECIDED: u8 = 5;

/// Refuses a session whose plan has no audit, and so no verdict.
///
/// # Errors
/// If it has none; says what to do.
pub fn check(session: &Session) -> Result<(), CommandError> {
    let mut plans = session.config.analyses.iter();
    match plans.any(|plan| matches!(plan, Plan::Audit(_))) {
        true => Ok(()),
        false => Err(CommandError::Usage(format!(
            "{}: --exit-code says what an audit found, but its plan has no audit; leave the option out, or begin a new session with --preset audit",
            session.name
        ))),
    }
}

/// The exit code for a session as it is stored: 0 if its audits found nothing, else [`FOUND`] or [`UNDECIDED`].
///
/// # Errors
/// If the session cannot be read, or its plan has no audit.
pub fn exit_code(store: &Store, name: &str) -> Result<ExitCode, CommandError> {
    let session = store.load(name)?;
    check(&session)?;
    if let Some(words) = changed_file(&session, store.folder()) {
        output::complain(words);
        return Ok(ExitCode::from(UNDECIDED));
    }
    let mut code = ExitCode::SUCCESS;
    for (index, plan) in session.config.analyses.iter().enumerate() {
        let Plan::Audit(audit) = plan else { continue };
        let is_done = session.record.is_done(index, plan);
        let verdict = match session.record.analyses.get(index) {
            Some(Data::Audit(data)) if is_done => data.verdict(audit, session.config.network.kind),
            _ => None,
        };
        match verdict {
            Some(verdict) if verdict.has_finding() => return Ok(ExitCode::from(FOUND)),
            Some(verdict) if verdict.is_conclusive() => {}
            _ => code = ExitCode::from(UNDECIDED),
        }
        if !is_done {
            output::complain(format_args!(
                "{name}: its audit is not done, so nothing can be said yet; continue it: noisescope run {name}"
            ));
        }
    }
    Ok(code)
}

/// That the network's file is no longer the one whose network was examined, if so: of the new one nothing can be said.
/// `folder` is the sessions' folder, which may contain the file.
fn changed_file(session: &Session, folder: &Path) -> Option<String> {
    let WeightSource::File(path) = &session.config.network.weights else {
        return None;
    };
    let began = session.record.inputs.last()?.weights.as_ref()?;
    let now = match (session.config.network.kind, &session.record.model) {
        (NetworkKind::Onnx, Some(model)) => originals::fingerprint(model, path, folder),
        (NetworkKind::Onnx, None) => return None,
        // The session has the weights if the file is gone.
        _ => inputs::file_sha256(path).ok()?,
    };
    (now != *began).then(|| {
        format!(
            "{}: {} has changed since its network was audited, so nothing can be said of it; audit it in a session of another name",
            session.name,
            path.display()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::config::{self, Config};
    use crate::session::record::Inputs;

    fn stored(folder: &tempfile::TempDir, plan: Plan) -> Store {
        let config = Config {
            analyses: vec![plan],
            ..Config::default()
        };
        let store = Store::new(folder.path());
        store.save(&Session::new("mine", config)).unwrap();
        store
    }

    #[test]
    fn an_audit_that_is_not_done_has_found_neither_something_nor_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let store = stored(&folder, Plan::Audit(config::Audit::default()));
        let code = exit_code(&store, "mine").unwrap();
        assert!(code == ExitCode::from(UNDECIDED));
    }

    #[test]
    fn a_plan_without_an_audit_has_no_verdict() {
        let folder = tempfile::tempdir().unwrap();
        let store = stored(&folder, Plan::Predictions(config::Predictions::default()));
        let error = exit_code(&store, "mine").unwrap_err();
        assert_eq!(error.code(), 2);
        assert!(error.to_string().contains("no audit"), "{error}");
    }

    #[test]
    fn a_verdict_on_a_file_that_was_replaced_is_said_to_be_on_the_network_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("suspect.safetensors");
        std::fs::write(&path, "as audited").unwrap();
        let mut session = Session::new("mine", Config::default());
        session.config.network.weights = WeightSource::File(path.clone());
        // Nothing is known before a run has begun.
        assert_eq!(changed_file(&session, folder.path()), None);
        session.record.inputs.push(Inputs {
            weights: Some(inputs::file_sha256(&path).unwrap()),
            ..Inputs::default()
        });
        assert_eq!(changed_file(&session, folder.path()), None);
        std::fs::write(&path, "another").unwrap();
        let words = changed_file(&session, folder.path()).unwrap();
        assert!(words.contains("suspect.safetensors has changed"), "{words}");
        session.config.analyses = vec![Plan::Audit(config::Audit::default())];
        let store = Store::new(folder.path());
        store.save(&session).unwrap();
        let code = exit_code(&store, "mine").unwrap();
        assert!(code == ExitCode::from(UNDECIDED));
        std::fs::remove_file(&path).unwrap();
        assert_eq!(changed_file(&session, folder.path()), None);
    }
}
