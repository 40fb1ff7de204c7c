//! Tests of the sessions folder: names, generations, and who runs a session on another machine.

use super::*;
use crate::session::Config;
use crate::session::record::shard::MAX_SHARDS;

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
    // What has a name can be divided, into any number of shards.
    let last = |whole: &str| shard_name(whole, MAX_SHARDS, MAX_SHARDS);
    assert!(check_name(&last(&longest)).is_ok());
    assert!(check_name(&last(&longer)).is_err());
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    let shard = Session::new(last(&longest), Config::default());
    store.save(&shard).unwrap();
    assert_eq!(store.load(&shard.name).unwrap(), shard);
    let told = check_name(&"ä".repeat(51)).unwrap_err().to_string();
    assert!(told.contains("100 bytes"), "{told}");
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
    // One that was never run is of no time.
    let new = Session::new("new", Config::default());
    store.save(&new).unwrap();
    store.save(&new).unwrap();
    fs::remove_file(store.path("new")).unwrap();
    let error = store.load("new").unwrap_err().to_string();
    let words = "generation, from before the first checkpoint, is intact";
    assert!(error.contains(words), "{error}");
    fs::remove_file(store.backup_path("new")).unwrap();
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

#[test]
fn an_engine_on_another_machine_runs_also_if_the_clock_of_its_folder_is_ahead() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    let path = folder.path().join("mine.lock");
    let text = "4242\n\nmachine farm-7\nboot another\nstarted 5\ntoken t\nbeat 6\nend\n";
    fs::write(&path, text).unwrap();
    let runs = |ahead: u64| {
        let written = SystemTime::now() + Duration::from_secs(ahead);
        let file = fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(written).unwrap();
        store.engine("mine").is_some()
    };
    assert!(runs(3) && runs(20) && !runs(40));
}

#[test]
fn only_files_with_a_sessions_name_are_listed() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    fs::create_dir(store.path("folder")).unwrap();
    for file in [
        "a.ron",
        ".hidden.ron",
        "two words.ron",
        "b.ron.bak",
        "b.log",
    ] {
        fs::write(folder.path().join(file), "").unwrap();
    }
    assert_eq!(store.names().unwrap(), ["a"]);
    assert_eq!(store.log_path("b"), folder.path().join("b.log"));
}

#[test]
fn a_folder_that_does_not_exist_yet_has_no_sessions_and_one_that_cannot_be_read_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let missing = Store::new(folder.path().join("missing"));
    assert!(missing.names().unwrap().is_empty());
    let path = folder.path().join("file");
    fs::write(&path, "").unwrap();
    let error = Store::new(&path).names().unwrap_err().to_string();
    let words = format!("{}: cannot read the sessions folder: ", path.display());
    assert!(error.starts_with(&words), "{error}");
    // It may hold any session, so none is said to be missing.
    let error = Store::new(&path).load("mine").unwrap_err().to_string();
    assert!(error.starts_with(&words), "{error}");
}

#[test]
fn a_session_that_cannot_be_read_is_missing_damaged_or_wrongly_spelled() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    let error = || store.load("mine").unwrap_err();
    assert!(matches!(error(), StoreError::Missing { .. }));
    // A session that was saved once has no previous generation.
    store
        .save(&Session::new("mine", Config::default()))
        .unwrap();
    assert_eq!(store.load("mine").unwrap().name, "mine");
    // Only a file that once was a session has one: what stands there now is damaged.
    let path = store.path("mine");
    fs::write(&path, format!("(version: {VERSION}, config: (sed: 1))")).unwrap();
    assert!(matches!(error(), StoreError::Syntax { line: 1, .. }));
    let text = to_text(&Session::new("mine", Config::default())).unwrap();
    fs::write(store.backup_path("mine"), text).unwrap();
    let damaged = error().to_string();
    assert!(damaged.contains("the file is damaged: line 1, column "));
    assert!(damaged.contains("is intact. To restore it: mv "));
    fs::remove_file(&path).unwrap();
    let lost = error().to_string();
    assert!(lost.contains("the file is damaged: cannot read the file: "));
    // What is no file is not called a damaged one.
    fs::create_dir(&path).unwrap();
    let words = format!(
        "{}: cannot read the file: it is a folder, not a file",
        path.display()
    );
    assert_eq!(error().to_string(), words);
}

#[test]
fn the_engine_of_a_lock_that_cannot_be_read_is_found_by_the_systems_lock() {
    use std::os::unix::fs::PermissionsExt;
    if !Path::new("/proc/locks").exists() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    let path = folder.path().join("mine.lock");
    let file = fs::File::create(&path).unwrap();
    file.lock().unwrap();
    let engine = EngineProcess::of_another_user(&path).unwrap();
    let here = std::process::id();
    assert_eq!(engine.words(), format!("process {here}"));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o0)).unwrap();
    // Root may read any file.
    if files::open(&path).is_err() {
        assert_eq!(store.engine("mine"), Some(engine));
    }
    file.unlock().unwrap();
    assert_eq!(EngineProcess::of_another_user(&path), None);
    // A folder is no lock, whoever has locked it.
    let place = folder.path().join("other.lock");
    fs::create_dir(&place).unwrap();
    let locked = fs::File::open(&place).unwrap();
    locked.lock().unwrap();
    assert_eq!(store.engine("other"), None);
}

#[test]
fn times_are_seconds_since_1970_and_shown_in_local_time() {
    let folder = tempfile::tempdir().unwrap();
    let written = folder.path().metadata().unwrap().modified().unwrap();
    let written = written.duration_since(UNIX_EPOCH).unwrap().as_secs();
    assert!(now().abs_diff(written as i64) < 60);
    // No clock is put forward or back near this time: its local time stands for it alone.
    let moment = 1_700_000_000;
    let local: jiff::civil::DateTime = timestamp(moment).parse().unwrap();
    let zoned = local.to_zoned(jiff::tz::TimeZone::system()).unwrap();
    assert_eq!(zoned.timestamp().as_second(), moment);
    assert_eq!(timestamp(moment), local.strftime("%F %T").to_string());
    assert_eq!(timestamp(i64::MAX), i64::MAX.to_string());
}
