//! Tests of the engine's side of the socket: its place, and viewers that leave.

use super::*;
use crate::session::Config;
use crate::session::store::Lock;
use std::fs;

fn open(store: &Store, lock: &Lock) -> ViewerListener {
    let (door, bound) = ViewerListener::open(store.clone(), "mine", lock.heartbeat().unwrap());
    bound.unwrap();
    door
}

fn is_in_place(door: &ViewerListener) -> bool {
    door.bound.as_ref().is_some_and(BoundSocket::is_in_place)
}

fn runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().unwrap()
}

#[test]
fn a_command_arrives_although_its_viewer_leaves_before_it_has_taken_its_state() {
    runtime().block_on(async {
        let (commands, mut received) = mpsc::unbounded_channel();
        // A state that is longer than a socket takes at once.
        let large = Session::new("x".repeat(8 << 20), Config::default());
        let (_publish, sessions) = watch::channel(Arc::new(large));
        let desk = ViewerContext {
            room: Arc::new(Semaphore::new(MOST_MEGABYTES as usize)),
            sessions,
            commands,
            newest: Arc::default(),
            logged: Arc::default(),
        };
        let (viewer, engine) = UnixStream::pair().unwrap();
        let served = tokio::spawn(converse(engine, desk));
        let (from, to) = viewer.into_split();
        let mut from = FramedRead::new(from, wire::codec_to_viewer());
        let mut to = FramedWrite::new(to, wire::codec_to_engine());
        for message in [ViewerMessage::hello(), ViewerMessage::Next] {
            to.send(wire::encode(&message)).await.unwrap();
        }
        assert!(from.next().await.unwrap().is_ok(), "the welcome");
        // The state has begun to come, and fills the socket.
        let mut begin = [0];
        loop {
            from.get_ref().readable().await.unwrap();
            match from.get_ref().try_read(&mut begin) {
                Ok(read) => {
                    assert_eq!(read, 1);
                    break;
                }
                Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock),
            }
        }
        let stop = ViewerMessage::Say(EngineCommand::Stop);
        to.send(wire::encode(&stop)).await.unwrap();
        drop((from, to));
        assert!(served.await.unwrap().is_err());
        assert_eq!(received.try_recv(), Ok(EngineCommand::Stop));
    });
}

#[test]
fn an_engine_that_has_lost_its_lock_does_not_replace_the_next_ones_socket() {
    let runtime = runtime();
    let _entered = runtime.enter();
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    let lost = store.lock("mine").unwrap();
    let mut old = open(&store, &lost);
    fs::remove_file(folder.path().join("mine.lock")).unwrap();
    let lock = store.lock("mine").unwrap();
    let mut new = open(&store, &lock);
    old.maintain();
    assert!(is_in_place(&new) && !is_in_place(&old));
    // The one that holds the lock recreates it.
    fs::remove_file(folder.path().join("mine.sock")).unwrap();
    new.maintain();
    assert!(is_in_place(&new));
}

#[test]
fn a_folder_that_was_moved_is_not_recreated_for_a_socket() {
    let runtime = runtime();
    let _entered = runtime.enter();
    let outer = tempfile::tempdir().unwrap();
    let store = Store::new(outer.path().join("sessions"));
    let lock = store.lock("mine").unwrap();
    let mut door = open(&store, &lock);
    fs::rename(store.folder(), outer.path().join("moved")).unwrap();
    door.maintain();
    assert!(!store.folder().exists());
}

#[test]
fn a_message_about_viewers_is_logged_once_in_a_row() {
    let logged = LastLogged::default();
    let of = ["another version", "another version", "it left"].map(|words| logged.is_new(words));
    assert_eq!(of, [true, false, true]);
    assert!(logged.is_new("another version"));
}
