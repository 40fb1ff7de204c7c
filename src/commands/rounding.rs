//! How this process rounds on GPUs, which is decided before libtorch computes anything: as asked or, if the command
//! resumes a session, as that was computed.

use std::ffi::OsString;

use super::shard::ShardNumber;
use super::{Cli, Command, sessions_folder};
use crate::engine::device::numerics;
use crate::session::store::Store;

/// Whether to multiply in TF32.
pub fn is_tf32(cli: &Cli) -> bool {
    let asked = asked(std::env::args_os());
    asked.unwrap_or_else(|| recorded(cli) == Some(true))
}

/// What the command line asks for; `None` if it does not say.
fn asked(words: impl Iterator<Item = OsString>) -> Option<bool> {
    let mut all = words.filter_map(|word| match word.to_str()? {
        "--tf32" | "--tf32=on" => Some(true),
        "--tf32=off" => Some(false),
        _ => None,
    });
    all.next()
}

/// Whether the session that the command resumes was computed in TF32; `None` if it was not computed on a GPU, or if
/// there is none.
fn recorded(cli: &Cli) -> Option<bool> {
    let store = Store::new(sessions_folder(cli.sessions.as_deref()).ok()?);
    let names = resumed(cli.command.as_ref()?);
    names.iter().find_map(|name| {
        let head = store.load_head(name).ok()?;
        numerics::recorded(&head.record.devices)
    })
}

/// The sessions that a command resumes: a shard before the session that it belongs to.
fn resumed(command: &Command) -> Vec<String> {
    match command {
        Command::Run { plan, shard, .. } => {
            let shard = shard.as_deref().map(ShardNumber::parse);
            let shard = shard.and_then(Result::ok);
            let shard = shard.map(|shard| shard.session(&plan.name));
            shard.into_iter().chain([plan.name.clone()]).collect()
        }
        Command::Extend { name, .. } | Command::Engine { name, .. } => vec![name.clone()],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::session::store::shard_name;
    use crate::session::{Config, Session};

    #[test]
    fn what_the_command_line_says_counts_before_what_was_recorded() {
        let of = |words: &[&str]| asked(words.iter().map(OsString::from));
        assert_eq!(of(&["run", "rounded", "--plain"]), None);
        assert_eq!(of(&["run", "full", "--tf32"]), Some(true));
        assert_eq!(of(&["engine", "full", "--tf32=on"]), Some(true));
        assert_eq!(of(&["run", "rounded", "--tf32=off"]), Some(false));
        // What is read here is what the options say.
        let parses =
            |words: &[&str]| Cli::try_parse_from([&["noisescope"], words].concat()).is_ok();
        for word in ["--tf32", "--tf32=on", "--tf32=off"] {
            assert!(parses(&["run", "mine", word]), "{word}");
        }
        for words in [&["--tf32=maybe"][..], &["--tf32", "off"]] {
            assert!(!parses(&[&["extend", "mine"], words].concat()), "{words:?}");
        }
    }

    #[test]
    fn a_resumed_session_is_computed_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path());
        let shard = shard_name("divided", 2, 4);
        for (name, device) in [
            ("rounded", "cuda:0, launches of 64 blocks, TF32"),
            ("full", "cuda:0, launches of 64 blocks, float32"),
            ("elsewhere", "cpu"),
            ("divided", "cuda:0, launches of 64 blocks, float32"),
            (shard.as_str(), "cuda:1, launches of 64 blocks, TF32"),
        ] {
            let mut session = Session::new(name, Config::default());
            session.record.devices = vec![device.to_owned()];
            store.save(&session).unwrap();
        }
        let sessions = folder.path().display().to_string();
        let recorded = |words: &[&str]| {
            let words = ["noisescope", "--sessions", sessions.as_str()]
                .into_iter()
                .chain(words.iter().copied());
            recorded(&Cli::parse_from(words))
        };
        assert_eq!(recorded(&["run", "rounded"]), Some(true));
        assert_eq!(recorded(&["run", "full"]), Some(false));
        assert_eq!(recorded(&["run", "elsewhere"]), None);
        assert_eq!(recorded(&["run", "new"]), None);
        // The process that a dashboard starts, and the one that adds trials.
        assert_eq!(recorded(&["engine", "rounded"]), Some(true));
        let extended = ["extend", "rounded", "--trials", "5000"];
        assert_eq!(recorded(&extended), Some(true));
        let shard = |number| recorded(&["run", "divided", "--shard", number]);
        assert_eq!(shard("2/4"), Some(true));
        assert_eq!(shard("3/4"), Some(false));
        assert_eq!(recorded(&["ls"]), None);
    }
}
