//! The components that views are built from. They know numbers and the theme, but no session.

pub mod bar;
pub mod columns;
pub mod command;
pub mod curve;
pub mod heatmap;
pub mod scale;
pub mod text;
