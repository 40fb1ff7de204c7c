//! Tests of plans with images of a form that they do not fit.

use super::*;
use crate::ids::ClassId;

#[test]
fn what_does_not_fit_the_images_is_named_with_its_place() {
    let of = |analysis: Analysis, form: Form| {
        let config = Config {
            analyses: vec![analysis],
            ..Config::default()
        };
        let checked = config.check_form(&form);
        checked.err().map_or_else(String::new, |error| error.path)
    };
    let backdoor = |target| Backdoor {
        target: ClassId(target),
        ..Backdoor::default()
    };
    let audit = || Audit {
        noise: Noise::Patch,
        ..Audit::default()
    };
    let digits = || Form::numbered([1, 28, 28], 10);
    assert_eq!(of(Analysis::Backdoor(backdoor(9)), digits()), "");
    assert_eq!(
        of(Analysis::Backdoor(backdoor(10)), digits()),
        "analyses[0].target"
    );
    assert_eq!(of(Analysis::Audit(audit()), digits()), "");
    let tiny = Form::numbered([1, 2, 2], 10);
    assert_eq!(
        of(Analysis::Audit(audit()), tiny.clone()),
        "analyses[0].noise"
    );
    let images = |noise| {
        Analysis::ClassificationImages(ClassificationImages {
            noise,
            ..ClassificationImages::default()
        })
    };
    assert_eq!(of(images(Noise::Patch), tiny.clone()), "analyses[0].noise");
    assert_eq!(of(images(Noise::Uniform), tiny), "");
    assert_eq!(of(images(Noise::Patch), digits()), "");
}
