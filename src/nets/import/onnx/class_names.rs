//! Reads class names from a model's metadata in the formats exporters use: JSON or Python lists or
//! dictionaries, or names separated by commas or line breaks.

use super::messages::ModelProto;

/// Metadata keys that may hold class names.
const KEYS: [&str; 9] = [
    "names",
    "classes",
    "class_names",
    "labels",
    "id2label",
    "idx_to_class",
    "categories",
    "character",
    "label_names",
];

/// One name per class, if the metadata has as many.
pub fn read(model: &ModelProto, classes: usize) -> Option<Vec<String>> {
    let mut entries = model.metadata_props.iter();
    entries.find_map(|entry| {
        let key = entry.key.to_lowercase();
        let known = KEYS.iter().any(|known| key.ends_with(known));
        let names = known.then(|| names(&entry.value))?;
        (names.len() == classes).then_some(names)
    })
}

fn names(text: &str) -> Vec<String> {
    let text = text.trim();
    let inner = |open: char, close: char| text.strip_prefix(open)?.strip_suffix(close);
    let tidy = |word: &str| word.trim().trim_matches(['"', '\'']).to_owned();
    if let Some(entries) = inner('{', '}') {
        let mut numbered: Vec<(usize, String)> = Vec::new();
        for entry in parts(entries) {
            let Some((key, value)) = entry.split_once(':') else {
                return Vec::new();
            };
            // Either way round: {0: "cat"} and {"cat": 0}.
            match (tidy(key).parse(), tidy(value).parse()) {
                (Ok(number), _) => numbered.push((number, tidy(value))),
                (_, Ok(number)) => numbered.push((number, tidy(key))),
                _ => return Vec::new(),
            }
        }
        numbered.sort();
        let complete = numbered
            .iter()
            .enumerate()
            .all(|(i, (number, _))| i == *number);
        let named = numbered.into_iter().map(|(_, name)| name);
        return if complete {
            named.collect()
        } else {
            Vec::new()
        };
    }
    let list = inner('[', ']').or_else(|| inner('(', ')'));
    match list {
        Some(entries) => parts(entries).into_iter().map(tidy).collect(),
        None if text.contains('\n') => text.lines().map(|line| line.trim().to_owned()).collect(),
        None => text.split(',').map(|name| name.trim().to_owned()).collect(),
    }
}

/// Splits at commas outside of quotes.
fn parts(text: &str) -> Vec<&str> {
    let (mut quote, mut escaped, mut start) = (None, false, 0);
    let mut parts = Vec::new();
    for (at, letter) in text.char_indices() {
        match (quote, letter) {
            _ if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(open), letter) if open == letter => quote = None,
            (None, '"' | '\'') => quote = Some(letter),
            (None, ',') => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    let last = &text[start..];
    if !last.trim().is_empty() {
        parts.push(last);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn names_are_read_as_exporters_write_them() {
        for text in [
            "{0: 'cat', 1: 'dog, large'}",
            "{\"1\": \"dog, large\", \"0\": \"cat\"}",
            "{'cat': 0, 'dog, large': 1}",
            "[\"cat\", \"dog, large\"]",
            "cat\ndog, large",
        ] {
            assert_eq!(names(text), ["cat", "dog, large"], "{text}");
        }
        assert_eq!(names("cat, dog"), ["cat", "dog"]);
        assert!(names("{0: 'cat', 2: 'dog'}").is_empty());
        assert!(names("{nonsense}").is_empty());
    }
}
