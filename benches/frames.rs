//! Benchmark of drawing each view: time per frame and bytes of the first frame, at 200×60 in true colour.
//!
//! `cargo bench --bench frames [-- FILE]`. FILE is a session; the default is a fixture with every experiment.

use std::error::Error;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use noisescope::link::Connection;
use noisescope::session::store::from_text;
use noisescope::tui::DashboardState;
use noisescope::tui::DisplayOptions;
use noisescope::tui::frame;
use noisescope::tui::frames::FrameScheduler;
use noisescope::tui::size::Size;
use noisescope::tui::state::{SecondView, ViewId};
use noisescope::tui::theme::{Background, Depth, Theme};
use noisescope::tui::view::maps::MapsView;
use noisescope::tui::views::VIEWS;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

const SIZE: Size = Size {
    width: 200,
    height: 60,
};
const FRAMES: u32 = 200;

fn main() -> Result<(), Box<dyn Error>> {
    // Cargo adds `--bench`.
    let named = std::env::args()
        .skip(1)
        .find(|word| !word.starts_with("--"));
    let fixture =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sessions/everything.ron.gz");
    let path = named.map_or(fixture, PathBuf::from);
    let mut text = String::new();
    let file = std::fs::File::open(&path)?;
    match path.extension().is_some_and(|end| end == "gz") {
        true => flate2::read::GzDecoder::new(file).read_to_string(&mut text)?,
        false => (&file).read_to_string(&mut text)?,
    };
    let session = from_text(&text, &path, "bench")?;
    let theme = Theme::new(Depth::True, Background::Dark, true);
    let mut cases: Vec<(String, DashboardState)> = Vec::new();
    for (index, entry) in VIEWS.iter().enumerate() {
        let mut state = DashboardState::new(Connection::ReadOnly, VIEWS);
        state.view = ViewId(index);
        cases.push((entry.name.to_owned(), state));
    }
    let mut enlarged = DashboardState::new(Connection::ReadOnly, VIEWS);
    enlarged.view = ViewId(2);
    if let Some(maps) = enlarged.view_of_mut::<MapsView>() {
        maps.enlarged = true;
    }
    cases.push(("Maps, one enlarged".into(), enlarged.clone()));
    enlarged.beside = Some(SecondView {
        view: ViewId(0),
        left: true,
    });
    cases.push(("Overview and Maps".into(), enlarged));
    println!(
        "{:<20}  {:>9}  {:>9}  {:>12}",
        "view", "mean", "worst", "first frame"
    );
    for (name, mut state) in cases {
        state.shared.size = SIZE;
        state.shared.settle(&session);
        let area = Rect::new(0, 0, SIZE.width, SIZE.height);
        let mut buffer = Buffer::empty(area);
        let mut worst = Duration::ZERO;
        let began = Instant::now();
        for _ in 0..FRAMES {
            let started = Instant::now();
            buffer.reset();
            frame::draw(&session, &state, &theme, area, &mut buffer);
            worst = worst.max(started.elapsed());
        }
        let mean = began.elapsed() / FRAMES;
        let now = tokio::time::Instant::now();
        let mut frames = FrameScheduler::new(DisplayOptions::default(), now);
        let bytes = frames.next(Duration::ZERO, now).map_or(0, |due| {
            let size = (SIZE.width, SIZE.height);
            let draw = |area, buf: &mut Buffer| frame::draw(&session, &state, &theme, area, buf);
            frames.paint(due, size, &theme.palette, now, draw).len()
        });
        println!(
            "{name:<20}  {:>6.2} ms  {:>6.2} ms  {bytes:>10} B",
            1e3 * mean.as_secs_f64(),
            1e3 * worst.as_secs_f64()
        );
    }
    Ok(())
}
