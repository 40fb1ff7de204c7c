//! The image of the class that is looked at beside its deviation from the references, the window outlined.

use super::super::names::bare;
use super::seen::Seen;
use super::tile::Tile;
use crate::drawing::{Drawing, Point};
use crate::session::Session;
use crate::session::record::Examinee;
use crate::stats::audit::Window;

/// The image of the class that is looked at, and how far it is from the references; gives the millimetres
/// that they took down.
pub fn maps(
    drawing: &mut Drawing,
    session: &Session,
    seen: &Seen<'_>,
    (x, y): Point,
    width: f64,
) -> f64 {
    let sheet = drawing.sheet;
    let class = seen.class();
    let Some(shape) = seen.audit.shape() else {
        return 0.0;
    };
    let name = bare(&session.record, class);
    let image = seen.audit.suspect().and_then(|own| image(own, class));
    let tile = |title: String, map| Tile {
        title,
        map,
        shape,
        window: window(seen),
    };
    let tiles = [
        image.map(|map| {
            tile(
                format!("{} of {name}", seen.plan.response.image_label()),
                map,
            )
        }),
        seen.audit
            .map(class)
            .map(|map| tile("away from the references".to_owned(), map)),
    ];
    let gap = sheet.margin();
    let each = 0.5 * (width - gap);
    let mut height: f64 = 0.0;
    for (at, tile) in tiles.into_iter().flatten().enumerate() {
        let x = x + at as f64 * (each + gap);
        tile.draw(drawing, (x, y), each);
        height = height.max(tile.height(sheet, each) + 0.8 * sheet.row());
    }
    height
}

/// The window that is outlined; none where a class deviates as a whole.
fn window(seen: &Seen<'_>) -> Option<Window> {
    let deviates = !seen.verdict.has_window() && seen.found().is_some();
    (!deviates).then_some(seen.verdict.top.window)
}

/// The image of a class of a network; `None` where it has none.
fn image(own: &Examinee, class: usize) -> Option<&[f32]> {
    let &[_, channels, height, width] = own.images.shape() else {
        return None;
    };
    let pixels = channels * height * width;
    let map = own
        .images
        .values()
        .get(class * pixels..(class + 1) * pixels)?;
    map.iter().all(|value| value.is_finite()).then_some(map)
}
