//! The README agrees with the program.

use std::fs;
use std::path::Path;

use noisescope::session::store::{VERSION, from_text};

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");

/// With `UPDATE_README=1` the table is rewritten instead of compared.
#[test]
fn the_key_list_is_the_action_table() {
    let readme = fs::read_to_string(PATH).unwrap();
    let (before, rest) = readme.split_once("<!-- keys -->\n").unwrap();
    let (listed, after) = rest.split_once("<!-- /keys -->").unwrap();
    let table = noisescope::tui::key_table();
    if std::env::var_os("UPDATE_README").is_some() {
        let text = format!("{before}<!-- keys -->\n{table}<!-- /keys -->{after}");
        fs::write(PATH, text).unwrap();
        return;
    }
    assert_eq!(
        listed, table,
        "UPDATE_README=1 cargo test --test readme rewrites it"
    );
}

#[test]
fn every_picture_in_the_readme_exists() {
    let readme = fs::read_to_string(PATH).unwrap();
    for picture in readme
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
    {
        if picture.ends_with(".png") {
            let path = format!("{}/{picture}", env!("CARGO_MANIFEST_DIR"));
            assert!(fs::metadata(path).is_ok(), "{picture}");
        }
    }
}

#[test]
fn the_session_in_the_readme_opens_and_has_the_version_that_is_written() {
    let readme = fs::read_to_string(PATH).unwrap();
    let blocks = readme.split("```ron\n").skip(1);
    let texts: Vec<&str> = blocks
        .map(|block| block.split("```").next().unwrap())
        .collect();
    assert_eq!(texts.len(), 1);
    let version = format!("version: {VERSION},");
    assert!(texts[0].contains(&version), "{version}");
    from_text(texts[0], Path::new(PATH), "shown").unwrap();
}
