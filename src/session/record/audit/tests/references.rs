//! Tests of what the references of an audit are called.

use super::*;

#[test]
fn references_are_called_by_their_kind_or_by_how_they_relate_to_the_suspect() {
    use ReferenceArchitecture::{Other, Planned, Suspect};
    let plan = config::Audit {
        kind: ReferenceKind::Mlp,
        ..config::Audit::default()
    };
    for (architectures, expected) in [
        (vec![Planned, Planned], "mlp"),
        (vec![Suspect, Suspect], "same-architecture"),
        (vec![Other], "other-architecture"),
        (vec![Planned, Other], "mixed"),
        (vec![Planned, Suspect], "mixed"),
        (vec![Suspect, Other], "mixed"),
    ] {
        let reference = |architecture| AuditedNetwork {
            architecture,
            ..network(AuditRole::Reference)
        };
        let audit = Audit {
            networks: architectures.into_iter().map(reference).collect(),
            ..Audit::default()
        };
        assert_eq!(audit.reference_label(&plan, NetworkKind::Onnx), expected);
    }
}
