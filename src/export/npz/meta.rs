//! What a file says of itself: the plan of the session, where its numbers come from, and what people left written.

use serde_json::{Map, Value, json};

use crate::export::json as written;
use crate::session::Session;

/// The number of this way to write `meta`: it grows when a key changes its meaning.
const FORMAT: u32 = 1;

/// What is said of a file of one session, beside its arrays.
pub fn of_session(session: &Session) -> Map<String, Value> {
    let mut all = of_program();
    all.append(&mut told(session));
    all
}

/// What is said of a file of two sessions compared.
pub fn of_pair(sessions: [&Session; 2]) -> Map<String, Value> {
    let mut all = of_program();
    let both = sessions.map(|session| Value::Object(told(session)));
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

fn told(session: &Session) -> Map<String, Value> {
    [
        ("session".to_owned(), json!(session.name)),
        ("plan".to_owned(), written::plan(session)),
        ("provenance".to_owned(), provenance(session)),
        ("notes".to_owned(), written::left(session)),
    ]
    .into_iter()
    .collect()
}

/// What the numbers follow from. Times are seconds since the Unix epoch; null where they were not noted.
fn provenance(session: &Session) -> Value {
    let (config, record) = (&session.config, &session.record);
    let begun = record.starts.first().map(|start| start.at);
    let updated = Some(record.updated).filter(|at| *at > 0);
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
