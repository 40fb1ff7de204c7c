//! What lies over a view: the list of keys, the palette of commands, the question before the run is
//! stopped.

pub mod help;
pub mod jump;
pub mod palette;
pub mod question;
