//! Watching the shards of a session.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use noisescope::link::shards::ShardWatcher;
use noisescope::session::SavedState;
use noisescope::session::run::{ShardState, ShardStatus};
use noisescope::session::store::{Lock, Store, now, shard_name};

use super::{IMAGES, plan, shard};
use crate::common::{Bench, with_plan};

/// How long the test's slow cache delays changes.
const CACHE: Duration = Duration::from_secs(2);

/// Copies each state of the files in one folder to another with a delay, like the cache of a network file system.
fn mirror(from: &Path, to: &Path, over: &AtomicBool) {
    let mut seen: HashMap<OsString, SystemTime> = HashMap::new();
    let mut due: Vec<(Instant, OsString, Option<Vec<u8>>)> = Vec::new();
    while !over.load(Ordering::Relaxed) {
        let mut present = Vec::new();
        for file in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
            let name = file.file_name();
            if name.to_string_lossy().ends_with(".tmp") {
                continue;
            }
            present.push(name.clone());
            // A file that is being replaced at this moment is copied in the next round.
            let (Ok(metadata), Ok(bytes)) = (file.metadata(), std::fs::read(file.path())) else {
                continue;
            };
            let written = metadata.modified().unwrap();
            if seen.get(&name) != Some(&written) {
                seen.insert(name.clone(), written);
                due.push((Instant::now() + CACHE, name, Some(bytes)));
            }
        }
        let gone: Vec<OsString> = seen
            .keys()
            .filter(|name| !present.contains(name))
            .cloned()
            .collect();
        for name in gone {
            seen.remove(&name);
            due.push((Instant::now() + CACHE, name, None));
        }
        let now = Instant::now();
        for (_, name, bytes) in due.extract_if(.., |(time, ..)| *time <= now) {
            let path = to.join(&name);
            match bytes {
                Some(bytes) => {
                    let aside = to.join("aside.tmp");
                    std::fs::write(&aside, bytes).unwrap();
                    std::fs::rename(aside, path).unwrap();
                }
                None => std::fs::remove_file(path).unwrap(),
            }
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_watcher_of_64_shards_behind_a_slow_cache_is_right_within_5_seconds() {
    use ShardStatus::{Died, Done, Failed, NotBegun, Stopped, Waiting, Working};
    let bench = Bench::new();
    let plan = plan(&bench, &IMAGES.replace("80000", "64000"));
    bench.succeed(&with_plan(&["new", "many"], &plan));
    shard(&bench, "many", "64/64");
    let store = bench.store();
    let whole = bench.load("many");
    let mirrored = bench.path("mirrored");
    std::fs::create_dir(&mirrored).unwrap();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| mirror(store.folder(), &mirrored, &over));
        let mut watch = ShardWatcher::new(Store::new(&mirrored), "many");
        // Waits until every shard has the wanted status, within five seconds of the last write.
        let mut wait_for = |wanted: &dyn Fn(u32) -> ShardStatus| {
            let began = Instant::now();
            loop {
                let run = watch.poll().ok().flatten().and_then(|session| session.run);
                let shards = run.map(|run| run.shards).unwrap_or_default();
                let is_right = |shard: &ShardState| shard.standing == wanted(shard.index);
                if shards.len() == 64 && shards.iter().all(is_right) {
                    return shards;
                }
                let wrong: Vec<_> = shards
                    .iter()
                    .filter(|shard| !is_right(shard))
                    .map(|shard| (shard.index, shard.standing))
                    .collect();
                assert!(began.elapsed() < Duration::from_secs(5), "{wrong:?}");
                std::thread::sleep(Duration::from_millis(100));
            }
        };
        wait_for(&|index| if index == 64 { Done } else { NotBegun });
        // A third of them start; of these, half are working.
        let mut locks: HashMap<u32, Lock> = HashMap::new();
        let set = |index: u32, state: SavedState, lock: &mut Lock| {
            let mut session = whole
                .new_shard(&shard_name("many", index, 64), index)
                .unwrap();
            session.record.state = state;
            session.record.updated = now();
            lock.save(&session).unwrap();
        };
        for index in 1..=20 {
            let mut lock = store.lock(&shard_name("many", index, 64)).unwrap();
            lock.session_exists().unwrap();
            let state = if index <= 10 {
                SavedState::Running
            } else {
                SavedState::New
            };
            set(index, state, &mut lock);
            locks.insert(index, lock);
        }
        wait_for(&|index| match index {
            ..=10 => Working,
            11..=20 => Waiting,
            64 => Done,
            _ => NotBegun,
        });
        // One stops, one fails, and one dies: its lock is gone, but its file says that it is running.
        set(1, SavedState::Stopped, locks.get_mut(&1).unwrap());
        set(
            2,
            SavedState::Failed("no room".into()),
            locks.get_mut(&2).unwrap(),
        );
        for index in 1..=3 {
            locks.remove(&index);
        }
        let shards = wait_for(&|index| match index {
            1 => Stopped,
            2 => Failed,
            3 => Died,
            4..=10 => Working,
            11..=20 => Waiting,
            64 => Done,
            _ => NotBegun,
        });
        assert_eq!(shards[1].note.as_deref(), Some("no room"));
        over.store(true, Ordering::Relaxed);
    });
}

#[test]
fn a_clock_that_is_hours_off_is_reported_and_changes_nothing() {
    let bench = Bench::new();
    let plan = plan(&bench, &IMAGES.replace("80000", "2000"));
    bench.succeed(&with_plan(&["new", "many"], &plan));
    shard(&bench, "many", "1/2");
    let mut session = bench.load(&shard_name("many", 1, 2));
    session.record.updated -= 3 * 3600;
    bench.store().save(&session).unwrap();
    let watched = ShardWatcher::new(bench.store(), "many")
        .poll()
        .unwrap()
        .unwrap();
    let shards = watched.run.unwrap().shards;
    assert_eq!(shards[0].standing, ShardStatus::Done);
    let note = shards[0].note.as_deref().unwrap_or_default();
    assert!(note.contains("clock") && note.contains("behind"), "{note}");
    shard(&bench, "many", "2/2");
    bench.succeed(&["merge", "many"]);
}
