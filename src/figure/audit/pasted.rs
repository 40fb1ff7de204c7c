//! The effect of pasting an audit's finding on test images in words, beside that of the windows of the other classes.

use crate::figure::wording::{class_name, percent_with_ends};
use crate::format::percent;
use crate::session::record::{Audit, OtherWindows, Record};

/// The effect of pasting the finding, and of pasting the windows of the other classes. If one of these works as well,
/// the words begin with that: the effect then says nothing about the finding.
pub(super) fn pasted(record: &Record, audit: &Audit) -> Option<String> {
    let first = audit.pasted.first()?;
    let with = percent_with_ends(first.others().interval()?);
    let without = percent(first.before_pasting().rate()?);
    let name = record.bare_class(first.class);
    let windows = OtherWindows::beside_first(&audit.pasted);
    if let Some(windows) = windows.filter(|windows| windows.as_effective) {
        return Some(format!(
            "pasting distinguishes nothing: on images of other classes it turns {with} into {name}, {without} without; windows of other classes up to {}",
            percent(windows.rate)
        ));
    }
    let mut words = format!(
        "pasted on test images of other classes it turns {with} into {name}, {without} without"
    );
    if let Some((sources, rate)) = first.sources().filter(|most| most.0.len() <= 3) {
        let names: Vec<String> = sources
            .iter()
            .map(|&class| class_name(record, class))
            .collect();
        words += &format!("; most of {}, {}", names.join(" and "), percent(rate));
    }
    if let Some(windows) = windows {
        words += &format!(
            "; windows of other classes at most {}",
            percent(windows.rate)
        );
    }
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::ClassId;
    use crate::session::record::PastedFinding;
    use crate::session::{Config, Form};

    #[test]
    fn windows_of_other_classes_that_work_as_well_are_said_to_distinguish_nothing() {
        let mut record = Record::new(&Config::default());
        record.form = Some(Form::numbered([1, 28, 28], 3));
        let finding = |class: usize, called: u64| PastedFinding {
            shown: vec![100; 3],
            called: vec![called; 3],
            ..PastedFinding::new(ClassId(class), (0, 0, 4), 3)
        };
        let words = |other: u64| {
            let audit = Audit {
                pasted: vec![finding(0, 100), finding(1, other), finding(2, 0)],
                ..Audit::default()
            };
            pasted(&record, &audit).unwrap()
        };
        let alike = words(100);
        assert!(
            alike.starts_with("pasting distinguishes nothing"),
            "{alike}"
        );
        assert!(
            alike.ends_with("windows of other classes up to 100.0 %"),
            "{alike}"
        );
        let apart = words(3);
        assert!(apart.starts_with("pasted on test images"), "{apart}");
        assert!(
            apart.ends_with("; windows of other classes at most 3.0 %"),
            "{apart}"
        );
    }
}
