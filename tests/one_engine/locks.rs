//! Systems whose `flock` does not work, or works only within one machine.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::final_output;
use crate::common::{Bench, both, endless, signal, wait_until, with_plan};

/// Compiles a library that replaces a system function when preloaded.
fn shim(bench: &Bench, name: &str, code: &str) -> std::path::PathBuf {
    let (source, library) = (
        bench.path(&format!("{name}.c")),
        bench.path(&format!("{name}.so")),
    );
    fs::write(&source, code).unwrap();
    let built = Command::new("cc")
        .args(["-shared", "-fPIC", "-o"])
        .arg(&library)
        .arg(&source)
        .status();
    assert!(
        built.unwrap().success(),
        "Rust's linker, a C compiler, works"
    );
    library
}

/// The program with this library preloaded.
fn with_library(bench: &Bench, library: &Path, arguments: &[&str]) -> Command {
    let mut program = bench.program();
    program.env("LD_PRELOAD", library).args(arguments);
    program
}

const NO_FLOCK: &str = "#include <errno.h>\nint flock(int f,int o){errno=ENOSYS;return -1;}";

const FLOCK_ALWAYS: &str = "int flock(int f,int o){return 0;}";

#[cfg(target_os = "linux")]
#[test]
fn a_second_engine_is_refused_even_if_flock_does_not_work() {
    for (name, code) in [("none", NO_FLOCK), ("always", FLOCK_ALWAYS)] {
        let bench = Bench::new();
        let library = shim(&bench, name, code);
        let plan = endless(&bench);
        let arguments = with_plan(&["run", "mine", "--plain"], &plan);
        let mut first = with_library(&bench, &library, &arguments).spawn().unwrap();
        bench.wait_for_trials("mine", 0);
        let second = with_library(&bench, &library, &["run", "mine", "--plain"])
            .output()
            .unwrap();
        assert_eq!(second.status.code(), Some(1), "{name}");
        let error = String::from_utf8_lossy(&second.stderr).into_owned();
        assert!(error.contains("is already being run by process"), "{error}");
        assert!(error.contains(&first.id().to_string()), "{error}");
        let listed = with_library(&bench, &library, &["ls"]).output().unwrap();
        assert!(String::from_utf8_lossy(&listed.stdout).contains("running"));
        assert_eq!(
            first.try_wait().unwrap(),
            None,
            "{name}: the first continues"
        );
        let stopped = with_library(&bench, &library, &["stop", "mine"])
            .output()
            .unwrap();
        assert!(stopped.status.success(), "{}", both(&stopped));
        let ended = first.wait_with_output().unwrap();
        let warns = both(&ended).contains("has no file locks");
        assert_eq!(warns, name == "none", "{}", both(&ended));
        // A killed engine keeps nobody out.
        let mut killed = with_library(&bench, &library, &["run", "mine", "--plain"])
            .spawn()
            .unwrap();
        bench.wait_for_trials("mine", bench.load("mine").trials().0);
        killed.kill().unwrap();
        killed.wait().unwrap();
        let again = with_library(&bench, &library, &["run", "mine", "--plain"])
            .spawn()
            .unwrap();
        bench.wait_for_trials("mine", bench.load("mine").trials().0);
        signal(&again, "TERM");
        assert_eq!(again.wait_with_output().unwrap().status.code(), Some(143));
    }
}

/// Writes a lock as an engine on another machine does, with its heartbeat counter.
fn write_foreign_lock(path: &Path, beat: u64) {
    let text = format!(
        "4242\n\nmachine farm-7\nboot 0000 other\nstarted 5\ntoken farm-7-4242-5\nbeat {beat}\nend\n"
    );
    fs::write(path, text).unwrap();
}

/// On a network file system `flock` may work only within one machine; an engine on another is recognised by its heartbeat.
#[test]
fn an_engine_on_another_machine_is_recognised_by_its_heartbeat() {
    let bench = Bench::new();
    bench.succeed(&with_plan(&["new", "mine"], &endless(&bench)));
    let lock = bench.path("sessions/mine.lock");
    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for beat in 0.. {
                if ended.load(Ordering::Relaxed) {
                    return;
                }
                write_foreign_lock(&lock, beat);
                std::thread::sleep(Duration::from_millis(500));
            }
        });
        wait_until("the first heartbeat", || lock.exists());
        let listed = bench.succeed(&["ls"]);
        let run = bench.output(&["run", "mine", "--plain"]);
        let stop = bench.output(&["stop", "mine"]);
        ended.store(true, Ordering::Relaxed);
        assert!(listed.contains("running"), "{listed}");
        assert_eq!(run.status.code(), Some(1));
        assert!(
            both(&run).contains("process 4242 on farm-7"),
            "{}",
            both(&run)
        );
        assert!(both(&stop).contains("farm-7"), "{}", both(&stop));
    });
    // That engine has died; after some seconds without a heartbeat the session is free.
    let child = bench.start("mine", &[], &[]);
    bench.wait_for_trials("mine", 0);
    // An engine that takes the session over from another machine is noticed.
    write_foreign_lock(&lock, 1);
    let printed = final_output(child);
    assert!(
        printed.contains("process 4242 on farm-7 has taken it over"),
        "{printed}"
    );
}
