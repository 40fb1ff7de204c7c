//! Things that views are made of. They know numbers and the theme, and nothing of a session.

pub mod bar;
pub mod curve;
pub mod heatmap;
pub mod scale;
pub mod text;
