//! The image of the highlighted class beside its deviation from the references, with the window outlined.

use super::super::wording::bare_class_name;
use super::data::AuditData;
use super::tile::MapTile;
use crate::drawing::{Drawing, Point};
use crate::ids::ClassId;
use crate::session::Session;
use crate::session::record::AuditedNetwork;
use crate::stats::audit::SquareWindow;

/// Draws the image of the highlighted class and its deviation from the references; returns the height they took in
/// millimetres.
pub fn maps(
    drawing: &mut Drawing,
    session: &Session,
    data: &AuditData<'_>,
    (x, y): Point,
    width: f64,
) -> f64 {
    let sheet = drawing.sheet;
    let class = data.class();
    let Some(shape) = data.audit.shape() else {
        return 0.0;
    };
    let name = bare_class_name(&session.record, class);
    let image = data
        .audit
        .suspect()
        .and_then(|examinee| image(examinee, class));
    let tile = |title: String, map| MapTile {
        title,
        map,
        shape,
        window: window(data),
    };
    let tiles = [
        image.map(|map| {
            tile(
                format!("{} of {name}", data.plan.response.image_label()),
                map,
            )
        }),
        data.audit
            .map(class)
            .map(|map| tile("away from the references".to_owned(), map)),
    ];
    let gap = sheet.margin();
    let each = 0.5 * (width - gap);
    let mut height: f64 = 0.0;
    for (index, tile) in tiles.into_iter().flatten().enumerate() {
        let x = x + index as f64 * (each + gap);
        tile.draw(drawing, (x, y), each);
        height = height.max(tile.height(sheet, each) + 0.8 * sheet.line_height());
    }
    height
}

/// The window to outline; none if a class deviates as a whole.
fn window(data: &AuditData<'_>) -> Option<SquareWindow> {
    let deviates = !data.verdict.has_window() && data.found().is_some();
    (!deviates).then_some(data.verdict.top.window)
}

/// The image of a class of a network; `None` if it has none.
fn image(examinee: &AuditedNetwork, class: ClassId) -> Option<&[f32]> {
    let &[_, channels, height, width] = examinee.images.shape() else {
        return None;
    };
    let pixels = channels * height * width;
    let map = examinee
        .images
        .values()
        .get(class.0 * pixels..(class.0 + 1) * pixels)?;
    map.iter().all(|value| value.is_finite()).then_some(map)
}
