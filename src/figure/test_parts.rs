//! What the tests of several figures share.

use crate::drawing::{Drawing, Mark, Paint};
use crate::session::Form;

/// Grey square images of `side` rows, whose classes have names that are too long to be drawn whole.
pub fn long_names(classes: usize, side: usize) -> Form {
    let name = |class: usize| format!("a class with a name that is much too long {class}");
    Form {
        classes: (0..classes).map(name).collect(),
        ..Form::numbered([1, side, side], 0)
    }
}

/// The widths of the bars of one paint.
pub fn bars(drawing: &Drawing, paint: Paint) -> Vec<f64> {
    let width = |mark: &Mark| match mark {
        Mark::Fill {
            rect: place,
            paint: fill,
        } if *fill == paint => Some(place.width),
        _ => None,
    };
    drawing.marks.iter().filter_map(width).collect()
}
