//! [`MapsSelection`], the selection that the view of maps shows.

use crate::session::record::ClassificationImages;
use crate::tui::scene::map_set::MapSet;

/// One kind of map, at one γ or at the best γ of each class.
pub struct MapsSelection<'a> {
    /// The classification images that the maps belong to.
    pub images: &'a ClassificationImages,
    /// The maps.
    pub lens: MapSet<'a>,
    /// Row and column of the pixel under the cursor.
    pub cursor: (usize, usize),
}
