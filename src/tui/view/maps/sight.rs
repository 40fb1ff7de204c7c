//! [`Sight`], the selection that the view of maps shows.

use crate::session::record::ClassificationImages;
use crate::tui::scene::lens::Lens;

/// One kind of map, at one γ or at the best γ of each class.
pub struct Sight<'a> {
    /// The classification images that the maps belong to.
    pub images: &'a ClassificationImages,
    /// The maps.
    pub lens: Lens<'a>,
    /// Row and column of the pixel under the cursor.
    pub cursor: (usize, usize),
}
