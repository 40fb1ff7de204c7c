//! What lies over a view: the list of keys, the palette of commands, the lines where something is
//! typed, the question before the run is stopped.

pub mod extend;
pub mod help;
pub mod jump;
pub mod palette;
pub mod question;
