//! The metadata of an NPZ file: the session's plan, the provenance of its numbers, and the notes.

use serde_json::{Map, Value, json};

use crate::export::json as written;
use crate::session::Session;

/// The version of the `meta` format; it increases when a key changes its meaning.
const FORMAT: u32 = 1;

/// The metadata of one session's file, without the description of the arrays.
pub fn of_session(session: &Session) -> Map<String, Value> {
    let mut all = of_program();
    all.append(&mut about(session));
    all
}

/// The metadata of a comparison's file.
pub fn of_pair(sessions: [&Session; 2]) -> Map<String, Value> {
    let mut all = of_program();
    let both = sessions.map(|session| Value::Object(about(session)));
    all.insert("sessions".into(), json!(both));
    all
}

fn of_program() -> Map<String, Value> {
    let program = format!("noisescope {}", env!("CARGO_PKG_VERSION"));
    [
        ("format".to_owned(), json!(FORMAT)),
        ("program".to_owned(), json!(program)),
    ]
    .into_iter()
    .collect()
}

fn about(session: &Session) -> Map<String, Value> {
    [
        ("session".to_owned(), json!(session.name)),
        ("plan".to_owned(), written::plan_json(session)),
        ("provenance".to_owned(), provenance(session)),
        ("notes".to_owned(), written::notes_json(session)),
    ]
    .into_iter()
    .collect()
}

/// The provenance of the numbers. Times are seconds since the Unix epoch; null if not recorded.
fn provenance(session: &Session) -> Value {
    let (config, record) = (&session.config, &session.record);
    let begun = record.starts.first().map(|start| start.at);
    let updated = Some(record.updated).filter(|time| *time > 0);
    json!({
        "seed": config.seed,
        "devices": record.devices,
        "starts": record.starts,
        "inputs": record.inputs,
        "network": config.network.label(),
        "dataset": config.dataset_label(),
        "images": record.images,
        "elapsed_s": record.elapsed_s,
        "dates": { "begun": begun, "updated": updated },
    })
}
