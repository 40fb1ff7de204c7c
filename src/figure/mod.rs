//! Figures as images: a session in, pixels out. Nothing here knows a terminal or a file.

pub mod canvas;
pub mod choice;
pub mod colour;
pub mod font;
pub mod format;
pub mod headline;
pub mod scale;
