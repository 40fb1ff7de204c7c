//! Tests of bandwidth: the bytes sent to the terminal while maps accumulate, counted on real frames.

use std::time::Duration;

use noisescope::session::record::Analysis;
use noisescope::tui::DisplayOptions;
use noisescope::tui::frames::FrameScheduler;
use noisescope::tui::theme::Bandwidth;
use rand::SeedableRng;
use tokio::time::Instant;

use super::*;

/// Bytes of the first frame and bytes per second after it, of a view whose trials accumulate from a
/// few thousand while no key is pressed.
fn measure(view: &str, enlarged: bool, options: DisplayOptions) -> (usize, f64) {
    const SECONDS: u64 = 30;
    let bandwidth = match options.low_bandwidth {
        true => Bandwidth::Slow,
        false => Bandwidth::Fast,
    };
    let theme = theme().with_bandwidth(bandwidth);
    let mut session = synthetic::accumulating([2_000, 2_000, 2_000, 2_000]);
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(7);
    let mut state = showing(view, (120, 40));
    enlarge(&mut state, enlarged);
    let began = Instant::now();
    let mut frames = FrameScheduler::new(options, began);
    let (mut first, mut later) = (0, 0);
    for step in 0..SECONDS * 40 {
        let now = began + Duration::from_millis(25 * step);
        // The engine publishes four times a second, 2,500 trials each time.
        if step % 10 == 0 {
            let Analysis::ClassificationImages(images) = &mut session.record.analyses[0] else {
                unreachable!()
            };
            let gamma_index = (step / 10 % 4) as usize;
            synthetic::accumulate(&mut images.gammas[gamma_index], 2_500, &mut rng);
            let stages = synthetic::stages(&session);
            let run = session.run.as_mut().expect("the session runs");
            run.stages = stages;
            run.up_s += 0.25;
            run.rates.remove(0);
            run.rates.push(9_800.0 + 300.0 * (step as f32).sin());
            frames.newer();
        }
        if step % 40 == 0 {
            state.shared.now += 1;
            frames.age();
        }
        let Some(due) = frames.next(state.view().pace, now) else {
            continue;
        };
        if due.renews {
            state.shared.settle(&session);
        }
        // Frames without new data are drawn from the newest data too: more bytes, not fewer.
        let size = (state.shared.size.width, state.shared.size.height);
        let bytes = frames.paint(due, size, &theme.palette, now, |area, buf| {
            frame::draw(&session, &state, &theme, area, buf);
        });
        frames.written();
        if step == 0 {
            first = bytes.len();
        } else {
            later += bytes.len();
        }
    }
    (first, later as f64 / SECONDS as f64)
}

#[test]
fn accumulating_maps_stay_within_the_bandwidth_budget() {
    for (low_bandwidth, budget) in [(false, 40_000.0), (true, 8_000.0)] {
        for (view, enlarged) in [
            ("Overview", false),
            ("Maps", false),
            ("Maps", true),
            ("Training", false),
        ] {
            let options = DisplayOptions {
                low_bandwidth,
                ..DisplayOptions::default()
            };
            let (first, rate) = measure(view, enlarged, options);
            println!(
                "{view} enlarged {enlarged} low {low_bandwidth}: first {first} B, then {rate:.0} B/s"
            );
            assert!(rate < budget, "{view}: {rate:.0} B/s");
            assert!(first < 120_000, "{view}: {first} B");
        }
    }
}

#[test]
fn a_key_is_answered_at_once_at_any_bandwidth() {
    for low_bandwidth in [false, true] {
        let options = DisplayOptions {
            low_bandwidth,
            ..DisplayOptions::default()
        };
        let theme = theme();
        let session = accumulated();
        let mut state = showing("Overview", (120, 40));
        let pace = state.view().pace;
        let mut now = Instant::now();
        let mut frames = FrameScheduler::new(options, now);
        for _ in 0..5 {
            state.shared.class.0 += 1;
            frames.request();
            let due = frames.next(pace, now).expect("a frame is due at once");
            let draw = |area, buf: &mut Buffer| frame::draw(&session, &state, &theme, area, buf);
            let bytes = frames.paint(due, (120, 40), &theme.palette, now, draw);
            assert!(!bytes.is_empty());
            frames.written();
            now += Duration::from_millis(100);
        }
    }
}
