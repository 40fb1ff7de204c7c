//! The two lines at the top: what is running, and the views.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::format::{clean, clock, thousands};
use crate::link::Connection;
use crate::session::Run;
use crate::tui::scene::Scene;
use crate::tui::scene::progress::{live_run, phase};
use crate::tui::state::{DashboardState, ViewId};
use crate::tui::theme::{Bandwidth as Wire, Theme};
use crate::tui::view::ViewEntry;
use crate::tui::widget::text::{beside, cut, left, right};

/// Draws the session, its data, network and device, the phase, and the remaining time.
pub fn draw(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let Scene {
        session,
        shared,
        theme,
    } = *scene;
    let (mark, words, style) = phase(scene);
    let mut end = vec![Span::styled(format!("{mark} {words}"), style)];
    if let Some(eta) = live_run(scene).and_then(|run| run.eta_s) {
        end.push(Span::styled("   ETA ", theme.dim()));
        end.push(Span::styled(theme.duration(eta), theme.bright()));
    }
    let run = session.run.as_ref().filter(|_| up_in_header(area));
    if let Some(up) = run.and_then(|run| up(run, theme)) {
        end.push(Span::styled(format!("   {up}"), theme.dim()));
    }
    if matches!(
        shared.connection,
        Connection::Lost(_) | Connection::ReadOnly
    ) {
        end.push(Span::styled("   read-only", theme.dim()));
    }
    let used = right(buf, area, 0, Line::from(end));
    let mut area = area;
    area.width = area.width.saturating_sub(used + 2);
    let used = left(buf, area, 0, Span::styled("noisescope  ", theme.dim()));
    let name = cut(&clean(&session.name), usize::from(area.width - used));
    let used = used
        + left(
            buf,
            beside(area, used),
            0,
            Span::styled(name, theme.bright()),
        );
    let room = usize::from(area.width - used);
    // A truncated part is useless: drop the last ones until the rest fits.
    let mut parts = what_runs_on_what(scene);
    let dot = format!(" {} ", theme.glyphs.dot);
    while Span::raw(parts.join(&dot)).width() + 3 > room && parts.pop().is_some() {}
    let parts = Span::styled(format!("   {}", parts.join(&dot)), theme.dim());
    left(buf, beside(area, used), 0, parts);
}

/// Whether the header has room for the engine's uptime; otherwise the line below shows it.
fn up_in_header(area: Rect) -> bool {
    area.width >= 100
}

/// The engine's uptime; `None` for a divided session, whose shards have an engine each.
fn up(run: &Run, theme: &Theme) -> Option<String> {
    run.shards.is_empty().then(|| match theme.bandwidth {
        Wire::Fast => format!("up {}", clock(run.up_s)),
        Wire::Slow => format!("up {}", theme.duration(run.up_s)),
    })
}

/// `MNIST`, `cnn 431,080`, `flex · 2 workers`.
fn what_runs_on_what(scene: &Scene<'_>) -> Vec<String> {
    let Scene { session, .. } = *scene;
    let record = &session.record;
    let parameters = match (&session.run, &record.training) {
        (Some(run), _) if run.parameters > 0 => run.parameters,
        (_, Some(training)) => training.parameters,
        _ => 0,
    };
    let mut network = clean(&session.config.network.label());
    if parameters > 0 {
        network = format!("{network} {}", thousands(parameters as u64));
    }
    let mut parts = vec![session.config.dataset_label().to_string(), network];
    let device = match &session.run {
        Some(run) => Some(&run.device),
        None => record.devices.last(),
    };
    let device = device.filter(|device| !device.is_empty());
    parts.extend(device.map(|device| clean(device)));
    let gpu = session.run.as_ref().and_then(|run| run.gpu.as_deref());
    parts.extend(gpu.map(clean));
    parts
}

/// Draws the names of the views, and ages.
pub fn tabs(scene: &Scene<'_>, state: &DashboardState, area: Rect, buf: &mut Buffer) {
    let Scene {
        session,
        shared,
        theme,
    } = *scene;
    let mut ages: Vec<String> = Vec::new();
    if let Some(run) = &session.run {
        // Until its own first checkpoint, an engine has the one it resumed from.
        let resumed = Some(session.record.updated).filter(|&updated| updated > 0);
        ages.push(
            match run
                .checkpoint
                .as_ref()
                .map(|checkpoint| checkpoint.at)
                .or(resumed)
            {
                Some(written) => {
                    let age = (shared.shown_at() - written).max(0) as f64;
                    format!("checkpoint {} ago", theme.duration(age))
                }
                None => "no checkpoint yet".into(),
            },
        );
        if !up_in_header(area) {
            ages.extend(up(run, theme));
        }
    }
    if area.width < 72 {
        ages.truncate(1);
    }
    let named = |all: bool| -> Line<'static> {
        let tab = |(index, view): (usize, &ViewEntry)| {
            // The tenth view has the key after 9: 0.
            let number = (index + 1) % 10;
            if ViewId(index) == state.view {
                vec![
                    Span::styled(format!("{number} {}", view.name), theme.chosen()),
                    Span::raw("  "),
                ]
            } else if all {
                let style = match state
                    .beside
                    .is_some_and(|beside| beside.view == ViewId(index))
                {
                    true => theme.bright(),
                    false => theme.dim(),
                };
                vec![Span::styled(format!("{number} {}  ", view.name), style)]
            } else {
                vec![Span::styled(format!("{number}  "), theme.dim())]
            }
        };
        state.entries().enumerate().flat_map(tab).collect()
    };
    // The names of all views are worth more than the full wording of an age.
    let ages = ages.join("   ");
    let short = ages.replace("checkpoint", "saved");
    let names = named(true).width();
    let fits = |ages: &&String| names + ages.chars().count() <= usize::from(area.width);
    let all = [&ages, &short].into_iter().find(fits);
    let line = named(all.is_some());
    let ages = Span::styled(all.unwrap_or(&ages).clone(), theme.dim());
    let used_right = right(buf, area, 0, ages) + 2;
    let room = area.width.saturating_sub(used_right);
    left(
        buf,
        Rect {
            width: room,
            ..area
        },
        0,
        line,
    );
}
