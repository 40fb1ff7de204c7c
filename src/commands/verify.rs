//! `noisescope verify`: checks that a device computes the same as the reference.

use std::process::ExitCode;
use std::str::FromStr;

use clap::Args;

use super::checklist::{CheckStatus, Checklist};
use super::machine::DeviceOptions;
use super::output::print_line;
use super::{CommandError, machine, typed_names};
use crate::engine::device::verify::{self, DeviceCheck};
use crate::engine::device::{self, DeviceChoice};
use crate::session::config::NetworkKind;

/// What to check.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// auto, cpu, flex, libtorch or cuda:N
    #[arg(long, default_value = "auto")]
    device: String,
    /// cnn, mlp, logistic, rnn, simple or complex (repeatable; default: all)
    #[arg(long, value_name = "KIND")]
    network: Vec<String>,
    /// Blocks per launch on a GPU, even; on libtorch: take the GPU's path
    #[arg(long, value_name = "N")]
    launch: Option<usize>,
    /// On cuda:N: multiply in TF32
    #[arg(long)]
    tf32: bool,
    /// Print one JSON object per check
    #[arg(long)]
    json: bool,
}

/// Checks one device; exit code 1 if it computes something else.
pub fn run(verify: &VerifyArgs) -> Result<ExitCode, CommandError> {
    machine::check_launch(verify.launch)?;
    let named = verify.network.iter().map(|typed| {
        typed_names::parse_network(typed)
            .map_err(|problem| CommandError::Usage(format!("--network: {problem}")))
    });
    let networks = verify::networks(&named.collect::<Result<Vec<NetworkKind>, _>>()?);
    let choice = DeviceChoice::from_str(&verify.device)?;
    let given = DeviceOptions {
        exact: false,
        launch: verify.launch.is_some(),
        tf32: verify.tf32,
    };
    given.tell_unused(&choice);
    let wanted = device::DeviceRequest {
        launch: verify.launch,
        ..device::DeviceRequest::new(&choice)
    };
    let kind = networks.first().copied().unwrap_or(NetworkKind::Cnn);
    let opened = device::open(wanted, kind, None)?;
    let mut report = Checklist::default();
    if !verify.json {
        report.title(&opened.name);
    }
    let mut broken = false;
    verify::verify(&opened.seats[0], &networks, &mut |check| {
        broken |= !check.ok;
        match verify.json {
            true => print_line(json(&check)),
            false => {
                let verdict = match check.ok {
                    true => CheckStatus::Pass,
                    false => CheckStatus::Broken,
                };
                report.add(verdict, &format!("{:<24}", check.name), &check.words);
            }
        }
    });
    Ok(ExitCode::from(u8::from(broken)))
}

fn json(check: &DeviceCheck) -> serde_json::Value {
    serde_json::json!({ "check": check.name, "ok": check.ok, "words": check.words })
}
