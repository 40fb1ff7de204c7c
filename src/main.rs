//! Entry point of the `noisescope` program; everything else is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    // Panic reports without the section on environment variables.
    let hooks = color_eyre::config::HookBuilder::default()
        .display_env_section(false)
        .install();
    if let Err(error) = hooks {
        eprintln!("noisescope: {error}");
    }
    noisescope::tui::install_panic_hook();
    noisescope::commands::main()
}
