//! Parses a page into tags, chapters and text, and checks what must hold for every page.

use std::collections::BTreeSet;

use noisescope::report::page::MAX_BYTES;

/// A tag that opens an element, with its attributes.
#[derive(Debug)]
pub struct Tag {
    pub name: String,
    attributes: Vec<(String, String)>,
}

impl Tag {
    /// The value of an attribute.
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut all = self.attributes.iter();
        all.find(|(attribute, _)| attribute == name)
            .map(|(_, value)| &**value)
    }
}

/// Elements without an end tag.
const VOID: [&str; 5] = ["meta", "link", "br", "hr", "img"];

/// All start tags of a page; panics if an element is not closed, or closed twice.
fn tags(page: &str) -> Vec<Tag> {
    let mut rest = page
        .strip_prefix("<!DOCTYPE html>")
        .expect("a page of HTML 5");
    let (mut open, mut all): (Vec<String>, Vec<Tag>) = (Vec::new(), Vec::new());
    while let Some(start) = rest.find('<') {
        assert!(
            !rest[..start].contains('>') || open.last().is_some_and(|element| element == "style"),
            "{}",
            &rest[..start]
        );
        rest = &rest[start + 1..];
        if let Some(name) = rest.strip_prefix('/') {
            let end = name.find('>').expect("an end tag ends");
            assert_eq!(open.pop().as_deref(), Some(&name[..end]));
            rest = &name[end + 1..];
            continue;
        }
        let end = rest
            .find(|c: char| c.is_whitespace() || c == '>' || c == '/')
            .unwrap();
        let name = rest[..end].to_owned();
        assert!(
            name.starts_with(|c: char| c.is_ascii_alphabetic()),
            "<{name}"
        );
        let (attributes, is_closed, after) = attributes(&rest[end..]);
        rest = after;
        if !is_closed && !VOID.contains(&&*name) {
            open.push(name.clone());
        }
        all.push(Tag { name, attributes });
    }
    assert!(open.is_empty(), "{open:?}");
    all
}

/// The attributes of a tag, whether it is self-closing, and the text after it.
fn attributes(tag: &str) -> (Vec<(String, String)>, bool, &str) {
    let mut all = Vec::new();
    let mut rest = tag;
    loop {
        rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix('>') {
            return (all, false, after);
        }
        if let Some(after) = rest.strip_prefix("/>") {
            return (all, true, after);
        }
        let end = rest
            .find(|c: char| c.is_whitespace() || "=>/".contains(c))
            .expect("a tag ends");
        assert!(end > 0, "{}", &rest[..rest.len().min(80)]);
        let name = rest[..end].to_owned();
        rest = &rest[end..];
        let mut value = String::new();
        if let Some(quoted) = rest.strip_prefix("=\"") {
            let end = quoted.find('"').expect("a value ends");
            assert!(!quoted[..end].contains('<'), "{}", &quoted[..end]);
            value = quoted[..end].to_owned();
            rest = &quoted[end + 1..];
        }
        assert!(
            all.iter().all(|(earlier, _)| *earlier != name),
            "{name} twice"
        );
        all.push((name, value));
    }
}

/// Checks what must hold for every page, whatever its session; returns its tags.
pub fn check_page(page: &str) -> Vec<Tag> {
    let tags = tags(page);
    let count = |name: &str| tags.iter().filter(|tag| tag.name == name).count();
    for (name, expected) in [
        ("h1", 1),
        ("main", 1),
        ("header", 1),
        ("nav", 1),
        ("footer", 1),
        ("title", 1),
    ] {
        let found = match name {
            // Each figure has a title too.
            "title" => count(name) - count("svg"),
            name => count(name),
        };
        assert_eq!(found, expected, "{name}");
    }
    assert_eq!(tags[0].get("lang"), Some("en"));
    let ids: Vec<&str> = tags.iter().filter_map(|tag| tag.get("id")).collect();
    let unique: BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(ids.len(), unique.len(), "an id appears twice");
    for tag in &tags {
        for forbidden in [
            "script", "iframe", "object", "embed", "base", "form", "img", "video", "audio",
        ] {
            assert_ne!(tag.name, forbidden);
        }
        for (name, value) in &tag.attributes {
            assert!(!name.starts_with("on"), "{name}");
            if [
                "src",
                "href",
                "xlink:href",
                "srcset",
                "action",
                "poster",
                "data",
                "ping",
            ]
            .contains(&&**name)
            {
                let inside = value
                    .strip_prefix('#')
                    .is_some_and(|id| unique.contains(id));
                assert!(
                    inside || value.starts_with("data:"),
                    "{} {name}={value}",
                    tag.name
                );
            }
            if ["aria-labelledby", "aria-describedby", "for"].contains(&&**name) {
                assert!(
                    value.split(' ').all(|id| unique.contains(id)),
                    "{name}={value}"
                );
            }
            assert!(!value.contains("url("), "{name}={value}");
        }
        if tag.name == "th" {
            assert!(matches!(tag.get("scope"), Some("col" | "row")));
        }
        if tag.get("role") == Some("region") {
            assert_eq!(tag.get("tabindex"), Some("0"));
            assert!(
                tag.get("aria-labelledby")
                    .or(tag.get("aria-label"))
                    .is_some()
            );
        }
    }
    assert_eq!(count("caption"), count("table"));
    let style = between(page, "<style>", "</style>");
    assert!(!style.contains("url(") && !style.contains("@import"));
    assert!(page.len() < MAX_BYTES, "{} bytes", page.len());
    tags
}

/// The text after the first occurrence of `from` up to the next `to`.
pub fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let begin = text.find(from).unwrap_or_else(|| panic!("{from}")) + from.len();
    let end = text[begin..].find(to).unwrap_or_else(|| panic!("{to}"));
    &text[begin..begin + end]
}

/// The chapter with this id.
pub fn chapter<'a>(page: &'a str, id: &str) -> &'a str {
    between(page, &format!("<section id=\"{id}\""), "</section>")
}

/// The text of a part of a page, with a line break for each tag.
pub fn text_of(html: &str) -> String {
    let mut text = String::new();
    let mut is_tag = false;
    for c in html.chars() {
        match c {
            '<' => is_tag = true,
            '>' => {
                is_tag = false;
                text.push('\n');
            }
            c if !is_tag => text.push(c),
            _ => {}
        }
    }
    for (escaped, plain) in [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&amp;", "&"),
    ] {
        text = text.replace(escaped, plain);
    }
    text
}
