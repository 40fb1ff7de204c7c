//! The `noisescope` program; see the library for what it does.

use std::process::ExitCode;

fn main() -> ExitCode {
    // A report of a panic, where one ever happens, without the environment's noise around it.
    let hooks = color_eyre::config::HookBuilder::default()
        .display_env_section(false)
        .install();
    if let Err(error) = hooks {
        eprintln!("noisescope: {error}");
    }
    noisescope::tui::install_panic_hook();
    noisescope::commands::main()
}
