//! The maps in sight.

use crate::session::record::ClassificationImages;
use crate::tui::scene::lens::Lens;

/// One kind of map at one γ.
pub struct Sight<'a> {
    /// The classification images that the maps are of.
    pub images: &'a ClassificationImages,
    /// The maps.
    pub lens: Lens<'a>,
    /// Row and column of the pixel under the cursor.
    pub cursor: (usize, usize),
}
