//! Following a sharded session through its shards' files alone, from any machine that can read them.

mod head;
mod watcher;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::{Connection, Link};
use crate::session::Session;
use crate::session::store::Store;

use head::{FileVersion, KnownHead, version};
pub use watcher::ShardWatcher;

/// Time between two polls of the files.
const LOOK: Duration = Duration::from_secs(1);
/// Adding up all shards takes at most one part in this many of the time.
const SELDOM: u32 = 8;

/// Follows a sharded session. Ends when the link is dropped, or when the shards have been merged.
pub fn watch(store: Store, session: Session) -> Link {
    let name = session.name.clone();
    let log = Some(store.log_path(&name));
    let (publish, sessions) = watch::channel(Arc::new(session));
    let (connected, connection) = watch::channel(Connection::Watched);
    std::thread::spawn(move || follow(&store, &name, &publish, &connected));
    Link {
        sessions,
        commands: None,
        connection,
        rejection: watch::channel(String::new()).1,
        log,
    }
}

fn follow(
    store: &Store,
    name: &str,
    publish: &watch::Sender<Arc<Session>>,
    connected: &watch::Sender<Connection>,
) {
    let mut watcher = ShardWatcher::new(store.clone(), name);
    let sum: Arc<Mutex<Option<Session>>> = Arc::default();
    // This thread ends once `sum` is dropped.
    let (adder_store, adder_name, target) = (store.clone(), name.to_owned(), Arc::downgrade(&sum));
    std::thread::spawn(move || add_repeatedly(&adder_store, &adder_name, &target));
    while !publish.is_closed() {
        match watcher.poll() {
            Ok(None) => {
                if let Ok(session) = store.load(name) {
                    publish.send_replace(Arc::new(session));
                }
                connected.send_replace(Connection::ReadOnly);
                break;
            }
            Ok(Some(polled)) => {
                let added = sum.lock().unwrap_or_else(PoisonError::into_inner).take();
                let mut session = added.unwrap_or_else(|| Session::clone(&publish.borrow()));
                session.run = polled.run;
                session.record.sharding = polled.record.sharding;
                publish.send_replace(Arc::new(session));
            }
            // The file system is briefly unavailable: the last state stays visible.
            Err(_) => {}
        }
        std::thread::sleep(LOOK);
    }
}

/// Adds up all shards whenever one has changed, for as long as `target` lives.
fn add_repeatedly(store: &Store, name: &str, target: &std::sync::Weak<Mutex<Option<Session>>>) {
    let mut head = KnownHead::default();
    let mut before = Vec::new();
    let mut pause = LOOK;
    while let Some(sum) = target.upgrade() {
        let state = file_versions(store, name, &mut head);
        if state != before {
            let began = Instant::now();
            if let Ok(session) = store.load_whole(name) {
                before = state;
                *sum.lock().unwrap_or_else(PoisonError::into_inner) = Some(session);
            }
            pause = LOOK.max(began.elapsed() * SELDOM);
        }
        drop(sum);
        let deadline = Instant::now() + pause;
        while Instant::now() < deadline && target.strong_count() > 0 {
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

/// The versions of a session's files.
fn file_versions(store: &Store, name: &str, head: &mut KnownHead) -> Vec<Option<FileVersion>> {
    let mut all = vec![version(&store.path(name))];
    let whole = head.read(store, name).ok();
    let sharding = whole.and_then(|whole| whole.record.sharding.as_ref());
    let shards = sharding.and_then(|sharding| store.shards(name, sharding.count).ok());
    all.extend(
        shards
            .unwrap_or_default()
            .iter()
            .map(|shard| version(&shard.path)),
    );
    all
}
