//! Signals: checkpoints, exit codes, and the moment they arrive.

use std::time::Duration;

use noisescope::session::SavedState;

use super::{start, start_quick};
use crate::common::{Bench, signal, wait_until};

#[test]
fn int_term_and_hup_save_a_checkpoint_and_set_the_exit_code() {
    let bench = Bench::new();
    for (name, code) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        let mut child = start(&bench, name);
        wait_until("the first trials", || {
            bench
                .store()
                .load(name)
                .is_ok_and(|session| session.trials().0 > 0)
        });
        let before = bench.load(name).trials().0;
        signal(&child, name);
        assert_eq!(child.wait().unwrap().code(), Some(code), "{name}");
        let session = bench.load(name);
        assert_eq!(session.record.state, SavedState::Stopped, "{name}");
        assert!(session.trials().0 >= before, "{name}: trials were lost");
    }
}

#[test]
fn usr1_writes_a_checkpoint_and_other_signals_stop_after_one() {
    let bench = Bench::new();
    let mut child = start_quick(&bench, "asked", "checkpoint_s=0.1");
    bench.wait_for_trials("asked", 0);
    for (name, code) in [("USR2", 140), ("QUIT", 131), ("ALRM", 142), ("XCPU", 152)] {
        let before = bench.load("asked").trials().0;
        signal(&child, "USR1");
        bench.wait_for_trials("asked", before);
        assert_eq!(
            child.try_wait().unwrap(),
            None,
            "the run continues after USR1"
        );
        signal(&child, name);
        assert_eq!(child.wait().unwrap().code(), Some(code), "{name}");
        let session = bench.load("asked");
        assert_eq!(session.record.state, SavedState::Stopped, "{name}");
        child = bench.start("asked", &[], &[]);
        bench.wait_for_trials("asked", session.trials().0);
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

/// A checkpoint is written only on request, also while the run is paused.
#[test]
fn a_checkpoint_is_written_on_request_and_not_before() {
    let bench = Bench::new();
    let mut child = start_quick(&bench, "rare", "checkpoint_s=3600");
    wait_until("the socket", || {
        bench
            .store()
            .engine("rare")
            .is_some_and(|engine| engine.socket.is_some())
    });
    let trained = || {
        bench
            .load("rare")
            .record
            .training
            .is_some_and(|training| training.finished)
    };
    wait_until("the checkpoint after the training", trained);
    assert_eq!(bench.load("rare").trials().0, 0);
    std::thread::sleep(Duration::from_millis(500));
    signal(&child, "USR1");
    bench.wait_for_trials("rare", 0);
    let saved = bench.load("rare").trials().0;
    bench.succeed(&["pause", "rare"]);
    assert_eq!(bench.load("rare").trials().0, saved);
    signal(&child, "USR1");
    bench.wait_for_trials("rare", saved);
    let page = bench.succeed(&["attach", "rare", "--plain"]);
    wait_until("the pause to continue", || {
        bench
            .succeed(&["attach", "rare", "--plain"])
            .contains("paused")
    });
    assert!(page.contains("rare"), "{page}");
    bench.succeed(&["continue", "rare"]);
    signal(&child, "TERM");
    assert_eq!(child.wait().unwrap().code(), Some(143));
    assert!(bench.load("rare").trials().0 > saved);
}

/// Signals are handled from before anything is written.
#[test]
fn an_early_signal_leaves_an_intact_session_or_none() {
    let bench = Bench::new();
    for moment in 0..16_u64 {
        let name = format!("early-{moment}");
        let mut child = start_quick(&bench, &name, "checkpoint_s=0.1");
        std::thread::sleep(Duration::from_millis(6 * moment));
        signal(&child, "TERM");
        let code = child.wait().unwrap().code();
        match bench.store().path(&name).exists() {
            true => {
                assert_eq!(code, Some(143), "{name}");
                bench.load(&name);
            }
            false => assert!(matches!(code, None | Some(143)), "{name}: {code:?}"),
        }
    }
}

#[test]
fn a_stalled_reader_does_not_delay_a_signal() {
    let bench = Bench::new();
    let mut child = start(&bench, "slow");
    wait_until("the first trials", || {
        bench
            .store()
            .load("slow")
            .is_ok_and(|session| session.trials().0 > 0)
    });
    // Nobody reads the output; checkpoints every tenth of a second would eventually fill the pipe.
    signal(&child, "TERM");
    let began = std::time::Instant::now();
    assert_eq!(child.wait().unwrap().code(), Some(143));
    assert!(began.elapsed() < std::time::Duration::from_secs(10));
}
