//! The one list of experiments. A new one is its plan in `config`, its record in `record`, its
//! computation in `analysis`, its view, and its name here.

/// Calls a macro with the names of all experiments, in the order in which lists show them. A name is
/// that of the plan, of the record and of the computation alike.
macro_rules! experiments {
    ($with:ident) => {
        $with! {
            ClassificationImages,
            Templates,
            Attack,
            SpikeTriggered,
            Modulation,
            Backdoor,
            Audit,
            Predictions
        }
    };
}
pub(crate) use experiments;
