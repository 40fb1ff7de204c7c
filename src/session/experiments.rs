//! The list of experiments. A new one needs its configuration in `config`, its record in `record`, its
//! computation in `analysis`, its view, and its name here.

/// Calls a macro with the names of all experiments, in display order. The types in `config`, `record`
/// and `analysis` share these names.
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
