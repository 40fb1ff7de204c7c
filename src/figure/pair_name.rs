//! The difference between any two classes, by the name of its figure.

use super::{Figure, FigureError};
use crate::drawing::Sheet;
use crate::ids::{ClassId, Gamma};
use crate::session::Session;

/// What separates the two classes in the name of a figure.
const RATHER_THAN: &str = "-not-";

/// `pair-4-not-9` or `pair-dress-not-coat`, optionally at a γ, and with `noise2-` before it of the second
/// classification images: the difference between any two classes, which need not be among [`super::list`]. `None` if
/// the name has another form.
pub fn pair(session: &Session, query: &str) -> Option<Result<Figure, FigureError>> {
    let numbered = query
        .strip_prefix("noise")
        .and_then(|rest| rest.split_once('-'));
    let (images, query) = match numbered {
        // The first ones have no number.
        Some((number, rest)) => (number.parse::<usize>().ok()?.checked_sub(2)? + 1, rest),
        None => (0, query),
    };
    let named = query.strip_prefix("pair-")?;
    let at_gamma = named
        .rsplit_once("-gamma-")
        .and_then(|(classes, gamma)| Some((classes, gamma.parse::<Gamma>().ok()?)));
    let (classes, gamma) = match at_gamma {
        Some((classes, gamma)) => (classes, Some(gamma)),
        None => (named, None),
    };
    // Names of classes may contain the same word.
    let places = classes.match_indices(RATHER_THAN);
    let mut splits =
        places.map(|(at, word)| both(session, &classes[..at], &classes[at + word.len()..]));
    let first = splits.next()?;
    let found = first.or_else(|problem| splits.find_map(Result::ok).ok_or(problem));
    Some(found.and_then(|(class, versus)| {
        let figure = Figure::Pair {
            images,
            class,
            versus,
            gamma,
        };
        if class == versus {
            return Err(FigureError::SameClass(figure.name()));
        }
        super::draw(session, &figure, Sheet::DOUBLE).map(|_| figure)
    }))
}

fn both(session: &Session, class: &str, versus: &str) -> Result<(ClassId, ClassId), FigureError> {
    Ok((class_id(session, class)?, class_id(session, versus)?))
}

/// A class by its number, as in all names of figures, or else by its name.
fn class_id(session: &Session, typed: &str) -> Result<ClassId, FigureError> {
    if let Ok(number) = typed.parse() {
        return Ok(ClassId(number));
    }
    match &session.record.form {
        Some(form) => form.find(typed).map_err(FigureError::ClassName),
        None => Err(FigureError::ClassName(format!(
            "`{typed}` is not a number, and class names are unknown until the session has run"
        ))),
    }
}

/// A name of such a figure, of the session's first two classes.
pub fn example(session: &Session) -> String {
    let form = session.record.form.as_ref();
    let name = |class: usize| {
        let name = form.and_then(|form| form.classes.get(class));
        let is_word = |name: &&String| {
            let mut letters = name.chars();
            name.parse::<usize>().is_err() && letters.all(char::is_alphanumeric)
        };
        name.filter(is_word)
            .map_or_else(|| class.to_string(), String::clone)
    };
    format!("pair-{}{RATHER_THAN}{}", name(0), name(1))
}
