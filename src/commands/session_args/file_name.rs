//! A network file where the name of a new session belongs.

use std::path::Path;

use crate::commands::CommandError;
use crate::files::quoted;
use crate::session::store::check_name;

/// The error, with the command that was probably meant; weights alone also need a kind of network.
pub fn instead_of_session(
    typed: &str,
    command: &str,
    preset: Option<&str>,
    is_weights: bool,
) -> CommandError {
    let stem = Path::new(typed).file_stem().unwrap_or_default();
    let stem = stem.to_string_lossy();
    let name = match check_name(&stem) {
        Ok(()) => &*stem,
        Err(_) => "NAME",
    };
    let preset = preset.map_or_else(String::new, |preset| {
        format!(" --preset {}", quoted(preset))
    });
    let kind = match is_weights {
        true => " --set network.kind=KIND",
        false => "",
    };
    CommandError::Usage(format!(
        "`{typed}` ends like a network file, and here belongs a name for the session: noisescope {command} {name}{preset} \
         --network {}{kind}",
        quoted(typed)
    ))
}
