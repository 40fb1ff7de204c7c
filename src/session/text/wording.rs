//! What is wrong with a text that is not a plan, in words that say how to write it.

use ron::Error;

/// The parser's message and, where that does not say what to write, an example.
pub fn problem(error: &Error) -> String {
    match error {
        Error::ExpectedOption => format!("{error}: None or Some(…)"),
        Error::ExpectedStructLike => format!(
            "{error}: what has settings is written with parentheses, for example Predictions(()) or Gaussian(())"
        ),
        // The name of a setting, where the parentheses around all of them should begin.
        Error::ExpectedDifferentStructName { found, .. }
            if found.starts_with(|c: char| c.is_ascii_lowercase()) =>
        {
            format!("{error}: settings are in double parentheses, (({found}: …))")
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Config;

    #[test]
    fn a_plan_with_too_few_parentheses_is_answered_with_how_to_write_it() {
        for (text, needed) in [
            ("(analyses: [Predictions])", "Predictions(())"),
            (
                "(analyses: [ClassificationImages((noise: Gaussian))])",
                "Gaussian(())",
            ),
            (
                "(analyses: [Predictions(splits: [Test])])",
                "double parentheses, ((splits: …))",
            ),
            (
                "(network: (weights: Train(epochs: 3)))",
                "double parentheses, ((epochs: …))",
            ),
            (
                "(analyses: [ClassificationImages((target: 0.9))])",
                "None or Some(…)",
            ),
        ] {
            let error = ron::from_str::<Config>(text).unwrap_err();
            let words = problem(&error.code);
            assert!(words.contains(needed), "{text}: {words}");
        }
        let other = ron::from_str::<Config>("(sed: 1)").unwrap_err();
        assert_eq!(problem(&other.code), other.code.to_string());
    }
}
