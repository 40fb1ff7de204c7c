//! Tests of the sessions folder: names, generations, and who runs a session on another machine.

use super::*;
use crate::session::Config;

#[test]
fn a_name_is_a_plain_file_name_of_at_most_100_bytes() {
    let (longest, longer) = ("a".repeat(100), "a".repeat(101));
    for name in [
        "a",
        "night.2",
        "a-b_c",
        "été",
        "a.ron.bak",
        longest.as_str(),
    ] {
        assert!(check_name(name).is_ok(), "{name}");
    }
    for name in ["", ".a", "-a", "a.ron", "a/b", "a b", "..", longer.as_str()] {
        assert!(check_name(name).is_err(), "{name}");
    }
}

#[test]
fn of_three_generations_the_last_two_are_kept_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    assert!(store.names().unwrap().is_empty() && !store.exists("mine"));
    assert!(store.previous("mine").unwrap().is_none());
    let mut session = Session::new("mine", Config::default());
    for updated in [1, 2, 3] {
        session.record.updated = updated;
        store.save(&session).unwrap();
    }
    let previous = || store.previous("mine").unwrap().map(|it| it.record.updated);
    assert_eq!(store.load("mine").unwrap().record.updated, 3);
    assert_eq!(previous(), Some(2));
    assert!(store.restore_command("mine").starts_with("mv "));
    fs::remove_file(store.path("mine")).unwrap();
    assert!(store.exists("mine"));
    assert!(store.restore_command("mine").starts_with("cp "));
    let error = store.load("mine").unwrap_err().to_string();
    assert!(error.contains("with 0 trials, is intact"), "{error}");
    // A shard is listed only if its session is not.
    let mut shard = Session::new(shard_name("other", 1, 2), Config::default());
    store.save(&shard).unwrap();
    assert_eq!(store.names().unwrap(), ["other.shard-1-of-2"]);
    shard.name = "other".into();
    store.save(&shard).unwrap();
    assert_eq!(store.names().unwrap(), ["other"]);
}

#[test]
fn an_engine_on_another_machine_runs_while_its_lock_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    let path = folder.path().join("mine.lock");
    let write = |token: &str, age: u64| {
        let text = format!(
            "4242\n\nmachine farm-7\nboot another\nstarted 5\ntoken {token}\nbeat 6\nend\n"
        );
        fs::write(&path, text).unwrap();
        let written = SystemTime::now() - Duration::from_secs(age);
        let file = fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(written).unwrap();
    };
    assert_eq!(store.engine("mine"), None);
    write("t", 20);
    let engine = store.engine("mine").unwrap();
    assert_eq!(engine.words(), "process 4242 on farm-7");
    let sign = store.life_sign("mine").unwrap();
    assert_eq!((sign.lives, sign.beat), (None, 6));
    write("t", 40);
    assert_eq!(store.engine("mine"), None);
    // It has been silent for long enough that its session can be claimed.
    let lock = store.lock("mine").unwrap();
    let mine = store.engine("mine").unwrap();
    assert_eq!((mine.pid, mine.remote_machine), (std::process::id(), None));
    drop(lock);
    assert!(!path.exists());
    // An earlier version keeps no beat: only the system's lock counts.
    write("", 0);
    assert_eq!(store.engine("mine"), None);
    drop(store.lock("mine").unwrap());
}
